"""A decision of one version with everything that answering it takes: its plan, its schedulers, its cached answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from engine.cache import Cache
from engine.deadlines.clocks import Clocks
from engine.deadlines.schedule import Scheduler
from engine.model.answer import Answer
from engine.tables.explain import Explainer
from engine.version.version import DecisionPlan, Version

MAX_ANSWERS: Final = 2_000
"""How many answers are cached for a decision."""


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class LiveDecision:
    """One decision of a :class:`~engine.decide.decider.Decider`, which shares explainer, clocks and schedulers.

    ``answers`` holds answers without instants, by the atoms of the facts that the decision depends on; ``alike`` holds
    each of them once, by its id.
    """

    version: Version
    plan: DecisionPlan
    schedulers: tuple[Scheduler, ...]
    explainer: Explainer
    clocks: Clocks
    answers: Cache[object, Answer] = field(default_factory=lambda: Cache(MAX_ANSWERS))
    alike: Cache[str, Answer] = field(default_factory=lambda: Cache(MAX_ANSWERS))
