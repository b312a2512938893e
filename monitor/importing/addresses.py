"""Whose address is this? A table of address patterns → kind of upstream and project.

It knows more kinds than this version has providers: an importer names the
right one either way. What the providers themselves say of addresses
(`providers.find`) comes first. Registries of which no host may be spelled out
here are known by the structure of their addresses, which mirrors share.

Patterns are matched from the start of the address without scheme and user
("host/path"), after distributions' short forms (`mirror://gnu/…`) were spelled
out by `plain`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from urllib.parse import unquote

from monitor.importing.shell_tools import UNKNOWN

__all__ = ["PURL_TYPES", "Place", "is_distribution", "place", "plain", "repository_of"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address belongs.

    `kind`        a provider's name, of this version or a later one
    `project`     as that upstream spells it
    `settings`    the provider's settings, for an own server
    `repository`  address of its git repository, where it has one
    """

    kind: str
    project: str
    settings: dict[str, Any] = field(default_factory=dict)
    repository: str | None = None

    @property
    def upstream(self) -> tuple[str, str]:
        """Kind and project."""
        return self.kind, self.project


PURL_TYPES: Final = {
    "pypi": "pypi",
    "github": "github",
    "gitlab": "gitlab",
    "bitbucket": "bitbucket",
    "crates": "cargo",
    "rubygems": "gem",
    "hackage": "hackage",
    "cpan": "cpan",
    "cran": "cran",
    "bioconductor": "bioconductor",
    "maven": "maven",
    "npm": "npm",
    "packagist": "composer",
    "hex": "hex",
    "go": "golang",
    "luarocks": "luarocks",
    "nuget": "nuget",
    "gnu": "generic/gnu",
    "pub": "pub",
    "opam": "opam",
}
"""The purl type, and namespace, of the kinds that have one."""

_NAME: Final = r"[A-Za-z0-9_][A-Za-z0-9._+-]*"
_OWNER: Final = rf"{_NAME}/{_NAME}?"
_ENDS: Final = r"(?:\.git)?(?:[/?#:].*)?"
_FILE: Final = r"(?P<file>[^/?#]+)(?:[/?#].*)?"

_NOT_OWNERS: Final = frozenset(
    [
        "downloads",
        "orgs",
        "sponsors",
        "about",
        "features",
        "topics",
        "user-attachments",
        "explore",
        "users",
        "groups",
        "dashboard",
        "search",
        "login",
        "apps",
        "marketplace",
        "settings",
        "repos",
        "help",
        "api",
        "uploads",
        "assets",
    ]
)

Build = Callable[[re.Match[str]], Place | None]


def _named(kind: str) -> Build:
    return lambda match: Place(kind, unquote(match["p"]))


def _of_file(kind: str) -> Build:
    """The project is the name in the file's name."""

    def build(match: re.Match[str]) -> Place | None:
        name = name_of(match["file"])
        return Place(kind, name) if name else None

    return build


def name_of(file: str) -> str | None:
    """The name in an archive's name."""
    from monitor.formats.archive_names import split

    file = unquote(file)
    if UNKNOWN in file:
        return re.split(rf"[-_.]?v?{UNKNOWN}", file)[0] or None
    found = split(file)
    if found.name:
        return found.name
    dashed = re.match(r"(.+?)[-_]v?\d", file)
    return dashed[1] if dashed else None


def _github(match: re.Match[str]) -> Place | None:
    owner, name = match["o"], match["n"].removesuffix(".git")
    if owner in _NOT_OWNERS or not name:
        return None
    project = f"{owner}/{name}"
    return Place("github", project, {}, f"https://github.com/{project}.git")


_SHOWN: Final = re.compile(
    r"([^/]+/[^/]+?(?:/[^/]+?)*?)/"
    r"(?:uploads|repository|tags|tree|raw|wikis|blob|archive|releases|commits?|issues)(?:/|$)"
)


def _gitlab(match: re.Match[str]) -> Place | None:
    host, path = match["host"], match["path"]
    path = re.split(r"/-/|[?#]", path)[0].strip("/")
    # Older addresses have no "/-/": owner and name come first, then what is shown of them.
    if shown := _SHOWN.match(path):
        path = shown[1]
    path = path.strip("/").removesuffix(".git")
    if "/" not in path or path.split("/")[0] in _NOT_OWNERS or UNKNOWN in path:
        return None
    settings = {} if host in ("gitlab.com", "www.gitlab.com") else {"url": f"https://{host}"}
    return Place("gitlab", path, settings, f"https://{host}/{path}.git")


def _gitlab_api(match: re.Match[str]) -> Place | None:
    path = unquote(match["path"])
    if "/" not in path:
        return None
    host = match["host"]
    settings = {} if host == "gitlab.com" else {"url": f"https://{host}"}
    return Place("gitlab", path, settings, f"https://{host}/{path}.git")


def _gitea(match: re.Match[str]) -> Place | None:
    host, project = match["host"], f"{match['o']}/{match['n'].removesuffix('.git')}"
    if match["o"] in _NOT_OWNERS:
        return None
    settings = {} if host == "codeberg.org" else {"url": f"https://{host}"}
    return Place("gitea", project, settings, f"https://{host}/{project}.git")


def _bitbucket(match: re.Match[str]) -> Place | None:
    project = f"{match['o']}/{match['n'].removesuffix('.git')}"
    return Place("bitbucket", project, {}, f"https://bitbucket.org/{project}.git")


def _at(template: str) -> Build:
    """A git repository at that address, groups filled in."""

    def build(match: re.Match[str]) -> Place | None:
        address = template.format(**match.groupdict())
        return None if UNKNOWN in address else Place("git", address, {}, address)

    return build


def _pypi(match: re.Match[str]) -> Place | None:
    return Place("pypi", match["p"])


def _pypi_file(match: re.Match[str]) -> Place | None:
    from monitor.formats.archive_names import split

    file = match["file"]
    if file.endswith(".whl"):
        return Place("pypi", file.split("-")[0])
    name = split(file).name or re.split(r"-v?\d", file)[0]
    return Place("pypi", name) if name else None


def _cpan_file(match: re.Match[str]) -> Place | None:
    file = unquote(match["file"])
    dist = re.match(rf"(?P<d>[A-Za-z][\w+.-]*?)-v?(?:\d|{UNKNOWN}).*\.(?:tar|tgz|zip)", file)
    name = dist["d"] if dist else name_of(file)
    return Place("cpan", name) if name else None


def _cpan_module(match: re.Match[str]) -> Place | None:
    return Place("cpan", match["p"].replace("::", "-"))


def _maven(match: re.Match[str]) -> Place | None:
    parts = match["path"].strip("/").split("/")
    if parts and "." in parts[-1] and len(parts) >= 4:  # group…/artifact/version/file
        group, artifact = parts[:-3], parts[-3]
    elif len(parts) >= 2:
        parts = [part for part in parts if not re.match(rf"\d|{UNKNOWN}", part)]
        group, artifact = parts[:-1], parts[-1] if parts else ""
    else:
        return None
    return Place("maven", f"{'.'.join(group)}:{artifact}") if group and artifact else None


def _xorg(match: re.Match[str]) -> Place | None:
    name = name_of(match["file"])
    return Place("xorg", f"{match['p']}/{name}") if name else None


def _xorg_xcb(match: re.Match[str]) -> Place | None:
    name = name_of(match["file"])
    return Place("xorg", f"xcb/{name}") if name else None


def _kde(match: re.Match[str]) -> Place | None:
    name = name_of(match["file"])
    return Place("kde", name) if name else None


def _kernel(match: re.Match[str]) -> Place | None:
    file = re.sub(r"^(?:patch|ChangeLog)-.*", "linux", match["file"])
    name = name_of(file) or (file if "." not in file else None)
    return Place("kernel", name) if name else None


def _launchpad(match: re.Match[str]) -> Place | None:
    name = match["p"].lstrip("+")
    if match["p"].startswith(("~", "+")):
        return None
    return Place("launchpad", name)


def _sourceforge(match: re.Match[str]) -> Place | None:
    name = unquote(match["p"])
    if UNKNOWN in name or name in (
        "projects",
        "project",
        "p",
        "sourceforge",
        "www",
        "code-snapshots",
    ):
        return None
    return Place("sourceforge", name.lower())


def _go(match: re.Match[str]) -> Place | None:
    return Place("go", re.sub(r"!([a-z])", lambda m: m[1].upper(), unquote(match["p"])))


def _npm(match: re.Match[str]) -> Place | None:
    return Place("npm", unquote(match["p"]))


def _gnu(match: re.Match[str]) -> Place | None:
    project = match["p"]
    return (
        None
        if "." in project and re.search(r"\.(?:tar|zip|tgz)", project)
        else Place("gnu", project)
    )


_GITLABS: Final = (
    r"(?:www\.)?gitlab\.com|gitlab\.[a-z0-9.-]+|[a-z0-9-]+\.gitlab\.(?!io)[a-z0-9.-]+|salsa\.[a-z0-9.]+|"
    r"invent\.kde\.org|framagit\.org|0xacab\.org|source\.puri\.sm|code\.videolan\.org|"
    r"git\.ligo\.org|dev\.gajim\.org|git\.coop|scm\.gforge\.inria\.fr|gricad-gitlab\.[a-z0-9.-]+|"
    r"git\.pleroma\.social|foss\.heptapod\.net|code\.foxkit\.us|git\.torproject\.org(?=/tpo)|"
    r"collaborate\.linaro\.org|forgemia\.inra\.fr|edugit\.org|opencode\.net|lab\.nexedi\.com|"
    r"gitlab[a-z0-9-]*\.[a-z0-9.-]+|git\.stg\.codes(?=/)|codebase\.helmholtz\.cloud|git\.rwth-aachen\.de|"
    r"git\.alpinelinux\.org|git\.astron\.nl|jugit\.fz-juelich\.de|git\.gnunet\.org(?=/-/)|git\.mpi-[a-z]+\.de|"
    r"git\.geomar\.de|vcgit\.hhi\.fraunhofer\.de|drm\.[a-z]+\.gitlab|dev\.funkwhale\.audio|chaos\.expert"
)
_GITEAS: Final = (
    r"codeberg\.org|gitea\.[a-z0-9.-]+|forgejo\.[a-z0-9.-]+|[a-z0-9.-]+\.gitea\.[a-z]+|notabug\.org|"
    r"git\.disroot\.org|opendev\.org|git\.sleeping\.town|code\.forgejo\.org|git\.osgeo\.org|"
    r"git\.causal\.agency(?=/[^/]+/[^/]+/(?:archive|releases))|git\.joinfirefish\.org|git\.dec05eba\.com(?!)|"
    r"projects\.blender\.org|git\.jami\.net(?!)|git\.xfce\.org(?!)|codefloe\.com|git\.gay|git\.nixnet\.services|"
    r"git\.elara\.ws|git\.fsfe\.org|src\.fedoraproject\.org(?!)|try\.gitea\.io|git\.trisquel\.org|git\.linux-kernel\.at"
)

_TABLE: Final[tuple[tuple[str, Build], ...]] = (
    # Forges
    (rf"(?:www\.)?github\.com[/:]+(?P<o>[A-Za-z0-9-]+)/+(?P<n>[A-Za-z0-9._-]+?){_ENDS}", _github),
    (
        rf"(?:codeload|raw|media|objects-origin)\.github(?:usercontent)?\.com/(?P<o>[A-Za-z0-9-]+)/(?P<n>[A-Za-z0-9._-]+){_ENDS}",
        _github,
    ),
    (rf"api\.github\.com/repos/(?P<o>[A-Za-z0-9-]+)/(?P<n>[A-Za-z0-9._-]+){_ENDS}", _github),
    (
        r"(?:fastly|cdn)\.jsdelivr\.net/gh/(?P<o>[A-Za-z0-9-]+)/(?P<n>[A-Za-z0-9._-]+)(?:[@/].*)?",
        _github,
    ),
    (r"githubredir\.[a-z.]+/github/(?P<o>[A-Za-z0-9-]+)/(?P<n>[A-Za-z0-9._-]+)(?:/.*)?", _github),
    (r"github-releases\.com/(?P<o>[^/]+)/(?P<n>[^/]+)/.*", _github),
    (rf"(?P<host>{_GITLABS})/api/v4/projects/(?P<path>[^/]+)(?:/.*)?", _gitlab_api),
    (rf"(?P<host>{_GITLABS})[/:](?P<path>[^?#]+/[^?#]+)(?:[?#].*)?", _gitlab),
    (
        r"(?P<host>[a-z0-9.-]+)/(?P<path>[^?#]+?/-/(?:archive|releases|tags|tree|uploads|raw)/.*)",
        _gitlab,
    ),
    (
        r"(?P<host>[a-z0-9.-]+)/(?P<path>[^?#]+/uploads/[0-9a-f]{32}/.*)",
        _gitlab,
    ),
    (
        r"(?P<host>[a-z0-9.-]+)/(?:rest/api/[\w.]+/)?projects/(?P<o>[\w~.-]+)/repos/(?P<n>[\w.-]+)(?:/.*)?",
        lambda m: _at(f"https://{m['host']}/scm/{m['o'].lower()}/{m['n']}.git")(m),
    ),
    (
        rf"(?P<host>{_GITEAS})[/:](?:api/v1/repos/)?(?P<o>{_NAME})/(?P<n>[A-Za-z0-9._-]+?){_ENDS}",
        _gitea,
    ),
    (
        rf"(?:www\.|api\.)?bitbucket\.org[/:](?:2\.0/repositories/)?(?P<o>{_NAME})/(?P<n>[A-Za-z0-9._-]+?){_ENDS}",
        _bitbucket,
    ),
    (
        r"(?:git\.)?sr\.ht/(?P<o>~[\w.-]+)/(?P<n>[\w.-]+?)(?:/.*|\.git)?",
        _at("https://git.sr.ht/{o}/{n}"),
    ),
    (
        r"(?:releases\.)?pagure\.(?:io|org)/(?:releases/)?(?P<p>(?:fork/)?[\w.+-]+?)(?:\.git)?(?:[/?#].*)?",
        _at("https://pagure.io/{p}.git"),
    ),
    (rf"gitee\.com/(?P<o>{_NAME})/(?P<n>[\w.-]+?){_ENDS}", _at("https://gitee.com/{o}/{n}.git")),
    (
        r"repo\.or\.cz/(?:w/|r/)?(?P<p>[\w.+/-]+?)(?:\.git)?(?:/?[?#/].*)?",
        _at("https://repo.or.cz/{p}.git"),
    ),
    (
        r"(?P<host>git\.(?:savannah\.(?:non)?gnu|sv\.gnu)\.org)/(?:cgit|git|r|gitweb)/(?P<p>[\w.+/-]+?)(?:\.git)?(?:/snapshot.*|/commit.*|/?[?#].*)?/?",
        _at("https://git.savannah.gnu.org/git/{p}.git"),
    ),
    (
        r"(?P<host>git\.[a-z0-9.-]+|cgit\.[a-z0-9.-]+|anongit\.[a-z0-9.-]+|[a-z0-9.-]+/cgit)/(?P<p>[\w.+~/-]+?)(?:\.git)?/(?:snapshot|archive)/.*",
        _at("https://{host}/{p}.git"),
    ),
    (
        r"(?P<host>[a-z0-9.-]+)/(?P<p>(?:[\w.+~-]+/)*[\w.+~-]+\.git)/(?:snapshot|archive)/.*",
        _at("https://{host}/{p}"),
    ),
    (
        r"(?P<host>[a-z-]+\.googlesource\.com)/(?P<p>[\w.+/-]+?)(?:/\+.*|/)?",
        _at("https://{host}/{p}"),
    ),
    # Registries, by host
    (
        r"(?:www\.)?rubygems\.org/(?:gems|downloads|api/v1/(?:gems|versions))/(?P<file>[^/?#]+\.gem)",
        _of_file("rubygems"),
    ),
    (
        r"(?:www\.)?rubygems\.org/(?:api/v1/)?(?:gems|versions)/(?P<p>[A-Za-z0-9._-]+?)(?:\.json)?(?:[/?#].*)?",
        _named("rubygems"),
    ),
    (r"(?:gemwatch)\.[a-z.]+/(?P<p>[A-Za-z0-9._-]+)(?:/.*)?", _named("rubygems")),
    (
        rf"hackage\.haskell\.org/packages?/(?:archive/)?(?P<p>[A-Za-z0-9]+(?:-[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*)*)(?:-[\d.{UNKNOWN}]+)?(?:[/?#].*)?",
        _named("hackage"),
    ),
    (r"hackage\.haskell\.org/packages/archive/(?P<p>[A-Za-z0-9-]+)/.*", _named("hackage")),
    (r"(?:fast)?api\.metacpan\.org/v1/(?:release|distribution)/(?P<p>[\w:-]+).*", _cpan_module),
    (
        r"(?:www\.)?metacpan\.org/(?:release|dist|distribution|pod(?:/release)?|module|pod/distribution)/(?:[A-Z][A-Z0-9-]+/)?(?P<p>[\w:-]+?)(?:-v?[\d.]+)?(?:[/?#].*)?",
        _cpan_module,
    ),
    (r"search\.cpan\.org/(?:dist|~[a-z]+)/(?P<p>[\w:-]+?)(?:-v?[\d.]+)?(?:/.*)?", _cpan_module),
    (r"p3rl\.org/(?P<p>[\w:]+)", _cpan_module),
    (
        r"cran\.r-project\.org/(?:package=|web/packages/)(?P<p>[A-Za-z][A-Za-z0-9.]*)(?:/.*)?",
        _named("cran"),
    ),
    (
        r"(?:www\.)?bioconductor\.org/packages/(?:[\d.]+/|release/|devel/)?(?:bioc/|data/\w+/)?(?:html/|src/contrib/(?:Archive/)?)?(?P<p>[A-Za-z][A-Za-z0-9.]*?)(?:\.html|[/_].*)?",
        _named("bioconductor"),
    ),
    (r"(?:static\.)?crates\.io/(?:api/v1/)?crates/(?P<p>[A-Za-z0-9_-]+)(?:/.*)?", _named("crates")),
    (
        r"proxy\.golang\.org/(?P<p>.+?)/@.*|pkg\.go\.dev/(?P<q>.+)",
        lambda m: _go(m) if m["p"] else None,
    ),
    (r"repo\.hex\.pm/tarballs/(?P<file>[^/?#]+)", _of_file("hex")),
    (r"hex\.pm/packages/(?P<p>\w+)(?:/.*)?", _named("hex")),
    (
        r"(?:www\.)?luarocks\.org/(?:modules|manifests)/[^/]+/(?P<file>[^/]+\.(?:rock|rockspec))",
        _of_file("luarocks"),
    ),
    (r"(?:www\.)?luarocks\.org/modules/[^/]+/(?P<p>[\w.-]+)(?:/.*)?", _named("luarocks")),
    (r"(?:www\.)?luarocks\.org/(?P<file>[^/]+\.(?:rock|rockspec))", _of_file("luarocks")),
    (r"packagist\.org/packages/(?P<p>[\w.-]+/[\w.-]+)(?:[/.].*)?", _named("packagist")),
    (r"(?:www\.)?nuget\.org/(?:api/v2/package|packages)/(?P<p>[\w.-]+)(?:/.*)?", _named("nuget")),
    (r"pecl\.php\.net/get/(?P<file>[^/?#]+)", _of_file("pecl")),
    (r"pecl\.php\.net/package/(?P<p>\w+)(?:/.*)?", _named("pecl")),
    (r"(?:www\.)?drupal\.org/project/(?P<p>[\w-]+)(?:/.*)?", _named("drupal")),
    (r"ftp\.drupal\.org/files/projects/(?P<p>[\w]+?)-.*", _named("drupal")),
    (r"(?:ftp\.)?drupal\.org/files/projects/(?P<p>[\w]+)/.*", _named("drupal")),
    (
        r"(?:download|download-cf|data\.services|download-cdn)\.jetbrains\.com/(?P<p>[\w-]+)(?:[/?].*)?",
        _named("jetbrains"),
    ),
    (r"(?:www\.)?jetbrains\.com/(?P<p>[\w-]+)(?:/.*)?", _named("jetbrains")),
    (
        r"addons\.mozilla\.org/(?:firefox|thunderbird|[a-z-]+/firefox)/(?:downloads/\w+/\d+/(?P<file>[^/?#]+)|addon/(?P<p>[^/]+).*)",
        lambda m: Place("mozilla-addons", m["p"]) if m["p"] else None,
    ),
    (
        r"(?:[a-z0-9-]+\.)?gallery\.vsassets\.io/_apis/public/gallery/publisher/(?P<o>[^/]+)/extension/(?P<n>[^/]+)/.*",
        lambda m: Place("vsmarketplace", f"{m['o']}.{m['n']}"),
    ),
    (
        r"marketplace\.visualstudio\.com/_apis/public/gallery/publishers/(?P<o>[^/]+)/vsextensions/(?P<n>[^/]+)/.*",
        lambda m: Place("vsmarketplace", f"{m['o']}.{m['n']}"),
    ),
    (
        r"open-vsx\.org/api/(?P<o>[^/]+)/(?P<n>[^/]+)/.*",
        lambda m: Place("openvsx", f"{m['o']}.{m['n']}"),
    ),
    # Hosts of projects
    (
        r"(?:downloads|prdownloads|download|osdn\.dl|[a-z0-9-]+\.dl)\.(?:sourceforge|sf)\.net/(?:project/|projects/|sourceforge/)?(?P<p>[A-Za-z0-9._-]+)(?:[/?].*)?",
        _sourceforge,
    ),
    (
        r"(?:www\.)?(?:sourceforge|sf)\.net/(?:projects?|p|scm|svn|git)/(?P<p>[A-Za-z0-9._-]+)(?:[/?].*)?",
        _sourceforge,
    ),
    (r"dl\.sourceforge\.net/(?:sourceforge|project)/(?P<p>[A-Za-z0-9._-]+)(?:/.*)?", _sourceforge),
    (
        r"(?:git|svn|hg|cvs)\.code\.(?:sf|sourceforge)\.net/p/(?P<p>[A-Za-z0-9._-]+)(?:/.*)?",
        _sourceforge,
    ),
    (
        r"(?:www\.)?sourceforge\.net/code-snapshots/\w+/\w/\w\w/(?P<p>[A-Za-z0-9._-]+)/.*",
        _sourceforge,
    ),
    (r"[a-z0-9.]+/watch/sf\.php/(?P<p>[A-Za-z0-9._-]+)(?:/.*)?", _sourceforge),
    (r"(?:sourceforge|sf)\.net/(?P<p>[A-Za-z0-9._-]+)(?:/.*)?", _sourceforge),
    (
        r"(?P<p>[a-z0-9-]+)\.(?:svn|cvs|git)?\.?(?:sourceforge|sf)\.(?:net|io)(?:[/?].*)?",
        _sourceforge,
    ),
    (
        r"(?:edge\.|code\.|answers\.|www\.|bugs\.)?launchpad\.net/(?P<p>[~+a-z0-9][a-z0-9.+-]*)(?:[/?].*)?",
        _launchpad,
    ),
    (r"launchpadlibrarian\.net/\d+/(?P<file>[^/]+)", _of_file("launchpad")),
    (
        r"(?:[a-z0-9.-]+/)(?:pub/|mirrors?/|mirrorsites/)*gnu/+(?:ftp/gnu/+)?(?P<p>[A-Za-z0-9+._-]+)(?:/.*)",
        _gnu,
    ),
    (r"(?:ftp|ftpmirror|alpha)\.gnu\.org/(?:pub/)?(?:gnu/+)*(?P<p>[A-Za-z0-9+._-]+)/.*", _gnu),
    (
        r"(?:download|download-mirror|dl|ftp|mirror)\.?(?:savannah|sv)\.(?:non)?gnu\.org/(?:releases(?:-noredirect)?/)?(?P<p>[A-Za-z0-9+._-]+)(?:/.*)?",
        _named("savannah"),
    ),
    (
        r"[a-z0-9.-]+/(?:[a-z]+/)*(?:savannah|nongnu)/(?:releases/)?(?P<p>[A-Za-z0-9+._-]+)/.*",
        _named("savannah"),
    ),
    (
        r"(?:www\.)?savannah\.(?:non)?gnu\.org/(?:projects|download|releases|files)/(?P<p>[A-Za-z0-9+._-]+)(?:/.*)?",
        _named("savannah"),
    ),
    (r"(?:www\.)?nongnu\.org/(?P<p>[A-Za-z0-9+._-]+)(?:/.*)?", _named("savannah")),
    (
        r"[a-z0-9.-]+/(?:[a-zA-Z0-9.-]+/)*?(?:gnome|GNOME)/(?:sources|core/.*?/sources)/(?P<p>[A-Za-z0-9+._-]+)(?:/.*)?",
        _named("gnome"),
    ),
    (
        r"(?:download|ftp)\.gnome\.org/(?:pub/)?(?:[A-Za-z]+/)*sources/(?P<p>[A-Za-z0-9+._-]+)(?:/.*)?",
        _named("gnome"),
    ),
    (
        rf"(?:download|files|ftp|mirrors?)\.kde\.org/(?:Attic|stable|unstable|pub/kde/stable)/(?:.*/)?{_FILE}",
        _kde,
    ),
    (r"[a-z0-9.-]+/(?:[a-z0-9.-]+/)*kde/(?:Attic|stable|unstable)/(?:.*/)?(?P<file>[^/]+)", _kde),
    (
        r"(?:www|cdn|ftp|mirrors|mirrors\.edge|[a-z]+)\.?kernel\.org/(?:pub/)?(?:linux|software|scm(?!/))/(?:.*/)?(?P<file>[^/?#]+)(?:/)?",
        _kernel,
    ),
    (
        r"git\.kernel\.org/(?:pub/scm/|cgit/)?(?P<p>[\w./-]+?)(?:\.git)?(?:/(?:snapshot|commit|tag|refs|log|tree|patch)/?.*|/?\?.*|/)?",
        _at("https://git.kernel.org/pub/scm/{p}.git"),
    ),
    (
        r"(?:www|xorg|ftp|xcb|archive)\.?(?:freedesktop|x)\.org/(?:archive|releases|pub|dist|X11R7\.\d)?/?(?:xorg/)?individual/(?P<p>\w+)/(?P<file>[^/?#]+)",
        _xorg,
    ),
    (
        r"[a-z0-9.-]+/(?:[A-Za-z0-9.-]+/)*individual/(?P<p>app|data|doc|driver|font|lib|proto|util|xcb|xserver)/(?P<file>[^/?#]+)",
        _xorg,
    ),
    (r"xcb\.freedesktop\.org/dist/(?P<file>[^/?#]+)", _xorg_xcb),
    # Registries, by the structure of their addresses
    (
        r"[a-z0-9.-]+(?:/[\w.-]+)*?/packages/source/[^/]+/(?P<p>[A-Za-z0-9][A-Za-z0-9._-]*)/.*",
        _pypi,
    ),
    (
        r"[a-z0-9.-]+(?:/[\w.-]+)*?/packages/(?:py\d[\w.]*|cp[\d\ufffc]+|any|pp\d+|\d\.\d+)/[^/]+/(?P<p>[A-Za-z0-9][A-Za-z0-9._-]*)/.*",
        _pypi,
    ),
    (
        r"[a-z0-9.-]+/packages/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{20,}/(?P<file>[^/?#]+)(?:[?#].*)?",
        _pypi_file,
    ),
    (
        r"(?:[a-z0-9.-]+/)?pypi(?:\.python)?(?:\.[a-z]+)?/(?:project|simple|pypi)/(?P<p>[A-Za-z0-9][A-Za-z0-9._-]*)(?:[/#?].*)?",
        _pypi,
    ),
    (r"pypi\.(?!python)[a-z]+\.[a-z]+/(?P<p>[A-Za-z0-9][A-Za-z0-9._-]*)(?:/.*)?", _pypi),
    (
        r"pypi\.(?:python\.)?[a-z]+/(?:project|simple|pypi)/(?P<p>[A-Za-z0-9][A-Za-z0-9._-]*)(?:[/#?].*)?",
        _pypi,
    ),
    (r"registry\.[a-z0-9.-]+/(?P<p>(?:@[\w.-]+(?:/|%2[fF]))?[\w.-]+)(?:/-/.*|/latest|/)?", _npm),
    (r"(?:www\.)?npm[a-z]{0,3}\.[a-z]+/package/(?P<p>(?:@[\w.-]+/)?[\w.-]+)(?:/.*)?", _npm),
    (
        r"[a-z0-9.-]+/(?:[\w.-]+/)*authors/id/[A-Z]/[A-Z0-9]+/[A-Z0-9-]+/(?:.*/)?(?P<file>[^/?#]+)",
        _cpan_file,
    ),
    (
        r"[a-z0-9.-]+/(?:[\w.-]+/)*modules/by-module/[^/]+/(?:[A-Z-]+/)?(?P<file>[^/?#]+)",
        _cpan_file,
    ),
    (
        r"[a-z0-9.-]+/(?:[\w.-]+/)*src/contrib/(?:Archive/(?P<q>[A-Za-z][\w.]*)/)?(?P<p>[A-Za-z][A-Za-z0-9.]*)_[^/]*",
        _named("cran"),
    ),
    (r"[a-z0-9.-]+/(?:[\w.-]+/)*src/contrib/Archive/(?P<p>[A-Za-z][\w.]*)/?", _named("cran")),
    (
        r"(?:repo\d?\.maven\.[a-z.]+|(?:[a-z0-9.-]+/)(?:[\w.-]+/)*?maven-?2|central\.sonatype\.com/repository)/(?:maven2/)?(?P<path>(?:com|org|net|io|de|edu|dev|ch|fr|uk|jakarta|javax|gov|[a-z]+)/.+)",
        _maven,
    ),
    (r"(?:search\.maven\.org/remotecontent\?filepath=)(?P<path>.+)", _maven),
    (
        r"(?:search\.maven\.org|central\.sonatype\.com|mvnrepository\.com)/artifact/(?P<o>[\w.-]+)/(?P<n>[\w.-]+)(?:/.*)?",
        lambda m: Place("maven", f"{m['o']}:{m['n']}"),
    ),
    (
        r"(?:[a-z0-9.-]+/)+(?:debian|ubuntu|debian-archive/debian|archive/debian(?:-archive)?/[0-9TZ]+)/+pool/[\w-]+/(?:lib)?[a-z0-9]/(?P<p>[a-z0-9][a-z0-9+.-]*)(?:/.*)?",
        _named("debian"),
    ),
)


_MIRRORS: Final = {
    "gnu": "ftp.gnu.org/gnu/",
    "gnu-alpha": "alpha.gnu.org/gnu/",
    "sourceforge": "downloads.sourceforge.net/project/",
    "sf": "downloads.sourceforge.net/project/",
    "cpan": "www.cpan.org/",
    "cran": "cran.r-project.org/",
    "gnome": "download.gnome.org/",
    "kde": "download.kde.org/",
    "kernel": "cdn.kernel.org/pub/",
    "nongnu": "download.savannah.nongnu.org/releases/",
    "savannah": "download.savannah.nongnu.org/releases/",
    "xorg": "www.x.org/archive/",
    "apache": "archive.apache.org/dist/",
    "hackage": "hackage.haskell.org/package/",
    "rubygems": "rubygems.org/gems/",
    "pypi": "mirror.invalid/packages/source/",
    "debian": "mirror.invalid/debian/",
    "ubuntu": "mirror.invalid/ubuntu/",
    "qt": "download.qt.io/",
    "xfce": "archive.xfce.org/",
    "mysql": "dev.mysql.com/get/Downloads/",
    "samba": "download.samba.org/pub/",
    "gnupg": "gnupg.org/ftp/gcrypt/",
    "gimp": "download.gimp.org/pub/gimp/",
    "imagemagick": "imagemagick.org/archive/",
    "openbsd": "ftp.openbsd.org/pub/OpenBSD/",
    "netbsd": "ftp.netbsd.org/pub/",
    "tryton": "downloads.tryton.org/",
    "videolan": "get.videolan.org/",
    "bioconductor": "bioconductor.org/packages/release/bioc/",
}
"""What `mirror://NAME/` of a distribution stands for."""

_DISTRIBUTION: Final = re.compile(
    r"(?:distfiles|dev|sources|mirror|packages)\.(?:gentoo|alpinelinux|archlinux|voidlinux|buildroot|pld-linux|exherbo)\.(?:org|net)/.*"
    r"|mirror://gentoo/.*"
    r"|(?:www\.)?(?:soft\.)?dev\.gentoo\.org/.*"
    r"|[a-z0-9.-]+/(?:~\w+/)?(?:gentoo-)?distfiles/.*(?:gentoo|portage).*"
    r"|[a-z0-9.-]+/(?:[\w.-]+/)*(?:gentoo|ports-|pkgsrc/)/?distfiles/.*|distcache\.freebsd\.org/.*"
    r"|(?:repo|mirror|sources)\.msys2\.org/.*"
    r"|[^/]+/[^/]+/(?:distfiles|[^/]*-distfiles|gentoo-[a-z]+-dist|gentoo-distfiles[^/]*|gentoo-deps|gentoo-static)(?:/.*)?"
    r"|[^/]+/gentoo-[a-z]+-dist/.*|deps\.gentoo\.zip/.*|(?:[a-z0-9-]+\.)?gentoo\.(?:zip|org)/.*"
)


def plain(address: str) -> str:
    """An address without scheme, user and version control, mirrors spelled out: "host/path"."""
    address = address.strip().strip("<>\"'")
    if match := re.match(r"mirror://([a-z0-9-]+)/+(.*)", address, re.DOTALL):
        known = _MIRRORS.get(match[1])
        if known is None:
            return address
        rest = match[2]
        if match[1] == "cpan" and not rest.startswith(("authors/", "modules/")):
            rest = f"authors/id/{rest}"
        return known + rest
    address = re.sub(r"^(?:git|hg|svn|bzr|cvs|fossil)\+", "", address)
    address = re.sub(r"^[a-z][a-z0-9+.-]*://", "", address, flags=re.IGNORECASE)
    if match := re.match(r"(?:[\w.-]+)@([\w.-]+):(?!\d)(.*)", address, re.DOTALL):
        address = f"{match[1]}/{match[2]}"  # git@host:path
    else:
        address = re.sub(r"^[^/@\s]+@", "", address)
    host, slash, path = address.partition("/")
    host = re.sub(r":(?:80|443|21)$", "", host.lower())
    if host.endswith("apache.org") and (
        match := re.match(r"dyn/closer\.(?:cgi|lua)(?:/|.*?[?&](?:filename|path)=/?)([^?&]+)", path)
    ):
        return f"archive.apache.org/dist/{match[1]}"
    if host == "web.archive.org" and (match := re.match(r"web/\w+/(?:https?:/+)?(.*)", path)):
        return plain(match[1])
    return f"{host}{slash}{path}"


def is_distribution(address: str) -> bool:
    """Whether a distribution keeps a copy there for itself: nothing new appears there."""
    return address.startswith("mirror://gentoo/") or _DISTRIBUTION.match(plain(address)) is not None


@cache
def _compiled() -> tuple[tuple[re.Pattern[str], Build], ...]:
    return tuple((re.compile(pattern, re.DOTALL), build) for pattern, build in _TABLE)


def place(address: str) -> Place | None:
    """Where an address belongs; None where neither a provider nor the table knows it."""
    if len(address) > 4096:
        return None
    text = plain(address)
    if text.startswith("mirror://") or is_distribution(address):
        return None
    for found in _places(text):
        if UNKNOWN not in found.project:
            return found
    return _by_provider(address)


def _places(text: str) -> Iterator[Place]:
    for pattern, build in _compiled():
        if (match := pattern.fullmatch(text)) and (found := build(match)):
            yield found


def _by_provider(address: str) -> Place | None:
    """What the providers say: also those that other packages bring."""
    import providers

    if UNKNOWN in address or "://" not in address:
        return None
    for name, project in providers.find(address):
        if name not in ("git", "rsync", "folder") and project.partition("/")[0] not in _NOT_OWNERS:
            return Place(name, project)
    return None


def repository_of(address: str) -> str | None:
    """A git repository's address, as the provider git takes it; None where it cannot ask there."""
    text = address.strip().removeprefix("git+")
    text = re.split(r"[#?]", text)[0].rstrip("/")
    if match := re.fullmatch(r"(?:ssh://)?(?:[\w.-]+)@([\w.-]+)[:/](?!/)(.+)", text):
        text = f"https://{match[1]}/{match[2]}"
    if re.match(r"(?:https?|git)://[^/]+/.+", text) and UNKNOWN not in text:
        return text
    return None
