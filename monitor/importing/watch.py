"""uscan's watch files, versions 1 to 5, as the manual pages uscan(1) and debian-watch(5) say.

A watch file names an address to look at and a pattern of what counts. The address
leads to the upstream; a pattern with a plain prefix becomes a template of tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from monitor.importing.addresses import name_of, place
from monitor.importing.beside import text_of
from monitor.importing.result import Recipe, Upstream
from monitor.importing.shell_tools import UNKNOWN

__all__ = ["read"]

_ANY: Final = r"[-_]?[Vv]?(\d[\-+\.:\~\da-zA-Z]*)"
_EXTENSION: Final = r"(?i)\.(?:tar\.xz|tar\.bz2|tar\.gz|tar\.zstd?|zip|tgz|tbz|txz)"
_DEBIAN: Final = re.compile(r"[+~.-]?(?:dfsg|ds|repack|debian|deb|git|svn|really|nmu)[\w.]*$")


@dataclass
class _Entry:
    line: int
    url: str = ""
    pattern: str = ""
    options: dict[str, str] = field(default_factory=dict)
    upstream: Upstream | None = None
    reason: str | None = None


_REDIRECTED: Final = {
    "pypi": "pypi",
    "npm": "npm",
    "npmjs": "npm",
    "rubygems": "rubygems",
    "cpan": "cpan",
    "crates.io": "crates",
    "hackage": "hackage",
}
"""What Debian's redirector for upstreams calls registries."""


def read(path: Path, text: str) -> Iterator[Recipe]:
    """The package of a watch file: its main entry; components are named in the notes."""
    name, version = _package(path)
    fives = re.search(r"^\s*Version\s*:\s*5", text, re.MULTILINE)
    entries = list(_deb822(text) if fives else _lines(text))
    if not entries:
        yield Recipe(
            name=name, version=version, origin=str(path), reason="watches nothing: it has no entry"
        )
        return
    main = next((one for one in entries if not one.options.get("component")), entries[0])
    url = _substituted(main.url, name, version)
    others = [one.options.get("component", "") for one in entries if one is not main]
    notes = tuple(f"component {one} is not carried over" for one in others if one)
    mangled = sorted({"uversionmangle", "versionmangle"} & main.options.keys())
    notes += tuple(
        f"{one} is not carried over" for one in mangled if not _harmless(main.options[one])
    )
    sources, repositories = _addresses(main, url, name)
    if main.upstream and main.upstream[0] == "folder":
        notes += ("a page, whose links are read as those of a folder",)
    if main.options.get("mode") == "git" and main.pattern == "HEAD":
        notes += ("follows the newest commit; what is watched are releases",)
    yield Recipe(
        name=name,
        version=version,
        upstream=main.upstream,
        sources=sources,
        repositories=repositories,
        rules=_rules(main, url),
        origin=f"{path}:{main.line}",
        notes=notes,
        reason=main.reason,
    )


def _lines(text: str) -> Iterator[_Entry]:
    """Entries of versions 1 to 4: one a line, lines joined by a backslash."""
    joined, start = "", 0
    for number, raw in enumerate([*text.splitlines(), ""], 1):
        line = raw.strip()
        if not joined and (not line or line.startswith("#")):
            continue
        if joined and line.startswith("#"):
            continue
        start = start or number
        if line.endswith("\\"):
            joined += line[:-1]  # uscan puts nothing between, and drops what indents
            continue
        whole, begun = (joined + line).strip(), start
        joined, start = "", 0
        if not whole or re.match(r"version\s*=\s*\d", whole):
            continue
        yield _entry(whole, begun)


def _entry(whole: str, line: int) -> _Entry:
    entry = _Entry(line)
    if match := re.match(r'opt(?:ion)?s\s*=\s*(?:"((?:[^"\\]|\\.)*)"|(\S+))\s*', whole):
        entry.options = _options(match[1] if match[1] is not None else match[2])
        whole = whole[match.end() :]
    words = whole.split()
    if not words:
        return entry
    entry.url = words[0]
    rest = words[1:]
    # The pattern may stand in the last part of the address.
    if rest and re.search(r"[(*]|@[A-Z_]+@", rest[0]):
        entry.pattern = rest[0]
    elif "(" in entry.url or "@ANY_VERSION@" in entry.url:
        entry.url, entry.pattern = _cut(entry.url)
    elif rest and rest[0] not in ("debian", "same", "prev", "ignore", "group", "checksum"):
        entry.pattern = rest[0]
    return entry


def _options(text: str) -> dict[str, str]:
    """`opts=`: names and values, separated by commas that stand in no s/// of a mangle."""
    options: dict[str, str] = {}
    for part in re.split(r",\s*(?=[a-z][a-z0-9]*(?:=|,|\s*$))", text.strip()):
        name, _, value = part.strip().partition("=")
        if name:
            options[name.strip().lower()] = value.strip()
    return options


def _cut(url: str) -> tuple[str, str]:
    """An address as folder and pattern: what is a pattern begins at the first bracket."""
    bracket = min(
        (url.index(sign) for sign in ("(", "@ANY_VERSION@") if sign in url), default=len(url)
    )
    slash = url.rfind("/", 0, bracket)
    return url[: slash + 1], url[slash + 1 :]


def _deb822(text: str) -> Iterator[_Entry]:
    """Entries of version 5: paragraphs of fields, the first with the version and defaults."""
    defaults: dict[str, str] = {}
    line = 1
    for paragraph in re.split(r"\n[ \t]*\n", text):
        fields: dict[str, str] = {}
        key = ""
        for raw in paragraph.splitlines():
            if raw.startswith("#"):
                continue
            if raw[:1].isspace() and key:
                fields[key] += " " + raw.strip()
                continue
            name, colon, value = raw.partition(":")
            if colon:
                key = name.strip().lower()
                fields[key] = value.strip()
        begun = line
        line += paragraph.count("\n") + 2
        version = fields.pop("version", None)
        if version is not None and not {"source", "template"} & fields.keys():
            defaults = {"fallback": "yes"} | fields
            continue
        if not fields:
            continue
        yield _paragraph(fields | {k: v for k, v in defaults.items() if k not in fields}, begun)


def _paragraph(fields: dict[str, str], line: int) -> _Entry:
    entry = _Entry(line, fields.get("source", ""), fields.get("matching-pattern", ""))
    entry.options = {
        "component": fields.get("component", ""),
        "mode": fields.get("mode", ""),
        "uversionmangle": fields.get("uversion-mangle", ""),
    }
    entry.options = {key: value for key, value in entry.options.items() if value}
    template = fields.get("template", "").lower()
    if template and not entry.url:
        _templated(entry, template, fields)
    return entry


def _templated(entry: _Entry, template: str, fields: dict[str, str]) -> None:
    """`Template: GitHub` and its kin."""
    owner, project = fields.get("owner", ""), fields.get("project", "")
    dist = fields.get("dist", "") or fields.get("package", "")
    if template in ("github", "githubrelease", "githubtags"):
        if dist:
            entry.url = dist if "://" in dist else f"https://github.com/{dist}"
        elif owner and project:
            entry.upstream = "github", f"{owner}/{project}"
    elif template in ("gitlab", "gitlabtags", "gitlabrelease"):
        entry.url = dist if "://" in dist else f"https://gitlab.com/{dist or f'{owner}/{project}'}"
    elif template in ("npmregistry", "npm", "npmjs"):
        entry.upstream = "npm", dist or project
    elif template in ("pypi", "pypiregistry"):
        entry.upstream = "pypi", dist or project
    elif template in ("metacpan", "cpan"):
        entry.upstream = "cpan", (dist or project).replace("::", "-")
    elif template in ("rubygems", "gem"):
        entry.upstream = "rubygems", dist or project
    elif template in ("cran", "bioconductor", "gnome", "sourceforge", "hackage", "pecl", "pear"):
        entry.upstream = template, dist or project
    elif template in ("crates", "cratesio", "crates.io"):
        entry.upstream = "crates", dist or project
    if entry.upstream and not entry.upstream[1]:
        entry.upstream = None
    if not entry.upstream and not entry.url:
        entry.reason = f"the template {template!r} is not known here, or names no project"


def _package(path: Path) -> tuple[str, str | None]:
    """Name and version of the source package: from the changelog beside, or the folder's name."""
    folder = path.absolute().parent
    first = (text_of(folder / "changelog") or "").lstrip().partition("\n")[0]
    if match := re.match(r"([a-z0-9][a-z0-9+.-]*) \(([^)]+)\)", first):
        version = re.sub(r"^\d+:", "", match[2])
        version = version.rpartition("-")[0] or version
        return match[1], _DEBIAN.sub("", version) or version
    control = text_of(folder / "control") or ""
    if match := re.search(r"^Source:\s*(\S+)", control, re.MULTILINE):
        return match[1], None
    name = folder.parent.name if folder.name == "debian" else path.name.removesuffix(".watch")
    return (folder.name if name == "watch" else name), None


def _substituted(text: str, name: str, version: str | None) -> str:
    for sign, value in (
        ("@PACKAGE@", name),
        ("@ANY_VERSION@", _ANY),
        ("@ARCHIVE_EXT@", _EXTENSION),
        ("@DEB_EXT@", ""),
        ("@SIGNATURE_EXT@", _EXTENSION),
        ("@STABLE_VERSION@", _ANY),
        ("@SEMANTIC_VERSION@", _ANY),
        ("@UPSTREAM_VERSION@", version or ""),
        ("@COMPONENT@", ""),
    ):
        text = text.replace(sign, value)
    return text


def _addresses(entry: _Entry, url: str, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is looked at: an archive's address, its pattern made unknown text, or a repository."""
    if not url:
        return (), ()
    if entry.options.get("mode") == "git" or re.search(r"\.git/?$", url):
        return (), (url,)
    if entry.options.get("mode") in ("svn", "hg", "bzr"):
        return (f"{entry.options['mode']}+{url}",), ()
    wanted = re.search(r"[?&]upstream=([^&]+)", url)  # a redirector of the distribution
    if wanted and "fakeupstream" in url:
        kind, _, rest = wanted[1].partition("/")
        if kind in _REDIRECTED and rest:
            last = rest if kind.startswith("npm") else rest.rstrip("/").split("/")[-1]
            entry.upstream = _REDIRECTED[kind], last
            return (), ()
        if spot := place(f"https://{wanted[1]}"):
            entry.upstream = spot.upstream
            return (), ()
        entry.reason = f"asks Debian's redirector for {wanted[1][:80]!r}, not an upstream"
        return (), ()
    pattern = _substituted(entry.pattern, name, None)
    if re.search(r"/authors/id/?$", url) and (
        dist := name_of(_unpatterned(pattern).rpartition("/")[2])
    ):
        entry.upstream = "cpan", dist  # all authors' folders: the distribution is what counts
        return (), ()
    if "://" in pattern:
        # The pattern is the whole address; what is looked at may be a search page.
        filled = _unpatterned(pattern)
        if place(url) is None and (place(filled) or "(" in pattern):
            return (filled, url), ()
    address = _unpatterned(url)
    if place(address):
        return (address,), ()
    if address.endswith("/"):
        file = _unpatterned(pattern.rpartition("/")[2]) if pattern else UNKNOWN
        return (address + (file or UNKNOWN),), ()
    # A page of its own, whose links are read as those of a folder.
    entry.upstream = "folder", address
    return (), ()


def _unpatterned(text: str) -> str:
    """A pattern as text: groups and classes become unknown, escapes what they stand for."""
    out, at = [], 0
    while at < len(text):
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            out.append(UNKNOWN if text[at + 1] in "dDwWsSb" else text[at + 1])
            at += 2
        elif char in "([":
            closer, deep = (")" if char == "(" else "]"), 0
            begin = at
            while at < len(text):
                if text[at] == "\\":
                    at += 2
                    continue
                deep += (text[at] == char) - (
                    text[at] == closer and (char == "(" or at > begin + 1)
                )
                at += 1
                if deep == 0:
                    break
            out.append(UNKNOWN)
        elif char in "*+?^$" and ((out and out[-1] == UNKNOWN) or char in "^$"):
            if char == "?" and not (out and out[-1] == UNKNOWN):
                out.append(char)
            at += 1
        elif char == "." and text[at + 1 : at + 2] in ("*", "+"):
            out.append(UNKNOWN)
            at += 2
        elif char == "{" and out and out[-1] == UNKNOWN:
            at = text.find("}", at) + 1 or len(text)
        else:
            out.append(char)
            at += 1
    return re.sub(f"{UNKNOWN}+", UNKNOWN, "".join(out))


def _harmless(mangle: str) -> bool:
    """A mangle that only marks pre-releases or respells separators: our orders know these."""
    return (
        bool(
            re.fullmatch(r"[\s;]*(?:(?:s|tr|y)([/|%#,]).{0,80}?\1.{0,40}?\1[a-z]*[\s;]*)+", mangle)
        )
        and "~" in mangle
    )


def _rules(entry: _Entry, url: str) -> dict[str, str]:
    """A template of tags, where the pattern has a plain prefix that names more than "v"."""
    spot = place(_unpatterned(url))
    if not spot or spot.kind not in ("github", "gitlab", "gitea", "git"):
        return {}
    if not re.search(r"/tags|/-/tags|\.git/?$", url) and entry.options.get("mode") != "git":
        return {}
    match = re.match(
        r"(?:refs/tags/|\.\*/|.*/)?(?P<prefix>[A-Za-z][A-Za-z0-9_@-]*[-_@]v?)(?:\(|\[-_\]\?\[Vv\]\?\()",
        entry.pattern,
    )
    if not match:
        return {}
    prefix = match["prefix"]
    from monitor.formats import tags

    name = spot.project.rstrip("/").rpartition("/")[2].removesuffix(".git")
    read = tags.versions([f"{prefix}1.2.3"], name).get(f"{prefix}1.2.3")
    from monitor.formats.archive_names import split_tag

    split = split_tag(f"{prefix}1.2.3", project=name)
    if read == "1.2.3" and (split.name is None or split.name.lower() == name.lower()):
        return {}
    return {"tag": prefix + "{version}"}
