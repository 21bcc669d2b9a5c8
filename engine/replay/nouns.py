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

from engine.answer import VersionRef
from engine.columns.sent import Instants, SentColumn, Words
from engine.diff.nouns import Change, State, Values
from engine.moment import Hold


@dataclass(frozen=True, slots=True)
class States:
    """An outcome as it was recorded: ``codes`` are positions in ``states``; a negative code says that nothing is recorded."""

    codes: NDArray[np.integer[Any]]
    states: tuple[State, ...]

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True, slots=True)
class Recorded:
    """How tickets were decided at the time: a column for each outcome and deadline of which anything is recorded.

    Attributes:
        outcomes: by the name of the outcome.
        due: by the name of the deadline; ``given`` is false where none was due, or none was decided.
        dated: by the name of the deadline, where anything is recorded of it at all; without, everywhere.
        digest: the version under which all of them were decided, or "" if that is not known.
    """

    outcomes: Mapping[str, States] = field(default_factory=dict)
    due: Mapping[str, Instants] = field(default_factory=dict)
    dated: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    digest: str = ""


@dataclass(frozen=True, slots=True)
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
    """

    size: int
    facts: Mapping[str, SentColumn]
    rows: NDArray[np.int64]
    now: Instants | datetime | None = None
    names: Words | None = None
    holds: Mapping[int, tuple[Hold, ...]] = field(default_factory=dict)
    recorded: Recorded | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """A row of a source that cannot be decided: its number, what the source calls it, what is wrong, and what it says.

    ``field`` names the column or fact that is wrong, if it is one. ``content`` is the row as text, for the file that keeps it.
    """

    row: int
    name: str
    field: str
    message: str
    content: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """A ticket for which something changed: its row and name in the source, its facts as text, as ``guidepost eval`` takes them, and its ``now`` ("": none)."""

    row: int
    name: str
    facts: Mapping[str, str]
    now: str = ""


@dataclass(frozen=True, slots=True)
class Tickets:
    """Tickets that a few facts describe, and how many of them change."""

    when: tuple[Values, ...]
    tickets: int
    changed: int
    changes: Mapping[Change, int]
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Replayed:
    """What becomes of one outcome: of how many tickets both sides say something, how many change, from what to what, and where.

    ``matrix`` counts what stays as well: from each state to each. Where there is no before, it counts what is decided
    now, as what stays. ``regions`` together hold every ticket that changes, but for ``elsewhere``: those that change in
    one of too many different situations, or that say what neither version can place.
    """

    name: str
    tickets: int
    changed: int
    matrix: Mapping[Change, int]
    regions: tuple[Tickets, ...] = ()
    examples: Mapping[Change, tuple[Example, ...]] = field(default_factory=dict)
    elsewhere: int = 0


@dataclass(frozen=True, slots=True)
class Shift:
    """How many due times move by how much: from ``least`` up to, but without, ``most``; negative is earlier. None is without a limit."""

    least: timedelta | None
    most: timedelta | None
    tickets: int


@dataclass(frozen=True, slots=True)
class Moves:
    """What becomes of one deadline.

    ``tickets`` are those of which both sides say something; ``both`` of them are due before and after. Of these,
    ``earlier`` and ``later`` move; ``appear`` are due only after, ``vanish`` only before. ``shifts`` count the moves.
    """

    name: str
    tickets: int
    both: int
    earlier: int
    later: int
    appear: int
    vanish: int
    shifts: tuple[Shift, ...] = ()
    mean: timedelta | None = None
    most_earlier: timedelta | None = None
    most_later: timedelta | None = None
    examples: tuple[Example, ...] = ()

    @property
    def changed(self) -> int:
        """How many are due at another instant, or only on one side."""
        return self.earlier + self.later + self.appear + self.vanish


@dataclass(frozen=True, slots=True)
class Group:
    """Tickets by the value of one fact ("" where it was not sent): how many there are, and in how many anything changes, by outcome as well."""

    value: str
    tickets: int
    changed: int
    outcomes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Replay:
    """A source replayed against a version.

    Attributes:
        after: the version under trial.
        before: the versions by which they were decided before, as far as they are known: digest to number of tickets.
        recorded: whether what was before is what the source says, and not what another version decides.
        rows: all rows of the source; those that were decided are ``tickets``, the others ``unread``.
        changed: the tickets in which anything changes, in an outcome or a deadline.
        unread: how many rows could not be read, by what was wrong.
        outcomes, deadlines: what becomes of each, those that change most first.
        groups: by fact, the values with most changes first.
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

    @property
    def equal(self) -> bool:
        """Whether everything came out as it was before."""
        return not self.changed
