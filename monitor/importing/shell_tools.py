"""The text tools that recipes use, as functions: patterns, braces, arithmetic, echo, tr, sed, cut.

All are pure, take bounded time, and say None (or `UNKNOWN`) where they do not
know an option rather than guess.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

UNKNOWN: Final = "\ufffc"
"""Stands for text that only the build itself could know."""

MOST_BRACES: Final = 200

LONGEST: Final = 65536
"""Characters that a tool may make; more is no part of an address."""

LONGEST_WORD: Final = 4096
"""Characters of a word whose braces are followed, and of a text that a pattern is cut off."""

_BRACES: Final = re.compile(r"(?<!\$)\{((?:[^{}'\"\s$\\]|\$\{[^{}]*\})*)\}")


def braces(raw: str) -> Iterator[str]:
    """`a{b,c}` as `ab` and `ac`, `{1..3}` as three words; at most `MOST_BRACES`."""
    if len(raw) > LONGEST_WORD or "{" not in raw:
        yield raw
        return
    waiting, count = [raw], 0
    while waiting and count < MOST_BRACES:
        one = waiting.pop(0)
        for match in _BRACES.finditer(one):
            if one[: match.start()].count("'") % 2 or one[: match.start()].count('"') % 2:
                continue
            inside = match[1]
            options = inside.split(",")
            if steps := re.fullmatch(r"(\d{1,4})\.\.(\d{1,4})", inside):
                options = [str(n) for n in range(int(steps[1]), int(steps[2]) + 1)]
            if len(options) > 1:
                before, after = one[: match.start()], one[match.end() :]
                waiting[:0] = [f"{before}{option}{after}" for option in options[:MOST_BRACES]]
                break
        else:
            count += 1
            yield one


@lru_cache(maxsize=512)
def _compiled(pattern: str, greedy: bool) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    return re2.compile(_translated(pattern, greedy), options)


def _translated(pattern: str, greedy: bool = True) -> str:
    """A pattern of the shell as a regular expression: `*`, `?`, `[…]`, and `@(a|b)` and its kin."""
    star = ".*" if greedy else ".*?"
    found, at, open_ = [], 0, []
    while at < len(pattern):
        char = pattern[at]
        following = pattern[at + 1 : at + 2]
        if char == "\\" and following:
            found.append(re.escape(following))
            at += 1
        elif char in "@?*+" and following == "(" and ")" in pattern[at:]:
            found.append("(?:")
            open_.append({"@": "", "?": "?", "*": "*", "+": "+"}[char])
            at += 1
        elif char == "*":
            found.append(star)
        elif char == "?":
            found.append(".")
        elif char == "|" and open_:
            found.append("|")
        elif char == ")" and open_:
            found.append(")" + open_.pop())
        elif char == "[" and (
            match := re.compile(r"\[[!^]?\]?(?:\[:\w+:\]|[^\]])*\]").match(pattern, at)
        ):
            inside = match[0][1:-1]
            negated = inside[:1] in ("!", "^")
            inside = inside[negated:].replace("\\", "\\\\")
            found.append(f"[{'^' if negated else ''}{inside}]")
            at = match.end() - 1
        else:
            found.append(re.escape(char))
        at += 1
    return "".join(found)


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text fits a pattern of the shell."""
    try:
        return _compiled(pattern, True).fullmatch(text) is not None
    except Exception:
        return pattern == text


def searched(pattern: str, text: str) -> bool | None:
    """`[[ text =~ pattern ]]`; None where the pattern cannot be read."""
    import re2

    try:
        return re2.search(pattern, text, _quiet()) is not None
    except re2.error:
        return None


def _quiet() -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    return options


def cut_pattern(text: str, pattern: str, *, front: bool, longest: bool) -> str:
    """`${text#pattern}` and its kin."""
    places = range(len(text) + 1) if front else range(len(text), -1, -1)
    if longest:
        places = reversed(places)  # type: ignore[assignment]
    if not re.search(r"[*?\[\\(]", pattern):
        if front:
            return text.removeprefix(pattern)
        return text.removesuffix(pattern)
    if len(text) > LONGEST_WORD:
        return UNKNOWN
    for place in places:
        part = text[:place] if front else text[place:]
        if matches(pattern, part):
            return text[place:] if front else text[:place]
    return text


def replace_pattern(text: str, pattern: str, replacement: str, where: str) -> str:
    """`${text/pattern/replacement}`; `where` is "", "/" (all), "#" (in front), "%" (at the end)."""
    if not pattern:
        return text
    try:
        compiled = _compiled(pattern, True)
    except Exception:
        return UNKNOWN
    if where == "/":
        found, at, size = [], 0, len(text)
        for match in compiled.finditer(text):
            if match.end() > match.start():
                found += [text[at : match.start()], replacement]
                at = match.end()
                size += len(replacement)
                if size > LONGEST:
                    return UNKNOWN
        return "".join(found) + text[at:]
    if where == "#":
        match = compiled.match(text)
        return replacement + text[match.end() :] if match else text
    if where == "%":
        if len(text) > LONGEST_WORD:
            return UNKNOWN
        for place in range(len(text)):
            if compiled.fullmatch(text[place:]):
                return text[:place] + replacement
        return text
    match = compiled.search(text)
    return text[: match.start()] + replacement + text[match.end() :] if match else text


_OPERATORS: Final[dict[type, Callable[[int, int], int]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


def arithmetic(text: str) -> str:
    """`$((…))` of whole numbers; UNKNOWN for anything else."""
    if len(text) > 200:
        return UNKNOWN
    plain = re.sub(r"\b0+(?=\d)", "", text.replace("10#", "").replace("/", "//").strip())
    try:
        return str(_number(ast.parse(plain, mode="eval").body))
    except (SyntaxError, ValueError, ZeroDivisionError):
        return UNKNOWN


def _number(node: ast.expr) -> int:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_number(inner)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            result = _OPERATORS[type(op)](_number(left), _number(right))
            if abs(result) < 10**18:
                return result
    raise ValueError(ast.dump(node))


def numbers(left: str, sign: str, right: str) -> bool | None:
    """`[ left -lt right ]` and its kin."""
    compare = {
        "-eq": operator.eq,
        "-ne": operator.ne,
        "-lt": operator.lt,
        "-le": operator.le,
        "-gt": operator.gt,
        "-ge": operator.ge,
    }.get(sign)
    if compare is None or not left.strip().isdecimal() or not right.strip().isdecimal():
        return None
    return bool(compare(int(left), int(right)))


def run(words: list[str], given: str | None) -> str | None:
    """What a tool prints; None where it is none of ours or has options we do not know."""
    name, arguments = words[0], words[1:]
    if any(UNKNOWN in word for word in words) and name not in ("echo", "printf"):
        return None
    if name == "echo":
        while arguments[:1] in (["-n"], ["-e"], ["-ne"]):
            arguments = arguments[1:]
        return " ".join(arguments) + "\n"
    if name == "printf":
        return printf(arguments)
    if name in ("basename", "dirname") and arguments:
        return _path(name, arguments)
    tool = _FILTERS.get(name)
    if tool is None or given is None:
        return None
    try:
        return tool(arguments, given)
    except (ValueError, IndexError, re.error):
        return None


def printf(arguments: list[str]) -> str:
    """`printf FORMAT WORD...` with %s and %d."""
    if not arguments:
        return ""
    rest = list(arguments[1:])

    def filled(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        word = rest.pop(0) if rest else ""
        if match[2] == "s":
            return word
        if not word.isdecimal():
            return UNKNOWN
        return word.lstrip("0").rjust(1, "0").zfill(min(int(match[1] or 0), 20))

    text = re.sub(r"%%|%(\d*)([sdi])", filled, arguments[0])
    return text.replace("\\n", "\n")


def _path(name: str, arguments: list[str]) -> str:
    folder, _, last = arguments[0].rstrip("/").rpartition("/")
    if name == "dirname":
        return folder or "."
    return last.removesuffix(arguments[1]) if len(arguments) > 1 else last


_CLASSES: Final = {
    "[:upper:]": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "[:lower:]": "abcdefghijklmnopqrstuvwxyz",
    "[:digit:]": "0123456789",
    "[:space:]": " \t\n",
}


def _set(text: str) -> str:
    if len(text) > 1000:
        raise ValueError("a set of characters longer than any")
    for name, members in _CLASSES.items():
        text = text.replace(name, members)
    text = text.replace("\\n", "\n").replace("\\\\", "\\")

    def filled(match: re.Match[str]) -> str:
        first, last = ord(match[1]), ord(match[2])
        return "".join(map(chr, range(first, min(last, first + 300) + 1)))

    return re.sub(r"(.)-(.)", filled, text, flags=re.DOTALL)


def _tr(arguments: list[str], text: str) -> str | None:
    options = ""
    while (
        arguments and arguments[0].startswith("-") and len(arguments[0]) > 1 and len(arguments) > 1
    ):
        options += arguments.pop(0)[1:]
    if "d" in options:
        members = _set(arguments[0])
        inverse = "c" in options or "C" in options
        return "".join(c for c in text if (c in members) == inverse)
    if options:
        return None
    old, new = _set(arguments[0]), _set(arguments[1])
    if not new:
        return None
    return text.translate(
        {ord(c): new[min(i, len(new) - 1)] for i, c in reversed([*enumerate(old)])}
    )


def _cut(arguments: list[str], text: str) -> str | None:
    delimiter, fields, by_character = "\t", "", False
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        option, value = word[:2], word[2:]
        if option not in ("-d", "-f", "-c"):
            return None
        value = value or rest.pop(0)
        if option == "-d":
            delimiter = value
        else:
            fields, by_character = value.lstrip("="), option == "-c"
    lines = []
    for line in text.splitlines():
        parts = list(line) if by_character else line.split(delimiter)
        if not by_character and len(parts) == 1:
            lines.append(line)
            continue
        chosen = [parts[i] for i in _ranges(fields, len(parts))]
        lines.append(("" if by_character else delimiter).join(chosen))
    return "\n".join(lines) + "\n"


def _ranges(fields: str, count: int) -> list[int]:
    chosen: set[int] = set()
    for part in fields.split(","):
        first, dash, last = part.partition("-")
        begin = int(first or 1)
        end = int(last or count) if dash else begin
        chosen |= set(range(begin - 1, min(end, count)))
    return sorted(chosen)


def _sed(arguments: list[str], text: str) -> str | None:
    scripts, extended = [], False
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word in ("-E", "-r", "-re", "-Ee"):
            extended = True
            if word.endswith("e"):
                scripts.append(rest.pop(0))
        elif word in ("-e", "--expression"):
            scripts.append(rest.pop(0))
        elif word.startswith("-"):
            return None
        elif not scripts:
            scripts.append(word)
        else:
            return None
    for script in scripts:
        for command in _commands(script):
            changed = substitute(command, text, extended)
            if changed is None:
                return None
            text = changed
    return text


def _commands(script: str) -> list[str]:
    """The commands of a sed script: those beginning with "s" may hold ";" within."""
    found, at = [], 0
    while at < len(script):
        if script[at] in "; \n\t":
            at += 1
            continue
        begin = at
        if script[at] in "sy" and at + 1 < len(script):
            delimiter, seen, at = script[at + 1], 1, at + 2
            while at < len(script) and seen < 3:
                if script[at] == "\\":
                    at += 1
                elif script[at] == delimiter:
                    seen += 1
                at += 1
        while at < len(script) and script[at] not in ";\n":
            at += 1
        found.append(script[begin:at])
    return found


def substitute(command: str, text: str, extended: bool) -> str | None:
    """`s/a/b/` or `y/abc/def/` of sed, on every line; None for any other command."""
    import re2

    if len(command) < 4 or command[0] not in "sy" or command[1].isalnum():
        return None
    parts = _delimited(command[1:])
    if parts is None:
        return None
    pattern, replacement, flags = parts
    if command[0] == "y":
        return text.translate({ord(a): b for a, b in zip(pattern, replacement, strict=False)})
    if set(flags.strip()) - set("gI"):
        return None
    expression = pattern if extended else _basic(pattern)
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = "I" not in flags
    try:
        compiled = re2.compile(expression, options)
    except re2.error:
        return None

    size = 0

    def filled(match: Any) -> str:
        nonlocal size
        new = re.sub(
            r"\\([0-9&\\/])|&",
            lambda m: (
                match.group(0)
                if m[0] == "&"
                else (match.group(int(m[1])) or "")
                if m[1].isdigit()
                else m[1]
            ),
            replacement,
        )
        size += len(new)
        if size > LONGEST:
            raise ValueError("grows beyond any text of a recipe")
        return new

    count = 0 if "g" in flags else 1
    return "".join(compiled.sub(filled, line, count) for line in text.splitlines(keepends=True))


def _delimited(text: str) -> tuple[str, str, str] | None:
    parts: list[str] = []
    delimiter, at, piece = text[0], 1, ""
    while at < len(text) and len(parts) < 2:
        if text[at] == "\\" and at + 1 < len(text):
            piece += text[at + 1] if text[at + 1] == delimiter else text[at : at + 2]
            at += 2
            continue
        if text[at] == delimiter:
            parts.append(piece)
            piece = ""
        else:
            piece += text[at]
        at += 1
    return (parts[0], parts[1], text[at:]) if len(parts) == 2 else None


def _basic(pattern: str) -> str:
    """A basic regular expression as an extended one: brackets and bars change their meaning."""
    return re.sub(
        r"\\([(){}|+?])|([(){}|+?])|(\[\^?\]?[^\]]*\]|\\.)",
        lambda m: m[1] if m[1] else "\\" + m[2] if m[2] else m[3],
        pattern,
    )


def _head(arguments: list[str], text: str) -> str | None:
    count = re.fullmatch(r"-n? ?(\d+)", " ".join(arguments) or "-10")
    return "\n".join(text.splitlines()[: int(count[1])]) + "\n" if count else None


def _awk(arguments: list[str], text: str) -> str | None:
    """`awk -F. '{print $1"."$2}'`: fields and constants, nothing else."""
    separator = None
    rest = list(arguments)
    while rest and rest[0].startswith("-F"):
        word = rest.pop(0)
        separator = word[2:] or rest.pop(0)
    if len(rest) != 1 or not (match := re.fullmatch(r"\s*\{\s*print\s+(.*?);?\s*\}\s*", rest[0])):
        return None
    separator = separator.strip("[]\\") if separator and len(separator) > 1 else separator
    lines = []
    for line in text.splitlines():
        fields = line.split(separator)
        out, body = "", match[1]
        while body:
            if len(out) > LONGEST:
                return None
            if part := re.match(r'\s*(?:"((?:[^"\\])*)"|\$(NF|\d+)|(,))\s*', body):
                if part[2] == "NF":
                    out += fields[-1]
                elif part[2]:
                    place = int(part[2])
                    out += line if place == 0 else fields[place - 1] if place <= len(fields) else ""
                else:
                    out += " " if part[3] else part[1]
                body = body[part.end() :]
            else:
                return None
        lines.append(out)
    return "\n".join(lines) + "\n"


def _rev(arguments: list[str], text: str) -> str | None:
    return None if arguments else "\n".join(line[::-1] for line in text.splitlines()) + "\n"


_FILTERS: Final[dict[str, Callable[[list[str], str], str | None]]] = {
    "tr": _tr,
    "cut": _cut,
    "sed": _sed,
    "head": _head,
    "awk": _awk,
    "gawk": _awk,
    "rev": _rev,
    "cat": lambda arguments, text: None if arguments else text,
    "xargs": lambda arguments, text: None if arguments else " ".join(text.split()) + "\n",
}


# Gentoo's, of eapi7-ver.eclass: https://projects.gentoo.org/pms/8/pms.html#version-manipulation-functions


def _components(version: str) -> tuple[list[str], list[str]]:
    """Separators and components in turn: s0 c1 s1 c2 s2 …"""
    separators, components, at = [], [], 0
    while at < len(version):
        match = re.compile(r"([^A-Za-z0-9]*)([A-Za-z]+|[0-9]+|$)").match(version, at)
        assert match
        separators.append(match[1])
        if match[2]:
            components.append(match[2])
        at = match.end()
    if len(separators) == len(components):
        separators.append("")
    return separators, components


def _range(text: str, most: int) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    begin = int(first)
    end = int(last) if last else most if dash else begin
    return begin, min(end, most)


def ver_cut(version: str, span: str) -> str:
    """Components of a version: `ver_cut 1-2 1.2.3` is 1.2."""
    separators, components = _components(version)
    try:
        begin, end = _range(span, len(components))
    except ValueError:
        return UNKNOWN
    begin = max(begin, 1)
    return "".join(
        components[place - 1] + (separators[place] if place < end else "")
        for place in range(begin, end + 1)
    )


def ver_rs(version: str, pairs: list[str]) -> str:
    """Separators replaced: `ver_rs 1-2 _ 1.2.3` is 1_2_3."""
    separators, components = _components(version)
    try:
        for span, new in zip(pairs[::2], pairs[1::2], strict=True):
            begin, end = _range(span, len(separators) - 1)
            for place in range(begin, end + 1):
                if place == 0 or place == len(components):
                    if separators[place]:
                        separators[place] = new
                elif place < len(separators):
                    separators[place] = new
    except ValueError:
        return UNKNOWN
    return separators[0] + "".join(
        one + separators[place + 1] for place, one in enumerate(components)
    )


def ver_test(version: str, arguments: list[str]) -> bool | None:
    """`ver_test [V1] -op V2`, by Gentoo's order, which is nearly the generic one."""
    if len(arguments) == 2:
        arguments = [version, *arguments]
    if len(arguments) != 3 or any(UNKNOWN in word for word in arguments):
        return None
    from monitor.ordering import sort_key

    compare = {
        "-eq": operator.eq,
        "-ne": operator.ne,
        "-lt": operator.lt,
        "-le": operator.le,
        "-gt": operator.gt,
        "-ge": operator.ge,
    }.get(arguments[1])
    if compare is None:
        return None
    return bool(compare(sort_key("generic", arguments[0]), sort_key("generic", arguments[2])))
