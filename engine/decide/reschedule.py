"""How the deadlines of a ticket move when its facts change, and why.

A deadline has no memory: both sides are counted from the same start, under the same version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.decide.decider import NO_MOMENT, Decider
from engine.model.answer import Answer, Due, Outcome, VersionRef, WrongFact, WrongRequest
from engine.request.moment import Moment
from engine.request.ticket import Sent
from engine.version.version import Version


@dataclass(frozen=True, slots=True)
class Moved:
    """A deadline before and after a change; None where nothing was or is due, or the deadline is undecided."""

    name: str
    before: Due | None
    after: Due | None

    @property
    def moved(self) -> bool:
        """Whether its due time changed."""
        return (self.before.due if self.before else None) != (self.after.due if self.after else None)


@dataclass(frozen=True, slots=True)
class Changed:
    """An outcome whose status or value changed."""

    before: Outcome
    after: Outcome


@dataclass(frozen=True, slots=True)
class Rescheduled:
    """The deadlines of a ticket before and after a change of facts, and the outcomes whose change is the reason."""

    deadlines: tuple[Moved, ...]
    because: tuple[Changed, ...]
    version: VersionRef


def reschedule(
    decider: Decider, facts: Mapping[str, Sent], before: Mapping[str, Sent], moment: Moment = NO_MOMENT
) -> Rescheduled:
    """Return the deadlines of a ticket before and after a change of its facts.

    Args:
        decider: answers by the policy version.
        facts: the facts as they are now.
        before: the facts that changed, with their earlier values; None if a value was not known.
        moment: ``now`` and the holds on the ticket.

    Raises:
        WrongRequest: with every fact that the version cannot read; those of ``before`` are named ``before.NAME``.
    """
    version = decider.version
    version.reader.read(facts)
    was_sent = {**facts, **before}
    _read_before(version, was_sent, facts)
    moved: dict[str, Moved] = {}
    because: dict[str, Changed] = {}
    for name, plan in version.plans.items():
        if not plan.deadlines:
            continue
        now = decider.decide(name, facts, moment)
        was = decider.decide(name, was_sent, moment)
        for one in plan.deadlines:
            deadline = one.deadline.name
            pair = Moved(deadline, _due(was, deadline), _due(now, deadline))
            if pair.before or pair.after:
                moved[deadline] = pair
        for earlier, later in zip(was.outcomes, now.outcomes, strict=True):
            changed = (earlier.status, earlier.value) != (later.status, later.value)
            if changed and later.name not in version.policy.deadlines:
                because[later.name] = Changed(earlier, later)
    return Rescheduled(tuple(moved.values()), tuple(because.values()), version.ref)


def _read_before(version: Version, facts: Mapping[str, Sent], now: Mapping[str, Sent]) -> None:
    """Read the earlier facts; an error names the fact ``before.NAME``, unless the same value is wrong now as well."""
    try:
        version.reader.read(facts)
    except WrongRequest as error:
        raise WrongRequest(
            tuple(
                wrong
                if wrong.fact in now and facts.get(wrong.fact) == now[wrong.fact]
                else WrongFact(
                    fact=f"before.{wrong.fact}",
                    sent=wrong.sent,
                    message=wrong.message,
                    allowed=wrong.allowed,
                    help=wrong.help,
                )
                for wrong in error.wrong
            )
        ) from None


def _due(answer: Answer, name: str) -> Due | None:
    return next((due for due in answer.dues if due.name == name), None)
