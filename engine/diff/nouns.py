"""The nouns of a difference between two versions. Values; nothing here computes.

A *situation* is one combination of the facts that are sent, as far as the two versions tell any apart: a cell of the
space of both. A *region* is a set of situations that a reader can take in at a glance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.model.answer import VersionRef
from engine.model.conditions import NumberInterval
from engine.model.policy import Literal
from engine.model.problems import Place
from engine.model.targets import Measure


class StateKind(StrEnum):
    """The kind of state of an outcome in a situation."""

    DECIDED = "decided"
    UNDECIDED = "undecided"
    NOT_COVERED = "not_covered"
    REFUSED = "refused"
    """The request is rejected.

    It sends a value that the version does not have (or, for a deadline, an outcome has a value that no table of the
    version produces).
    """
    ABSENT = "absent"
    """The version does not have the outcome."""


@dataclass(frozen=True, slots=True)
class OutcomeState:
    """The state of an outcome in a situation: its value if decided, the possible values if not (None: not covered).

    A list is compared item by item; where a whole list appears or goes, it is decided without a value, whatever its
    items are.
    """

    kind: StateKind
    value: Literal | Measure | None = None
    possible: tuple[Literal | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A change from one state to another.

    For items of a list (``in_part``), ``before.value`` has the items that are certain only in the earlier version, and
    ``before.possible`` those that are open only there; ``after`` has the same of the later version. So an item that is
    only in ``after.possible`` was never in the list, and now may be; one in ``before.value`` and ``after.possible``
    was certain.
    """

    before: OutcomeState
    after: OutcomeState
    in_part: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """The values of one fact in a region.

    The fact is not sent, has some words or intervals, or (``but``) is anything sent except these.
    """

    fact: str
    unknown: bool
    words: tuple[str, ...] = ()
    spans: tuple[NumberInterval, ...] = ()
    but: tuple[str, ...] = ()
    sent: bool = False
    """Whether every value that can be sent belongs to it; then words, spans and ``but`` are empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffRegion:
    """A set of situations: those in which each of these facts is one of its values, whatever the others are.

    ``changes`` has the changes with their numbers of situations; ``example`` is a ticket of the region. ``alike``
    counts the situations in which nothing changes (only summarized regions have these).
    """

    when: tuple[Values, ...]
    changes: Mapping[Change, int]
    situations: int
    example: Mapping[str, str]
    alike: int = 0


@dataclass(frozen=True, slots=True)
class Follows:
    """An outcome that another one depends on, and the number of situations in which it changes."""

    outcome: str
    situations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeDiff:
    """The difference of one outcome.

    Attributes:
        changes: each change with its number of situations, including those in which only the possible values differ.
            Several changes of items can happen in the same situation.
        regions: each with one change; together exactly the situations decided differently.
        gist: regions by the later value (or, if that takes fewer, by the earlier one); they contain all changes, and
            otherwise only situations in which nothing changes.
        unnamed: in how many changed situations of ``changes`` no region is named, where naming all would take too many.
        inputs: whether the situations are combinations of what a deadline depends on, and not of the facts sent.
        follows: for deadlines, the changed outcomes that they depend on.
        terms: for deadlines and rosters, what else changed: calendars, holidays, hours, where they start.
        tables: the changed tables on which it depends, by name; none where something else changed it.
    """

    name: str
    situations: int
    changed: int
    changes: Mapping[Change, int]
    regions: tuple[DiffRegion, ...]
    gist: tuple[DiffRegion, ...]
    inputs: bool = False
    follows: tuple[Follows, ...] = ()
    terms: tuple[str, ...] = ()
    unnamed: int = 0
    tables: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether anything about it changes."""
        return bool(self.changed or self.follows or self.terms)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRegion:
    """Situations in which a table's own change leads to one change of its outcome, in the words of the table.

    ``when`` has the values of facts and outcomes that the table reads. ``situations`` counts situations of the facts
    that callers send, and ``example`` is a ticket of one of them.
    """

    when: tuple[Values, ...]
    change: Change
    situations: int
    example: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDiff:
    """What the changed rules of one table change in one of its outcomes, in what the table reads.

    ``situations`` counts all situations of the facts that the table depends on, through the tables that it reads, and
    ``changed`` those in which something changes. ``regions`` may overlap; those in which what the table reads is
    decided come first. ``others`` counts the changed situations in no region, and ``only_possible`` those of them in
    which only what is still possible differs.
    """

    table: str
    outcome: str
    situations: int
    changed: int
    regions: tuple[TableRegion, ...]
    others: int = 0
    only_possible: int = 0
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionDiff:
    """The difference of a decision: names of its outcomes that change, and (``terms``) changes in what it answers."""

    name: str
    answers: tuple[str, ...]
    outcomes: tuple[str, ...]
    unchanged: tuple[str, ...]
    terms: tuple[str, ...] = ()
    only_before: bool = False
    only_after: bool = False


class Edit(StrEnum):
    """How a part of the text changed."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One difference of the text: the part, the text before and after, and the places.

    ``what`` is the statement of the part that changed, "" for the whole part. A statement that a part gained or lost is
    a change of the part, with no text before or after.
    """

    part: str
    name: str
    edit: Edit
    what: str
    before: str = ""
    after: str = ""
    place_before: Place | None = None
    place_after: Place | None = None

    @property
    def place(self) -> Place | None:
        """Its place in the later version, or in the earlier one."""
        return self.place_after or self.place_before


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """The difference of two versions: text, requests and decisions; ``two_desks`` if they belong to different desks.

    ``tables`` has the tables whose own rules change an outcome, each in its own words. ``outcomes`` has every outcome
    that changes, once; ``decisions`` name theirs.
    """

    before: VersionRef
    after: VersionRef
    wording: tuple[Wording, ...]
    requests: tuple[Wording, ...]
    outcomes: tuple[OutcomeDiff, ...]
    decisions: tuple[DecisionDiff, ...]
    two_desks: bool = False
    tables: tuple[TableDiff, ...] = ()

    @property
    def same_decisions(self) -> bool:
        """Whether every decision is the same in every situation, and requests are read the same way."""
        return not self.requests and not self.changed_decisions

    @property
    def changed_decisions(self) -> tuple[DecisionDiff, ...]:
        """The decisions that change somewhere, or that only one version makes."""
        return tuple(one for one in self.decisions if one.outcomes or one.terms or one.only_before or one.only_after)

    def outcomes_of(self, decision: DecisionDiff) -> tuple[OutcomeDiff, ...]:
        """Return the outcomes of a decision that change, in the order of the decision."""
        found = {one.name: one for one in self.outcomes}
        return tuple(found[name] for name in decision.outcomes)

    def decisions_with(self, outcome: str) -> tuple[str, ...]:
        """Return the names of the decisions that show an outcome that changes."""
        return tuple(one.name for one in self.decisions if outcome in one.outcomes)
