"""YAML text -> a tree of plain texts, in which every key and value has its file, line and column.

YAML's own guesses about types never happen here (``no``, ``1.10`` and ``12:30`` stay text), and the dangerous or
ambiguous parts of YAML are rejected: tags, anchors, repeated keys, several documents, and texts beyond the limits.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from engine.load.yaml_errors import conflicts, explain
from engine.model.problems import Place, Problem

MAX_CHARACTERS: Final = 16_000_000
MAX_DEPTH: Final = 24
MAX_NODES: Final = 1_000_000
"""The most keys, values and list items that one file may have."""

_UNPRINTABLE: Final = re.compile("[^\\t\\n\\r\\x20-\\x7e\\x85\\xa0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_BREAK: Final = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
_NO_SPACE: Final = re.compile(r"([^\s:]+):(\S+)")
_NO_COLON: Final = re.compile(r"([\w.-]+)\s*([\[{].*)")
_CUT: Final = re.compile(r"[ \t]+(#[^\s#])")
_TWO_WORDS: Final = re.compile(r"([\w.-]+) +(\S.*)")

_LOADER: Final[Any] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A plain text."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of nodes."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys with their nodes, in the order of the text; ``key_places`` has the place of each key."""

    entries: dict[str, Node]
    key_places: dict[str, Place]
    place: Place

    def get(self, key: str) -> Node | None:
        """Return the node of a key, if it is there."""
        return self.entries.get(key)


Node = Scalar | Sequence | Mapping


class _Refused(Exception):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem


@dataclass(slots=True, kw_only=True)
class _Reader:
    file: str
    lines: list[str]
    events: Iterator[Any]
    problems: list[Problem] = field(default_factory=list)
    nodes: int = 0
    quoted: tuple[int, int] | None = None
    """Where the last quoted text begins, if it ends in a line below."""

    def place(self, event: Any) -> Place:
        return _place(self.file, self.lines, event.start_mark)

    def node(self, event: Any, depth: int) -> Node:
        self._refuse_tricks(event, depth)
        if isinstance(event, yaml.ScalarEvent):
            self._note_quoted(event)
            # The words of a policy repeat: one object for equal ones takes half the memory.
            return Scalar(sys.intern(event.value), self.place(event))
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(inner := next(self.events), yaml.SequenceEndEvent):
                items.append(self.node(inner, depth + 1))
            return Sequence(tuple(items), self.place(event))
        return self._mapping(event, depth)

    def _note_quoted(self, event: Any) -> None:
        if event.style in ("'", '"'):
            start, end = event.start_mark, event.end_mark
            self.quoted = (start.line, start.column) if end.line > start.line else None

    def _mapping(self, event: Any, depth: int) -> Mapping:
        entries: dict[str, Node] = {}
        key_places: dict[str, Place] = {}
        while not isinstance(key := next(self.events), yaml.MappingEndEvent):
            name = self.node(key, depth + 1)
            plain_key = isinstance(name, Scalar) and not key.style
            if plain_key and (colon := _without_colon(name)) is not None:
                raise _Refused(colon)
            value = self.node(next(self.events), depth + 1)
            if plain_key and (space := _without_space(name, value)) is not None:
                self.problems.append(space)
                continue
            if not isinstance(name, Scalar):
                raise _Refused(
                    Problem(
                        place=name.place,
                        code="wrong-type",
                        message=f"a {'list' if isinstance(name, Sequence) else 'mapping'} cannot be a key",
                        help="quote a text that begins with `{` or `[`",
                    )
                )
            if name.text in entries:
                first = key_places[name.text].line
                self.problems.append(
                    Problem(
                        place=name.place,
                        code="repeated-key",
                        message=f"the key `{name.text}` is repeated",
                        help=f"first used in line {first}; keep one of the two",
                    )
                )
            else:
                entries[name.text], key_places[name.text] = value, name.place
        return Mapping(entries, key_places, self.place(event))

    def _refuse_tricks(self, event: Any, depth: int) -> None:
        if isinstance(event, yaml.AliasEvent):
            raise _Refused(
                Problem(
                    place=self.place(event),
                    code="alias",
                    message=f"the alias `*{event.anchor}` is not allowed",
                    help="write the value where it is needed; quote a text that begins with `*`",
                )
            )
        if event.anchor is not None:
            raise _Refused(
                Problem(
                    place=self.place(event),
                    code="alias",
                    message=f"the anchor `&{event.anchor}` is not allowed",
                    help="write the value where it is needed; quote a text that begins with `&`",
                )
            )
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise _Refused(
                Problem(
                    place=self.place(event),
                    code="tag",
                    message=f"the tag `{tag}` is not allowed",
                    help="remove it, the vocabulary declares types; quote a text that begins with `!`",
                )
            )
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _Refused(
                Problem(
                    place=self.place(event),
                    code="too-large",
                    message=f"more than {MAX_NODES:,} keys and values in one file",
                )
            )
        if depth > MAX_DEPTH:
            raise _Refused(
                Problem(place=self.place(event), code="too-large", message=f"more than {MAX_DEPTH} levels of nesting")
            )


def read(file: str, text: str) -> tuple[Node | None, list[Problem]]:
    r"""Read one YAML text; return the tree (None if nothing could be read) and the problems.

    After a repeated key, reading continues with the first of the two; any other problem ends it.

    >>> node, problems = read("a.yaml", "country: NO\nfrom: 12:30\n")
    >>> [(key, value.text, str(value.place)) for key, value in node.entries.items()]
    [('country', 'NO', 'a.yaml:1:10'), ('from', '12:30', 'a.yaml:2:7')]
    """
    if len(text) > MAX_CHARACTERS:
        return None, [
            Problem(
                place=Place(file=file),
                code="too-large",
                message=f"expected at most {MAX_CHARACTERS:,} characters, got {len(text):,}",
            )
        ]
    lines = _BREAK.split(text)
    if unprintable := _UNPRINTABLE.search(text):
        return None, [_unprintable(file, lines, text, unprintable)]
    if left := [*conflicts(file, lines)]:
        return None, left
    reader = _Reader(file=file, lines=lines, events=yaml.parse(text, Loader=_LOADER))
    try:
        tree = _document(reader)
    except _Refused as refused:
        return None, [*reader.problems, refused.problem]
    except yaml.MarkedYAMLError as error:
        return None, [*reader.problems, explain(file, lines, error, reader.quoted)]
    except yaml.YAMLError as error:
        return None, [
            *reader.problems,
            Problem(place=Place(file=file), code="yaml", message=f"not YAML: {' '.join(str(error).split())}"),
        ]
    if tree is None:
        return None, [Problem(place=Place(file=file), code="yaml", message="the file is empty")]
    return tree, reader.problems


def _document(reader: _Reader) -> Node | None:
    tree: Node | None = None
    for event in reader.events:
        if isinstance(event, yaml.DocumentStartEvent):
            if tree is not None:
                raise _Refused(
                    Problem(
                        place=reader.place(event),
                        code="yaml",
                        message="a second document begins here",
                        help="a file contains one document; remove the `---`",
                    )
                )
        elif not isinstance(event, (yaml.StreamStartEvent, yaml.StreamEndEvent, yaml.DocumentEndEvent)):
            tree = reader.node(event, 1)
    return tree


def _unprintable(file: str, lines: list[str], text: str, found: re.Match[str]) -> Problem:
    before = _BREAK.split(text[: found.start()])
    place = Place(file=file, line=len(before), column=len(before[-1]) + 1, text=lines[len(before) - 1])
    return Problem(
        place=place,
        code="yaml",
        message=f"the character U+{ord(found[0]):04X} is not allowed",
        help="leave it out",
    )


def _without_colon(key: Node) -> Problem | None:
    """Find ``when {a: b}``, in which YAML takes ``when {a`` for the key."""
    found = _NO_COLON.match(key.text) if isinstance(key, Scalar) else None
    if found is None:
        return None
    rest = key.place.text[key.place.column - 1 + found.start(2) :].rstrip()
    return Problem(
        place=key.place, code="yaml", message=f"a `:` is missing after `{found[1]}`", help=f"write `{found[1]}: {rest}`"
    )


def _without_space(key: Node, value: Node) -> Problem | None:
    """Find ``{a:b}`` and ``{a b}``, which YAML takes for keys without values."""
    if not isinstance(key, Scalar) or not isinstance(value, Scalar) or value.text:
        return None
    place = key.place
    if place.text[place.column - 1 :].removeprefix(key.text).lstrip().startswith(":"):
        return None
    if found := _NO_SPACE.fullmatch(key.text):
        place = Place(file=place.file, line=place.line, column=place.column + found.end(1), text=place.text)
        return Problem(
            place=place,
            code="yaml",
            message=f"a space is missing after `{found[1]}:`",
            help=f"write `{found[1]}: {found[2]}`",
        )
    if found := _TWO_WORDS.fullmatch(key.text):
        return Problem(
            place=place,
            code="yaml",
            message=f"a `:` is missing after `{found[1]}`",
            help=f"write `{found[1]}: {found[2]}`",
        )
    return None


def _place(file: str, lines: list[str], mark: Any) -> Place:
    return Place(
        file=file, line=mark.line + 1, column=mark.column + 1, text=lines[mark.line] if mark.line < len(lines) else ""
    )


def cut_texts(node: Node) -> Iterator[tuple[Place, str]]:
    r"""Find texts that `` #`` cuts off although no space after it makes it look like a comment.

    Return the place of each ``#`` and the whole text.

    >>> tree, _ = read("a.yaml", "about: whom #1 support covers\nowner: anna # a comment\n")
    >>> [(str(place), text) for place, text in cut_texts(tree)]
    [('a.yaml:1:13', 'whom #1 support covers')]
    """
    if isinstance(node, Scalar):
        place = node.place
        line = place.text[place.column - 1 :]
        found = _CUT.match(line, len(node.text)) if node.text and line.startswith(node.text) else None
        if found is not None:
            yield (
                Place(file=place.file, line=place.line, column=place.column + found.start(1), text=place.text),
                line.rstrip(),
            )
        return
    for inner in node.items if isinstance(node, Sequence) else node.entries.values():
        yield from cut_texts(inner)


def plain(node: Node) -> Any:
    """Return a tree as plain lists, dicts and strings, without places."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, value in node.entries.items()}


def at(node: Node, path: tuple[str | int, ...]) -> Node:
    """Return the node that a path of keys and list positions leads to.

    >>> tree, _ = read("a.yaml", "a: [x, {b: y}]")
    >>> at(tree, ("a", 1, "b")).text
    'y'
    """
    for step in path:
        if isinstance(node, Mapping):
            node = node.entries[str(step)]
        elif isinstance(node, Sequence):
            node = node.items[int(step)]
    return node
