"""The state of an outcome in each of two versions, as diagrams; and what changes from one state to another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from engine.diagrams.store import Node
from engine.diff.joint_space import JointSpace
from engine.diff.nouns import Change, OutcomeState, StateKind
from engine.model.policy import HitPolicy
from engine.tables.table_diagram import TableDiagram

ABSENT: Final = OutcomeState(StateKind.ABSENT)
REJECTED: Final = OutcomeState(StateKind.REFUSED)
A_LIST: Final = OutcomeState(StateKind.DECIDED)
"""A list, whatever its items are: these are compared one by one."""


class States:
    """States, each with a number: two have the same number exactly if they are the same."""

    def __init__(self) -> None:
        self._listed: list[OutcomeState] = []
        self._numbers: dict[object, int] = {}

    def __getitem__(self, number: int) -> OutcomeState:
        return self._listed[number]

    def number(self, state: OutcomeState) -> int:
        """Return the number of a state; what is possible is a set, and values of unlike types are unlike."""
        possible = frozenset((type(value), value) for value in state.possible)
        key = (state.kind, type(state.value), state.value, possible)
        if key not in self._numbers:
            self._numbers[key] = len(self._listed)
            self._listed.append(state)
        return self._numbers[key]

    def plain(self, number: int) -> OutcomeState:
        """Return a state without the values that are still possible."""
        state = self._listed[number]
        return OutcomeState(state.kind, state.value)

    def numbers(self, change: Change) -> tuple[int, int]:
        """Return the numbers of the states of a change, by which changes are listed."""
        return self.number(change.before), self.number(change.after)

    def ends_in(self, plain: OutcomeState, number: int) -> bool:
        """Return whether a state is this one, apart from the values that are still possible."""
        return self.plain(number) == plain


class Changes:
    """Changes, each with a number from 1 on; 0 is for situations in which nothing changes."""

    def __init__(self) -> None:
        self.numbers: dict[Change, int] = {}

    def number(self, change: Change) -> int:
        """Return the number of a change."""
        return self.numbers.setdefault(change, len(self.numbers) + 1)


def is_minor(change: Change) -> bool:
    """Return whether only the possible values change; such a change is reported last."""
    return not change.in_part and change.before.kind is change.after.kind is StateKind.UNDECIDED


def state_nodes(name: str, space: JointSpace, states: States) -> tuple[Node, Node]:
    """Draw the number of the state of an outcome in each version."""
    before, after = (_state_node(at, name, space, states) for at in (0, 1))
    return before, after


def _state_node(at: int, name: str, space: JointSpace, states: States) -> Node:
    store, drawn = space.store, space.sides[at].table(name)
    if drawn is None or drawn.table.hit is HitPolicy.COLLECT:
        node = store.leaf(states.number(ABSENT if drawn is None else A_LIST))
    else:
        state, moved = _state_of(drawn, name), space.moved[at](drawn.possible[name])
        codes = sorted(store.values(moved), key=lambda one: (isinstance(one, tuple), one))
        numbers = {one: states.number(state(one)) for one in codes}
        node = store.map(numbers.__getitem__, moved)
    refused = space.refused(at, name)
    if refused == store.leaf(False):
        return node
    rejected = states.number(REJECTED)
    return store.combine(lambda number, out: rejected if out else number, node, refused)


def _state_of(drawn: TableDiagram, name: str) -> Callable[[Any], OutcomeState]:
    domain = (*drawn.domain[name], None)

    def state(possible: int | tuple[int, ...]) -> OutcomeState:
        if isinstance(possible, tuple):
            return OutcomeState(StateKind.UNDECIDED, possible=tuple(domain[code] for code in possible))
        if possible == len(domain) - 1:
            return OutcomeState(StateKind.NOT_COVERED)
        return OutcomeState(StateKind.DECIDED, domain[possible])

    return state


def change_node(space: JointSpace, states: States, nodes: tuple[Node, Node], changes: Changes) -> Node:
    """Draw the number of the change between two states."""

    def change(one: int, other: int) -> int:
        return 0 if one == other else changes.number(Change(states.plain(one), states.plain(other)))

    return space.store.combine(change, *nodes)
