"""Decides a recorded call again under the same version, and compares it with the record."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.decide.decider import Decider
from engine.decide.reschedule import Rescheduled, reschedule
from engine.model.answer import Answer, UnknownDecision, WrongRequest
from engine.records.masking import replayable
from engine.records.record import (
    Record,
    RecordedChange,
    RecordedDecision,
    RecordedOutcome,
    instant,
    recorded_change,
    recorded_decision,
)
from engine.request.moment import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayDifference:
    """A part of a decision that differs from the record, as text for people."""

    decision: str
    part: str
    recorded: str
    again: str

    def __str__(self) -> str:
        return f"{self.decision}: {self.part}: recorded {self.recorded}, now {self.again}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """The decisions of a record, made again, and their differences from the record.

    ``moved`` has the moved deadlines of a call to reschedule. ``wrong`` is the reason if the version cannot decide the
    record.
    """

    answers: tuple[Answer, ...]
    differences: tuple[ReplayDifference, ...]
    wrong: str = ""
    moved: Rescheduled | None = None

    @property
    def equal(self) -> bool:
        """Whether nothing differs from the record."""
        return not (self.differences or self.wrong)


def reproduce(record: Record, decider: Decider) -> Reproduction:
    """Make the decisions of a record again: the recorded facts, at the recorded instant, under a version.

    The ids of answers are not compared, since another release of the program may compute them differently.
    """
    try:
        facts, moment = replayable(record.facts), moment_of(record)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return Reproduction(answers=(), differences=(), wrong=f"the record cannot be read as a request: {error}")
    try:
        if record.change is not None:
            moved = reschedule(decider, facts, replayable(record.change.facts), moment)
            return Reproduction(
                answers=(),
                differences=tuple(_moves(record.change, recorded_change(moved, record.change.facts))),
                moved=moved,
            )
        answers = tuple(decider.decide(one.decision, facts, moment) for one in record.decisions)
    except (WrongRequest, UnknownDecision) as error:
        return Reproduction(answers=(), differences=(), wrong=str(error))
    found = [
        one
        for was, answer in zip(record.decisions, answers, strict=True)
        for one in _differences(was, recorded_decision(answer))
    ]
    return Reproduction(answers=answers, differences=tuple(found))


def moment_of(record: Record) -> Moment:
    """Return the instant at which a record was decided, and the holds on its ticket."""
    holds = tuple((instant(start), instant(end) if end else None) for start, end in record.pauses)
    return Moment(instant(record.now), holds)


def _differences(was: RecordedDecision, now: RecordedDecision) -> list[ReplayDifference]:
    if _comparable(was) == _comparable(now):
        return []
    found = (
        [ReplayDifference(decision=was.decision, part="status", recorded=was.status, again=now.status)]
        if was.status != now.status
        else []
    )
    for part, one, other in (
        (
            "outcome",
            {o.name: _shown(o.value, o.status) for o in was.outcomes},
            {o.name: _shown(o.value, o.status) for o in now.outcomes},
        ),
        (
            "deadline",
            {d.name: d.due or "not known" for d in was.dues},
            {d.name: d.due or "not known" for d in now.dues},
        ),
    ):
        found += [
            ReplayDifference(
                decision=was.decision,
                part=f"{part} {name}",
                recorded=one.get(name, "absent"),
                again=other.get(name, "absent"),
            )
            for name in dict.fromkeys((*one, *other))
            if one.get(name) != other.get(name)
        ]
    for part, before, after in (("rules", was.rules, now.rules), ("assumptions", was.assumptions, now.assumptions)):
        if before != after:
            gone, new = [one for one in before if one not in after], [one for one in after if one not in before]
            found.append(
                ReplayDifference(decision=was.decision, part=part, recorded=_named(gone, new), again=_named(new, gone))
            )
    return found or [
        ReplayDifference(decision=was.decision, part="order of outcomes", recorded="another one", again="this one")
    ]


def _named(own: list[str], others: list[str]) -> str:
    """Describe the items of one of two lists that the other one does not have."""
    if own:
        return f"with {', '.join(own)}"
    return f"without {', '.join(others)}" if others else "in another order"


def _moves(was: RecordedChange, now: RecordedChange) -> list[ReplayDifference]:
    before, after = (
        {one.name: f"{one.before or 'nothing'} to {one.after or 'nothing'}" for one in change.deadlines}
        for change in (was, now)
    )
    found = [
        ReplayDifference(
            decision="reschedule",
            part=f"deadline {name}",
            recorded=before.get(name, "absent"),
            again=after.get(name, "absent"),
        )
        for name in dict.fromkeys((*before, *after))
    ]
    reasons, others = (
        {
            one.after.name: f"{_shown(one.before.value, one.before.status)} to {_shown(one.after.value, one.after.status)}"
            for one in change.because
        }
        for change in (was, now)
    )
    found += [
        ReplayDifference(
            decision="reschedule",
            part=f"outcome {name}",
            recorded=reasons.get(name, "the same"),
            again=others.get(name, "the same"),
        )
        for name in dict.fromkeys((*reasons, *others))
    ]
    return [one for one in found if one.recorded != one.again]


def _comparable(one: RecordedDecision) -> RecordedDecision:
    """Return the compared parts of a decision: all but its id; lists as JSON returns them."""
    return replace(one, id="", outcomes=tuple(_listed(outcome) for outcome in one.outcomes))


def _listed(one: RecordedOutcome) -> RecordedOutcome:
    return replace(one, value=list(one.value)) if isinstance(one.value, tuple) else one


def _shown(value: object, status: str) -> str:
    if value is None:
        return status.replace("_", " ")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
