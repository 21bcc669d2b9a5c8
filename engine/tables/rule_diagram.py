"""The rules of a table as a diagram over what the table reads: which of them count, and where one more fact could help.

What a table reads is in one of several *states* in a case: it has a value of some class, it has no value for good (a
fact that another table does not cover), or it has none yet and can become some of the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.diagrams.store import MOST_NODES, Diagrams, Node
from engine.model.policy import HitPolicy, Rule
from engine.tables.partition import Partition

Possible = int | tuple[int, ...]
"""What is possible of an outcome: one code, or several in order. None at all, ``()``, is for cases that wait."""


@dataclass(frozen=True, slots=True)
class States:
    """The states of something that is read.

    ``classes`` has the class of each state, 0 where it has no value. ``finals`` has, of a state that waits for more,
    the states without a wait that it can become; it is empty for all others.
    """

    classes: tuple[int, ...]
    finals: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDiagram:
    """Rules over what they read.

    ``counts`` has at its leaves the positions of the rules that count, in file order; the position after the last is
    ``otherwise``. ``waits`` tells for each thing that is read where it has no value that the rules would heed:
    it is missing, and no rule that counts names ``unknown`` for it.
    """

    store: Diagrams
    states: Mapping[str, States]
    counts: Node
    waits: Mapping[str, Node]


def sent_states(size: int) -> States:
    """Return the states of a sent fact of so many classes: known, or any of those.

    >>> sent_states(3)
    States(classes=(0, 1, 2), finals=((1, 2), (), ()))
    """
    return States(tuple(range(size)), (tuple(range(1, size)), *((),) * (size - 1)))


def by_class(states: States) -> dict[int, list[int]]:
    """Return the states in which something that is read has a class, by class; class 0 can have several.

    >>> by_class(States(classes=(0, 1, 0), finals=((1, 2), (), ())))
    {0: [0, 2], 1: [1]}
    """
    found: dict[int, list[int]] = {}
    for state, one in enumerate(states.classes):
        found.setdefault(one, []).append(state)
    return found


def joined(one: Possible, other: Possible) -> Possible:
    """Return what is possible if either is.

    >>> joined(3, 1), joined((), 4), joined((1, 2), 2), joined(5, 5)
    ((1, 3), 4, (1, 2), 5)
    """
    if other in (one, ()):
        return one
    if one == ():
        return other
    codes = {*((one,) if isinstance(one, int) else one), *((other,) if isinstance(other, int) else other)}
    return tuple(sorted(codes))


def rule_diagram(
    rules: Sequence[Rule],
    hit: HitPolicy,
    states: Mapping[str, States],
    parts: Mapping[str, Partition],
    otherwise: Rule | None = None,
    *,
    most: int = MOST_NODES,
) -> RuleDiagram:
    """Draw rules over what they read, with at most ``most`` nodes.

    ``states`` are of these things, in the order in which the diagram asks them.
    """
    store = Diagrams({name: len(one.classes) for name, one in states.items()})
    store.allow(most)
    held = {name: by_class(one) for name, one in states.items()}
    asked = [
        {
            store.level[one.fact]: frozenset(
                [state for allowed in parts[one.fact].allowed(one) for state in held[one.fact].get(allowed, ())]
            )
            for one in rule.when
        }
        for rule in rules
    ]
    counts = _collected(store, asked) if hit is HitPolicy.COLLECT else _counted(store, asked, hit, otherwise)
    claims = [
        frozenset(one.fact for one in rule.when if one.unknown)
        for rule in (*rules, *((otherwise,) if otherwise else ()))
    ]
    waits = {name: _waits(store, name, states[name], counts, claims) for name in store.facts}
    return RuleDiagram(store=store, states=states, counts=counts, waits=waits)


def _waits(store: Diagrams, name: str, states: States, counts: Node, claims: Sequence[frozenset[str]]) -> Node:
    missing = store.node(name, [store.leaf(one == 0) for one in states.classes])
    if not any(name in one for one in claims):
        return missing
    return store.combine(
        lambda gone, counted: gone and not any(name in claims[rule] for rule in counted), missing, counts
    )


def _collected(store: Diagrams, asked: Sequence[Mapping[int, frozenset[int]]]) -> Node:
    """Draw which rules fire; there are few in a part of a list."""
    no = store.leaf(False)
    fires = []
    for tests in asked:
        node = store.leaf(True)
        for level in sorted(tests, reverse=True):
            children = [node if one in tests[level] else no for one in range(store.sizes[level])]
            node = store.node(store.facts[level], children)
        fires.append(node)
    return store.combine(lambda *fired: tuple(at for at, one in enumerate(fired) if one), *fires)


def _counted(
    store: Diagrams, asked: Sequence[Mapping[int, frozenset[int]]], hit: HitPolicy, otherwise: Rule | None
) -> Node:
    """Draw which rules count, from the top: what is left of the rules after each state of each thing that is read."""
    last = [max(tests, default=-1) for tests in asked]
    nothing = (len(asked),) if otherwise else ()
    known: dict[tuple[int, tuple[int, ...]], Node] = {}

    def visit(level: int, alive: tuple[int, ...]) -> Node:
        if hit is HitPolicy.FIRST:
            # The first rule that asks nothing more wins over all that follow.
            alive = alive[: next((at for at, rule in enumerate(alive, 1) if last[rule] < level), len(alive))]
        while level < len(store.facts) and not any(level in asked[rule] for rule in alive):
            level += 1
        if level == len(store.facts):
            return store.leaf(alive or nothing)
        key = (level, alive)
        found = known.get(key)
        if found is None:
            asking: dict[int, list[int]] = {}
            for rule in alive:
                for one in asked[rule].get(level, ()):
                    asking.setdefault(one, []).append(rule)
            others = tuple(rule for rule in alive if level not in asked[rule])
            apart = visit(level + 1, others) if len(asking) < store.sizes[level] else -1
            children: list[Any] = [
                visit(level + 1, tuple(sorted([*others, *asking[one]]))) if one in asking else apart
                for one in range(store.sizes[level])
            ]
            found = known[key] = store.node(store.facts[level], children)
        return found

    return visit(0, tuple(range(len(asked))))
