"""Spack packages: https://spack.readthedocs.io/en/latest/packaging_guide_creation.html

`package.py` is Python, and read as a tree (`ast`), never run. The class names what the
package is built with; its attributes name where it comes from.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from monitor.importing.result import Recipe, Upstream
from monitor.importing.shell_tools import UNKNOWN

__all__ = ["read"]

_MIRRORS: Final = {
    "gnu_mirror_path": "https://ftp.gnu.org/gnu/",
    "sourceforge_mirror_path": "https://downloads.sourceforge.net/project/",
    "sourceware_mirror_path": "https://sourceware.org/pub/",
    "xorg_mirror_path": "https://www.x.org/archive/individual/",
}
_BRANCHES: Final = frozenset(
    "develop main master head trunk stable latest nightly devel dev next live unstable".split()  # noqa: SIM905
)


def read(path: Path, text: str) -> Iterator[Recipe]:
    """The package of a package.py."""
    folder = path.parent.name
    name = (
        folder.lstrip("_").replace("_", "-") if folder.startswith("_") or "_" in folder else folder
    )
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        what = str(error) or "nested too deeply"
        yield Recipe(name=name, origin=str(path), reason=f"is no Python that can be read: {what}")
        return
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    bases = {_called(base) for one in classes for base in one.bases}
    main = _main(classes, folder)
    if main is None:
        yield Recipe(name=name, origin=str(path), reason="holds no package class")
        return
    values, versions = _attributes(main, tree)
    sources, repositories, upstream = _whence(
        values, versions, {_called(base) for base in main.bases}, main
    )
    version = _newest([one for one, _ in versions])
    reason = None
    if not sources and not repositories and upstream is None:
        reason = _reason(bases, values)
    yield Recipe(
        name=name,
        version=version,
        upstream=upstream,
        sources=tuple(sources),
        repositories=tuple(repositories),
        homepage=() if reason else tuple(one for one in (_text(values, "homepage"),) if one),
        origin=f"{path}:{main.lineno}",
        reason=reason,
        owner=None,
    )


def _main(classes: list[ast.ClassDef], folder: str) -> ast.ClassDef | None:
    """The package's class, named after its folder; else the last that is no mere builder."""
    wanted = re.sub(r"[^a-z0-9]", "", folder.lower())
    for one in classes:
        if one.name.lower().replace("_", "") == wanted:
            return one
    packages = [one for one in classes if not one.name.endswith("Builder")]
    return packages[-1] if packages else None


def _called(node: ast.expr) -> str:
    return (
        node.attr
        if isinstance(node, ast.Attribute)
        else node.id
        if isinstance(node, ast.Name)
        else ""
    )


def _attributes(
    main: ast.ClassDef, tree: ast.Module
) -> tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]:
    """The class's plain values, and its versions with their arguments."""
    values: dict[str, Any] = {}
    versions: list[tuple[str, dict[str, Any]]] = []
    known: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            known[node.targets[0].id] = _value(node.value, known)
    _body(main.body, values, versions, known)
    return values, versions


def _body(
    body: list[ast.stmt],
    values: dict[str, Any],
    versions: list[tuple[str, dict[str, Any]]],
    known: dict[str, Any],
) -> None:
    for node in body:
        match node:
            case ast.Assign(targets=[*targets], value=value):
                for target in targets:
                    if isinstance(target, ast.Name):
                        values[target.id] = _value(value, known | values)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                values[name] = _value(value, known | values)
            case ast.Expr(value=ast.Call(func=ast.Name(id="version")) as call) if call.args:
                number = _value(call.args[0], known | values)
                arguments = {k.arg: _value(k.value, known | values) for k in call.keywords if k.arg}
                if isinstance(number, str):
                    versions.append((number, arguments))
            case ast.With(body=inner) | ast.If(body=inner) | ast.For(body=inner):
                _body(inner, values, versions, known)
            case ast.FunctionDef(name="url_for_version"):
                values.setdefault("url_for_version", _format(node))


def _value(node: ast.expr, known: dict[str, Any]) -> Any:
    """Constants, lists and joined texts of them; None for anything else."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return known.get(name)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item, known) for item in items]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            first, second = _value(left, known), _value(right, known)
            if isinstance(first, str) and isinstance(second, str):
                return _short(first, second)
        case ast.JoinedStr(values=parts):
            texts = [
                _value(part.value, known)
                if isinstance(part, ast.FormattedValue)
                else _value(part, known)
                for part in parts
            ]
            if all(isinstance(text, str) for text in texts):
                return _short(*texts)
    return None


LONGEST: Final = 65536
"""Characters of a value; a package whose values grow beyond is none."""


def _short(*texts: str) -> str | None:
    return "".join(texts) if sum(map(len, texts)) <= LONGEST else None


def _format(function: ast.stmt) -> str | None:
    """The longest address that `url_for_version` writes down."""
    found = [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "://" in node.value
    ]
    # "{0}", "{version.dotted}" and "%s" are filled in by the build.
    return re.sub(r"\{[\w.]*\}|%s", UNKNOWN, max(found, key=len)) if found else None


def _text(values: dict[str, Any], key: str) -> str | None:
    value = values.get(key)
    return value if isinstance(value, str) and value else None


def _whence(
    values: dict[str, Any],
    versions: list[tuple[str, dict[str, Any]]],
    bases: set[str],
    main: ast.ClassDef,
) -> tuple[list[str], list[str], Upstream | None]:
    upstream: Upstream | None = None
    if pypi := _text(values, "pypi"):
        upstream = "pypi", pypi.split("/")[0]
    elif cran := _text(values, "cran"):
        upstream = "cran", cran
    elif bioc := _text(values, "bioc"):
        upstream = "bioconductor", bioc
    elif gem := _text(values, "gem"):
        upstream = "rubygems", gem
    elif ("RacketPackage" in bases) and _text(values, "racket_name"):
        upstream = "racket", str(values["racket_name"])
    sources: list[str] = []
    newest = _newest([number for number, _ in versions])
    own = [
        str(arguments["url"])
        for number, arguments in versions
        if number == newest and arguments.get("url")
    ]
    sources += own
    for key, base in _MIRRORS.items():
        if path := _text(values, key):
            sources.append(base + path)
    for key in ("url", "urls"):
        value = values.get(key)
        sources += [
            one
            for one in (value if isinstance(value, list) else [value])
            if isinstance(one, str) and one
        ]
    if not sources:
        sources += [str(arguments["url"]) for _, arguments in versions if arguments.get("url")][:1]
    if not sources and (written := _text(values, "url_for_version")):
        sources.append(written)
    repositories = [one for one in (_text(values, "git"),) if one]
    for _, arguments in versions:
        if isinstance(arguments.get("git"), str):
            repositories.append(arguments["git"])
    listing = values.get("list_url")
    if not sources and isinstance(listing, str):
        sources.append(listing)
    if not repositories and not sources:
        for key in ("svn", "hg"):
            if address := _text(values, key):
                sources.append(f"{key}+{address}")
    return sources, list(dict.fromkeys(repositories)), upstream


def _newest(versions: list[str]) -> str | None:
    """The highest version that is no branch."""
    numbers = [
        one for one in versions if one.lower() not in _BRANCHES and re.match(r"[vV]?\d", one)
    ]
    if not numbers:
        return None
    from monitor.ordering import sort_key

    return max(numbers, key=lambda one: sort_key("generic", one))


def _reason(bases: set[str], values: dict[str, Any]) -> str:
    if "BundlePackage" in bases or values.get("has_code") is False:
        return "a bundle, which only brings others in"
    if values.get("manual_download") is True:
        return "must be downloaded by hand: it has no address"
    return "names no address and no repository of its own"
