"""Which target a deadline has for a ticket: how much time, by which calendar, in which region, by which rules.

A deadline's own table reads outcomes of other tables, so its diagram is not over sent facts. Its inputs are looked up
in those tables instead. Where an input is undecided, every value that it can still have is tried. Inputs from one table
are tried together, and a fact that several inputs read has the same value for all of them, so that no impossible
combination counts as possible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from operator import eq, or_
from typing import Final

from engine.cache import Cache
from engine.model.answer import FiredRule, Outcome, Status
from engine.model.policy import Deadline, Literal, Policy, Rule
from engine.model.targets import NOTHING, Measure, Target
from engine.model.vocabulary import NO, YES
from engine.tables.atoms import Atoms
from engine.tables.explain import Explainer
from engine.tables.partition import Partition
from engine.tables.rule_diagram import RuleDiagram

MAX_SCHEDULES: Final = 5_000
"""How many schedules a deadline caches."""


class _Pending:
    """An input that is not decided yet."""


PENDING: Final = _Pending()

Value = Literal | None | _Pending
"""The value of an input; None if it is not covered, or a fact that is not sent and never will be."""

Values = Mapping[str, Value]


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
        rules: its own table, over the facts and outcomes that it reads.
        parts: the classes of these that its table distinguishes.
        reads: the outcomes that it reads.
        facts: the sent facts that it reads itself, with their slots in a ticket.
        depends: all sent facts that it depends on, directly or through outcomes.
        key_of: returns the atoms of these facts from the atoms of a ticket.
    """

    deadline: Deadline
    rules: RuleDiagram
    parts: Mapping[str, Partition]
    reads: tuple[str, ...]
    facts: Mapping[str, int]
    depends: tuple[str, ...]
    key_of: Callable[[list[int]], object]

    def __repr__(self) -> str:
        return f"DeadlinePlan({self.deadline.name})"


class Scheduler:
    """Finds the schedules of one deadline, and caches them by the facts that they depend on.

    Several threads may use one scheduler: it changes only its cache.
    """

    __slots__ = ("_schedules", "atoms", "explainer", "plan")

    def __init__(self, plan: DeadlinePlan, atoms: Mapping[str, Atoms], explainer: Explainer) -> None:
        self.plan, self.atoms, self.explainer = plan, atoms, explainer
        self._schedules: Cache[object, Schedule] = Cache(MAX_SCHEDULES)

    def __repr__(self) -> str:
        return f"Scheduler({self.plan.deadline.name})"

    @property
    def policy(self) -> Policy:
        """The policy of the deadline."""
        return self.explainer.policy

    def schedule(self, atoms: list[int]) -> Schedule:
        """Return the schedule of a ticket with these atoms."""
        key = self.plan.key_of(atoms)
        return self._schedules.get(key) or self._schedules.put(key, _Case(self, atoms).schedule())

    def targets(self, atoms: list[int]) -> frozenset[Target | None]:
        """Return every target that a ticket with these atoms can still have (None: nothing is due)."""
        return _Case(self, atoms).targets()


class _Case:
    """One combination of the facts that a deadline depends on, and the combinations that it can still become."""

    def __init__(self, scheduler: Scheduler, atoms: list[int]) -> None:
        self._scheduler, self._plan, self.atoms = scheduler, scheduler.plan, atoms
        self.fired: dict[Target | None, dict[int, None]] = {}
        self._met: dict[object, frozenset[Target | None]] = {}

    def schedule(self) -> Schedule:
        found = self._reached(self.atoms)
        if len(found) > 1:
            ordered = tuple(sorted(target for target in found if target is not None)) + (
                (None,) if None in found else ()
            )
            return Schedule(status=Status.UNDECIDED, target=None, possible=ordered, missing=self._missing(), rules=())
        target = next(iter(found))
        return Schedule(
            status=Status.NOT_COVERED if target is None else Status.DECIDED,
            target=target,
            possible=(),
            missing=(),
            rules=self._rules(target),
        )

    def targets(self) -> frozenset[Target | None]:
        return self._reached(self.atoms)

    def _reached(self, atoms: list[int]) -> frozenset[Target | None]:
        """Return every target that is possible, whatever the pending inputs turn out to be."""
        key = self._plan.key_of(atoms)
        if key not in self._met:
            values = self._values(atoms)
            rule, pending = self._fires(values)
            if pending:
                self._met[key] = frozenset().union(
                    *(self._reached(known) for group in self._groups(pending) for known in self._known(group, atoms))
                )
            else:
                target = self._target(rule, values)
                self.fired.setdefault(target, {}).update({rule: None} if rule >= 0 else {})
                self._met[key] = frozenset({target})
        return self._met[key]

    def _outcome(self, name: str, atoms: list[int]) -> Outcome:
        return self._scheduler.explainer.outcome(name, atoms)

    def _values(self, atoms: list[int]) -> Values:
        outcomes = {name: self._outcome(name, atoms) for name in self._plan.reads}
        values: dict[str, Value] = {
            name: PENDING if one.status is Status.UNDECIDED else one.value for name, one in outcomes.items()
        }
        return values | {
            name: _sample(self._scheduler.atoms[name], atoms[slot]) for name, slot in self._plan.facts.items()
        }

    def _fires(self, values: Values) -> tuple[int, tuple[str, ...]]:
        """Return the rule that fires (-1: none), and the pending inputs that can still change the target."""
        plan = self._plan
        own = plan.rules
        classes = {
            name: plan.parts[name].class_of[_atom(self._scheduler.atoms[name], values[name])]
            for name in own.store.facts
        }
        counted = own.store.value_at(own.counts, classes)
        pending = {
            name for name, waits in own.waits.items() if values[name] is PENDING and own.store.value_at(waits, classes)
        }
        used = self._used(counted[0]) if counted else ()
        pending.update(name for name in used if values[name] is PENDING)
        return (counted[0] if counted else -1), tuple(sorted(pending))

    def _measure(self, rule: int) -> Measure:
        measure = self._rule(rule).then[self._plan.deadline.name]
        if not isinstance(measure, Measure):
            raise TypeError(
                f"expected a measure in each rule of the deadline `{self._plan.deadline.name}`, got {measure!r}"
            )
        return measure

    def _rule(self, rule: int) -> Rule:
        return self._plan.deadline.table.rules[rule]

    def _used(self, rule: int) -> tuple[str, ...]:
        """Return the outcomes that a rule reads its amount and its region from."""
        measure = self._measure(rule)
        if measure == NOTHING:
            return ()
        region = self._scheduler.policy.calendars[measure.calendar].needs_region(measure.unit)
        return (
            *([self._plan.deadline.amount] if measure.amount is None else []),
            *([self._plan.deadline.region] if region else []),
        )

    def _target(self, rule: int, values: Values) -> Target | None:
        """Return the target of a rule; None if nothing is due, or its amount or region is not covered."""
        measure = self._measure(rule) if rule >= 0 else NOTHING
        if measure == NOTHING:
            return None
        amount = values[self._plan.deadline.amount] if measure.amount is None else measure.amount
        region = values.get(self._plan.deadline.region) if self._plan.deadline.region else None
        if not isinstance(amount, (int, float)) or (
            region is None and self._scheduler.policy.calendars[measure.calendar].needs_region(measure.unit)
        ):
            return None
        return Target(
            amount=amount,
            unit=measure.unit,
            rule=measure.rule,
            calendar=measure.calendar,
            region=region if isinstance(region, str) else "",
        )

    def _groups(self, names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        """Group pending inputs by the table that produces them, each with the other inputs from that table."""
        groups = {}
        for name in names:
            table = self._scheduler.explainer.producer.get(name, name)
            groups[table] = tuple(
                other
                for other in (*self._plan.reads, *self._plan.facts)
                if self._scheduler.explainer.producer.get(other, other) == table
            )
        return tuple(groups.values())

    def _known(self, group: tuple[str, ...], atoms: list[int]) -> Iterator[list[int]]:
        """Yield the atoms that a ticket can still have once the missing facts of a group are known.

        One ticket stands for all that no input distinguishes.
        """
        name = group[0]
        if name in self._plan.facts:
            yield from (_with(atoms, {self._plan.facts[name]: atom}) for atom in self._distinct(name)[1:])
            return
        slots = self._scheduler.explainer.slots
        for case in self._decided_cases(group, atoms):
            choices = [
                [(slots[fact], atom) for atom in self._distinct(fact, one)]
                for fact, one in case.items()
                if one and not atoms[slots[fact]]
            ]
            yield from (_with(atoms, dict(chosen)) for chosen in product(*choices))

    def _decided_cases(self, names: tuple[str, ...], atoms: list[int]) -> Iterator[dict[str, int]]:
        """Yield cases, each as classes of facts, that can result and decide these outcomes of one table.

        One case stands for all that have the same outcomes and the same facts that other inputs read, too.
        """
        explainer = self._scheduler.explainer
        table = explainer.producer[names[0]]
        drawn = explainer.chains.maker[names[0]]
        if drawn.rules is None:
            raise TypeError(f"expected a table whose rules do not collect, got `{table}`")
        reach = explainer.reach(table, explainer.classes(table, atoms))
        store = reach.store
        decided = store.combine(
            lambda here, *codes: codes if here and all(isinstance(code, int) for code in codes) else None,
            reach.cases(drawn.rules),
            *(reach.restricted(drawn.possible[name]) for name in names),
        )
        shared = [fact for fact in store.facts if fact in self._others(table)]
        for codes in sorted(one for one in store.values(decided) if one is not None):
            where = store.map(partial(eq, codes), decided)
            for way, holds in store.paths(store.some(where, set(store.facts) - set(shared), or_)):
                if holds:
                    ranges = [way.get(fact, range(store.sizes[store.level[fact]])) for fact in shared]
                    for classes in product(*ranges):
                        held = dict(zip(shared, classes, strict=True))
                        yield reach.first(store.restrict(where, held)) | held

    def _others(self, table: str) -> set[str]:
        """Return the facts that inputs from other tables depend on, or that the deadline reads itself."""
        explainer = self._scheduler.explainer
        tables = {explainer.producer[name] for name in self._plan.reads} - {table}
        return set(self._plan.facts).union(*(explainer.chains.of(one).facts for one in tables))

    def _distinct(self, fact: str, one: int | None = None) -> list[int]:
        """Return one atom of a fact for each set of atoms that no input distinguishes, of all classes or of one."""
        parts = [self._scheduler.explainer.diagrams.parts.get(fact), self._plan.parts.get(fact)]
        told = [part.class_of for part in parts if part is not None]
        among = range(len(told[0])) if one is None else [at for at, other in enumerate(told[0]) if other == one]
        return sorted({tuple([classes[atom] for classes in told]): atom for atom in reversed(among)}.values())

    def _missing(self) -> tuple[str, ...]:
        """Return the missing facts that can change the target."""
        found: set[str] = set()
        groups = self._groups(tuple(name for name, value in self._values(self.atoms).items() if value is PENDING))
        counting = [
            group for group in groups if len({self._reached(known) for known in self._known(group, self.atoms)}) > 1
        ]
        for name in (name for group in counting or groups for name in group):
            found |= set(self._outcome(name, self.atoms).missing) if name in self._plan.reads else {name}
        return tuple(sorted(found))

    def _rules(self, target: Target | None) -> tuple[FiredRule, ...]:
        """Return the rules of the deadline that fired, the rules behind their inputs, and the calendar."""
        found: dict[str, FiredRule] = {}
        used: set[str] = set()
        for at in self.fired[target]:
            rule = self._rule(at)
            found[rule.id] = FiredRule(
                id=rule.id,
                table=self._plan.deadline.table.name,
                place=rule.place,
                source=rule.source,
                assumption=rule.assumption,
            )
            used |= {condition.fact for condition in rule.when} | set(self._used(at))
        for name in used & set(self._plan.reads):
            found |= {rule.id: rule for rule in self._outcome(name, self.atoms).rules}
        if target is not None:
            calendar = self._scheduler.policy.calendars[target.calendar]
            found[calendar.name] = FiredRule(
                id=calendar.name,
                table=calendar.name,
                place=calendar.place,
                source=calendar.source,
                assumption=calendar.assumption,
            )
        return tuple(sorted(found.values(), key=lambda rule: (rule.place, rule.id)))


def _with(atoms: list[int], known: Mapping[int, int]) -> list[int]:
    return [known.get(slot, atom) for slot, atom in enumerate(atoms)]


def _sample(atoms: Atoms, atom: int) -> Value:
    return atoms.samples[atom - 1] if atom else PENDING


def _atom(atoms: Atoms, value: Value) -> int:
    if value is None or isinstance(value, _Pending):
        return 0
    if isinstance(value, bool):
        return atoms.of(YES if value else NO)
    if isinstance(value, (str, int, float)):
        return atoms.of(value)
    raise TypeError(f"expected a value that a table can read, got {value!r}")
