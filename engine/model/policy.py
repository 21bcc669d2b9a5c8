"""A policy as its YAML files declare it.

Frozen values without behaviour beyond simple look-ups. Each has the place where it is declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from engine.clock.calendar import HolidayList
from engine.model.conditions import Condition
from engine.model.invariants import Invariant
from engine.model.problems import Place
from engine.model.targets import Counting, Measure, Region, Unit, WrittenCalendar
from engine.model.vocabulary import Fact

Literal = str | bool | float | int | tuple[str, ...] | datetime
"""A value that an outcome can have: a word or text, yes or no, a number, a list of texts, or an instant in UTC."""


class HitPolicy(StrEnum):
    """How a table combines the rules that fire together (the terms of DMN)."""

    UNIQUE = "unique"
    FIRST = "first"
    COLLECT = "collect"


class Form(StrEnum):
    """The form in which a table is written."""

    RULES = "rules"
    MATRIX = "matrix"
    ENTRIES = "entries"


@dataclass(frozen=True, slots=True)
class SameAs:
    """An outcome that takes the value of a tested fact."""

    fact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When these conditions hold, these are the outcomes."""

    id: str
    when: tuple[Condition, ...]
    then: Mapping[str, Literal | SameAs | Measure]
    source: str
    assumption: str
    about: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """The layout of a table written as a matrix, with its headings for display."""

    down: str
    across: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One decision table.

    ``otherwise`` is the rule for cases that no other rule covers. ``has_otherwise`` is also true for ``otherwise:
    not_covered``: then these cases have no answer on purpose.
    """

    name: str
    about: str
    hit: HitPolicy
    form: Form
    produces: tuple[str, ...]
    rules: tuple[Rule, ...]
    otherwise: Rule | None
    has_otherwise: bool
    matrix: Matrix | None
    source: str
    place: Place

    @property
    def reads(self) -> tuple[str, ...]:
        """The facts and outcomes that its rules test, by name."""
        return tuple(sorted({condition.fact for rule in self.rules for condition in rule.when}))

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """Its rules in the order in which they are tried; ``otherwise`` is the last if it has outcomes."""
        return (*self.rules, *((self.otherwise,) if self.otherwise else ()))


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """One place of a roster, with its time zone."""

    value: str
    zone: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Places that take turns, each during its own daytime (local minutes of the day, half open)."""

    name: str
    about: str
    at: str
    opens: int
    closes: int
    entries: tuple[RosterEntry, ...]
    produces: str
    source: str
    assumption: str
    place: Place


class WhenPast(StrEnum):
    """The state of a deadline once its instant has passed."""

    BREACHED = "breached"
    """A promise was not kept."""
    PASSED = "passed"
    """A period has ended."""


@dataclass(frozen=True, slots=True)
class AtRisk:
    """The remaining time at which a deadline is at risk: a share of all its business time, or minutes of it."""

    share: float | None
    minutes: float | None
    assumption: str


@dataclass(frozen=True, slots=True)
class Holds:
    """Whether time on hold extends a deadline."""

    extend: bool
    assumption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """An outcome that is an instant: an amount of time by a calendar after another instant.

    ``table`` selects the measure; it reads facts and outcomes of tables. ``amount`` and ``region`` are the outcomes
    with the number of units and the region ("" for none); ``met`` is the fact with the instant at which it was met.
    """

    name: str
    about: str
    starts: str
    met: str
    amount: str
    region: str
    when_past: WhenPast
    at_risk: AtRisk | None
    holds: Holds
    table: Table
    place: Place

    @property
    def goes_by(self) -> tuple[str, ...]:
        """The outcomes and facts that it reads, beside the instant from which time counts."""
        return tuple(dict.fromkeys((*self.table.reads, *filter(None, (self.amount, self.region)))))

    @property
    def calendars(self) -> frozenset[str]:
        """The calendars by which its time counts."""
        measures = (value for rule in self.table.rules for value in rule.then.values())
        return frozenset(one.calendar for one in measures if isinstance(one, Measure) and one.calendar)


@dataclass(frozen=True, slots=True, kw_only=True)
class Elapsed:
    """A number fact that is derived if it is not sent: the time that has passed since an instant."""

    fact: str
    since: str
    unit: Unit
    rule: str
    counting: Counting
    calendar: str
    region: str
    source: str
    assumption: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A decision: the outcomes that answer it, and those that it reports as well."""

    name: str
    about: str
    owner: str
    answers: tuple[str, ...]
    beside: tuple[str, ...]
    place: Place

    @property
    def outcomes(self) -> tuple[str, ...]:
        """All outcomes, the answering ones first."""
        return self.answers + self.beside


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A statement that is missing from the source text, with the reason why it is assumed."""

    id: str
    reason: str
    source: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """A contradiction in the source text, and the reading that was chosen."""

    id: str
    question: str
    reading: str
    source: str
    rules: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Notice:
    """A standing notice that travels with decisions."""

    text: str
    source: str
    assumption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The number of a version, its first instant in force, and its source text.

    ``effective_from`` has the offset in the file, so that its date is the intended one. ``formerly`` are earlier names
    of the desk, and ``name_place`` is the place of its name.
    """

    name: str
    version: str
    effective_from: datetime
    source: str
    owner: str
    triage: tuple[str, ...]
    notice: Notice | None
    place: Place
    name_place: Place
    formerly: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A whole policy version. Its tables are in the order in which they can be evaluated."""

    manifest: Manifest
    facts: Mapping[str, Fact]
    outcomes: Mapping[str, Fact]
    tables: Mapping[str, Table]
    rosters: Mapping[str, Roster]
    decisions: Mapping[str, Decision]
    assumptions: tuple[Assumption, ...]
    questions: tuple[OpenQuestion, ...]
    calendars: Mapping[str, WrittenCalendar] = field(default_factory=dict)
    regions: Mapping[str, Region] = field(default_factory=dict)
    holidays: Mapping[str, HolidayList] = field(default_factory=dict)
    deadlines: Mapping[str, Deadline] = field(default_factory=dict)
    elapsed: Mapping[str, Elapsed] = field(default_factory=dict)
    invariants: tuple[Invariant, ...] = ()

    @property
    def all_tables(self) -> tuple[Table, ...]:
        """The decision tables, and the tables of the deadlines."""
        return (*self.tables.values(), *(deadline.table for deadline in self.deadlines.values()))

    def named(self, name: str) -> Fact:
        """Return the fact or outcome of this name."""
        return self.facts.get(name) or self.outcomes[name]
