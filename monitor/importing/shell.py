"""Recipes in shell language, read without a shell.

`read(text)` follows the assignments of a recipe at its top level and expands
what can be known from the text alone: variables, arrays, `${v%x}` and its kin,
`$(…)` of a few harmless text tools (`monitor.importing.shell_tools`). Nothing is
run, no file is opened. What cannot be known becomes `UNKNOWN`, a character that
no address holds, so that the rest of an address still says what it says.

Conditions that can be decided are; of others all branches count, later ones
over earlier ones. What stands in branches that are not taken is kept apart, in
`Shell.elsewhere`. The grammar is the one of
https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html with bash's
arrays, `[[ ]]` and expansions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from monitor.importing import shell_tools
from monitor.importing.shell_parse import (
    AndOr,
    Assign,
    Broken,
    Case,
    Command,
    For,
    Group,
    If,
    Node,
    Pipeline,
    closing,
    parse,
)
from monitor.importing.shell_tools import UNKNOWN, cut_pattern, matches, replace_pattern

__all__ = ["UNKNOWN", "Shell", "read"]

LONGEST: Final = 65536
"""Characters of one value; a recipe whose values grow beyond is no recipe."""

LARGEST: Final = 1 << 20
"""Characters of a recipe that are read."""

STEPS: Final = 20000
"""Statements and expansions that one recipe may cost."""

WORK: Final = 4_000_000
"""Characters that the expansions of one recipe may make, all in all."""

DEEPEST: Final = 40

_NAME: Final = re.compile(r"[A-Za-z_]\w*|[0-9@*#?$!-]")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"'}
_ORDINARY: Final = re.compile(r"""[^\\'"`$]+""")
_UNLIKELY: Final = frozenset(("@", "*", "#", "?", "$", "!", "-", *"0123456789"))

Value = str | list[str]
Handler = Callable[["Shell", list[str]], None]


class TooMuch(Exception):
    """The recipe costs more than any recipe does."""


def read(
    text: str,
    given: Mapping[str, Value] | None = None,
    *,
    commands: Mapping[str, Handler] | None = None,
    functions: Mapping[str, Callable[[Shell, list[str]], str]] | None = None,
) -> Shell:
    """The variables of a recipe.

    `given`      variables that the build tool sets before it reads the recipe
    `commands`   what to do at commands of the recipe, such as `inherit`
    `functions`  further text tools for `$(…)`, such as `ver_cut`
    """
    shell = Shell(given or {}, commands or {}, functions or {})
    shell.whole = len(text) <= LARGEST
    try:
        for node in parse(text[:LARGEST]):
            shell.run(node)
    except (TooMuch, RecursionError):
        shell.whole = False  # what was read so far is what there is
    return shell


class Shell:
    """Variables, as far as a recipe has been read."""

    def __init__(
        self,
        given: Mapping[str, Value],
        commands: Mapping[str, Handler],
        functions: Mapping[str, Callable[[Shell, list[str]], str]],
    ) -> None:
        self.values: dict[str, Value] = dict(given)
        self.elsewhere: dict[str, Value] = {}
        self.lines: dict[str, int] = {}
        self.whole = True
        self._commands = commands
        self._functions = functions
        self._steps = 0
        self._work = 0
        self._depth = 0
        self._shadow = 0

    def text(self, name: str) -> str:
        """A variable's value; empty where it has none."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else (value[0] if value else "")

    def row(self, name: str) -> list[str]:
        """An array's items, or the words of a plain value."""
        value = self.values.get(name, [])
        return value.split() if isinstance(value, str) else value

    # Statements

    def run(self, node: Node) -> bool | None:
        """Do what a statement says; returns whether it succeeds, None where nobody can know."""
        self._step()
        match node:
            case Assign():
                self._assign(node)
                return True
            case Command():
                return self._command(node)
            case Pipeline(parts):
                if isinstance(parts[0], Command) and parts[0].words == ("!",):
                    result = self.run(parts[1]) if len(parts) == 2 else None
                    return None if result is None else not result
                return None
            case AndOr(first, rest):
                return self._and_or(first, rest)
            case Group(body):
                return self._all(body)
            case If():
                self._if(node)
            case Case():
                self._case(node)
            case For():
                self._for(node)
        return None

    def _all(self, body: Iterable[Node]) -> bool | None:
        result: bool | None = True
        for node in body:
            result = self.run(node)
        return result

    def _aside(self, body: Iterable[Node]) -> None:
        """Read a branch that is not taken: its assignments count for `elsewhere` only."""
        self._worked(len(self.values) + len(self.lines))
        before, lines = dict(self.values), dict(self.lines)
        self._shadow += 1
        try:
            self._all(body)
            for name, value in self.values.items():
                if before.get(name) != value:
                    self.elsewhere.setdefault(name, value)
        finally:
            self._shadow -= 1
            self.values, self.lines = before, lines

    def _and_or(self, first: Node, rest: Iterable[tuple[str, Node]]) -> bool | None:
        result = self.run(first)
        for operator, node in rest:
            if result is None or result == (operator == "&&"):
                result = self.run(node)
            else:
                self._aside([node])
        return result

    def _if(self, node: If) -> None:
        decided = False
        for condition, body in node.branches:
            if decided:
                self._aside(body)
                continue
            result = self._all(condition)
            if result is False:
                self._aside(body)
            else:
                self._all(body)
                decided = result is True
        if node.otherwise:
            if decided:
                self._aside(node.otherwise)
            else:
                self._all(node.otherwise)

    def _case(self, node: Case) -> None:
        word = self.expand(node.word)
        unsure = UNKNOWN in word
        done = False
        for patterns, body in node.branches:
            fits = unsure or any(matches(self.expand(p, pattern=True), word) for p in patterns)
            if fits and not done:
                self._all(body)
                done = True
            else:
                self._aside(body)

    def _for(self, node: For) -> None:
        words = [found for word in node.words for found in self.words(word)]
        for word in words[:200]:
            self.values[node.name] = word
            self._all(node.body)

    def _assign(self, node: Assign) -> None:
        if not self._shadow:
            self.lines.setdefault(node.name, node.line)
        old = self.values.get(node.name)
        if node.items is not None:
            items = [found for item in node.items for found in self.words(_unindexed(item))]
            if node.plus and old is not None:
                items = ([old] if isinstance(old, str) else old) + items
            self.values[node.name] = items[:5000]
            return
        text = self.expand(node.value)
        if node.index is not None:
            row = list(old) if isinstance(old, list) else [old] if old else []
            place = self.expand(node.index)
            if place.isdecimal() and int(place) < 1000:
                row += [""] * (int(place) + 1 - len(row))
                row[int(place)] = text
            else:
                row.append(text)
            self.values[node.name] = row
        elif node.plus and isinstance(old, list):
            self.values[node.name] = [(old[0] if old else "") + text, *old[1:]]
        elif node.plus and isinstance(old, str):
            self.values[node.name] = self._short(old + text)
        else:
            self.values[node.name] = text

    def _command(self, node: Command) -> bool | None:
        name = node.words[0]
        if name == "[[" or (name in ("[", "test")):
            words = list(node.words[1:])
            if name == "[" and words[-1:] == ["]"]:
                words.pop()
            return self._test(words)
        if name in ("true", ":"):
            for word in node.words[1:]:
                self.expand(word)  # for ${name:=value}
            return True
        if name in ("false",):
            return False
        if handler := self._commands.get(name):
            if not self._shadow:
                handler(self, [found for word in node.words[1:] for found in self.words(word)])
            return True
        if name == "printf" and node.words[1:2] == ("-v",) and len(node.words) > 3:
            arguments = [self.expand(word) for word in node.words[3:]]
            self.values[self.expand(node.words[2])] = shell_tools.printf(arguments)
            return True
        if name == "ver_test":
            return shell_tools.ver_test(self.text("PV"), [self.expand(w) for w in node.words[1:]])
        if name == "unset":
            for word in node.words[1:]:
                self.values.pop(word, None)
            return True
        return None

    # Conditions

    def _test(self, words: list[str]) -> bool | None:
        for operator in ("||", "-o"):
            if operator in words:
                place = words.index(operator)
                left, right = self._test(words[:place]), self._test(words[place + 1 :])
                return True if True in (left, right) else None if None in (left, right) else False
        for operator in ("&&", "-a"):
            if operator in words:
                place = words.index(operator)
                left, right = self._test(words[:place]), self._test(words[place + 1 :])
                return False if False in (left, right) else None if None in (left, right) else True
        if words[:1] == ["!"]:
            result = self._test(words[1:])
            return None if result is None else not result
        if words[:1] == ["("] and words[-1:] == [")"]:
            return self._test(words[1:-1])
        if len(words) == 1:
            return self._truth(self.expand(words[0], quiet=True))
        if len(words) == 2 and words[0] in ("-n", "-z"):
            result = self._truth(self.expand(words[1], quiet=True))
            return result if words[0] == "-n" or result is None else not result
        if len(words) == 3:
            return self._compare(words[0], words[1], words[2])
        return None

    def _truth(self, text: str) -> bool | None:
        return None if text == UNKNOWN else bool(text)

    def _compare(self, first: str, operator: str, second: str) -> bool | None:
        left = self.expand(first, quiet=True)
        right = self.expand(second, pattern=True, quiet=True)
        if UNKNOWN in left or UNKNOWN in right:
            return None
        if operator in ("=", "=="):
            return matches(right, left)
        if operator == "!=":
            return not matches(right, left)
        if operator == "=~":
            return shell_tools.searched(self.expand(second), left)
        return shell_tools.numbers(left, operator, self.expand(second))

    # Words

    def words(self, raw: str) -> Iterator[str]:
        """A word as the words it stands for: braces and arrays make several."""
        if match := _ARRAY.fullmatch(raw):
            value = self.values.get(match[1])
            if isinstance(value, list) and not match[2]:
                yield from value
                return
        for one in shell_tools.braces(raw):
            text = self.expand(one)
            if (
                "$" in one
                and not one.startswith(('"', "'", "$'", '$"'))
                and any(c.isspace() for c in text)
            ):
                yield from text.split()
            elif text or '"' in one or "'" in one:
                yield text

    def expand(self, raw: str, *, pattern: bool = False, quiet: bool = False) -> str:
        """The text that a word stands for.

        With `pattern`, quoted `*` and `?` come out escaped, as patterns for `matches`.
        With `quiet`, a variable without value is empty.
        """
        self._step()
        self._depth += 1
        try:
            if self._depth > DEEPEST:
                return UNKNOWN
            text = self._short("".join(self._pieces(raw, pattern, quiet)))
            self._worked(len(text))
            return text
        except Broken:
            return UNKNOWN
        finally:
            self._depth -= 1

    def _pieces(self, raw: str, pattern: bool, quiet: bool, quoted: bool = False) -> Iterator[str]:
        def plain(text: str) -> str:
            return re.sub(r"([*?\[\]\\])", r"\\\1", text) if pattern else text

        at = 0
        while at < len(raw):
            char = raw[at]
            if char == "\\":
                following = raw[at + 1 : at + 2]
                at += 2
                if following == "\n":
                    continue
                if quoted and following not in ('"', "\\", "$", "`"):
                    yield plain("\\" + following)
                else:
                    yield plain(following)
            elif char == "'" and not quoted:
                end = closing(raw, at)
                yield plain(raw[at + 1 : end - 1])
                at = end
            elif char == '"' and not quoted:
                end = closing(raw, at)
                yield plain("".join(self._pieces(raw[at + 1 : end - 1], False, quiet, True)))
                at = end
            elif char == "`":
                end = closing(raw, at)
                yield plain(self._substituted(raw[at + 1 : end - 1].replace("\\`", "`")))
                at = end
            elif char == "$":
                text, at = self._dollar(raw, at, quiet, quoted)
                yield plain(text) if pattern and quoted else text
            else:
                # A quote within quotes is an ordinary character, like what is none of these.
                run = _ORDINARY.match(raw, at)
                at = run.end() if run else at + 1
                yield run[0] if run else char

    def _dollar(self, raw: str, at: int, quiet: bool, quoted: bool) -> tuple[str, int]:
        following = raw[at + 1 : at + 2]
        if following == "'" and not quoted:
            end = raw.find("'", at + 2)
            if end < 0:
                raise Broken
            inside = raw[at + 2 : end]
            return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), inside), end + 1
        if following == '"' and not quoted:
            return "", at + 1
        if following == "(":
            end = closing(raw, at)
            inside = raw[at + 2 : end - 1]
            if inside.startswith("(") and inside.endswith(")"):
                return shell_tools.arithmetic(self._spelled_out(inside[1:-1])), end
            return self._substituted(inside), end
        if following == "{":
            end = closing(raw, at)
            return self._parameter(raw[at + 2 : end - 1], quiet), end
        if match := _NAME.match(raw, at + 1):
            return self._value(match[0], quiet), match.end()
        return "$", at + 1

    def _spelled_out(self, text: str) -> str:
        """Names in an arithmetic expression replaced by their values."""
        text = self.expand(text)
        return re.sub(r"[A-Za-z_]\w*", lambda m: self.text(m[0]) or "0", text)

    def _value(self, name: str, quiet: bool) -> str:
        if name in _UNLIKELY:
            return ""
        value = self.values.get(name)
        if value is None:
            return "" if quiet else UNKNOWN
        return value if isinstance(value, str) else (value[0] if value else "")

    def _parameter(self, inside: str, quiet: bool) -> str:
        """`${…}`: https://www.gnu.org/software/bash/manual/html_node/Shell-Parameter-Expansion.html"""
        match = _PARAMETER.match(inside)
        if not match:
            return UNKNOWN
        mark, name, index, rest = match[1], match[2], match[3], inside[match.end() :]
        value: Value | None = self.values.get(name)
        if mark == "!" and isinstance(value, str):
            value = self.values.get(value)
        if index is not None:
            value = self._indexed(value, index)
        if mark == "#":
            if value is None:
                return "0" if index else UNKNOWN
            return str(len(value))
        if rest[:1] in ("-", "+", "=", "?") or rest[:2] in (":-", ":+", ":=", ":?"):
            return self._default(name, value, rest)
        if value is None:
            return "" if quiet else UNKNOWN
        if rest and isinstance(value, list) and index in ("@", "*"):
            if rest[0] == ":":
                return self._joined(self._sliced(value, rest[1:]))
            return self._joined([self._changed(item, rest) for item in value])
        text = self._joined(value)
        if isinstance(value, list) and index is None:
            text = value[0] if value else ""
        return self._changed(text, rest) if rest else text

    def _indexed(self, value: Value | None, index: str) -> Value | None:
        if index in ("@", "*"):
            return [value] if isinstance(value, str) else value
        place = shell_tools.arithmetic(self._spelled_out(index))
        row = [value] if isinstance(value, str) else value or []
        try:
            return row[int(place)]
        except (ValueError, IndexError):
            return None

    def _default(self, name: str, value: Value | None, rest: str) -> str:
        colon = rest.startswith(":")
        operator, word = rest[colon : colon + 1], rest[colon + 1 :]
        text = None if value is None else self._joined(value)
        there = text is not None and not (colon and text == "")
        if operator == "+":
            return self.expand(word) if there else ""
        if there:
            return text or ""
        if operator == "?":
            return UNKNOWN
        result = self.expand(word)
        if operator == "=":
            self.values[name] = result
        return result

    def _changed(self, text: str, rest: str) -> str:
        # A pattern is tried at every place.
        self._worked(len(text) * (1 + len(text) // 16) if rest[0] in "#%/" else len(text))
        if rest[0] in "#%":
            twice = rest[1:2] == rest[0]
            pattern = self.expand(rest[1 + twice :], pattern=True, quiet=True)
            return cut_pattern(text, pattern, front=rest[0] == "#", longest=twice)
        if rest[0] == "/":
            return self._replaced(text, rest[1:])
        if rest[0] == ":":
            return "".join(self._sliced(text, rest[1:]))
        if rest[:1] in ("^", ","):
            change = str.upper if rest[0] == "^" else str.lower
            return change(text) if rest[1:2] == rest[0] else change(text[:1]) + text[1:]
        if rest in ("@Q", "@U", "@L"):
            return {"@Q": text, "@U": text.upper(), "@L": text.lower()}[rest]
        return UNKNOWN

    def _replaced(self, text: str, rest: str) -> str:
        where = ""
        if rest[:1] in ("/", "#", "%"):
            where, rest = rest[0], rest[1:]
        split = _unquoted_slash(rest)
        pattern = self.expand(rest[:split], pattern=True, quiet=True)
        replacement = self.expand(rest[split + 1 :], quiet=True)
        return replace_pattern(text, pattern, replacement, where)

    def _sliced(self, value: Value, rest: str) -> Value:
        begin, _, count = rest.partition(":")
        try:
            start = int(shell_tools.arithmetic(self._spelled_out(begin.strip() or "0")))
            start = max(len(value) + start, 0) if start < 0 else start
            if not count:
                return value[start:]
            length = int(shell_tools.arithmetic(self._spelled_out(count.strip())))
        except ValueError:
            return UNKNOWN
        return value[start : length if length < 0 else start + length]

    def _substituted(self, inside: str) -> str:
        """`$(…)`, where it is made of tools that only change text."""
        nodes = parse(inside)
        if len(nodes) != 1:
            return UNKNOWN
        parts = nodes[0].parts if isinstance(nodes[0], Pipeline) else (nodes[0],)
        text: str | None = None
        for part in parts:
            if not isinstance(part, Command):
                return UNKNOWN
            arguments = [found for word in part.words for found in self._argument(word)]
            if not arguments:
                return UNKNOWN
            if part.stdin is not None:
                text = self.expand(part.stdin) + "\n"
            if function := self._functions.get(arguments[0]):
                text = function(self, arguments[1:])
            else:
                text = shell_tools.run(arguments, text)
            if text is None or len(text) > LONGEST:
                return UNKNOWN
            self._worked(len(text))
        return (text or "").rstrip("\n")

    def _argument(self, word: str) -> Iterator[str]:
        text = self.expand(word)
        if word.startswith("$") and text != UNKNOWN:
            yield from text.split()
        else:
            yield text

    def _short(self, text: str) -> str:
        return text if len(text) <= LONGEST else UNKNOWN

    def _joined(self, value: Value) -> str:
        """An array as one text."""
        if isinstance(value, str):
            return value
        return " ".join(value) if sum(map(len, value)) <= LONGEST else UNKNOWN

    def _worked(self, characters: int) -> None:
        self._work += characters
        if self._work > WORK:
            raise TooMuch

    def _step(self) -> None:
        self._steps += 1
        if self._steps > STEPS:
            raise TooMuch


_ARRAY: Final = re.compile(r'"?\$\{([A-Za-z_]\w*)\[[@*]\]([^}]*)\}"?')
_PARAMETER: Final = re.compile(r"([!#]?)([A-Za-z_]\w*)(?:\[([^\]]*)\])?")


def _unindexed(item: str) -> str:
    """`[key]=value` in an array is its value."""
    match = re.match(r"\[[^\]]*\]=", item)
    return item[match.end() :] if match else item


def _unquoted_slash(text: str) -> int:
    """Where the pattern of `${v/pattern/replacement}` ends."""
    at = 0
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] == "/":
            return at
        elif text[at] in "'\"" or text[at : at + 2] in ("${", "$("):
            try:
                at = closing(text, at)
            except Broken:
                at += 1
        else:
            at += 1
    return len(text)
