"""Policy files by chance: shipped ones with a word, a line or a branch exchanged, as text and as YAML."""

from __future__ import annotations

import json
from collections.abc import Iterator
from collections.abc import Mapping as MappingOf
from contextlib import suppress
from copy import deepcopy
from functools import cache
from random import Random
from typing import Any

import yaml

from engine.load.policy import INVARIANTS, MANIFEST, VOCABULARY, _Loader
from engine.load.policy import _read_all as read_all
from engine.load.yaml_tree import Mapping
from engine.model.problems import PolicyErrors
from engine.version.build import build

Files = MappingOf[str, str]

SCRAPS = (
    "",
    " ",
    "\t",
    "\n",
    ":",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "'",
    '"',
    "#",
    "&a",
    "*a",
    "!!python/object:os.system",
    "<<: *a",
    "---\n",
    "|",
    ">",
    "%",
    "\x00",
    "\ufeff",
    "\u2028",
    "ü",
    "yes",
    "null",
    "~",
    "0",
    "-1",
    "1e999",
    "9" * 60,
    "> 5",
    "[1..0]",
    "not",
    "unknown",
    "undecided",
    "x" * 3_000,
    "a: " * 40,
    "[" * 40,
    "{a: " * 40,
    "? ",
)
VALUES: tuple[Any, ...] = (
    "",
    "x",
    "unknown",
    "0",
    "-1",
    "999999999999",
    "1.5",
    "yes",
    [],
    {},
    [[]],
    ["a", "a"],
    {"a": {}},
    {"not": "x"},
    None,
    "> 3",
    "2026-02-30",
    "P1",
    "*",
)


def changed_text(chance: Random, text: str) -> str:
    """Return a text with something done to it, one to four times."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        lines = text.splitlines(keepends=True) or [""]
        at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        where = chance.randrange(len(text) + 1)
        match chance.randrange(8):
            case 0:
                text = text[:where] + chance.choice(SCRAPS) + text[where:]
            case 1:
                text = text[:where] + text[where + chance.randrange(1, 20) :]
            case 2:
                del lines[at]
                text = "".join(lines)
            case 3:
                lines.insert(other, lines[at])
                text = "".join(lines)
            case 4:
                lines[at], lines[other] = lines[other], lines[at]
                text = "".join(lines)
            case 5:
                lines[at] = " " * chance.randrange(5) + lines[at]
                text = "".join(lines)
            case 6:
                text = text[:where]
            case _:
                words = text.split(" ")
                words[chance.randrange(len(words))] = chance.choice(words)
                text = " ".join(words)
    return text


def changed_tree(chance: Random, text: str) -> str:
    """Return a file of which one to three branches are others; what stays is YAML."""
    tree = json.loads(_tree(text))
    for _ in range(chance.choice((1, 1, 2, 3))):
        places = list(_places(tree))
        if not places:
            break
        holder, key = chance.choice(places)
        _, twin = other = chance.choice(places)
        match chance.randrange(5):
            case 0:
                # A copy: a later edit would change the value for every case that follows.
                holder[key] = deepcopy(chance.choice(VALUES))
            case 1:
                holder[key] = json.loads(json.dumps(other[0][twin]))
            case 2:
                del holder[key]
            case 3 if isinstance(holder, dict):
                holder[f"{key}x" if chance.random() < 0.5 else str(twin)] = holder.pop(key)
            case _:
                if isinstance(holder, list):
                    holder.append(holder[key])
                else:
                    holder[str(chance.choice(VALUES))] = holder[key]
    return json.dumps(tree) if chance.random() < 0.7 else yaml.dump(tree, Dumper=yaml.CSafeDumper, allow_unicode=True)


@cache
def _tree(text: str) -> str:
    return json.dumps(yaml.load(text, Loader=yaml.CBaseLoader))


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    items = list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree)) if isinstance(tree, list) else []
    for key, below in items:
        yield tree, key
        yield from _places(below)


def case(number: int, files: Files) -> tuple[str, str]:
    """Return the mutation of a file for a seed; long files are rare, since they take long."""
    chance = Random(number)
    names = sorted(files)
    [name] = chance.choices(names, [(len(files[name]) + 500) ** -1.6 for name in names])
    change = changed_tree if chance.random() < 0.5 else changed_text
    return name, change(chance, files[name])


class Desk:
    """A version whose files are changed one at a time: the others are read once."""

    def __init__(self, files: Files) -> None:
        self.files = files
        trees, problems = read_all(files, "")
        assert not problems
        self._trees = trees

    def read(self, name: str, text: str) -> bool:
        """Read one changed file, and tell whether it has the shape of one."""
        tree, problems = read_all({name: text}, "")
        return bool(tree) and not problems

    def load(self, name: str, text: str) -> None:
        """Load the version with one file changed, as ``engine.load`` does once all are read."""
        tree, problems = read_all({name: text}, "")
        trees = {key: node for key, node in self._trees.items() if key != name} | tree
        beside = trees.pop(INVARIANTS, None)
        if all(isinstance(trees.get(needed), Mapping) for needed in (MANIFEST, VOCABULARY)):
            _Loader(trees, problems, not problems, beside).policy()

    def build(self, name: str, text: str) -> None:
        """Build the version with one file changed, all the way."""
        with suppress(PolicyErrors):
            build({**self.files, name: text})


def tried(number: int, small: Desk, shipped: Desk) -> str:
    """Try a case: read a mutated file, load its version, or build a small desk; return what was tried."""
    chance = Random(-number - 1)
    if chance.random() < 0.03:
        small.build(*case(number, small.files))
        return "built"
    name, text = case(number, shipped.files)
    if chance.random() < (0.25 if shipped.read(name, text) else 0.02):
        shipped.load(name, text)
        return "loaded"
    return "read"
