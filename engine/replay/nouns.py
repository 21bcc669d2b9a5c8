"""The nouns of a replay: past tickets as columns, and what two ways of deciding them make of each. Values; nothing here computes.

*Before* is how a ticket was decided: as somebody recorded it, or as another version decides it. *After* is what the
version under trial decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.columns.sent import Instants, SentColumn, Words
from engine.diff.nouns import Change, OutcomeState, StateKind, Values
from engine.model.answer import VersionRef
from engine.request.moment import Hold


@dataclass(frozen=True, slots=True)
class OutcomeColumn:
    """An outcome as it was recorded: ``codes`` are positions in ``states``; a negative code says that nothing is recorded."""

    codes: NDArray[np.integer[Any]]
    states: tuple[OutcomeState, ...]

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """How tickets were decided at the time: a column for each outcome and deadline of which anything is recorded.

    Attributes:
        outcomes: by the name of the outcome.
        due: by the name of the deadline; ``given`` is false where none was due, or none was decided.
        dated: by the name of the deadline, where anything is recorded of it at all; without, everywhere.
        digest: the version under which all of them were decided, or "" if that is not known.
        within: by the name of an outcome that is a number, or of a deadline (in microseconds): how far what is decided now
            may be from what is recorded, and still be the same.
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
        rows: the number of each in its source, from 1; what cannot be read leaves out its number.
        names: what the source calls each ticket.
        holds: the holds on a ticket, by its position here; most have none.
        recorded: how they were decided, if the source says so.
        tickets: a number for the ticket that each row belongs to (0: it has no name), if the source names tickets.
        ticket_names: what the source calls these tickets, if that is not what it calls its rows.
    """

    size: int
    facts: Mapping[str, SentColumn]
    rows: NDArray[np.int64]
    now: Instants | datetime | None = None
    names: Words | None = None
    holds: Mapping[int, tuple[Hold, ...]] = field(default_factory=dict)
    recorded: Recorded | None = None
    tickets: NDArray[np.uint64] | None = None
    ticket_names: Words | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row of a source that cannot be decided: its number, what the source calls it, what is wrong, and what it says.

    ``field`` names the column or fact that is wrong, if it is one. ``content`` is the row as text, for the file that keeps it.
    """

    row: int
    name: str
    field: str
    message: str
    content: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A ticket for which something changed: its row and name in the source, its facts as text, as ``guidepost eval`` takes them, and its ``now`` ("": none)."""

    row: int
    name: str
    facts: Mapping[str, str]
    now: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRegion:
    """Tickets that a few facts describe, and how many of them change; of those alone that ``version`` decided, if there are several."""

    when: tuple[Values, ...]
    tickets: int
    changed: int
    changes: Mapping[Change, int]
    examples: tuple[Example, ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What becomes of one outcome: of how many tickets both sides say something, how many change, from what to what, and where.

    ``matrix`` counts what stays as well: from each state to each. Where there is no before, it counts what is decided
    now, as what stays. ``regions`` together hold every ticket that changes, but for ``elsewhere``: those that change in
    one of too many different situations, or that say what neither version can place. ``near`` of the tickets are not the
    same as recorded, but within the tolerance.
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
        """Whether only one side has this outcome: that says something of the versions, and nothing of a ticket."""
        changing = [change for change in self.matrix if change.before != change.after]
        return bool(changing) and (
            all(one.before.kind is StateKind.ABSENT for one in changing)
            or all(one.after.kind is StateKind.ABSENT for one in changing)
        )


@dataclass(frozen=True, slots=True)
class DueShift:
    """How many due times move by how much: from ``least`` up to, but without, ``most``; negative is earlier. None is without a limit."""

    least: timedelta | None
    most: timedelta | None
    tickets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """What becomes of one deadline.

    ``tickets`` are those of which both sides say something; ``both`` of them are due before and after. Of these,
    ``earlier`` and ``later`` move; ``appear`` are due only after, ``vanish`` only before. ``shifts`` count the moves.
    ``near`` are not due at the very instant that is recorded, but within the tolerance: they do not move.
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
    """Tickets by the value of one fact ("" where it was not sent): how many there are, and in how many anything changes, by outcome as well."""

    value: str
    tickets: int
    changed: int
    outcomes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """How many tickets the rows belong to.

    ``tickets`` are all, ``repeated`` those with several rows; ``exact`` is false if both are estimates. ``examples`` are
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
        before: the versions by which they were decided before, as far as they are known: digest to number of tickets.
        recorded: whether what was before is what the source says, and not what another version decides.
        rows: all rows of the source; those that were decided are ``tickets``, the others ``unread``.
        compared: the tickets of which both sides say something; of the others, nothing was recorded.
        changed: the tickets that differ: in a deadline, or in an outcome that is not the same for every ticket.
        unread: how many rows could not be read, by what was wrong.
        outcomes, deadlines: what becomes of each, those that change most first.
        groups: by fact, the values with most changes first.
        alike: the outcomes that change for every ticket alike: texts that a version gives to all of them, and what only
            one side has. They make no ticket one that differs.
        decided: how many tickets each version decided, by its number, if each was decided by the version in force.
        repeats: how many tickets the rows belong to, if some belong to the same; None if none does, or nobody knows.
    """

    after: VersionRef
    before: Mapping[str, int]
    recorded: bool
    rows: int
    tickets: int
    changed: int
    unread: Mapping[str, int]
    outcomes: tuple[Replayed, ...]
    deadlines: tuple[Moves, ...]
    groups: Mapping[str, tuple[Group, ...]] = field(default_factory=dict)
    compared: int = 0
    alike: tuple[str, ...] = ()
    decided: Mapping[str, int] = field(default_factory=dict)
    repeats: Repeats | None = None

    @property
    def equal(self) -> bool:
        """Whether something was compared, and nothing changes, not even for every ticket alike."""
        return bool(self.compared) and not self.changed and not any(one.changed for one in self.outcomes)
