"""YAML text in, a tree of plain texts out, in which every key and value knows its file, line and column.

YAML's own guesses about types never happen here (``no``, ``1.10`` and ``12:30`` stay text), and what makes YAML
dangerous or ambiguous is refused: tags, anchors, repeated keys, several documents, and texts beyond the limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from engine.problems import Place, Problem

MAX_CHARACTERS: Final = 16_000_000
MAX_DEPTH: Final = 24
MAX_NODES: Final = 1_000_000
"""The most keys, values and list items that one file may have."""

_UNPRINTABLE: Final = re.compile("[^\\t\\n\\r\\x20-\\x7e\\x85\\xa0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_QUOTE: Final = "put a text with a character that YAML uses itself in quotes"
_ADVICE: Final[dict[str, tuple[str, str]]] = {
    "did not find expected key": ("this does not fit the mapping that begins in line {line}", "look at the indentation, and at the quotes and brackets above"),
    "did not find expected '-' indicator": ("this does not fit the list that begins in line {line}", "look at the indentation; each item begins with `-`"),
    "did not find expected ',' or ']'": ("the list that begins in line {line} is not closed here", "a `,` or `]` is missing"),
    "did not find expected ',' or '}'": ("the mapping that begins in line {line} is not closed here", "a `,` or `}` is missing"),
    "could not find expected ':'": ("a key without `:`", "write `key: value`"),
    "mapping values are not allowed in this context": ("a `:` that cannot stand here", "put a text with `: ` in it in quotes, and look at the indentation"),
    "block sequence entries are not allowed in this context": ("a list item that cannot stand here", "put the list in a line of its own, below its key"),
    "did not find expected comment or line break": ("a text that begins with `>` or `|` goes on in the lines below", "put it in quotes; or is a quote further up not closed?"),
    "found unexpected end of stream": ("the quote that opens here is never closed", "add the closing quote"),
    "found unknown escape character": ("an escape that YAML does not know", "use single quotes, or write `\\\\` for a backslash"),
}
"""What the parser says, in words for people: message and help; ``{line}`` is where the part at fault begins."""

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
    """Keys with their nodes, in the order of the text; ``key_places`` tells where each key stands."""

    entries: dict[str, Node]
    key_places: dict[str, Place]
    place: Place

    def get(self, key: str) -> Node | None:
        """Give the node of a key, if it is there."""
        return self.entries.get(key)


Node = Scalar | Sequence | Mapping


class _Refused(Exception):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem


@dataclass(slots=True)
class _Reader:
    file: str
    events: Iterator[Any]
    problems: list[Problem] = field(default_factory=list)
    nodes: int = 0

    def place(self, event: Any) -> Place:
        return _place(self.file, event.start_mark)

    def node(self, event: Any, depth: int) -> Node:
        self._refuse_tricks(event, depth)
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(event.value, self.place(event))
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(inner := next(self.events), yaml.SequenceEndEvent):
                items.append(self.node(inner, depth + 1))
            return Sequence(tuple(items), self.place(event))
        return self._mapping(event, depth)

    def _mapping(self, event: Any, depth: int) -> Mapping:
        entries: dict[str, Node] = {}
        key_places: dict[str, Place] = {}
        while not isinstance(key := next(self.events), yaml.MappingEndEvent):
            name = self.node(key, depth + 1)
            value = self.node(next(self.events), depth + 1)
            if not isinstance(name, Scalar):
                raise _Refused(Problem(name.place, "wrong-type", f"a {'list' if isinstance(name, Sequence) else 'mapping'} cannot be a key",
                                       "put a text that begins with `{` or `[` in quotes"))
            if name.text in entries:
                first = key_places[name.text].line
                self.problems.append(
                    Problem(name.place, "repeated-key", f"the key `{name.text}` stands here again",
                            f"it stands first in line {first}; keep one of the two")
                )
            else:
                entries[name.text], key_places[name.text] = value, name.place
        return Mapping(entries, key_places, self.place(event))

    def _refuse_tricks(self, event: Any, depth: int) -> None:
        place = self.place(event)
        if isinstance(event, yaml.AliasEvent):
            raise _Refused(Problem(place, "alias", f"the alias `*{event.anchor}` is refused", "write the value out where it is needed"))
        if event.anchor is not None:
            raise _Refused(Problem(place, "alias", f"the anchor `&{event.anchor}` is refused", "write the value out where it is needed"))
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise _Refused(Problem(place, "tag", f"the tag `{tag}` is refused", "the vocabulary says what a value means; leave the tag out"))
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _Refused(Problem(place, "too-large", f"more than {MAX_NODES:,} keys and values in one file"))
        if depth > MAX_DEPTH:
            raise _Refused(Problem(place, "too-large", f"more than {MAX_DEPTH} levels of nesting"))


def read(file: str, text: str) -> tuple[Node | None, list[Problem]]:
    r"""Read one YAML text.

    Gives the tree (None if nothing could be read) and the problems found. After a repeated key reading goes on, with
    the first of the two; anything else that is refused ends it.

    >>> node, problems = read("a.yaml", "country: NO\nfrom: 12:30\n")
    >>> [(key, value.text, str(value.place)) for key, value in node.entries.items()]
    [('country', 'NO', 'a.yaml:1:10'), ('from', '12:30', 'a.yaml:2:7')]
    """
    if len(text) > MAX_CHARACTERS:
        return None, [Problem(Place(file), "too-large", f"{len(text):,} characters; a file may have {MAX_CHARACTERS:,}")]
    if unprintable := _UNPRINTABLE.search(text):
        line, column = text.count("\n", 0, unprintable.start()) + 1, unprintable.start() - text.rfind("\n", 0, unprintable.start())
        return None, [Problem(Place(file, line, column), "yaml", f"the character U+{ord(unprintable[0]):04X}, which no text may have", "leave it out")]
    reader = _Reader(file, yaml.parse(text, Loader=_LOADER))
    try:
        tree = _document(reader)
    except _Refused as refused:
        return None, [*reader.problems, refused.problem]
    except yaml.MarkedYAMLError as error:
        return None, [*reader.problems, _not_yaml(file, text, error)]
    except yaml.YAMLError as error:
        return None, [*reader.problems, Problem(Place(file), "yaml", f"not YAML: {' '.join(str(error).split())}")]
    if tree is None:
        return None, [Problem(Place(file), "yaml", "the file is empty")]
    return tree, reader.problems


def _document(reader: _Reader) -> Node | None:
    tree: Node | None = None
    for event in reader.events:
        if isinstance(event, yaml.DocumentStartEvent):
            if tree is not None:
                raise _Refused(Problem(reader.place(event), "yaml", "a second document begins here", "one file holds one document; leave the `---` out"))
        elif not isinstance(event, (yaml.StreamStartEvent, yaml.StreamEndEvent, yaml.DocumentEndEvent)):
            tree = reader.node(event, 1)
    return tree


def _place(file: str, mark: Any) -> Place:
    return Place(file, mark.line + 1, mark.column + 1)


def _not_yaml(file: str, text: str, error: yaml.MarkedYAMLError) -> Problem:
    """Say where the parser gave up, and what a policy owner may have meant."""
    said = error.problem or error.context or "cannot be read"
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Problem(Place(file), "yaml", f"not YAML: {said}")
    begins = error.context_mark or mark
    if said == "found character that cannot start any token":
        here = text[mark.index:mark.index + 1]
        if here == "\t":
            return Problem(_place(file, mark), "yaml", "not YAML: a tab in the indentation", "indent with spaces")
        return Problem(_place(file, mark), "yaml", f"not YAML: a text cannot begin with `{here}`", _QUOTE)
    message, help_ = _ADVICE.get(said, (said, ""))
    if said in ("found unexpected end of stream", "could not find expected ':'"):
        mark = begins
    return Problem(_place(file, mark), "yaml", f"not YAML: {message.format(line=begins.line + 1)}", help_)


def plain(node: Node) -> Any:
    """Give a tree as plain lists, dicts and strings, without places."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, value in node.entries.items()}


def at(node: Node, path: tuple[str | int, ...]) -> Node:
    """Give the node that a path of keys and list positions leads to.

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
