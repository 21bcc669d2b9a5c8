"""The nouns of a difference between two versions. Values; nothing here computes.

A *situation* is one combination of the facts that are sent, as far as the two versions tell any apart: a cell of the
space of both. A *region* is a set of situations that a reader can take in at a glance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.model.answer import VersionRef
from engine.model.conditions import Interval
from engine.model.policy import Literal
from engine.model.problems import Place
from engine.model.targets import Measure


class StateKind(StrEnum):
    """What a version makes of an outcome in a situation."""

    DECIDED = "decided"
    UNDECIDED = "undecided"
    NOT_COVERED = "not_covered"
    REFUSED = "refused"
    """The request is refused: it sends a value that the version does not have (or no table there gives, for what a deadline reads)."""
    ABSENT = "absent"
    """The version does not have the outcome."""


@dataclass(frozen=True, slots=True)
class OutcomeState:
    """An outcome in a situation: its value if it is decided, what is still possible if it is not (None: not covered)."""

    kind: StateKind
    value: Literal | Measure | None = None
    possible: tuple[Literal | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """From one state to another. Of a list, ``before`` has what goes and ``after`` what comes (``in_part``)."""

    before: OutcomeState
    after: OutcomeState
    in_part: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What one fact is in a region: not sent, one of some words or intervals, or (``but``) anything sent except these."""

    fact: str
    unknown: bool
    words: tuple[str, ...] = ()
    spans: tuple[Interval, ...] = ()
    but: tuple[str, ...] = ()
    sent: bool = False
    """Whether every value that can be sent belongs to it; then words, spans and ``but`` are empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffRegion:
    """A set of situations: those in which each of these facts is one of its values, whatever the others are.

    ``changes`` says what happens there and in how many situations; ``example`` is a ticket from it. ``alike`` counts
    the situations in which nothing changes because they were decided so before (regions that sum up have these).
    """

    when: tuple[Values, ...]
    changes: Mapping[Change, int]
    cells: int
    example: Mapping[str, str]
    alike: int = 0


@dataclass(frozen=True, slots=True)
class Follows:
    """An outcome that another one goes by, and in how many situations it is decided differently."""

    outcome: str
    cells: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeDiff:
    """What becomes of one outcome.

    Attributes:
        changes: from what to what, in how many situations; those in which only what is still possible differs are among them.
        regions: each with one change; together exactly the situations decided differently.
        gist: regions by what is decided now (or, if that takes fewer, was decided before); they hold all changes too,
            and beside them only situations in which it was (or stays) decided so anyway.
        inputs: whether the situations are those of what the outcome goes by (deadlines), and not of the facts sent.
        follows: for deadlines, the outcomes they go by that changed.
        terms: for deadlines and rosters, what else changed: calendars, holidays, hours, where they start.
    """

    name: str
    cells: int
    changed: int
    changes: Mapping[Change, int]
    regions: tuple[DiffRegion, ...]
    gist: tuple[DiffRegion, ...]
    inputs: bool = False
    follows: tuple[Follows, ...] = ()
    terms: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether anything about it is decided differently."""
        return bool(self.changed or self.follows or self.terms)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionDiff:
    """What becomes of a decision: its outcomes that are decided differently, and (``terms``) what it answers otherwise."""

    name: str
    answers: tuple[str, ...]
    outcomes: tuple[OutcomeDiff, ...]
    unchanged: tuple[str, ...]
    terms: tuple[str, ...] = ()
    only_before: bool = False
    only_after: bool = False


class Edit(StrEnum):
    """What happened to a part of the text."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One difference of what the text says: of which part, what it was, and what it is; with its places."""

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
        """Where it stands now, or stood."""
        return self.place_after or self.place_before


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """Two versions side by side: what the text says, what may be sent, and what is decided differently; ``two_desks`` if they have nothing to do with each other."""

    before: VersionRef
    after: VersionRef
    wording: tuple[Wording, ...]
    requests: tuple[Wording, ...]
    decisions: tuple[DecisionDiff, ...]
    two_desks: bool = False

    @property
    def same_decisions(self) -> bool:
        """Whether every decision comes out the same in every situation, and the same requests are read the same way."""
        return not self.requests and not self.changed_decisions

    @property
    def changed_decisions(self) -> tuple[DecisionDiff, ...]:
        """The decisions that come out differently somewhere, or that only one version makes."""
        return tuple(one for one in self.decisions if one.outcomes or one.terms or one.only_before or one.only_after)
