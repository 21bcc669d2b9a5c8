"""Diagrams as flat arrays, one for each fact that is asked, so that all rows of a block walk down together.

Each level takes the numbers of the nodes that rows have reached, and the atoms of its fact, to the numbers of the next
nodes. Functions that ask the same facts are walked as one, whose leaves have the values of all of them, as long as
that stays small.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.columns.read import Atomic, Block
from engine.diagrams.store import Diagrams, Node, TooManyNodes

MOST_TOGETHER: Final = 2_048
"""How many nodes putting one more function to others may take."""

MOST_LEAVES: Final = 1_024
"""How many leaves parts that ask unlike facts may have together."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Some functions at once: the facts that they ask, each with the next node by node and atom; and their leaves.

    ``of`` has the positions of the functions, and ``leaves`` for each of them its value at each leaf.
    """

    steps: tuple[tuple[str, Atomic], ...]
    of: tuple[int, ...]
    leaves: tuple[Atomic, ...]

    def ends(self, block: Block) -> Atomic:
        """Return the number of the leaf that each row reaches; every fact that is asked is in the block."""
        if not self.steps:
            return np.zeros(block.size, np.intp)
        (fact, table), *steps = self.steps
        state: Atomic = table.take(block.atoms[fact], mode="clip")
        for fact, table in steps:
            state = table.take(state + block.atoms[fact], mode="clip")
        return state


def walks(
    store: Diagrams, roots: Sequence[Node], parts_of: Sequence[str], class_of: Mapping[str, Sequence[int]]
) -> list[Walk]:
    """Return walks over functions whose values are numbers.

    ``class_of`` has the class of each atom; ``parts_of`` has what each function is a part of. Parts of the same thing
    are walked together though they ask unlike facts, as long as they have few leaves. The store is a scratch one: nodes
    are made in it.
    """
    groups: list[_Group] = []
    alone = [_alone(store, root, at, part) for at, (root, part) in enumerate(zip(roots, parts_of, strict=True))]
    # Those that ask most come first: others can join them.
    for one in sorted(alone, key=lambda one: -len(one.facts)):
        near = [at for at, group in enumerate(groups) if _near(group, one)]
        for at in sorted(near, key=lambda at: -len(groups[at].facts & one.facts)):
            joined = _together(store, groups[at], one)
            if joined is not None:
                groups[at] = joined
                break
        else:
            groups.append(one)
    return [_walk(store, group, class_of) for group in groups]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Some functions as one, with the facts that they ask, their positions, and what they are parts of."""

    root: Node
    facts: frozenset[str]
    leaves: int
    of: tuple[int, ...]
    parts_of: frozenset[str]


def _alone(store: Diagrams, root: Node, at: int, part_of: str) -> _Group:
    return _Group(
        root=store.map(lambda value: (value,), root),
        facts=frozenset(store.support(root)),
        leaves=len(store.values(root)),
        of=(at,),
        parts_of=frozenset({part_of}),
    )


def _near(one: _Group, other: _Group) -> bool:
    """Return whether it is worth trying to walk two groups together."""
    if one.facts & other.facts or one.facts == other.facts:
        return True
    return bool(one.parts_of & other.parts_of) and one.leaves * other.leaves <= MOST_LEAVES


def _together(store: Diagrams, one: _Group, other: _Group) -> _Group | None:
    """Put two groups together; None if that takes too many nodes."""
    store.allow(MOST_TOGETHER)
    try:
        root = store.combine(lambda values, more: values + more, one.root, other.root)
    except TooManyNodes:
        return None
    finally:
        store.allow(store.most)
    return _Group(
        root=root,
        facts=one.facts | other.facts,
        leaves=len(store.values(root)),
        of=one.of + other.of,
        parts_of=one.parts_of | other.parts_of,
    )


def _walk(store: Diagrams, group: _Group, class_of: Mapping[str, Sequence[int]]) -> Walk:
    facts = store.support(group.root)
    widths = [*(len(class_of[fact]) for fact in facts), 1]
    reached, steps = [group.root], []
    for fact, width in zip(facts, widths[1:], strict=True):
        # Numbers of nodes are spaced out by the atoms of the next fact, so that adding the atom makes an index.
        numbers: dict[Node, int] = {}
        table = [
            [
                numbers.setdefault(child, len(numbers) * width)
                for child in (
                    store.children(node)
                    if not store.is_leaf(node) and store.asks(node) == fact
                    else (node,) * store.sizes[store.level[fact]]
                )
            ]
            for node in reached
        ]
        steps.append((fact, np.array(table, np.intp)[:, list(class_of[fact])].ravel()))
        reached = list(numbers)
    values = zip(*(store.value(leaf) for leaf in reached), strict=True)
    return Walk(tuple(steps), group.of, tuple(np.array(one, np.intp) for one in values))
