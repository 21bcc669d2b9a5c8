"""Small readers of the loader: a node -> a value, or nothing if the shape is wrong.

A wrong shape is not reported here: :mod:`engine.load.structure` has already done so.
"""

from __future__ import annotations

import math
from typing import Final

from engine.load.yaml_tree import Mapping, Node, Scalar, Sequence, at
from engine.model.problems import Place
from engine.model.vocabulary import YES, FactType, boolean_word

__all__ = [
    "Mapping",
    "Node",
    "Scalar",
    "Sequence",
    "at",
    "flag",
    "items",
    "key_place",
    "kind_text",
    "mapping",
    "number",
    "pairs",
    "text",
    "texts",
    "value_place",
]


_KINDS: Final = {
    FactType.CHOICE: "a choice",
    FactType.BOOLEAN: "yes or no",
    FactType.NUMBER: "a number",
    FactType.INTEGER: "a whole number",
    FactType.TEXT: "a text",
    FactType.INSTANT: "an instant",
    FactType.LIST: "a list",
}


def kind_text(kind: FactType) -> str:
    """Describe in words what a fact or outcome is."""
    return _KINDS[kind]


def text(node: Node | None, key: str = "", default: str = "") -> str:
    """Return the text of a node, or of a key of it."""
    if key:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node.text.strip() if isinstance(node, Scalar) else default


def texts(node: Node | None, key: str = "") -> tuple[str, ...]:
    """Return the texts of a list (or of a single text) under a key."""
    if key:
        node = node.get(key) if isinstance(node, Mapping) else None
    if isinstance(node, Scalar):
        return (node.text.strip(),)
    return tuple(item.text.strip() for item in items(node) if isinstance(item, Scalar))


def items(node: Node | None, key: str = "") -> tuple[Node, ...]:
    """Return the items of a list under a key."""
    if key:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node.items if isinstance(node, Sequence) else ()


def mapping(node: Node | None, key: str = "") -> Mapping | None:
    """Return the mapping under a key."""
    if key:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else None


def pairs(node: Node | None, key: str = "") -> tuple[tuple[str, Node], ...]:
    """Return the keys and nodes of the mapping under a key."""
    found = mapping(node, key)
    return tuple(found.entries.items()) if found else ()


def flag(node: Node | None, key: str) -> bool:
    """Return whether a key says yes."""
    return boolean_word(text(node, key)) == YES


def number(node: Node | None, key: str) -> float | None:
    """Return the number under a key, if there is one."""
    try:
        found = float(text(node, key))
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def key_place(node: Node, key: str) -> Place:
    """Return the place of a key; the beginning of the node without it."""
    return node.key_places.get(key, node.place) if isinstance(node, Mapping) else node.place


def value_place(node: Node, key: str, at_item: int | None = None) -> Place:
    """Return the place of the value of a key, or of one item of it; the beginning of the node without it."""
    found = node.get(key) if isinstance(node, Mapping) else None
    if found is None:
        return node.place
    listed = items(found)
    return listed[at_item].place if at_item is not None and at_item < len(listed) else found.place
