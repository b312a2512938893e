"""How the versions of a source or a project are judged: the settings, few and strong.

Every rule works on the published spelling that is stored anyway, so changing
one re-evaluates what is known without asking an upstream (`monitor.judge`).
Patterns are RE2: they take linear time, whatever text an upstream sends.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Annotated, Any, Final, Literal, get_args

from msgspec import Meta, Struct, structs

from monitor.errors import SettingsError

Prereleases = Literal["forbid", "only-if-newer", "allow"]
"""forbid         recorded, never called newest
only-if-newer  shown beside the newest stable version while they are newer than it
allow          as good as stable ones, for projects that publish nothing else"""

Transform = Literal["underscores", "dashes", "xyyzzpp", "last-digit", "last-two"]
"""underscores  1_84_0 → 1.84.0
dashes       1-84-0 → 1.84.0
xyyzzpp      3450100 → 3.45.1, 3081002 → 3.8.10.2 (SQLite's)
last-digit   60 → 6.0
last-two     2301 → 23.01"""

Seconds = Annotated[float, Meta(ge=0, extra={"unit": "duration"})]

LONGEST_PATTERN: Final = 1000
"""Characters of a pattern or a tag template; longer ones are a mistake."""

NUMBER: Final = r"[vVrR]?[0-9].*"
"""What `{version}` in a tag template stands for: else "foo-{version}" would take "foo-bar-1.0"."""


class Epoch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One numbering of a project that changed it. Versions order by epoch first.

    At least one of `match` and `since` is needed; where both are given, both
    must hold. What no entry takes has epoch 0. The first entry that fits wins.
    """

    number: Annotated[int, Meta(ge=0, le=255)]
    """Epoch of the versions that fit."""

    match: str | None = None
    r"""RE2 pattern, searched in the version: "^\d+\.\d" for 2.0.0 after 20160708."""

    since: str | None = None
    """Day ("2016-08-01") from which versions of this numbering were published. A version without a
    date does not fit."""

    def __post_init__(self) -> None:
        if self.match is None and self.since is None:
            raise SettingsError(
                "epochs", f"epoch {self.number} fits nothing", "give it `match`, `since` or both"
            )
        if self.match is not None:
            pattern(self.match, "epochs.match")
        if self.since is not None:
            _day(self.since)

    def fits(self, version: str, published: str | None) -> bool:
        """Does a version published on that ISO day (or at that ISO time, UTC) belong to it?"""
        if self.match is not None and not pattern(self.match, "epochs.match").search(version):
            return False
        return self.since is None or (published is not None and published[:10] >= self.since)


class Rules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How versions of a source or package are judged. Left out: as the layer above says."""

    scheme: str | None = None
    """Scheme by which versions compare, in place of the provider's; `monitor version schemes`."""

    include: tuple[str, ...] = ()
    """RE2 patterns, searched in the published spelling. Where there are any, one must be found."""

    exclude: tuple[str, ...] = ()
    """RE2 patterns, searched in the published spelling. What holds one of them is no release."""

    prefix: str | None = None
    """Text that is cut off in front of the version where it stands there ("release-")."""

    tag: str | None = None
    """Template of the tags that are releases of this project, e.g. "v{version}" or
    "{project}-{version}" in a repository of many packages. Other tags are counted, and left out."""

    transform: tuple[Transform, ...] = ()
    """How the version is respelled before it is read, in this order: underscores (1_84_0 is
    1.84.0), dashes, xyyzzpp (3450100 is 3.45.1), last-digit (60 is 6.0), last-two (2301 is
    23.01)."""

    prereleases: Prereleases = "only-if-newer"
    """forbid: recorded, never called newest. only-if-newer: shown beside the newest stable version
    while they are newer. allow: as good as stable ones."""

    odd_minors: bool | None = None
    """Odd minor numbers are development releases, as at GNOME before 40."""

    odd_before: int | None = None
    """First major number for which `odd_minors` holds no longer (GNOME: 40)."""

    unstable_from: int | None = None
    """A number after the first that is at least this marks a pre-release of the next version:
    90 at GNOME (3.5.92), 99 at X.org (1.19.99.901), 70 or 80 at KDE (23.07.80)."""

    streams: str | None = None
    """What makes a supported series: "major", "minor", "none", or an RE2 pattern whose first group
    is its name. Left out: minor where versions have three numbers, else major."""

    min_age: Seconds | None = None
    """How old a release must be before it is built."""

    pin: str | None = None
    """Only these versions are proposed: a series ("4.2") or bounds (">=4.2,<5")."""

    skip: tuple[str, ...] = ()
    """Versions that are never proposed, in any spelling."""

    epochs: tuple[Epoch, ...] = ()
    """Numberings of a project that changed it, e.g. from dates to 1.0. Never guessed: `monitor`
    proposes an entry when it sees such a change."""

    allow: tuple[str, ...] = ()
    """Versions that are releases although a general rule finds them doubtful, in any spelling."""

    def __post_init__(self) -> None:
        for key in ("include", "exclude"):
            for number, text in enumerate(getattr(self, key)):
                pattern(text, f"{key}[{number}]")
        if self.tag is not None:
            _checked_template(self.tag)
        if self.streams is not None:
            _checked_streams(self.streams)
        for name in self.transform:
            if name not in get_args(Transform):
                known = ", ".join(get_args(Transform))
                raise SettingsError("transform", f"{name!r} is unknown", f"there are {known}")
        if self.prereleases not in get_args(Prereleases):
            known = ", ".join(get_args(Prereleases))
            raise SettingsError(
                "prereleases", f"{self.prereleases!r} is unknown", f"one of {known}"
            )
        if self.unstable_from is not None and self.unstable_from < 2:
            raise SettingsError(
                "unstable_from",
                f"{self.unstable_from} would make every version a pre-release",
                "give the first number that marks one, e.g. 90",
            )
        if self.pin is not None:
            terms(self.pin)

    def over(self, base: Rules) -> Rules:
        """These rules where they say something, else `base`: a package's over its source's."""
        said = {
            name: value for name, default in defaults() if (value := getattr(self, name)) != default
        }
        return structs.replace(base, **said) if said else base


@cache
def defaults() -> tuple[tuple[str, Any], ...]:
    """Each rule and what it is where nobody says anything."""
    return tuple((field.name, field.default) for field in structs.fields(Rules))


@lru_cache(maxsize=1024)
def pattern(text: str, key: str) -> Any:
    """That RE2 pattern, compiled. Raises SettingsError naming `key`."""
    import re2

    if len(text) > LONGEST_PATTERN:
        raise SettingsError(
            key, f"the pattern has {len(text)} characters", f"at most {LONGEST_PATTERN}"
        )
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 8 << 20
    try:
        return re2.compile(text, options)
    except re2.error as error:
        [said] = error.args or (b"",)
        what = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise SettingsError(
            key,
            f"{text!r} is no RE2 pattern: {what}",
            "RE2 knows no look-around and no back-references",
        ) from None


@lru_cache(maxsize=1024)
def template(text: str, project: str | None) -> Any:
    """A tag template as an RE2 pattern with the group `version`, for a full match.

    `{project}` stands for the project's name, also without its namespace.
    """
    import re2

    names = dict.fromkeys(n for n in (project, (project or "").rpartition("/")[2]) if n)
    quoted = re2.escape(text)
    for token in ("version", "project"):
        quoted = quoted.replace(re2.escape(f"{{{token}}}"), f"{{{token}}}")
    name = "|".join(re2.escape(n) for n in names) or r"[^\s]+"
    quoted = quoted.replace("{project}", f"(?i:{name})")
    return pattern(f"^(?:{quoted.replace('{version}', f'(?P<version>{NUMBER})')})$", "tag")


Term = tuple[str, str]
"""An operator and a version. The operator "" means "of this series"."""


def terms(pin: str) -> tuple[Term, ...]:
    """A pin as operators and versions. Raises SettingsError where it is none."""
    found = []
    for part in pin.split(","):
        text = part.strip()
        operator = next((o for o in ("<=", ">=", "==", "!=", "<", ">") if text.startswith(o)), "")
        version = text[len(operator) :].strip()
        if not operator:
            version = version.removesuffix("*").rstrip(".")
        if not version or version[0] in "<>=!~^*" or any(c.isspace() for c in version):
            raise SettingsError(
                "pin", f"{pin!r} is no pin", 'give a series ("4.2") or bounds (">=4.2,<5")'
            )
        found.append((operator, version))
    return tuple(found)


def _checked_template(text: str) -> None:
    rest = text.replace("{project}", "")
    if rest.count("{version}") != 1 or set("{}") & set(rest.replace("{version}", "")):
        raise SettingsError(
            "tag",
            f"{text!r} is no tag template",
            'it holds {version} once and perhaps {project}, e.g. "v{version}"',
        )
    template(text, None)


def _checked_streams(text: str) -> None:
    if text in {"major", "minor", "none"}:
        return
    if pattern(text, "streams").groups < 1:
        raise SettingsError(
            "streams",
            f"{text!r} names no series",
            'one of "major", "minor", "none", or a pattern with a group, e.g. "^(\\d+\\.\\d+)"',
        )


def _day(text: str) -> None:
    from datetime import date

    try:
        date.fromisoformat(text)
    except ValueError:
        raise SettingsError(
            "epochs.since", f"{text!r} is no day", "write it as 2016-08-01"
        ) from None
    if len(text) != 10:
        raise SettingsError("epochs.since", f"{text!r} is no day", "write it as 2016-08-01")
