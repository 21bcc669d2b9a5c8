"""The facts of a ticket before and after a change in, how its deadlines move and why out.

A deadline has no memory: before and after are both counted from the same beginning, under the same version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.decide.decide import NO_MOMENT, decide
from engine.model.answer import Answer, Due, Outcome, VersionRef, WrongFact, WrongRequest
from engine.request.moment import Moment
from engine.request.ticket import Sent
from engine.version.version import Version


@dataclass(frozen=True, slots=True)
class Moved:
    """A deadline before and after; None where nothing was or is due, or it is not decided."""

    name: str
    before: Due | None
    after: Due | None

    @property
    def moved(self) -> bool:
        """Whether it is now due at another instant."""
        return (self.before.due if self.before else None) != (self.after.due if self.after else None)


@dataclass(frozen=True, slots=True)
class Changed:
    """An outcome that is not what it was."""

    before: Outcome
    after: Outcome


@dataclass(frozen=True, slots=True)
class Rescheduled:
    """What a change of facts does to the deadlines of a ticket, and the outcomes whose change is the reason."""

    deadlines: tuple[Moved, ...]
    because: tuple[Changed, ...]
    version: VersionRef


def reschedule(
    version: Version, facts: Mapping[str, Sent], before: Mapping[str, Sent], moment: Moment = NO_MOMENT
) -> Rescheduled:
    """Compare the deadlines of a ticket with what they were.

    Args:
        version: the policy version to answer by.
        facts: the facts as they are now.
        before: the facts that were otherwise, with the values they had; None was not known.
        moment: what time it is, and the holds on the ticket.

    Raises:
        WrongRequest: with every fact that the version cannot read; those of ``before`` are called ``before.NAME``.
    """
    version.reader.read(facts)
    was_sent = {**facts, **before}
    _read_before(version, was_sent, facts)
    moved: dict[str, Moved] = {}
    because: dict[str, Changed] = {}
    for name, plan in version.plans.items():
        if not plan.schedulers:
            continue
        now = decide(version, name, facts, moment)
        was = decide(version, name, was_sent, moment)
        for scheduler in plan.schedulers:
            deadline = scheduler.deadline.name
            pair = Moved(deadline, _due(was, deadline), _due(now, deadline))
            if pair.before or pair.after:
                moved[deadline] = pair
        for one, other in zip(was.outcomes, now.outcomes, strict=True):
            if other.name not in version.policy.deadlines and (one.status, one.value) != (other.status, other.value):
                because[other.name] = Changed(one, other)
    return Rescheduled(tuple(moved.values()), tuple(because.values()), version.ref)


def _read_before(version: Version, facts: Mapping[str, Sent], now: Mapping[str, Sent]) -> None:
    """Read the facts as they were before; what is wrong there says so, unless it is wrong now as well."""
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
