"""Bytes whose order is the order of what they stand for.

A key is written element by element. Every element begins with one byte that
says what it is, and these *lead bytes* are shared out so that comparing two
keys byte by byte compares the elements:

    0x00         the key of a version that its scheme cannot read
    0x01         ends a text
    0x02 - 0x0F  marks of a scheme that sort below every number
    0x10 - 0xC7  numbers
    0xC8 - 0xFF  marks of a scheme that sort above every number

A number is one byte up to 159, two bytes up to 4,255 (all years), and its
length and its bytes beyond that. Codes are prefix-free, so nothing needs to
stand between two numbers, and `1.2.3` is three bytes and an end mark.
"""

from __future__ import annotations

LONGEST = 256  # characters; what is longer is no version (fault C09)
TEXT_END = b"\x01"

_ONE = 0x10  # lead byte of 0; numbers of one byte end below _TWO
_TWO = 0xB0  # lead bytes of numbers of two bytes
_MORE = 0xC0  # lead bytes of numbers of two to six bytes of their own
_MANY = 0xC5  # and of those with a byte that gives the length
_TWO_FROM = _TWO - _ONE
_MORE_FROM = _TWO_FROM + (_MORE - _TWO) * 256


class Unreadable(Exception):
    """This scheme cannot read this version; the message says why."""


def number(value: int) -> bytes:
    """The code of a whole number from 0 up, however large."""
    if value < _TWO_FROM:
        return bytes((_ONE + value,))
    if value < _MORE_FROM:
        high, low = divmod(value - _TWO_FROM, 256)
        return bytes((_TWO + high, low))
    length = (value.bit_length() + 7) // 8
    size = bytes((_MORE + length - 2,)) if length < 7 else bytes((_MANY, length))
    return size + value.to_bytes(length, "big")


class _Numbers(dict[str, bytes]):
    """Digits to their code. Groups of up to four digits are kept, at most 11,110 of them."""

    def __missing__(self, digits: str) -> bytes:
        code = number(int(digits))
        if len(digits) <= 4:
            self[digits] = code
        return code


NUMBERS = _Numbers()
ZERO = number(0)


# Orders that pad the shorter version with zeros without end (`1.0` equals `1.0.0`, and
# `1.0.a` lies below both): zeros are counted, not written, and the count leads the part
# that follows them. Fewer zeros before what is below zero are less; fewer zeros before
# what is above zero are more. Between the two lies the end, an endless run of zeros.
BELOW_ZERO = tuple(bytes((2 + n,)) if n < 3 else bytes((5, n)) for n in range(129))
END_OF_ZEROS = b"\x06"
ABOVE_ZERO = (b"", *(bytes((15 - n,)) if n < 8 else bytes((7, 255 - n)) for n in range(1, 129)))
JUST_ABOVE_ZERO = b"\x0f"  # above the end and all counts, below every number


def text(value: str) -> bytes:
    """The code of printable ASCII text: in the order of its characters, shorter first."""
    return value.encode("ascii") + TEXT_END


def raw_key(version: str) -> bytes:
    """The key of a version that cannot be read: below all keys that can, and by its text.

    Long texts are cut and a digest is set in place of the rest, so that a key
    stays small whatever an upstream sends.
    """
    written = version.encode("utf-8", "surrogatepass")
    if len(written) > LONGEST:
        from hashlib import blake2b  # 2 ms that a start-up need not pay

        written = written[:LONGEST] + blake2b(written, digest_size=16).digest()
    return b"\x00" + written


def printable(version: str) -> bool:
    """Whether a scheme may look at this version at all: see `flaw` for the reasons."""
    return len(version) <= LONGEST and version.isascii() and version.isprintable()


def flaw(version: str) -> str | None:
    """Why no scheme would read this, in words, or None. The words are printable ASCII."""
    if not version:
        return "it is empty"
    if len(version) > LONGEST:
        return f"it has {len(version)} characters, more than {LONGEST}"
    for place, character in enumerate(version, 1):
        if character.isascii() and character.isprintable():
            continue
        name = f"U+{ord(character):04X}"
        if character.isascii():
            return f"control character {name} at place {place}"
        if character.isdigit():
            return f"digit {name} at place {place} is not one of 0 to 9"
        if not character.isprintable():
            return f"invisible character {name} at place {place}"
        return f"character {name} at place {place} is not ASCII"
    return None
