"""Replays by version -> one replay of all tickets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from engine.diff.nouns import Change
from engine.model.answer import VersionRef
from engine.replay.nouns import Example, Group, OutcomeReplay, Replay
from engine.replay.pairs import changed
from engine.replay.summary import moves_of
from engine.replay.tally import MAX_EXAMPLES, DueTally

_K = TypeVar("_K")


def join_replays(by: Mapping[str, Replay], deadlines: Mapping[str, DueTally], after: VersionRef) -> Replay:
    """Add up the replays of each version; ``deadlines`` are counted for all of them.

    The caller sets rows, rejected rows and repeats.
    """
    parts = tuple(by.values())
    names = _names(one.name for part in parts for one in part.outcomes)
    outcomes = [
        _outcome({version: one for version, part in by.items() for one in part.outcomes if one.name == name})
        for name in names
    ]
    near = _sum((one.name, one.near) for part in parts for one in part.deadlines)
    due = [
        moves_of(name, deadlines[name], near.get(name, 0))
        for name in _names(one.name for part in parts for one in part.deadlines)
    ]
    facts = _names(fact for part in parts for fact in part.groups)
    return Replay(
        after=after,
        before=_sum(pair for part in parts for pair in part.before.items()),
        recorded=any(part.recorded for part in parts),
        rows=0,
        tickets=sum(part.tickets for part in parts),
        changed=sum(part.changed for part in parts),
        unread={},
        outcomes=tuple(sorted(outcomes, key=lambda one: -one.changed)),
        deadlines=tuple(sorted(due, key=lambda one: -one.changed)),
        groups={fact: _groups(group for part in parts for group in part.groups.get(fact, ())) for fact in facts},
        compared=sum(part.compared for part in parts),
        alike=_alike(parts),
    )


def _alike(parts: Sequence[Replay]) -> tuple[str, ...]:
    """Return the outcomes that change in the same way for every ticket of each version in which they change."""
    by_ticket = {one.name for part in parts for one in part.outcomes if one.changed and one.name not in part.alike}
    return tuple(name for name in _names(name for part in parts for name in part.alike) if name not in by_ticket)


def _outcome(by: Mapping[str, OutcomeReplay]) -> OutcomeReplay:
    found = tuple(by.values())
    regions = [replace(region, version=version) for version, one in by.items() for region in one.regions]
    matrix = _sum(pair for one in found for pair in one.matrix.items())
    examples: dict[Change, tuple[Example, ...]] = {}
    for one in found:
        for change, more in one.examples.items():
            examples[change] = _earliest(examples.get(change, ()), more)
    return OutcomeReplay(
        name=found[0].name,
        tickets=sum(one.tickets for one in found),
        changed=sum(one.changed for one in found),
        matrix=dict(sorted(matrix.items(), key=lambda pair: (not changed(pair[0]), -pair[1], str(pair[0])))),
        regions=tuple(sorted(regions, key=lambda one: -one.changed)),
        examples=examples,
        elsewhere=sum(one.elsewhere for one in found),
        near=sum(one.near for one in found),
    )


def _groups(found: Iterable[Group]) -> tuple[Group, ...]:
    groups: dict[str, Group] = {}
    for one in found:
        known = groups.get(one.value)
        groups[one.value] = (
            one
            if known is None
            else Group(
                value=one.value,
                tickets=known.tickets + one.tickets,
                changed=known.changed + one.changed,
                outcomes=_sum((*known.outcomes.items(), *one.outcomes.items())),
            )
        )
    return tuple(sorted(groups.values(), key=lambda one: (-one.changed, -one.tickets, one.value)))


def _earliest(one: tuple[Example, ...], more: tuple[Example, ...]) -> tuple[Example, ...]:
    return tuple(sorted((*one, *more), key=lambda example: example.row)[:MAX_EXAMPLES])


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _sum(pairs: Iterable[tuple[_K, int]]) -> dict[_K, int]:
    found: dict[_K, int] = {}
    for key, number in pairs:
        found[key] = found.get(key, 0) + number
    return found
