"""The grammar of the shell, as far as recipes use it at their top level: text → statements.

Functions are left out: by convention their closing brace stands alone, as far
in as the line they begin on. What does not parse costs its line, not the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

__all__ = [
    "AndOr",
    "Assign",
    "Case",
    "Command",
    "For",
    "Group",
    "If",
    "Node",
    "Pipeline",
    "closing",
    "parse",
]


@dataclass(frozen=True, slots=True)
class Assign:
    """`name=value`, `name+=value`, `name=(a b)`, `name[i]=value`; words as written."""

    name: str
    plus: bool
    value: str
    items: tuple[str, ...] | None = None
    index: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Command:
    """A simple command; `stdin` is the word of a here-string."""

    words: tuple[str, ...]
    stdin: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each fed by the one before."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AndOr:
    """`first && second || third`."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """`{ …; }` or `( … )`, and the condition and body of a loop."""

    body: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class If:
    """Conditions with their bodies; `otherwise` is the body of `else`."""

    branches: tuple[tuple[tuple[Node, ...], tuple[Node, ...]], ...]
    otherwise: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A word, and patterns with their bodies."""

    word: str
    branches: tuple[tuple[tuple[str, ...], tuple[Node, ...]], ...]


@dataclass(frozen=True, slots=True)
class For:
    """`for name in words; do body; done`."""

    name: str
    words: tuple[str, ...]
    body: tuple[Node, ...]


Node = Assign | Command | Pipeline | AndOr | Group | If | Case | For

DEEPEST: Final = 60

LOST: Final = 4_000_000
"""Characters that may be read in vain; a recipe that is broken in more places is none."""

_SPACE: Final = re.compile(r"(?:[ \t\r]|\\\n)*")
_COMMENT: Final = re.compile(r"#[^\n]*")
_FUNCTION: Final = re.compile(
    r"(?:function[ \t]+(?P<a>[^\s(){};]+)[ \t]*(?:\([ \t]*\))?|"
    r"(?P<b>[A-Za-z_][\w.+:-]*)[ \t]*\([ \t]*\))"
    r"[ \t\n]*(?P<open>[{(])"
)
_ASSIGN: Final = re.compile(r"([A-Za-z_]\w*)(?:\[((?:[^\]\n]|\$\{[^}\n]*\})*)\])?(\+?)=")
_REDIRECT: Final = re.compile(r"\d*(?:<<<|<<-?|>>|<&|>&|&>>?|<>|>\||<|>)")
_KEYWORDS: Final = frozenset(("if", "case", "for", "while", "until", "select", "{", "("))
_ENDS: Final = frozenset(("then", "elif", "else", "fi", "do", "done", "esac", "}", ")", ";;"))
_WORD_ENDS: Final = frozenset(" \t\r\n;&|()<>")


_IN_QUOTES: Final = re.compile(r"[\\'\"`$]")
_IN_BRACKETS: Final = re.compile(r"[\\'\"`$(){}]")


class Broken(Exception):
    """The text does not follow the grammar here."""


def parse(text: str) -> tuple[Node, ...]:
    """The statements of a recipe; what is broken is left out."""
    return tuple(_Reader(text).whole())


def closing(text: str, at: int) -> int:
    """Where what opens at `at` (`'`, `"`, `` ` ``, `$(`, `${`, `(`) ends: the place behind it.

    Raises Broken where it does not.
    """
    return _closing(text, at, 0)


def _closing(text: str, at: int, depth: int) -> int:
    if depth > DEEPEST:
        raise Broken
    char = text[at]
    if char == "'":
        end = text.find("'", at + 1)
        if end < 0:
            raise Broken
        return end + 1
    if char in '"`':
        return _quoted(text, at, char, depth)
    if char == "$" and text[at + 1 : at + 2] in ("(", "{"):
        return _nested(text, at + 1, depth)
    if char in "({":
        return _nested(text, at, depth)
    raise Broken


def _quoted(text: str, at: int, quote: str, depth: int) -> int:
    at += 1
    while found := _IN_QUOTES.search(text, at):
        at = found.start()
        char = text[at]
        if char == "\\":
            at += 2
        elif char == quote:
            return at + 1
        elif char == "$" and text[at + 1 : at + 2] in ("(", "{"):
            at = _closing(text, at, depth + 1)
        elif char == "`" and quote == '"':
            at = _quoted(text, at, "`", depth + 1)
        else:
            at += 1
    raise Broken


def _nested(text: str, at: int, depth: int) -> int:
    """From an opening bracket to behind the one that closes it."""
    opener = text[at]
    closer = ")" if opener == "(" else "}"
    at += 1
    while found := _IN_BRACKETS.search(text, at):
        at = found.start()
        char = text[at]
        if char == "\\":
            at += 2
        elif char == closer:
            return at + 1
        elif char in "'\"`" or (char == "$" and text[at + 1 : at + 2] in ("(", "{")):
            # In ${v%'} a quote may stand alone; then it is an ordinary character.
            try:
                at = _closing(text, at, depth + 1)
            except Broken:
                if opener == "(":
                    raise
                at += 1
        elif char == "(" and opener == "(":
            at = _nested(text, at, depth + 1)
        else:
            at += 1
    raise Broken


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.heredocs: list[tuple[str, bool]] = []
        self.counted = (0, 1)  # a place, and the line it is on

    def whole(self) -> Iterator[Node]:
        lost = 0
        while self.at < len(self.text) and lost < LOST:
            start = self.at
            try:
                yield from self.block(0)
                if self.at >= len(self.text):
                    return
                raise Broken  # a closing word that nothing opened
            except (Broken, IndexError):
                lost += len(self.text) - start  # what never closes was looked for to the end
                end = self.text.find("\n", max(self.at, start))
                # An error in a compound is found at its end: go on behind where it began.
                begun = self.text.find("\n", start)
                end = begun if self.at >= len(self.text) and begun >= 0 else end
                self.at = len(self.text) if end < 0 else max(end + 1, start + 1)
                self.heredocs.clear()

    def block(self, depth: int) -> Iterator[Node]:
        """Statements until a word that ends a compound, or the end."""
        if depth > DEEPEST:
            raise Broken
        while True:
            self.blank()
            if self.at >= len(self.text) or self.ending():
                return
            node = self.and_or(depth)
            if node is not None:
                yield node

    def blank(self) -> None:
        """Skip what separates statements."""
        text = self.text
        while self.at < len(text):
            self.at = _SPACE.match(text, self.at).end()  # type: ignore[union-attr]
            char = text[self.at : self.at + 1]
            if char == "#":
                self.at = _COMMENT.match(text, self.at).end()  # type: ignore[union-attr]
            elif char == "\n":
                self.at += 1
                self.skip_heredocs()
            elif (char == ";" and text[self.at + 1 : self.at + 2] != ";") or (
                char == "&" and text[self.at + 1 : self.at + 2] != "&"
            ):
                self.at += 1
            else:
                return

    def skip_heredocs(self) -> None:
        for mark, tabs in self.heredocs:
            while self.at < len(self.text):
                end = self.text.find("\n", self.at)
                end = len(self.text) if end < 0 else end
                line = self.text[self.at : end]
                self.at = end + 1
                if (line.lstrip("\t") if tabs else line) == mark:
                    break
        self.heredocs.clear()

    def peek(self) -> str:
        """The plain word ahead, for keywords."""
        match = re.compile(r";;&?|;&|[A-Za-z]+(?![\w=+\[(.:/-])|[{](?=\s)|[}()]").match(
            self.text, self.at
        )
        return match[0] if match else ""

    def ending(self) -> bool:
        word = self.peek()
        return word in _ENDS or word in (";;&", ";&")

    def and_or(self, depth: int) -> Node | None:
        first = self.pipeline(depth)
        rest: list[tuple[str, Node]] = []
        while True:
            self.space()
            operator = self.text[self.at : self.at + 2]
            if operator not in ("&&", "||"):
                break
            self.at += 2
            self.newlines()
            following = self.pipeline(depth)
            if following is None:
                raise Broken
            rest.append((operator, following))
        if not rest or first is None:
            return first
        return AndOr(first, tuple(rest))

    def pipeline(self, depth: int) -> Node | None:
        parts: list[Node] = []
        while True:
            self.space()
            if self.peek() == "" and self.text[self.at : self.at + 2] == "! ":
                self.at += 2
                parts.append(Command(("!",)))
                continue
            node = self.command(depth)
            if node is not None:
                parts.append(node)
            self.space()
            if self.text[self.at : self.at + 1] != "|" or self.text[self.at : self.at + 2] == "||":
                break
            self.at += 2 if self.text[self.at : self.at + 2] == "|&" else 1
            self.newlines()
        if not parts:
            return None
        return parts[0] if len(parts) == 1 else Pipeline(tuple(parts))

    def space(self) -> None:
        self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]

    def newlines(self) -> None:
        while True:
            self.space()
            char = self.text[self.at : self.at + 1]
            if char == "\n":
                self.at += 1
                self.skip_heredocs()
            elif char == "#":
                self.at = _COMMENT.match(self.text, self.at).end()  # type: ignore[union-attr]
            else:
                return

    def command(self, depth: int) -> Node | None:
        if match := _FUNCTION.match(self.text, self.at):
            self.skip_function(match)
            return None
        word = self.peek()
        if word == "if":
            return self.conditional(depth)
        if word == "case":
            return self.case(depth)
        if word in ("for", "select"):
            return self.loop(depth)
        if word in ("while", "until"):
            self.take(word)
            list(self.block(depth + 1))
            self.take("do")
            body = tuple(self.block(depth + 1))
            self.take("done")
            self.redirects()
            return Group(body)
        if word in ("{", "("):
            if self.text.startswith("((", self.at):
                self.at = closing(self.text, self.at)
                return Command(("((",))
            self.at += 1
            body = tuple(self.block(depth + 1))
            self.take("}" if word == "{" else ")")
            self.redirects()
            return Group(body)
        if word in _ENDS:
            raise Broken
        if self.text.startswith("[[", self.at) and self.text[self.at + 2 : self.at + 3].isspace():
            return self.test()
        return self.simple()

    def take(self, word: str) -> None:
        self.blank()
        if self.peek() != word:
            raise Broken
        self.at += len(word)

    def skip_function(self, match: re.Match[str]) -> None:
        text = self.text
        begin = text.rfind("\n", 0, match.start()) + 1
        indent = text[begin : match.start()]
        brace = match.start("open")
        line_end = text.find("\n", brace)
        line_end = len(text) if line_end < 0 else line_end
        closer = "}" if match["open"] == "{" else ")"
        try:
            end = closing(text, brace)
            if end <= line_end:  # the whole function on one line
                self.at = end
                return
        except Broken:
            pass
        if indent.strip():
            indent = ""
        found = re.compile(rf"^{re.escape(indent)}{re.escape(closer)}", re.MULTILINE).search(
            text, line_end
        )
        self.at = found.end() if found else len(text)

    def conditional(self, depth: int) -> Node:
        self.take("if")
        branches = []
        otherwise: tuple[Node, ...] = ()
        while True:
            condition = tuple(self.block(depth + 1))
            self.take("then")
            branches.append((condition, tuple(self.block(depth + 1))))
            self.blank()
            word = self.peek()
            self.at += len(word)
            if word == "else":
                otherwise = tuple(self.block(depth + 1))
                self.take("fi")
                break
            if word == "fi":
                break
            if word != "elif":
                raise Broken
        self.redirects()
        return If(tuple(branches), otherwise)

    def case(self, depth: int) -> Node:
        self.take("case")
        self.space()
        word = self.word()
        self.newlines()
        if not re.compile(r"in\b").match(self.text, self.at):
            raise Broken
        self.at += 2
        branches = []
        while True:
            self.blank()
            if self.peek() == "esac":
                self.at += 4
                break
            if self.text[self.at : self.at + 1] == "(":
                self.at += 1
            patterns = []
            while True:
                self.space()
                patterns.append(self.word())
                self.space()
                sign = self.text[self.at : self.at + 1]
                self.at += 1
                if sign == ")":
                    break
                if sign != "|":
                    raise Broken
            body = tuple(self.block(depth + 1))
            branches.append((tuple(patterns), body))
            self.blank()
            end = self.peek()
            if end in (";;", ";;&", ";&"):
                self.at += len(end)
            elif end != "esac":
                raise Broken
        self.redirects()
        return Case(word, tuple(branches))

    def loop(self, depth: int) -> Node:
        self.at += len(self.peek())
        self.space()
        words: list[str] = []
        if self.text.startswith("((", self.at):
            self.at = closing(self.text, self.at)
            name = "_"
        else:
            name = self.word()
            self.space()
            if re.compile(r"in\b").match(self.text, self.at):
                self.at += 2
                while True:
                    self.space()
                    if self.text[self.at : self.at + 1] in (";", "\n", ""):
                        break
                    words.append(self.word())
        self.blank()
        self.take("do")
        body = tuple(self.block(depth + 1))
        self.take("done")
        self.redirects()
        return For(name, tuple(words), body)

    def test(self) -> Node:
        """`[[ … ]]`: its words, where brackets and bars need no quotes."""
        line = self.line()
        self.at += 2
        words = ["[["]
        while True:
            self.newlines()
            if self.at >= len(self.text):
                raise Broken
            if re.compile(r"\]\](?=[\s;&|)]|\Z)").match(self.text, self.at):
                self.at += 2
                return Command(tuple(words), line=line)
            if match := re.compile(r"&&|\|\||[()<>](?=\s)|!(?=\s)").match(self.text, self.at):
                words.append(match[0])
                self.at = match.end()
                continue
            words.append(self.word(ends=" \t\n", pattern=True))

    def simple(self) -> Node | None:
        line = self.line()
        words: list[str] = []
        assigned: list[Node] = []
        stdin = None
        while True:
            self.space()
            text, at = self.text, self.at
            char = text[at : at + 1]
            if char in ("", "\n", ";", "|", ")") or (char == "&" and text[at : at + 2] != "&>"):
                break
            if char == "#":
                break
            if redirect := _REDIRECT.match(text, at):
                stdin = self.redirect(redirect) or stdin
                continue
            match = _ASSIGN.match(text, at)
            if match and (not words or words[0] in _DECLARING):
                assigned.append(self.assignment(match, line))
                continue
            if char == "(":
                raise Broken
            words.append(self.word())
        if words and words[0] not in _DECLARING:
            # What stands before a command holds for that command only.
            return Command(tuple(words), stdin, line)
        if len(assigned) == 1:
            return assigned[0]
        return Group(tuple(assigned)) if assigned else None

    def assignment(self, match: re.Match[str], line: int) -> Node:
        name, index, plus = match[1], match[2], bool(match[3])
        self.at = match.end()
        if self.text[self.at : self.at + 1] != "(":
            return Assign(name, plus, self.word(empty=True), None, index, line)
        self.at += 1
        items: list[str] = []
        while True:
            self.newlines()
            if self.at >= len(self.text):
                raise Broken
            if self.text[self.at] == ")":
                self.at += 1
                return Assign(name, plus, "", tuple(items), None, line)
            before = self.at
            items.append(self.word(ends=" \t\r\n)"))
            if self.at == before:
                raise Broken

    def redirects(self) -> None:
        while True:
            self.space()
            redirect = _REDIRECT.match(self.text, self.at)
            if not redirect:
                return
            self.redirect(redirect)

    def redirect(self, match: re.Match[str]) -> str | None:
        self.at = match.end()
        self.space()
        operator = match[0].lstrip("0123456789")
        if operator in ("<", ">") and self.text[self.at : self.at + 1] == "(":
            self.at = closing(self.text, self.at)
            return None
        word = self.word(empty=True)
        if operator in ("<<", "<<-"):
            self.heredocs.append((re.sub(r"[\"'\\]", "", word), operator == "<<-"))
        return word if operator == "<<<" else None

    def word(
        self, ends: str | frozenset[str] = _WORD_ENDS, *, empty: bool = False, pattern: bool = False
    ) -> str:
        """One word as written, quotes and all."""
        text, start = self.text, self.at
        while self.at < len(text):
            char = text[self.at]
            if char == "\\":
                self.at += 2
            elif char in "'\"`" or (char == "$" and text[self.at + 1 : self.at + 2] in ("(", "{")):
                if char == "'" and text[self.at - 1 : self.at] == "$" and self.at > start:
                    self.at = _quoted(text, self.at, "'", 0)
                else:
                    self.at = closing(text, self.at)
            elif char == "(" and (
                pattern or text[self.at - 1 : self.at] in ("@", "?", "*", "+", "!")
            ):
                if self.at == start:
                    break
                self.at = closing(text, self.at)
            elif char in ends:
                break
            else:
                self.at += 1
        if self.at == start and not empty:
            raise Broken
        return text[start : self.at]

    def line(self) -> int:
        place, line = self.counted if self.counted[0] <= self.at else (0, 1)
        line += self.text.count("\n", place, self.at)
        self.counted = self.at, line
        return line


_DECLARING: Final = frozenset(("export", "declare", "local", "readonly", "typeset"))
