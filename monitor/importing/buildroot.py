"""Buildroot packages: https://buildroot.org/downloads/manual/manual.html#adding-packages

`package/foo/foo.mk` names version, site, source and method as make variables; the
functions of make that only change text are followed, others are unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from monitor.importing.beside import text_of
from monitor.importing.result import Recipe, Upstream
from monitor.importing.shell_recipes import filled
from monitor.importing.shell_tools import UNKNOWN

__all__ = ["read"]

_MIRRORS: Final = {
    "BR2_GNU_MIRROR": "https://ftp.gnu.org/gnu",
    "BR2_KERNEL_MIRROR": "https://cdn.kernel.org/pub",
    "BR2_CPAN_MIRROR": "https://cpan.metacpan.org",
    "BR2_LUAROCKS_MIRROR": "https://luarocks.org",
    "BR2_DEBIAN_MIRROR": "mirror://debian",
    "BR2_SOURCEFORGE_MIRROR": "https://downloads.sourceforge.net/project",
}
_ASSIGN: Final = re.compile(
    r"^(?:override[ \t]+|export[ \t]+)?([A-Za-z][A-Za-z0-9_-]*)[ \t]*(\+|:|::|\?)?=[ \t]*(.*)$"
)
_IF: Final = re.compile(r"[ ]*(ifn?(?:eq|def))\b(.*)$")
_EVAL: Final = re.compile(r"\$\(eval \$\((host-)?([a-z0-9-]+)-package\)\)")
_FORGES: Final = {
    "github": "https://github.com/{}/{}/archive/{}",
    "gitlab": "https://gitlab.com/{}/{}/-/archive/{}",
}
LONGEST: Final = 20000
"""Characters of a value; a makefile whose values grow beyond is no package."""

_VIRTUAL: Final = frozenset(("virtual", "toolchain", "barebox", "linux-kernel"))


class _Make:
    """Variables of a makefile, expanded when they are asked for."""

    def __init__(self, text: str, above: str = "") -> None:
        self.values: dict[str, str] = dict(_MIRRORS)
        self.elsewhere: set[str] = set()  # names known from a branch that is not taken
        self._steps = 0
        self.lines: dict[str, int] = {}
        self._recipe(above)
        self.lines = {}
        self._recipe(text)

    def _recipe(self, text: str) -> None:
        defining = False
        taken: list[bool | None] = []  # of every condition around: whether its branch counts
        joined, start = "", 0
        for number, raw in enumerate(text.splitlines(), 1):
            line = raw
            if not joined:
                start = number
            if line.endswith("\\"):
                joined += line[:-1] + " "
                continue
            line, joined = joined + line, ""
            if re.match(r"define\b", line):
                defining = True
            elif re.match(r"endef\b", line):
                defining = False
            elif defining or line.startswith("\t"):
                continue
            elif match := _IF.match(line):
                taken.append(self._holds(match))
            elif re.match(r"else\b", line):
                if taken:
                    before = taken.pop()
                    match = _IF.match(line.removeprefix("else").strip())
                    # None: a branch before was taken, and none of those to come is.
                    done = before is None or before
                    taken.append(None if done else self._holds(match) if match else True)
            elif line.startswith("endif"):
                taken = taken[:-1]
            else:
                match = _ASSIGN.match(re.sub(r"(?<!\\)\s+#.*$|^#.*$", "", line))
                if match and all(taken):
                    if match[1] in self.elsewhere:
                        self.elsewhere.discard(match[1])
                        self.values.pop(match[1], None)
                    self._assign(match, start)
                elif match and match[1] not in self.values:
                    self.elsewhere.add(match[1])
                    self._assign(match, start)

    def _holds(self, match: re.Match[str]) -> bool:
        """Whether a condition holds for a plain configuration, in which no option is set."""
        word, rest = match[1], match[2].strip()
        if word.endswith("def"):
            return (rest in self.values) == (word == "ifdef")
        parts = (
            _commas(rest[1:-1])
            if rest.startswith("(")
            else re.findall(r"[\"']([^\"']*)[\"']", rest)
        )
        if len(parts) != 2:
            return False
        left, right = (self.expand(one).replace(UNKNOWN, "").strip() for one in parts)
        return (left == right) == (word == "ifeq")

    def _assign(self, match: re.Match[str], line: int) -> None:
        name, operator, value = match[1], match[2], match[3].strip()
        self.lines.setdefault(name, line)
        if operator == "+":
            self.values[name] = f"{self.values.get(name, '')} {value}".strip()
        elif operator == "?" and name in self.values:
            pass
        elif operator in (":", "::"):
            self.values[name] = self.expand(value)
        elif name in self.values and self.values[name] and not value:
            pass  # emptied in a branch for some machine
        else:
            self.values[name] = value

    def get(self, name: str) -> str:
        value = self.values.get(name)
        return "" if value is None else self.expand(value)

    def expand(self, text: str, depth: int = 0) -> str:
        self._steps += 1
        if depth > 30 or self._steps > 5000 or len(text) > LONGEST:
            return UNKNOWN
        out, at = [], 0
        while at < len(text):
            if text[at] == "$" and text[at + 1 : at + 2] in ("(", "{"):
                end = _closing(text, at + 1)
                out.append(self._reference(text[at + 2 : end], depth))
                at = end + 1
            elif text[at : at + 2] == "$$":
                out.append("$")
                at += 2
            else:
                out.append(text[at])
                at += 1
        made = "".join(out)
        return made if len(made) <= LONGEST else UNKNOWN

    def _reference(self, inside: str, depth: int) -> str:
        name, _, rest = inside.partition(" ")
        if not rest:
            name = self.expand(name, depth + 1)
            if match := re.fullmatch(r"([\w-]+):(.*)=(.*)", name):
                value = self.expand(self.values.get(match[1], UNKNOWN), depth + 1)
                if value.count(" ") * len(match[3]) > LONGEST:
                    return UNKNOWN
                return re.sub(
                    rf"{re.escape(match[2].lstrip('%'))}(?=\s|$)", match[3].lstrip("%"), value
                )
            known = self.values.get(name)
            return UNKNOWN if known is None else self.expand(known, depth + 1)
        arguments = [self.expand(one, depth + 1) for one in _commas(rest)]
        return self._function(name, arguments, depth)

    def _function(self, name: str, words: list[str], depth: int) -> str:
        text = self._made(name, words, depth)
        return text if len(text) <= LONGEST else UNKNOWN

    def _made(self, name: str, words: list[str], depth: int) -> str:
        try:
            match name:
                case "call":
                    return self._call(words[0], [one.strip() for one in words[1:]])
                case "subst":
                    if words[2].count(words[0]) * len(words[1]) > LONGEST:
                        return UNKNOWN
                    return words[2].replace(words[0], words[1])
                case "patsubst":
                    if words[1].count("%") * len(words[2]) > LONGEST:
                        return UNKNOWN
                    return " ".join(_patsubst(words[0], words[1], one) for one in words[2].split())
                case "strip":
                    return " ".join(words[0].split())
                case "firstword":
                    return (words[0].split() or [""])[0]
                case "lastword":
                    return (words[0].split() or [""])[-1]
                case "word":
                    row = words[1].split()
                    place = int(words[0])
                    return row[place - 1] if place <= len(row) else ""
                case "wordlist":
                    return " ".join(words[2].split()[int(words[0]) - 1 : int(words[1])])
                case "notdir":
                    return words[0].rstrip("/").rpartition("/")[2]
                case "basename":
                    return re.sub(r"\.[^./]*$", "", words[0])
                case "suffix":
                    return re.search(r"(\.[^./]*)?$", words[0])[0]  # type: ignore[index]
                case "if":
                    chosen = words[1] if words[0].strip() else words[2] if len(words) > 2 else ""
                    return self.expand(chosen, depth + 1)
                case "or":
                    return next((one for one in words if one.strip()), "")
                case "qstrip":
                    return words[0].strip('" ')
        except (IndexError, ValueError):
            pass
        return UNKNOWN

    def _call(self, function: str, words: list[str]) -> str:
        function = function.strip()
        if function in _FORGES and len(words) == 3:
            return _FORGES[function].format(*words)
        if function == "qstrip" and words:
            return words[0].strip('" ')
        if function in ("LOWERCASE", "UPPERCASE") and words:
            return words[0].lower() if function == "LOWERCASE" else words[0].upper()
        if function == "sanitize" and words:
            return words[0].replace('"', "")
        return UNKNOWN


def _patsubst(pattern: str, new: str, word: str) -> str:
    before, percent, after = pattern.strip().partition("%")
    if not percent or not word.startswith(before) or not word.endswith(after):
        return new if word == pattern.strip() else word
    return new.strip().replace("%", word[len(before) : len(word) - len(after)])


def _closing(text: str, at: int) -> int:
    """The place of the bracket that closes the one at `at`."""
    opener = text[at]
    closer = ")" if opener == "(" else "}"
    deep = 0
    for place in range(at, len(text)):
        deep += (text[place] == opener) - (text[place] == closer)
        if deep == 0:
            return place
    return len(text)


def _commas(text: str) -> list[str]:
    parts, deep, piece = [], 0, ""
    for char in text:
        deep += (char in "({") - (char in ")}")
        if char == "," and deep == 0:
            parts.append(piece)
            piece = ""
        else:
            piece += char
    return [*parts, piece]


def read(path: Path, text: str) -> Iterator[Recipe]:
    """The package of a .mk file; one that defines none, a list of others, yields nothing."""
    evaluated = _EVAL.findall(text)
    name = path.stem
    prefix = re.sub(r"[^A-Z0-9]", "_", name.upper())
    make = _Make(text, _above(path))
    if (
        not evaluated
        and f"{prefix}_VERSION" not in make.values
        and f"{prefix}_SITE" not in make.values
    ):
        return
    if not evaluated and f"{prefix}_SITE" not in make.values:
        return
    kinds = {kind for _, kind in evaluated}
    host_only = bool(evaluated) and all(host for host, _ in evaluated)

    def value(key: str) -> str:
        return make.get(f"{prefix}_{key}") or make.get(f"HOST_{prefix}_{key}")

    version = value("VERSION")
    site, source, method = value("SITE").rstrip("/"), value("SOURCE"), value("SITE_METHOD")
    if f"{prefix}_SITE_METHOD" in make.elsewhere and f"{prefix}_SITE" not in make.elsewhere:
        method = ""  # of another branch than the site
    origin = f"{path}:{make.lines.get(f'{prefix}_SITE', make.lines.get(f'{prefix}_VERSION', 1))}"
    sources: list[str] = []
    repositories: list[str] = []
    upstream: Upstream | None = None
    reason = None
    if not site:
        reason = _no_site(kinds, name)
    elif method == "local" or (site.startswith(("/", UNKNOWN + "/")) and "://" not in site):
        reason = "its source is a folder of Buildroot's own tree"
    elif method == "git" or ((site.startswith("git://") or site.endswith(".git")) and not source):
        tag = f"#tag={version}" if version and not re.fullmatch(r"[0-9a-f]{7,40}", version) else ""
        repositories = [f"git+{site}{tag}"]
    elif method in ("svn", "hg", "bzr", "cvs") or re.match(r"(?:svn|hg|bzr|cvs)(?:\+|://)", site):
        sources = [f"{method or 'svn'}+{site}"]
    else:
        plain_site = re.sub(r"^(?:http|https|ftp|scp|git|wget)\+(?=[a-z]+://)", "", site)
        if re.match(r"[\w-]+(?:\.[\w-]+)+/", plain_site):
            plain_site = f"http://{plain_site}"  # wget's default
        if "rock" in "".join(kinds) or kinds == {"luarocks"}:
            upstream = "luarocks", filled(value("NAME_UPSTREAM")) or name.removeprefix("lua-")
        file = source.split()[0] if source else f"{name}-{version or UNKNOWN}.tar.gz"
        sources = [file] if "://" in file else [f"{plain_site}/{file}"]
    if not reason and kinds == {"luarocks"} and upstream is None:
        upstream = "luarocks", filled(value("NAME_UPSTREAM")) or name.removeprefix("lua-")
    if kinds == {"luarocks"} and reason:
        reason, upstream = (
            None,
            ("luarocks", filled(value("NAME_UPSTREAM")) or name.removeprefix("lua-")),
        )
    yield Recipe(
        name=f"host-{name}" if host_only else name,
        version=_release(version),
        upstream=upstream,
        sources=tuple(sources),
        repositories=tuple(repositories),
        homepage=_homepage(path),
        origin=origin,
        reason=reason,
    )


def _above(path: Path) -> str:
    """The makefile of the family that a package is of: `qt5/qt5.mk` of `qt5/qt5base/qt5base.mk`."""
    family = path.absolute().parent.parent
    return text_of(family / f"{family.name}.mk") or ""


def _no_site(kinds: set[str], name: str) -> str | None:
    if "virtual" in kinds:
        return "a virtual package, which stands for others"
    if kinds & {"luarocks"}:
        return None
    return "names no site: made of Buildroot's own files, or of another package's source"


def _release(version: str) -> str | None:
    """The version without what marks a tag; None for a commit or what is not known."""
    text = filled(version)
    if not text or re.fullmatch(r"[0-9a-f]{12,40}", text):
        return None
    if text[0].isdigit():
        return text
    from monitor.formats.archive_names import split_tag

    return split_tag(text).version or text


def _homepage(path: Path) -> tuple[str, ...]:
    """The address at the end of the help text in Config.in."""
    for name in ("Config.in", "Config.in.host"):
        text = text_of(path.parent / name) or ""
        if found := re.findall(r"^\s+(https?://\S+)$", text, re.MULTILINE):
            return (found[-1],)
    return ()
