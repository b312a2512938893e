"""Names of recipes: one string that is a file name, a make target and an image reference.

    PyPI         requests__2.18.4
    all others   cargo__serde__1.0.1        github__psf--2frequests__2.32.3

The alphabet is that of a repository in an image reference (OCI distribution
specification, "name"), the narrowest of the three: lower-case letters and digits,
with single `.` or `_`, `__` or dashes between them. What does not fit is written
`--XX`, two hexadecimal digits for each byte of its UTF-8. `__` separates the parts
and never occurs inside one, so the mapping is one-to-one; a PyPI name has two
parts, any other three. Names longer than 200 characters are cut and end in
`---` and a SHA-256.
"""

from __future__ import annotations

import hashlib
import re

LIMIT = 200  # with the repository's prefix still below 255, for file systems and registries
REPOSITORY = "localhost/release-monitor"

_PLAIN = re.compile(rb"[a-z0-9]")
_SEPARATOR = b"._-"
_EMPTY = "0---0"  # the empty string; `---` occurs nowhere else but in a cut name
_CUT = re.compile(r".*---[0-9a-f]{64}", re.DOTALL)
_NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")


def recipe_name(purl_type: str, project: str, version: str) -> str:
    """The name of a release's recipe. `project` holds the namespace: "psf/requests".

    Different arguments give different names, whatever they contain.
    """
    parts = [project, version] if purl_type == "pypi" else [purl_type, project, version]
    name = "__".join(_encode(part) for part in parts)
    if len(name) <= LIMIT:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()
    return name[: LIMIT - len(digest) - 3].rstrip("._-") + "---" + digest


def parse_recipe_name(name: str) -> tuple[str, str, str]:
    """The purl type, project and version of a name.

    Raises ValueError for a name that `recipe_name` does not make, and for one that
    was cut: the store knows those.
    """
    if _CUT.fullmatch(name):
        raise ValueError(f"{name}: a shortened name cannot be read back")
    parts = [_decode(part) for part in name.split("__")]
    found = ("pypi", *parts) if len(parts) == 2 else tuple(parts)
    if len(found) != 3 or recipe_name(*found) != name:
        raise ValueError(f"{name[:LIMIT]!r} is no name of a recipe")
    return found[0], found[1], found[2]


def is_recipe_name(name: str) -> bool:
    """Whether this can be the name of a recipe, ours or one made by hand."""
    parted = "__" in name or _CUT.fullmatch(name) is not None
    return parted and len(name) <= LIMIT and _NAME.fullmatch(name) is not None


def image_reference(name: str, tag: str = "latest") -> str:
    """The reference of the image that is built from this recipe.

    Raises ValueError when `name` is no name of a recipe.
    """
    if not is_recipe_name(name):
        raise ValueError(f"{name[:LIMIT]!r} is no name of a recipe")
    return f"{REPOSITORY}/{name}:{tag}"


def _encode(part: str) -> str:
    data = part.encode("utf-8", "surrogatepass")
    if not data:
        return _EMPTY
    written = []
    for index, byte in enumerate(data):
        char, after = bytes([byte]), data[index + 1 : index + 2]
        if _PLAIN.match(char):
            # A leading 0 before an escape is the mark that follows; so it is escaped itself.
            plain = not (index == 0 and char == b"0" and after and not _stays(data, index + 1))
        else:
            plain = _stays(data, index)
        written.append(char.decode() if plain else f"--{byte:02x}")
    text = "".join(written)
    return "0" + text if text.startswith("-") else text


def _stays(data: bytes, index: int) -> bool:
    """Whether this byte is written as it is: a separator only between two plain ones."""
    char = data[index : index + 1]
    if _PLAIN.match(char):
        return True
    inside = 0 < index < len(data) - 1
    return (
        char in _SEPARATOR
        and inside
        and bool(_PLAIN.match(data[index - 1 : index]))
        and bool(_PLAIN.match(data[index + 1 : index + 2]))
    )


def _decode(part: str) -> str:
    if part == _EMPTY:
        return ""
    text = part[1:] if part.startswith("0--") else part
    data = re.sub(
        rb"--([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), text.encode()
    )
    return data.decode("utf-8", "surrogatepass")
