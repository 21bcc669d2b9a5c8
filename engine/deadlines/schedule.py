"""Which target a deadline has for a ticket: how much time, by which calendar, in which region, by which rules.

Targets are drawn over sent facts, as outcomes of tables are (:class:`~engine.tables.table_diagram.TargetDiagram`), so
that no impossible combination of what a deadline reads counts as possible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from engine.cache import Cache
from engine.model.answer import FiredRule, Status
from engine.model.policy import Deadline
from engine.model.targets import NOTHING, Measure, Target
from engine.tables.explain import Explainer
from engine.tables.table_diagram import TargetDiagram

MAX_SCHEDULES: Final = 5_000
"""How many schedules a deadline caches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The target of a deadline if it is decided, or the targets that are still possible (None: nothing is due)."""

    status: Status
    target: Target | None
    possible: tuple[Target | None, ...]
    missing: tuple[str, ...]
    rules: tuple[FiredRule, ...]


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class DeadlinePlan:
    """What a deadline depends on.

    Attributes:
        drawn: its targets over sent facts.
        reads: the outcomes that it reads.
        depends: all sent facts that it depends on, directly or through outcomes.
        claimed: those of these for which some rule names ``unknown``.
        key_of: returns the atoms of these facts from the atoms of a ticket.
    """

    deadline: Deadline
    drawn: TargetDiagram
    reads: tuple[str, ...]
    depends: tuple[str, ...]
    claimed: frozenset[str]
    key_of: Callable[[list[int]], object]

    def __repr__(self) -> str:
        return f"DeadlinePlan({self.deadline.name})"


class Scheduler:
    """Finds the schedules of one deadline, and caches them by the facts that they depend on.

    Several threads may use one scheduler: it changes only its cache.
    """

    __slots__ = ("_classes", "_schedules", "explainer", "plan")

    def __init__(self, plan: DeadlinePlan, explainer: Explainer) -> None:
        self.plan, self.explainer = plan, explainer
        parts = explainer.diagrams.parts
        self._classes = [(fact, explainer.slots[fact], parts[fact].class_of) for fact in plan.depends]
        self._schedules: Cache[object, Schedule] = Cache(MAX_SCHEDULES)

    def __repr__(self) -> str:
        return f"Scheduler({self.plan.deadline.name})"

    def schedule(self, atoms: list[int]) -> Schedule:
        """Return the schedule of a ticket with these atoms."""
        key = self.plan.key_of(atoms)
        return self._schedules.get(key) or self._schedules.put(key, self._schedule(atoms))

    def _schedule(self, atoms: list[int]) -> Schedule:
        drawn, name = self.plan.drawn, self.plan.deadline.name
        classes = {fact: class_of[atoms[slot]] for fact, slot, class_of in self._classes}
        possible = self.explainer.diagrams.store.value_at(drawn.possible, classes)
        targets = (*drawn.domain, None)
        if not isinstance(possible, int):
            undecided = [(drawn.rules, drawn.possible)]
            return Schedule(
                status=Status.UNDECIDED,
                target=None,
                possible=tuple([targets[code] for code in possible]),
                missing=self.explainer.missing(name, undecided, classes, self.plan.claimed),
                rules=(),
            )
        target = targets[possible]
        return Schedule(
            status=Status.NOT_COVERED if target is None else Status.DECIDED,
            target=target,
            possible=(),
            missing=(),
            rules=self._rules(target, self._fired(classes), atoms),
        )

    def _fired(self, classes: Mapping[str, int]) -> set[int]:
        """Return the rules that fire; if facts are open, those that fire for any value of these."""
        rules, paths = self.plan.drawn.rules, self.explainer.paths
        if not paths.waits(rules, classes):
            return set(rules.store.value_at(rules.counts, paths.states(rules, classes))[:1])
        reach = self.explainer.reach(self.plan.deadline.name, classes)
        counted = reach.store.combine(
            lambda here, settled, counted: counted if here and settled else (),
            reach.cases(rules),
            reach.settled(rules),
            reach.over_missing(rules)(rules.counts),
        )
        return {one[0] for one in reach.store.values(counted) if one}

    def _rules(self, target: Target | None, fired: set[int], atoms: list[int]) -> tuple[FiredRule, ...]:
        """Return the rules of the deadline that fired, the rules behind their inputs, and the calendar."""
        deadline, policy = self.plan.deadline, self.explainer.policy
        found: dict[str, FiredRule] = {}
        used: set[str] = set()
        for at in sorted(fired):
            rule = deadline.table.rules[at]
            found[rule.id] = FiredRule(
                id=rule.id,
                table=deadline.table.name,
                place=rule.place,
                source=rule.source,
                assumption=rule.assumption,
            )
            used |= {condition.fact for condition in rule.when}
            measure = rule.then[deadline.name]
            if isinstance(measure, Measure) and measure != NOTHING:
                used |= {deadline.amount} if measure.amount is None else set()
                by_region = policy.calendars[measure.calendar].needs_region(measure.unit)
                used |= {deadline.region} if by_region else set()
        for name in used & set(self.plan.reads):
            found |= {rule.id: rule for rule in self.explainer.outcome(name, atoms).rules}
        if target is not None:
            calendar = policy.calendars[target.calendar]
            found[calendar.name] = FiredRule(
                id=calendar.name,
                table=calendar.name,
                place=calendar.place,
                source=calendar.source,
                assumption=calendar.assumption,
            )
        return tuple(sorted(found.values(), key=lambda rule: (rule.place, rule.id)))
