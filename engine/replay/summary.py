"""A tally in, a replay out: what becomes of each outcome and deadline, where, and in which groups of tickets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from engine.clock.zone import MICRO
from engine.replay.nouns import Example, Group, Moves, Replay, Replayed, Shift
from engine.replay.pairs import changed
from engine.replay.regions import regions
from engine.replay.shifts import EARLIER, stretch
from engine.replay.spaces import Spaces
from engine.replay.tally import DueTally, Examples, GroupTally, OutcomeTally, Tally


def summarise(spaces: Spaces, tally: Tally, unread: Mapping[str, int], rows: int, *, recorded: bool) -> Replay:
    """Say what a tally comes to."""
    order = _order(spaces)
    outcomes = [_outcome(name, tally.outcomes[name], spaces) for name in sorted(tally.outcomes, key=order)]
    deadlines = [_moves(name, tally.deadlines[name]) for name in sorted(tally.deadlines, key=order)]
    return Replay(
        spaces.after.ref, dict(sorted(tally.versions.items(), key=lambda pair: (-pair[1], pair[0]))), recorded, rows, tally.tickets, tally.changed,
        dict(sorted(unread.items(), key=lambda pair: (-pair[1], pair[0]))),
        tuple(sorted(outcomes, key=lambda one: -one.changed)), tuple(sorted(deadlines, key=lambda one: -one.changed)),
        {fact: _groups(values) for fact, values in tally.groups.items()},
    )


def _order(spaces: Spaces) -> Callable[[str], tuple[int, str]]:
    """Order names as the decisions of the versions have them."""
    versions = [version for version in (spaces.after, spaces.before) if version is not None]
    plans = [plan for version in versions for plan in (*version.triage, *version.plans.values())]
    places = {name: at for at, name in enumerate(dict.fromkeys(name for plan in plans for name in plan.decision.outcomes))}
    return lambda name: (places.get(name, len(places)), name)


def _outcome(name: str, one: OutcomeTally, spaces: Spaces) -> Replayed:
    matrix = dict(sorted(one.matrix.items(), key=lambda pair: (not changed(pair[0]), -pair[1], str(pair[0]))))
    moved = sum(count for change, count in matrix.items() if changed(change))
    placed = sum(count for counts in one.moved.values() for count in counts.values())
    examples = {change: _listed(one.examples[change]) for change in matrix if change in one.examples}
    return Replayed(name, sum(matrix.values()), moved, matrix, regions(spaces.of(name), one), examples, moved - placed)


def _moves(name: str, one: DueTally) -> Moves:
    shifts = [Shift(*stretch(at), count) for at, count in enumerate(one.shifts)]
    earlier, later = sum(one.shifts[:EARLIER]), sum(one.shifts[EARLIER:])
    return Moves(
        name, one.tickets, one.both, earlier, later, one.appear, one.vanish, tuple(shifts) if earlier + later else (),
        round(one.total / (earlier + later)) * MICRO if earlier + later else None,
        _span(one.least) if earlier else None, _span(one.most) if later else None, _listed(one.examples),
    )


def _span(micros: int | None) -> timedelta | None:
    return None if micros is None else micros * MICRO


def _listed(examples: Examples) -> tuple[Example, ...]:
    return tuple(sorted(examples.values(), key=lambda one: one.row))


def _groups(values: Mapping[str, GroupTally]) -> tuple[Group, ...]:
    found = [Group(value, one.tickets, one.changed, dict(sorted(one.changes.items(), key=lambda pair: (-pair[1], pair[0])))) for value, one in values.items()]
    return tuple(sorted(found, key=lambda one: (-one.changed, -one.tickets, one.value)))
