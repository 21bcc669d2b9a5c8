"""Answers by a version, for tests that ask many versions: each keeps its decider as long as it is asked again."""

from __future__ import annotations

from collections.abc import Mapping

from engine.decide.decider import NO_MOMENT, Decider
from engine.decide.reschedule import Rescheduled
from engine.decide.reschedule import reschedule as reschedule_with
from engine.model.answer import Answer
from engine.request.moment import Moment
from engine.version.version import Version

MAX_DECIDERS = 32

_deciders: dict[int, Decider] = {}


def decider_of(version: Version) -> Decider:
    """Return the decider of this very version: equal versions may have been made in different ways."""
    decider = _deciders.pop(id(version), None) or Decider(version)
    if len(_deciders) >= MAX_DECIDERS:
        del _deciders[next(iter(_deciders))]
    _deciders[id(version)] = decider
    return decider


def decide(version: Version, decision: str, facts: Mapping[str, object], moment: Moment = NO_MOMENT) -> Answer:
    """Answer one decision."""
    return decider_of(version).decide(decision, facts, moment)


def triage(version: Version, facts: Mapping[str, object], moment: Moment = NO_MOMENT) -> tuple[Answer, ...]:
    """Answer all decisions that a new ticket needs."""
    return decider_of(version).triage(facts, moment)


def reschedule(
    version: Version, facts: Mapping[str, object], before: Mapping[str, object], moment: Moment = NO_MOMENT
) -> Rescheduled:
    """Return the deadlines of a ticket before and after a change of its facts."""
    return reschedule_with(decider_of(version), facts, before, moment)
