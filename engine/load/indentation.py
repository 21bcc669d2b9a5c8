"""Repairs wrong indentation: returns the intended tree, and one problem for each part that moved.

A table inside another table, a table next to ``tables``, and the keys of a table next to its name would each cause a
series of problems, here and wherever the table is named. The part moves to its place, so that only the cause is
reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from engine.load.schema import structure
from engine.load.yaml_tree import Mapping, Node, Scalar
from engine.model.problems import Place, Problem

_ENOUGH = 2
"""The number of keys that identify a part."""


def repair(kind: str, tree: Node) -> tuple[Node, list[Problem]]:
    """Move parts of a file to their place; return the tree and a problem for each part that moved."""
    if not isinstance(tree, Mapping):
        return tree, []
    schema = structure(kind)
    problems: list[Problem] = []
    top = _Part(tree)
    sections = {name: _Part(node) for name in _sections(schema) if isinstance(node := tree.get(name), Mapping)}
    problems += _sunk(top, sections, schema)
    for name, section in sections.items():
        entry = schema["properties"][name]["additionalProperties"]
        problems += [*_gathered(section, entry), *_lifted(name, section, entry)]
    if not problems:
        return tree, []
    for name, section in sections.items():
        top.entries[name] = section.mapping()
    return top.mapping(), problems


class _Part:
    """A mapping that can be changed."""

    def __init__(self, node: Mapping) -> None:
        self.entries, self.places, self.place = dict(node.entries), dict(node.key_places), node.place

    def mapping(self) -> Mapping:
        return Mapping(self.entries, self.places, self.place)

    def take(self, key: str) -> tuple[Node, Place]:
        return self.entries.pop(key), self.places.pop(key)

    def put(self, key: str, node: Node, place: Place) -> None:
        self.entries[key], self.places[key] = node, place


def _sections(schema: dict[str, Any]) -> list[str]:
    """List the keys of a file whose values are mappings of parts by name."""
    return [
        name
        for name, one in schema["properties"].items()
        if isinstance(one.get("additionalProperties"), dict) and "properties" in one["additionalProperties"]
    ]


def _is_one(node: Node, entry: dict[str, Any]) -> bool:
    """Return whether a mapping has the keys of a part, and more of them than others; parts inside it do not count."""
    if not isinstance(node, Mapping):
        return False
    known = [key for key in node.entries if key in entry["properties"]]
    others = [
        key for key, value in node.entries.items() if key not in entry["properties"] and not _is_one(value, entry)
    ]
    return len(known) >= _ENOUGH and len(known) > len(others) and any(key in node.entries for key in entry["required"])


def _lifted(name: str, section: _Part, entry: dict[str, Any], within: Iterable[str] | None = None) -> Iterator[Problem]:
    """Find parts inside another part, or inside some of them: they are indented too far."""
    for outer in list(section.entries) if within is None else within:
        node = section.entries[outer]
        if not isinstance(node, Mapping):
            continue
        inner = _Part(node)
        for key, value in node.entries.items():
            if key not in entry["properties"] and key not in section.entries and _is_one(value, entry):
                place = node.key_places[key]
                section.put(key, *inner.take(key))
                line = section.places[outer].line
                yield Problem(
                    place=place,
                    code="unknown-key",
                    message=f"`{key}` belongs to `{name}`, but is indented as part of `{outer}`",
                    help=f"indent it like `{outer}` in line {line}",
                )
        section.entries[outer] = inner.mapping()


def _sunk(top: _Part, sections: dict[str, _Part], schema: dict[str, Any]) -> Iterator[Problem]:
    """Find parts beside their section: they are not indented far enough."""
    for key in [key for key in top.entries if key not in schema["properties"]]:
        for name, section in sections.items():
            entry = schema["properties"][name]["additionalProperties"]
            if key not in section.entries and _is_one(top.entries[key], entry):
                node, place = top.take(key)
                first = next(iter(section.places.values()), place)
                section.put(key, node, place)
                # The parts after it are in their place, and only seem to be inside it: they are not problems.
                list(_lifted(name, section, entry, [key]))
                yield Problem(
                    place=place,
                    code="unknown-key",
                    message=f"`{key}` belongs to `{name}`, but is not indented below it",
                    help=f"indent it like line {first.line}",
                )
                break


def _gathered(section: _Part, entry: dict[str, Any]) -> Iterator[Problem]:
    """Find a name without a value, followed by the keys of the part: these are not indented far enough."""
    names = list(section.entries)
    for at, name in enumerate(names):
        node = section.entries.get(name)
        if not isinstance(node, Scalar) or node.text:
            continue
        own = []
        for key in names[at + 1 :]:
            if key not in entry["properties"] or _is_one(section.entries[key], entry):
                break
            own.append(key)
        if len(own) < _ENOUGH:
            continue
        taken = {key: section.take(key) for key in own}
        first = taken[own[0]][1]
        section.entries[name] = Mapping(
            {key: value for key, (value, _) in taken.items()}, {key: place for key, (_, place) in taken.items()}, first
        )
        yield Problem(
            place=first,
            code="unknown-key",
            message=f"`{own[0]}` and the {len(own) - 1} keys below it belong to `{name}`, but are indented like it",
            help=f"indent them further than `{name}` in line {section.places[name].line}",
        )
