"""The nouns of a replay: past tickets as columns, and their decisions on two sides. Values; nothing here computes.

*Before* is the earlier decision of a ticket: as it was recorded, or as another version decides it. *After* is the
decision of the version under trial.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.columns.fact_columns import Instants, SentColumn, Words
from engine.diff.nouns import Change, OutcomeState, StateKind, Values
from engine.model.answer import VersionRef
from engine.request.moment import Hold


@dataclass(frozen=True, slots=True)
class OutcomeColumn:
    """A recorded outcome as a column: ``codes`` are positions in ``states``.

    A negative code means that nothing is recorded.
    """

    codes: NDArray[np.integer[Any]]
    states: tuple[OutcomeState, ...]

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDecisions:
    """The recorded decisions of tickets: a column for each outcome and deadline with recorded values.

    Attributes:
        outcomes: by the name of the outcome.
        due: by the name of the deadline; ``given`` is false if nothing was due, or nothing was decided.
        dated: by the name of the deadline, the rows in which it is recorded; without, all rows.
        digest: the version under which all of them were decided, or "" if that is not known.
        within: by the name of an outcome that is a number, or of a deadline (in microseconds): the tolerance within
            which a decision counts as the recorded one.
    """

    outcomes: Mapping[str, OutcomeColumn] = field(default_factory=dict)
    due: Mapping[str, Instants] = field(default_factory=dict)
    dated: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    digest: str = ""
    within: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some tickets of a source, in its order.

    Attributes:
        size: how many.
        facts: what was sent, a column for each fact.
        now: the instant at which each was decided, or all were.
        rows: the number of each row in its source, from 1; rejected rows keep their number.
        names: the name of each row in the source.
        holds: the holds on a ticket, by its position in the chunk.
        recorded: the recorded decisions, if the source has them.
        tickets: a number for the ticket that each row belongs to (0: it has no name), if the source names tickets.
        ticket_names: the names of these tickets, if they differ from the names of the rows.
    """

    size: int
    facts: Mapping[str, SentColumn]
    rows: NDArray[np.int64]
    now: Instants | datetime | None = None
    names: Words | None = None
    holds: Mapping[int, tuple[Hold, ...]] = field(default_factory=dict)
    recorded: RecordedDecisions | None = None
    tickets: NDArray[np.uint64] | None = None
    ticket_names: Words | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row of a source that cannot be decided: its number, its name, the error, and its content.

    ``field`` names the wrong column or fact, if there is one. ``content`` is the row as text, for the file that keeps
    it.
    """

    row: int
    name: str
    field: str
    message: str
    content: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A ticket that changes.

    It has its row and name in the source, its facts as arguments of ``guidepost eval``, and its ``now`` ("": none).
    """

    row: int
    name: str
    facts: Mapping[str, str]
    now: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRegion:
    """Tickets described by a few facts, and how many of them change.

    With several versions, these are the tickets that ``version`` decided.
    """

    when: tuple[Values, ...]
    tickets: int
    changed: int
    changes: Mapping[Change, int]
    examples: tuple[Example, ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeReplay:
    """The replay of one outcome: how many tickets both sides decide, how many change, and how.

    ``matrix`` counts tickets from each state to each, unchanged ones included. Without a before, it counts the present
    decisions as unchanged. ``regions`` together contain every ticket that changes, except ``elsewhere``: those beyond
    the limit on situations, or with values that neither version can place. ``near`` tickets differ from the record, but
    within the tolerance.
    """

    name: str
    tickets: int
    changed: int
    matrix: Mapping[Change, int]
    regions: tuple[TicketRegion, ...] = ()
    examples: Mapping[Change, tuple[Example, ...]] = field(default_factory=dict)
    elsewhere: int = 0
    near: int = 0

    @property
    def one_sided(self) -> bool:
        """Whether only one side has this outcome: a difference of the versions, and not of a ticket."""
        changing = [change for change in self.matrix if change.before != change.after]
        return bool(changing) and (
            all(one.before.kind is StateKind.ABSENT for one in changing)
            or all(one.after.kind is StateKind.ABSENT for one in changing)
        )


@dataclass(frozen=True, slots=True)
class DueShift:
    """How many due times move by an amount from ``least`` to below ``most``; negative is earlier. None: unlimited."""

    least: timedelta | None
    most: timedelta | None
    tickets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineReplay:
    """The replay of one deadline.

    ``tickets`` are those that both sides decide; ``both`` of them are due before and after. Of these,
    ``earlier`` and ``later`` move; ``appear`` are due only after, ``vanish`` only before. ``shifts`` count the moves.
    ``near`` differ from the recorded instant, but within the tolerance: they do not count as moved.
    """

    name: str
    tickets: int
    both: int
    earlier: int
    later: int
    appear: int
    vanish: int
    shifts: tuple[DueShift, ...] = ()
    mean: timedelta | None = None
    most_earlier: timedelta | None = None
    most_later: timedelta | None = None
    examples: tuple[Example, ...] = ()
    near: int = 0

    @property
    def changed(self) -> int:
        """How many are due at another instant, or only on one side."""
        return self.earlier + self.later + self.appear + self.vanish


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The tickets with one value of a fact ("" if it was not sent): how many, how many change, and by outcome."""

    value: str
    tickets: int
    changed: int
    outcomes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """The number of distinct tickets.

    ``tickets`` are all, ``repeated`` those with several rows; ``exact`` is false if both are estimates. ``examples``
    are
    the names of some of these, each with the number of its rows.
    """

    tickets: int
    repeated: int
    exact: bool = True
    examples: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A source replayed against a version.

    Attributes:
        after: the version under trial.
        before: the versions of the earlier decisions, if known: digest to number of tickets.
        recorded: whether the earlier decisions are those of the source, and not of another version.
        rows: all rows of the source; decided ones are ``tickets``, the others ``unread``.
        compared: the tickets that both sides decide; for the others, nothing was recorded.
        changed: the tickets that differ: in a deadline, or in an outcome that is not the same for every ticket.
        unread: how many rows could not be read, by error.
        outcomes, deadlines: the replay of each, those that change most first.
        groups: by fact, the values with most changes first.
        alike: the outcomes that change for every ticket in the same way: constant texts, and outcomes of one side only.
            A ticket does not count as changed because of them.
        decided: how many tickets each version decided, by its number, if each ticket is decided by the version in
            force.
        repeats: the distinct tickets, if some have several rows; None if none has, or it is unknown.
    """

    after: VersionRef
    before: Mapping[str, int]
    recorded: bool
    rows: int
    tickets: int
    changed: int
    unread: Mapping[str, int]
    outcomes: tuple[OutcomeReplay, ...]
    deadlines: tuple[DeadlineReplay, ...]
    groups: Mapping[str, tuple[Group, ...]] = field(default_factory=dict)
    compared: int = 0
    alike: tuple[str, ...] = ()
    decided: Mapping[str, int] = field(default_factory=dict)
    repeats: Repeats | None = None

    @property
    def equal(self) -> bool:
        """Whether something was compared, and nothing changes at all."""
        return bool(self.compared) and not self.changed and not any(one.changed for one in self.outcomes)
