"""What a setting takes, in words: for messages and for `docs/settings.md`."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

EXAMPLES = {"duration": 'a duration such as "10m" or "3d"', "size": 'a size such as "64 MiB"'}


def expected(hint: Any) -> str:
    """A type as a reader of the settings would say it: "a whole number of at least 1"."""
    return _say(inspect.type_info(hint))


@cache
def unit_of(hint: Any) -> str | None:
    """ "duration" or "size" where text of that kind is taken."""
    kind = inspect.type_info(hint)
    for part in kind.types if isinstance(kind, inspect.UnionType) else (kind,):
        if isinstance(part, inspect.Metadata) and part.extra:
            return str(part.extra["unit"])
    return None


def closest(word: str, known: list[str]) -> str:
    """What was meant, probably, or what there is."""
    from difflib import get_close_matches  # only a mistake needs it

    if near := get_close_matches(word, known, n=1, cutoff=0.6):
        return f"did you mean {near[0]!r}?"
    return f"known: {', '.join(sorted(known))}" if known else "nothing is known here"


def shown(value: Any) -> str:
    """A value as it stands in the file, cut to a length that fits a message."""
    try:
        text = msgspec.json.encode(value).decode()
    except (TypeError, UnicodeEncodeError):
        text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _say(kind: inspect.Type) -> str:
    match kind:
        case inspect.Metadata(extra={"unit": str(unit)}):
            return EXAMPLES[unit]
        case inspect.Metadata(type=inner):
            return _say(inner)
        case inspect.UnionType(types=types):
            return " or ".join(_say(t) for t in types if not isinstance(t, inspect.NoneType))
        case inspect.IntType(ge=low, le=high):
            return "a whole number" + _bounds(low, high)
        case inspect.FloatType(gt=above, ge=low, le=high):
            return "a number" + (f" above {above:g}" if above is not None else _bounds(low, high))
        case inspect.StrType():
            return "text"
        case inspect.BoolType():
            return "true or false"
        case inspect.LiteralType(values=values):
            return " or ".join(shown(value) for value in values)
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return f"a list, each {_say(item)}"
        case inspect.DictType(value_type=item):
            return f"a table, each {_say(item)}"
        case inspect.StructType():
            return "a table"
        case _:
            return "anything"


def _bounds(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f" from {low:g} to {high:g}"
    if low is not None:
        return f" of at least {low:g}"
    return "" if high is None else f" of at most {high:g}"
