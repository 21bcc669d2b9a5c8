"""What a deadline goes by for a ticket: how much time, by which calendar, in which region, by which rules.

A deadline's own table reads what other tables decide, so it is not laid out over sent facts: its inputs are looked up
there, and where they are undecided, everything that they can still become is gone through. Inputs that one table gives
are taken together, and a fact that several inputs read is the same for all of them, so that nothing is held possible
that is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Final

import numpy as np

from engine.cache import Cache
from engine.model.answer import Fired, Outcome, Status
from engine.model.policy import Deadline, Literal, Policy, Rule
from engine.model.targets import NOTHING, Measure, Target
from engine.model.vocabulary import NO, YES
from engine.request.lookup import OutcomeLookup
from engine.tables.classes import Atoms, Axis
from engine.tables.explain import Explainer
from engine.tables.tabulate import Grid

MAX_KEPT: Final = 5_000
"""How many schedules a deadline keeps."""


class _Pending:
    """An input that is not decided yet."""


PENDING: Final = _Pending()

Value = Literal | None | _Pending
"""What an input is: a value, nothing on purpose (not covered, or a fact that is not sent and never will be), or pending."""

Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What a deadline goes by: a target if it is decided; otherwise what is still possible (None: nothing is due)."""

    status: Status
    target: Target | None
    possible: tuple[Target | None, ...]
    missing: tuple[str, ...]
    rules: tuple[Fired, ...]


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Scheduler:
    """Finds the schedule of one deadline. What it keeps changes nothing but the time that takes.

    ``lookups`` tells where the outcomes it reads stand; ``facts`` are the sent facts it reads itself, with their places
    in a ticket; ``key_of`` takes all facts that it ``depends`` on out of a ticket.
    """

    deadline: Deadline
    policy: Policy
    grid: Grid
    lookups: Mapping[str, OutcomeLookup]
    facts: Mapping[str, int]
    depends: tuple[str, ...]
    key_of: Callable[[list[int]], object]
    explainer: Explainer
    atoms: Mapping[str, Atoms]
    kept: Cache[object, Schedule] = field(default_factory=lambda: Cache(MAX_KEPT), repr=False, compare=False)

    def __repr__(self) -> str:
        return f"Scheduler({self.deadline.name})"

    def schedule(self, atoms: list[int]) -> Schedule:
        """Return the schedule of a ticket."""
        key = self.key_of(atoms)
        found = self.kept.get(key)
        if found is None:
            found = self.kept.keep(key, _Case(self, atoms).schedule())
        return found

    def targets(self, atoms: list[int]) -> frozenset[Target | None]:
        """Return the target of a ticket, or all that are still possible (None: nothing is due), without their reasons."""
        return _Case(self, atoms).targets()


class _Case:
    """One combination of the facts that a deadline depends on, and those that it can still become."""

    def __init__(self, scheduler: Scheduler, atoms: list[int]) -> None:
        self.s, self.atoms = scheduler, atoms
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
        """Return every target that what is pending can lead to."""
        key = self.s.key_of(atoms)
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
        return self.s.explainer.outcome(name, self.s.lookups[name].cell(atoms))

    def _values(self, atoms: list[int]) -> Values:
        outcomes = {name: self._outcome(name, atoms) for name in self.s.lookups}
        values: dict[str, Value] = {
            name: PENDING if one.status is Status.UNDECIDED else one.value for name, one in outcomes.items()
        }
        return values | {name: _sample(self.s.atoms[name], atoms[slot]) for name, slot in self.s.facts.items()}

    def _fires(self, values: Values) -> tuple[int, tuple[str, ...]]:
        """Return the rule that fires (-1: none), and the pending inputs that could change what comes of it."""
        grid = self.s.grid
        cell = tuple(int(axis.class_of[_atom(self.s.atoms[axis.fact], values[axis.fact])]) for axis in grid.axes)
        entry = grid.rule_set_of[cell].item() if cell else int(grid.rule_set_of)
        pending = {
            axis.fact
            for at, axis in enumerate(grid.axes)
            if values[axis.fact] is PENDING and not grid.names_unknown[entry, at]
        }
        counted = grid.rule_sets[entry]
        used = self._used(counted[0]) if counted else ()
        pending.update(name for name in used if values[name] is PENDING)
        return (counted[0] if counted else -1), tuple(sorted(pending))

    def _measure(self, rule: int) -> Measure:
        measure = self._rule(rule).then[self.s.deadline.name]
        if not isinstance(measure, Measure):
            raise TypeError(f"{self.s.deadline.name} gives no measure")
        return measure

    def _rule(self, rule: int) -> Rule:
        return self.s.grid.table.rules[rule]

    def _used(self, rule: int) -> tuple[str, ...]:
        """Return the outcomes that a rule's measure takes its amount and its region from."""
        measure = self._measure(rule)
        if measure == NOTHING:
            return ()
        region = self.s.policy.calendars[measure.calendar].needs_region(measure.unit)
        return (
            *([self.s.deadline.amount] if measure.amount is None else []),
            *([self.s.deadline.region] if region else []),
        )

    def _target(self, rule: int, values: Values) -> Target | None:
        """Return what a rule comes to; None if nothing is due, or an amount or a region is not covered."""
        measure = self._measure(rule) if rule >= 0 else NOTHING
        if measure == NOTHING:
            return None
        amount = values[self.s.deadline.amount] if measure.amount is None else measure.amount
        region = values.get(self.s.deadline.region) if self.s.deadline.region else None
        if not isinstance(amount, (int, float)) or (
            region is None and self.s.policy.calendars[measure.calendar].needs_region(measure.unit)
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
        """Put pending inputs that one table gives together, with what else that table gives here."""
        groups = {}
        for name in names:
            table = self.s.explainer.producer.get(name, name)
            groups[table] = tuple(
                other
                for other in (*self.s.lookups, *self.s.facts)
                if self.s.explainer.producer.get(other, other) == table
            )
        return tuple(groups.values())

    def _known(self, group: tuple[str, ...], atoms: list[int]) -> Iterator[list[int]]:
        """Yield the ticket as it can become by the facts that a group still waits for.

        Facts are only told apart by what they do to the group, and by what they are if other inputs read them too.
        """
        name, explainer = group[0], self.s.explainer
        if name in self.s.facts:
            axis = next(axis for axis in self.s.grid.axes if axis.fact == name)
            yield from (
                _with(atoms, {self.s.facts[name]: atom})
                for atom in self._apart(name, axis, range(1, len(axis.class_of)))
            )
            return
        partial = explainer.partial_tables[explainer.producer[name]]
        slots = self.s.lookups[name].slots
        shared = frozenset(axis.fact for axis in partial.axes if self._readers(axis.fact, partial.axes))
        for cell in explainer.ways_on(group, self.s.lookups[name].cell(atoms), shared):
            choices = []
            for axis, slot, at in zip(partial.axes, slots, cell, strict=True):
                if atoms[slot] == 0 and at:
                    members = (
                        np.flatnonzero(axis.class_of == at).tolist() if axis.fact in shared else [axis.members[at]]
                    )
                    choices.append([(slot, atom) for atom in self._apart(axis.fact, axis, members)])
            yield from (_with(atoms, dict(chosen)) for chosen in product(*choices))

    def _apart(self, fact: str, axis: Axis, members: Iterable[int]) -> Iterable[int]:
        """Of the atoms of a fact, keep one of those that no input tells apart."""
        readers = [axis, *self._readers(fact, ())]
        return {tuple(int(one.class_of[atom]) for one in readers): atom for atom in members}.values()

    def _readers(self, fact: str, own: tuple[Axis, ...]) -> list[Axis]:
        """Return the axes by which other inputs tell a fact apart."""
        partial_tables = {
            self.s.explainer.producer[name]: self.s.explainer.partial_tables[self.s.explainer.producer[name]]
            for name in self.s.lookups
        }
        axes = [
            axis
            for partial in partial_tables.values()
            if partial.axes is not own
            for axis in partial.axes
            if axis.fact == fact
        ]
        return axes + [axis for axis in self.s.grid.axes if axis.fact == fact and fact in self.s.facts]

    def _missing(self) -> tuple[str, ...]:
        """Return the facts that are not known and can change the target."""
        found: set[str] = set()
        groups = self._groups(tuple(name for name, value in self._values(self.atoms).items() if value is PENDING))
        counting = [
            group for group in groups if len({self._reached(known) for known in self._known(group, self.atoms)}) > 1
        ]
        for name in (name for group in counting or groups for name in group):
            found |= set(self._outcome(name, self.atoms).missing) if name in self.s.lookups else {name}
        return tuple(sorted(found))

    def _rules(self, target: Target | None) -> tuple[Fired, ...]:
        """Return the rules of the deadline that fired, those behind what they read, and the calendar."""
        found: dict[str, Fired] = {}
        used: set[str] = set()
        for at in self.fired[target]:
            rule = self._rule(at)
            found[rule.id] = Fired(
                id=rule.id,
                table=self.s.grid.table.name,
                place=rule.place,
                source=rule.source,
                assumption=rule.assumption,
            )
            used |= {condition.fact for condition in rule.when} | set(self._used(at))
        for name in used & set(self.s.lookups):
            found |= {rule.id: rule for rule in self._outcome(name, self.atoms).rules}
        if target is not None:
            written = self.s.policy.calendars[target.calendar]
            found[written.name] = Fired(
                id=written.name,
                table=written.name,
                place=written.place,
                source=written.source,
                assumption=written.assumption,
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
