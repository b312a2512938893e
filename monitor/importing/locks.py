"""Requirements and lock files: each names its packages, and the registry is its language's.

What comes from a repository is its own upstream; what lies in the project's own folder has none.
Formats: https://pip.pypa.io/en/stable/reference/requirements-file-format/, the `[[package]]`
tables of poetry, uv, pdm, pylock and Cargo, Pipfile.lock, Gemfile.lock, package-lock.json,
composer.lock, go.mod, mix.lock, Cabal's freeze files and stack.yaml.lock.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from monitor.importing.result import Recipe

__all__ = [
    "read_cabal",
    "read_cargo_toml",
    "read_composer",
    "read_gemfile",
    "read_go",
    "read_mix",
    "read_npm",
    "read_pipfile",
    "read_requirements",
    "read_stack",
    "read_toml_lock",
]

_OWN: Final = "is the project's own code, or lies in its folder: there is no upstream to ask"
_REQUIRED: Final = re.compile(r"(?:require\s+)?([\w.-]+\.[a-z]+(?:/\S+)?)\s+(v\S+)")
_STACKED: Final = re.compile(
    r"^\s*(?:- |hackage: |- hackage: )"
    r"([A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*)*)-(\d[\d.]*)(?:@|\s*$)"
)
_HEADS: Final = re.compile(r"^\[\[package(?:s)?\]\]", re.MULTILINE)


def read_requirements(path: Path, text: str) -> Iterator[Recipe]:
    """requirements.txt, constraints.txt; `-r other.txt` is told, not followed."""
    from packaging.requirements import InvalidRequirement, Requirement

    joined, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        start = start or number
        if line.endswith("\\"):
            joined += line[:-1].rstrip() + " "
            continue
        whole, origin = joined + line, f"{path}:{start}"
        joined, start = "", 0
        whole = re.sub(r"(?:^|\s)#.*$", "", whole).strip()
        whole = re.sub(r"\s+--(?:hash|config-settings|global-option)[= ]\S+", "", whole).strip()
        if not whole:
            continue
        if match := re.match(r"(?:-e|--editable)[ =]\s*(\S+)", whole):
            yield _address(match[1], origin)
        elif re.match(r"(?:-r|--requirement|-c|--constraint)[ =]?\s*\S+", whole):
            name = whole.split()[-1]
            yield Recipe(
                name=name, origin=origin, reason="is another file of requirements: import it, too"
            )
        elif whole.startswith("-"):
            continue  # an option of the installer
        elif "://" in whole.split(" @ ")[0].split()[0] or whole.startswith(("./", "../", "/")):
            yield _address(whole.split()[0], origin)
        else:
            try:
                wanted = Requirement(whole)
            except InvalidRequirement as error:
                yield Recipe(
                    name=whole[:80],
                    origin=origin,
                    reason=f"is no requirement: {str(error).splitlines()[0]}",
                )
                continue
            if wanted.url:
                yield _address(wanted.url, origin, wanted.name)
                continue
            exact = [
                one.version
                for one in wanted.specifier
                if one.operator in ("==", "===") and "*" not in one.version
            ]
            yield Recipe(
                name=wanted.name,
                version=exact[0] if exact else None,
                upstream=("pypi", wanted.name),
                origin=origin,
            )


def _address(address: str, origin: str, name: str | None = None) -> Recipe:
    """A requirement by address: a repository, an archive, or a folder."""
    egg = re.search(r"[#&]egg=([\w.-]+)", address)
    plain = address.split("#", maxsplit=1)[0]
    called = name or (
        egg[1]
        if egg
        else re.split(r"[/\\]", plain.rstrip("/"))[-1].split("@")[0].removesuffix(".git")
    )
    if "://" not in address or address.startswith("file:"):
        return Recipe(name=called or address, origin=origin, reason=_OWN)
    if address.startswith(("git+", "git://")) or plain.split("@")[-1].endswith(".git"):
        match = re.fullmatch(r"(.*?://(?:[^/@]+@)?[^@]*)(?:@([^@/]+(?:/[^@]+)?))?", plain)
        base, reference = (match[1], match[2]) if match else (plain, None)
        tag = f"#tag={reference}" if reference and re.search(r"\d\.\d", reference) else ""
        version = re.sub(r"^[vV]", "", reference) if tag and reference else None
        return Recipe(name=called, version=version, repositories=(base + tag,), origin=origin)
    from monitor.formats.archive_names import split

    found = split(plain)
    version = found.version if found.confidence >= 0.5 else None
    return Recipe(name=called, version=version, sources=(address,), origin=origin)


def read_toml_lock(path: Path, text: str) -> Iterator[Recipe]:
    """poetry.lock, uv.lock, pdm.lock, pylock.toml, Cargo.lock."""
    content = tomllib.loads(text)
    lines, place, line = [], 0, 1
    for match in _HEADS.finditer(text):
        line += text.count("\n", place, match.start())
        place = match.start()
        lines.append(line)
    packages = content.get("package", content.get("packages", []))
    cargo = path.name == "Cargo.lock" or "# This file is automatically @generated by Cargo" in text
    for number, package in enumerate(packages if isinstance(packages, list) else []):
        if not isinstance(package, dict) or not isinstance(package.get("name"), str):
            continue
        origin = f"{path}:{lines[number]}" if number < len(lines) else str(path)
        yield _cargo(package, origin) if cargo else _python(package, origin)


def _cargo(package: dict[str, Any], origin: str) -> Recipe:
    name, version, source = package["name"], _str(package.get("version")), package.get("source")
    if not isinstance(source, str):
        return Recipe(name=name, version=version, origin=origin, reason=_OWN)
    if source.startswith("git+"):
        base, _, query = source.split("#")[0].partition("?")
        tag = re.search(r"tag=([^&]+)", query)
        return Recipe(
            name=name,
            version=version,
            repositories=(base + (f"#tag={tag[1]}" if tag else ""),),
            origin=origin,
        )
    return Recipe(name=name, version=version, upstream=("crates", name), origin=origin)


def _python(package: dict[str, Any], origin: str) -> Recipe:
    name, version = package["name"], _str(package.get("version"))
    source = package.get("source")
    source = source if isinstance(source, dict) else {}
    vcs = package.get("vcs") if isinstance(package.get("vcs"), dict) else {}
    git = source.get("git") or package.get("git") or vcs.get("url")  # type: ignore[union-attr]
    if source.get("type") == "git":
        git = source.get("url")
    if isinstance(git, str):
        base = re.split(r"[?#]", git)[0]
        reference = (
            source.get("reference")
            or source.get("rev")
            or package.get("ref")
            or package.get("revision")
        )
        tag = re.search(r"[?&](?:tag|rev)=([^&#]+)", git)
        reference = tag[1] if tag else reference
        known = (
            f"#tag={reference}"
            if isinstance(reference, str) and re.search(r"\d\.\d", reference)
            else ""
        )
        return Recipe(
            name=name, version=version, repositories=(f"git+{base}{known}",), origin=origin
        )
    if (
        {"virtual", "editable", "directory", "path"} & source.keys()
        or source.get("type") in ("directory", "file")
        or package.get("path")
        or package.get("directory")
    ):
        return Recipe(name=name, version=version, origin=origin, reason=_OWN)
    if (
        isinstance(source.get("url"), str)
        and source.get("type") in (None, "url")
        and "registry" not in source
    ):
        return Recipe(name=name, version=version, sources=(source["url"],), origin=origin)
    return Recipe(name=name, version=version, upstream=("pypi", name), origin=origin)


def _str(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def read_cargo_toml(path: Path, text: str) -> Iterator[Recipe]:
    """The dependencies of a Cargo.toml; a lower bound is no packaged version and left out."""
    content = tomllib.loads(text)
    workspace = content.get("workspace")
    tables = [content, workspace if isinstance(workspace, dict) else {}]
    targets = content.get("target")
    tables += (
        [one for one in targets.values() if isinstance(one, dict)]
        if isinstance(targets, dict)
        else []
    )
    seen = set()
    for table in tables:
        for key in ("dependencies", "dev-dependencies", "build-dependencies"):
            dependencies = table.get(key)
            for name, wanted in (dependencies if isinstance(dependencies, dict) else {}).items():
                detail = wanted if isinstance(wanted, dict) else {"version": wanted}
                called = detail.get("package") or name
                if called in seen:
                    continue
                seen.add(called)
                yield _dependency(str(called), detail, _line(path, text, name))


def _dependency(name: str, detail: dict[str, Any], origin: str) -> Recipe:
    version = _str(detail.get("version"))
    exact = version.removeprefix("=").strip() if version and version.startswith("=") else None
    if isinstance(detail.get("git"), str):
        tag = f"#tag={detail['tag']}" if isinstance(detail.get("tag"), str) else ""
        return Recipe(
            name=name, version=exact, repositories=(f"git+{detail['git']}{tag}",), origin=origin
        )
    if detail.get("path") and not version:
        return Recipe(name=name, origin=origin, reason=_OWN)
    return Recipe(name=name, version=exact, upstream=("crates", name), origin=origin)


def _line(path: Path, text: str, name: str) -> str:
    match = re.search(rf"""^\s*(?:\[[^\]]*\.)?["']?{re.escape(name)}\b""", text, re.MULTILINE)
    return f"{path}:{text.count(chr(10), 0, match.start()) + 1}" if match else str(path)


def read_pipfile(path: Path, text: str) -> Iterator[Recipe]:
    """Pipfile.lock."""
    content = json.loads(text)
    seen = set()
    for section, packages in content.items():
        if section == "_meta" or not isinstance(packages, dict):
            continue
        for name, detail in packages.items():
            if name in seen or not isinstance(detail, dict):
                continue
            seen.add(name)
            origin = _line(path, text, name)
            if isinstance(detail.get("git"), str):
                yield Recipe(
                    name=name,
                    repositories=(f"git+{detail['git'].removeprefix('git+')}",),
                    origin=origin,
                )
            elif detail.get("path") or detail.get("editable"):
                yield Recipe(name=name, origin=origin, reason=_OWN)
            elif isinstance(detail.get("file"), str):
                yield _address(detail["file"], origin, name)
            else:
                version = _str(detail.get("version"))
                exact = version.removeprefix("==") if version and version.startswith("==") else None
                yield Recipe(name=name, version=exact, upstream=("pypi", name), origin=origin)


def read_gemfile(path: Path, text: str) -> Iterator[Recipe]:
    """Gemfile.lock: sections GEM, GIT and PATH, with the gems four spaces in."""
    section, remote, tag = "", "", ""
    for number, line in enumerate(text.splitlines(), 1):
        if line and not line[0].isspace():
            section, remote, tag = line.strip(), "", ""
        elif match := re.match(r"  (remote|tag): (\S+)", line):
            if match[1] == "remote":
                remote = match[2]
            else:
                tag = match[2]
        elif match := re.match(r"    ([A-Za-z0-9._-]+) \(([^)]+)\)$", line):
            name, origin = match[1], f"{path}:{number}"
            version = re.sub(
                r"-(?:x86_64|x86|aarch64|arm64?|java|jruby|universal|mswin|mingw|x64)\b.*$",
                "",
                match[2],
            )
            if section == "GEM":
                yield Recipe(name=name, version=version, upstream=("rubygems", name), origin=origin)
            elif section == "GIT":
                yield Recipe(
                    name=name,
                    version=version,
                    repositories=(remote + (f"#tag={tag}" if tag else ""),),
                    origin=origin,
                )
            elif section == "PATH":
                yield Recipe(name=name, version=version, origin=origin, reason=_OWN)


def read_npm(path: Path, text: str) -> Iterator[Recipe]:
    """package-lock.json, of all lockfile versions."""
    content = json.loads(text)
    packages = content.get("packages")
    if isinstance(packages, dict):
        rows = [
            (str(d.get("name") or key.rpartition("node_modules/")[2]), d)
            for key, d in packages.items()
            if key and isinstance(d, dict)
        ]
    else:
        rows = [
            (name, d)
            for name, d in (content.get("dependencies") or {}).items()
            if isinstance(d, dict)
        ]
    seen = set()
    for name, detail in rows:
        version = _str(detail.get("version"))
        if (name, version) in seen:
            continue
        seen.add((name, version))
        where = _str(detail.get("resolved")) or ""
        origin = _line(path, text, name)
        if detail.get("link") or where.startswith("file:"):
            yield Recipe(name=name, version=version, origin=origin, reason=_OWN)
        elif where.startswith(("git+", "git:", "github:")):
            yield Recipe(
                name=name,
                version=version,
                repositories=(where.split("#")[0].replace("github:", "https://github.com/"),),
                origin=origin,
            )
        else:
            yield Recipe(name=name, version=version, upstream=("npm", name), origin=origin)


def read_composer(path: Path, text: str) -> Iterator[Recipe]:
    """composer.lock."""
    content = json.loads(text)
    for key in ("packages", "packages-dev"):
        for package in content.get(key) or []:
            if isinstance(package, dict) and isinstance(package.get("name"), str):
                version = _str(package.get("version"))
                yield Recipe(
                    name=package["name"],
                    version=re.sub(r"^v(?=\d)", "", version) if version else None,
                    upstream=("packagist", package["name"]),
                    origin=_line(path, text, package["name"]),
                )


def read_go(path: Path, text: str) -> Iterator[Recipe]:
    """go.mod: what is required."""
    inside = False
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split("//")[0].strip()
        if line.startswith("require (") or line == "require(":
            inside = True
        elif line == ")":
            inside = False
        elif (inside or line.startswith("require")) and (match := _REQUIRED.fullmatch(line)):
            yield Recipe(
                name=match[1],
                version=match[2],
                upstream=("go", match[1]),
                origin=f"{path}:{number}",
            )


def read_mix(path: Path, text: str) -> Iterator[Recipe]:
    """mix.lock."""
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.search(r'"([\w]+)":\s*\{:hex,\s*:(\w+),\s*"([^"]+)"', line):
            yield Recipe(
                name=match[1],
                version=match[3],
                upstream=("hex", match[2]),
                origin=f"{path}:{number}",
            )
        elif match := re.search(r'"([\w]+)":\s*\{:git,\s*"([^"]+)"', line):
            yield Recipe(name=match[1], repositories=(match[2],), origin=f"{path}:{number}")


def read_cabal(path: Path, text: str) -> Iterator[Recipe]:
    """cabal.project.freeze: constraints of exact versions."""
    for number, line in enumerate(text.splitlines(), 1):
        for match in re.finditer(
            r"\b(?:any\.)?([A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*)*) ==([\d.]+)",
            line,
        ):
            yield Recipe(
                name=match[1],
                version=match[2],
                upstream=("hackage", match[1]),
                origin=f"{path}:{number}",
            )


def read_stack(path: Path, text: str) -> Iterator[Recipe]:
    """stack.yaml.lock, stack.yaml: `hackage: name-1.2@sha256:…`, `git: …`."""
    seen = set()
    for number, line in enumerate(text.splitlines(), 1):
        if match := _STACKED.search(line):
            if match[1] not in seen:
                seen.add(match[1])
                yield Recipe(
                    name=match[1],
                    version=match[2],
                    upstream=("hackage", match[1]),
                    origin=f"{path}:{number}",
                )
        elif match := re.search(r"^\s*(?:- )?git: (\S+)", line):
            address = match[1].strip("\"'")
            name = address.rstrip("/").rpartition("/")[2].removesuffix(".git")
            if name not in seen:
                seen.add(name)
                yield Recipe(name=name, repositories=(address,), origin=f"{path}:{number}")
