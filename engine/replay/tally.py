"""The counts of replayed tickets: a value that adds up in any order and any grouping, and converts to JSON.

Everything in it is a count, a sum, an extreme, or the first few by a fixed order, so the tally of a source does not
depend on its chunks. The number of situations is bounded: those with the smallest ``mixed`` number stay, and these are
counted in full.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self, TypeVar

import numpy as np

from engine.diff.nouns import Change, OutcomeState, StateKind
from engine.replay.distinct_tickets import DistinctTickets
from engine.replay.due_shifts import SHIFTS
from engine.replay.nouns import Example

MAX_CELLS: Final = 20_000
"""The most situations whose tickets are counted, for each outcome."""

MAX_SPOTS: Final = 64
"""The most changed situations with an example, for each outcome."""

MAX_EXAMPLES: Final = 3
"""The most examples of each change, and of a deadline."""

_MIX: Final = 0x9E3779B97F4A7C15
_MACHINE: Final = 1 << 64

Counts = Mapping[int, int]
"""By situation."""

Examples = Mapping[int, Example]
"""By situation: the first ticket of each."""

_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeTally:
    """The counts of an outcome.

    Attributes:
        matrix: tickets from each state to each, unchanged ones included.
        cells: how many tickets there are in each situation.
        moved: of each change, how many tickets in each situation.
        examples: of each change, the first ticket of those situations in which it happens first.
        spots: the first ticket that changes in some of the situations.
    """

    matrix: Mapping[Change, int] = field(default_factory=dict)
    cells: Counts = field(default_factory=dict)
    moved: Mapping[Change, Counts] = field(default_factory=dict)
    examples: Mapping[Change, Examples] = field(default_factory=dict)
    spots: Examples = field(default_factory=dict)

    def merge(self, other: OutcomeTally, known: dict[tuple[int, int], Counts] | None = None) -> OutcomeTally:
        """Add up; ``known`` has the cells that are already added up: outcomes of one table share them."""
        key, known = (id(self.cells), id(other.cells)), {} if known is None else known
        if key not in known:
            known[key] = least(_united(self.cells, other.cells, _plus), MAX_CELLS)
        cells = known[key]
        moved = _united(self.moved, other.moved, lambda one, more: _united(one, more, _plus))
        return OutcomeTally(
            matrix=_united(self.matrix, other.matrix, _plus),
            cells=cells,
            moved={
                change: kept
                for change, counts in moved.items()
                if (kept := {cell: count for cell, count in counts.items() if cell in cells})
            },
            examples=_united(self.examples, other.examples, lambda one, more: earliest(_united(one, more, _first))),
            spots=least(_united(self.spots, other.spots, _first), MAX_SPOTS),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTally:
    """The counts of a deadline: tickets due on both sides or on one, and their moves in microseconds."""

    tickets: int = 0
    both: int = 0
    appear: int = 0
    vanish: int = 0
    shifts: tuple[int, ...] = (0,) * SHIFTS
    total: int = 0
    least: int | None = None
    most: int | None = None
    examples: Examples = field(default_factory=dict)
    """By row."""

    def merge(self, other: DueTally) -> DueTally:
        """Add up."""
        return DueTally(
            tickets=self.tickets + other.tickets,
            both=self.both + other.both,
            appear=self.appear + other.appear,
            vanish=self.vanish + other.vanish,
            shifts=tuple(map(_plus, self.shifts, other.shifts)),
            total=self.total + other.total,
            least=_extreme(min, self.least, other.least),
            most=_extreme(max, self.most, other.most),
            examples=earliest(_united(self.examples, other.examples, _first)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTally:
    """The counts of the tickets with one value of a fact.

    ``changes`` by outcome or deadline, ``texts`` as in a Tally.
    """

    tickets: int = 0
    changed: int = 0
    changes: Mapping[str, int] = field(default_factory=dict)
    texts: int = 0

    def merge(self, other: GroupTally) -> GroupTally:
        """Add up."""
        return GroupTally(
            tickets=self.tickets + other.tickets,
            changed=self.changed + other.changed,
            changes=_united(self.changes, other.changes, _plus),
            texts=self.texts + other.texts,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The counts of some tickets. ``Tally()`` is the empty one.

    Attributes:
        tickets: how many were decided.
        changed: how many of them change, without constant texts and outcomes of one side only.
        texts: how many others change in such a text only.
        versions: tickets by the digest of the version that decided them before.
        outcomes, deadlines: by name.
        groups: by fact, then by its value ("" where it was not sent).
        recorded: how many of them come from a source that records how tickets were decided.
        compared: how many of them both sides decide.
        near: how many differ by less than the tolerance, by outcome or deadline.
        seen: the distinct tickets.
        parts: the tally of each version by its number, if each ticket is decided by the version in force; then the
            other fields are empty.
    """

    tickets: int = 0
    changed: int = 0
    versions: Mapping[str, int] = field(default_factory=dict)
    outcomes: Mapping[str, OutcomeTally] = field(default_factory=dict)
    deadlines: Mapping[str, DueTally] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, GroupTally]] = field(default_factory=dict)
    recorded: int = 0
    compared: int = 0
    texts: int = 0
    near: Mapping[str, int] = field(default_factory=dict)
    seen: DistinctTickets = field(default_factory=DistinctTickets)
    parts: Mapping[str, Tally] = field(default_factory=dict)

    def merge(self, other: Tally) -> Tally:
        """Add up: the tally of both.

        >>> one = Tally(tickets=2, changed=1, versions={"d1": 2})
        >>> one.merge(Tally(tickets=3, changed=0, versions={"d2": 3})).tickets, one.merge(Tally()) == one
        (5, True)
        """
        known: dict[tuple[int, int], Counts] = {}
        return Tally(
            tickets=self.tickets + other.tickets,
            changed=self.changed + other.changed,
            versions=_united(self.versions, other.versions, _plus),
            outcomes=_united(self.outcomes, other.outcomes, lambda one, more: one.merge(more, known)),
            deadlines=_united(self.deadlines, other.deadlines, DueTally.merge),
            groups=_united(self.groups, other.groups, lambda one, more: _united(one, more, GroupTally.merge)),
            recorded=self.recorded + other.recorded,
            compared=self.compared + other.compared,
            texts=self.texts + other.texts,
            near=_united(self.near, other.near, _plus),
            seen=self.seen.merge(other.seen),
            parts=_united(self.parts, other.parts, Tally.merge),
        )

    def plain(self) -> dict[str, Any]:
        """Return it as plain data for JSON; ``read`` is the inverse."""
        return {
            "tickets": self.tickets,
            "changed": self.changed,
            "recorded": self.recorded,
            "versions": dict(self.versions),
            "compared": self.compared,
            "texts": self.texts,
            "near": dict(self.near),
            "seen": self.seen.plain(),
            "parts": {version: one.plain() for version, one in self.parts.items()},
            "outcomes": {name: _plain_outcome(one) for name, one in self.outcomes.items()},
            "deadlines": {name: _plain_due(one) for name, one in self.deadlines.items()},
            "groups": {
                fact: {value: asdict(one) for value, one in values.items()} for fact, values in self.groups.items()
            },
        }

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Self:
        """Read the plain data that ``plain`` returned."""
        return cls(
            tickets=plain["tickets"],
            changed=plain["changed"],
            versions=dict(plain["versions"]),
            outcomes={name: _outcome(one) for name, one in plain["outcomes"].items()},
            deadlines={name: _due(one) for name, one in plain["deadlines"].items()},
            groups={
                fact: {value: GroupTally(**one) for value, one in values.items()}
                for fact, values in plain["groups"].items()
            },
            recorded=plain["recorded"],
            compared=plain["compared"],
            texts=plain["texts"],
            near=dict(plain["near"]),
            seen=DistinctTickets.read(plain["seen"]),
            parts={version: cls.read(one) for version, one in plain["parts"].items()},
        )


def least(found: Mapping[int, _V], most: int) -> Mapping[int, _V]:
    """Keep a number of situations, chosen uniformly by their mixed numbers."""
    if len(found) <= most:
        return found
    cells = list(found)
    if max(cells) < _MACHINE:
        order = np.argsort(np.array(cells, np.uint64) * np.uint64(_MIX), kind="stable")[:most].tolist()
        return {cells[at]: found[cells[at]] for at in order}
    return {cell: found[cell] for cell in sorted(cells, key=lambda cell: (cell * _MIX % _MACHINE, cell))[:most]}


def earliest(found: Examples) -> Examples:
    """Keep the examples with the smallest row numbers."""
    if len(found) <= MAX_EXAMPLES:
        return found
    return {cell: found[cell] for cell in sorted(found, key=lambda cell: (found[cell].row, cell))[:MAX_EXAMPLES]}


def _united(one: Mapping[_K, _V], other: Mapping[_K, _V], both: Callable[[_V, _V], _V]) -> Mapping[_K, _V]:
    """Return the union of two mappings, with common values added up."""
    if not other or not one:
        return one or other
    found = dict(one)
    for key, value in other.items():
        found[key] = both(found[key], value) if key in found else value
    return found


def _plus(one: int, other: int) -> int:
    return one + other


def _first(one: Example, other: Example) -> Example:
    return one if one.row <= other.row else other


def _extreme(which: Callable[[Iterable[int]], int], one: int | None, other: int | None) -> int | None:
    known = [value for value in (one, other) if value is not None]
    return which(known) if known else None


def _plain_outcome(one: OutcomeTally) -> list[Any]:
    return [
        [[_plain_change(change), count] for change, count in one.matrix.items()],
        _pairs(one.cells),
        [[_plain_change(change), _pairs(counts)] for change, counts in one.moved.items()],
        [[_plain_change(change), _plain_examples(examples)] for change, examples in one.examples.items()],
        _plain_examples(one.spots),
    ]


def _outcome(plain: list[Any]) -> OutcomeTally:
    matrix, cells, moved, examples, spots = plain
    return OutcomeTally(
        matrix={_change(change): count for change, count in matrix},
        cells=dict(cells),
        moved={_change(change): dict(counts) for change, counts in moved},
        examples={_change(change): _examples(found) for change, found in examples},
        spots=_examples(spots),
    )


def _plain_due(one: DueTally) -> list[Any]:
    return [
        one.tickets,
        one.both,
        one.appear,
        one.vanish,
        list(one.shifts),
        one.total,
        one.least,
        one.most,
        _plain_examples(one.examples),
    ]


def _due(plain: list[Any]) -> DueTally:
    tickets, both, appear, vanish, shifts, total, least_, most, examples = plain
    return DueTally(
        tickets=tickets,
        both=both,
        appear=appear,
        vanish=vanish,
        shifts=tuple(shifts),
        total=total,
        least=least_,
        most=most,
        examples=_examples(examples),
    )


def _pairs(counts: Counts) -> list[list[int]]:
    return [[cell, count] for cell, count in counts.items()]


def _plain_examples(examples: Examples) -> list[Any]:
    return [[cell, one.row, one.name, dict(one.facts), one.now] for cell, one in examples.items()]


def _examples(plain: list[Any]) -> Examples:
    return {cell: Example(row=row, name=name, facts=facts, now=now) for cell, row, name, facts, now in plain}


def _plain_change(change: Change) -> list[Any]:
    return [_plain_state(change.before), _plain_state(change.after)]


def _plain_state(state: OutcomeState) -> list[Any]:
    return [state.kind.value, list(state.value) if isinstance(state.value, tuple) else state.value]


def _change(plain: list[Any]) -> Change:
    before, after = (
        OutcomeState(StateKind(kind), tuple(value) if isinstance(value, list) else value) for kind, value in plain
    )
    return Change(before, after)
