"""A tally -> a replay: the changes of each outcome and deadline, their regions, and the groups of tickets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import timedelta

from engine.clock.zone import MICRO
from engine.diff.nouns import StateKind
from engine.replay.due_shifts import EARLIER, stretch
from engine.replay.nouns import DeadlineReplay, DueShift, Example, Group, OutcomeReplay, Replay
from engine.replay.pairs import changed
from engine.replay.regions import regions
from engine.replay.spaces import Spaces
from engine.replay.tally import DueTally, Examples, GroupTally, OutcomeTally, Tally


def summarize(
    spaces: Spaces, tally: Tally, unread: Mapping[str, int], rows: int, *, recorded: bool, texts: Collection[str] = ()
) -> Replay:
    """Return the replay of a tally; ``texts`` are the outcomes that are constant texts."""
    order = _order(spaces)
    near = tally.near
    outcomes = [
        replace(_outcome(name, tally.outcomes[name], spaces), near=near.get(name, 0))
        for name in sorted(tally.outcomes, key=order)
    ]
    deadlines = [
        moves_of(name, tally.deadlines[name], near.get(name, 0)) for name in sorted(tally.deadlines, key=order)
    ]
    worded = [one for one in outcomes if one.name in texts and one.changed and not one.one_sided]
    # Recorded texts may differ between tickets: then such a text is an outcome like the others.
    counted = bool(spaces.before is None and not all(_for_all(one) for one in worded))
    alike = [one.name for one in outcomes if one.one_sided or (one in worded and not counted)]
    return Replay(
        after=spaces.after.ref,
        before=dict(sorted(tally.versions.items(), key=lambda pair: (-pair[1], pair[0]))),
        recorded=recorded,
        rows=rows,
        tickets=tally.tickets,
        changed=tally.changed + (tally.texts if counted else 0),
        unread=dict(sorted(unread.items(), key=lambda pair: (-pair[1], pair[0]))),
        outcomes=tuple(sorted(outcomes, key=lambda one: -one.changed)),
        deadlines=tuple(sorted(deadlines, key=lambda one: -one.changed)),
        groups={fact: _groups(values, alike, counted=counted) for fact, values in tally.groups.items()},
        compared=tally.compared,
        alike=tuple(alike),
        decided={},
        repeats=tally.seen.repeats(),
    )


def _for_all(one: OutcomeReplay) -> bool:
    """Return whether every ticket changes from the same value to the same other one."""
    return len(one.matrix) == 1 and all(
        state.kind is StateKind.DECIDED for change in one.matrix for state in (change.before, change.after)
    )


def _order(spaces: Spaces) -> Callable[[str], tuple[int, str]]:
    """Sort names in the order of the decisions of the versions."""
    versions = [version for version in (spaces.after, spaces.before) if version is not None]
    plans = [plan for version in versions for plan in (*version.triage, *version.plans.values())]
    places = {
        name: at for at, name in enumerate(dict.fromkeys(name for plan in plans for name in plan.decision.outcomes))
    }
    return lambda name: (places.get(name, len(places)), name)


def _outcome(name: str, one: OutcomeTally, spaces: Spaces) -> OutcomeReplay:
    matrix = dict(sorted(one.matrix.items(), key=lambda pair: (not changed(pair[0]), -pair[1], str(pair[0]))))
    moved = sum(count for change, count in matrix.items() if changed(change))
    placed = sum(count for counts in one.moved.values() for count in counts.values())
    examples = {change: _listed(one.examples[change]) for change in matrix if change in one.examples}
    return OutcomeReplay(
        name=name,
        tickets=sum(matrix.values()),
        changed=moved,
        matrix=matrix,
        regions=regions(spaces.of(name), one),
        examples=examples,
        elsewhere=moved - placed,
    )


def moves_of(name: str, one: DueTally, near: int = 0) -> DeadlineReplay:
    """Return the replay of a deadline; ``near`` of its tickets are within the tolerance."""
    shifts = [DueShift(*stretch(at), count) for at, count in enumerate(one.shifts)]
    earlier, later = sum(one.shifts[:EARLIER]), sum(one.shifts[EARLIER:])
    return DeadlineReplay(
        name=name,
        tickets=one.tickets,
        both=one.both,
        earlier=earlier,
        later=later,
        appear=one.appear,
        vanish=one.vanish,
        shifts=tuple(shifts) if earlier + later else (),
        mean=round(one.total / (earlier + later)) * MICRO if earlier + later else None,
        most_earlier=_span(one.least) if earlier else None,
        most_later=_span(one.most) if later else None,
        examples=_listed(one.examples),
        near=near,
    )


def _span(micros: int | None) -> timedelta | None:
    return None if micros is None else micros * MICRO


def _listed(examples: Examples) -> tuple[Example, ...]:
    return tuple(sorted(examples.values(), key=lambda one: one.row))


def _groups(values: Mapping[str, GroupTally], alike: Collection[str], *, counted: bool) -> tuple[Group, ...]:
    def changes(one: GroupTally) -> dict[str, int]:
        return dict(
            sorted(
                ((name, tickets) for name, tickets in one.changes.items() if name not in alike),
                key=lambda pair: (-pair[1], pair[0]),
            )
        )

    found = [
        Group(
            value=value, tickets=one.tickets, changed=one.changed + (one.texts if counted else 0), outcomes=changes(one)
        )
        for value, one in values.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.changed, -one.tickets, one.value)))
