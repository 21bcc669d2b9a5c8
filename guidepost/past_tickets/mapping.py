"""The classes of a mapping from the columns of another system to facts, and to what that system recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from engine.model.problems import Problem

EMPTY: Final = ("",)
"""The texts of an empty cell, unless a mapping lists others."""

EPOCHS: Final[Mapping[str, int]] = {"epoch": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}
"""Formats of instants that are numbers since 1970-01-01T00:00Z: the microseconds of one unit."""


class Repeated(StrEnum):
    """Which of several rows of a ticket count."""

    ALL = "all"
    FIRST = "first"
    LAST = "last"


class UnlistedValue(StrEnum):
    """How a value is read that the mapping does not list."""

    ERROR = "error"
    """The row is rejected."""
    UNKNOWN = "unknown"
    """The fact is unknown, as for an empty cell."""
    KEEP = "keep"
    """The version reads the value itself."""
    VALUE = "value"
    """The fact is ``fallback``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FromColumn:
    """A fact or a recorded outcome that is read from a column, or from the first of several that has a value.

    Attributes:
        columns: the names of the columns.
        values: the meaning of each value; None leaves every value as it is.
        unlisted: how a value that is not in ``values`` is read.
        fallback: the meaning of such a value under ``UnlistedValue.VALUE``.
        scale: the factor of a number.
        comma: whether numbers have a decimal comma.
        zone: the time zone of times without an offset.
        format: the format of an instant for strptime, or one of EPOCHS; "" is ISO 8601.
        tolerance: the largest difference from the recorded value that counts as equal, in microseconds for due times.
        tolerance_text: the tolerance as the mapping file writes it.
    """

    columns: tuple[str, ...]
    values: Mapping[str, str] | None = None
    unlisted: UnlistedValue = UnlistedValue.ERROR
    fallback: str = ""
    scale: float = 1.0
    comma: bool = False
    zone: str = ""
    format: str = ""
    tolerance: float = 0.0
    tolerance_text: str = ""


@dataclass(frozen=True, slots=True)
class Always:
    """A fact with the same value in every row."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FromTable:
    """A fact of several columns: the value of the first row whose cells all match."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Mapping[str, str], str], ...]
    unlisted: UnlistedValue = UnlistedValue.ERROR
    fallback: str = ""


Rule = FromColumn | Always | FromTable


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    """How the rows of another system are read as tickets.

    ``recorded`` and ``recorded_due`` are the rules for what the desk decided, by outcome or deadline. ``empty`` lists
    the texts of an empty cell. ``name`` is the path of the mapping file.
    """

    facts: Mapping[str, Rule]
    ticket: str = ""
    now: FromColumn | None = None
    recorded: Mapping[str, FromColumn] = field(default_factory=dict)
    recorded_due: Mapping[str, FromColumn] = field(default_factory=dict)
    empty: tuple[str, ...] = EMPTY
    name: str = ""
    repeated: Repeated = Repeated.ALL

    @property
    def rules(self) -> tuple[tuple[str, Rule], ...]:
        """All rules, each with its path in the mapping file."""
        return (
            *((("now", self.now),) if self.now else ()),
            *((f"facts.{name}", rule) for name, rule in self.facts.items()),
            *((f"recorded.{name}", rule) for name, rule in self.recorded.items()),
            *((f"recorded_due.{name}", rule) for name, rule in self.recorded_due.items()),
        )

    @property
    def tolerances(self) -> dict[str, FromColumn]:
        """The recorded outcomes and deadlines that have a tolerance."""
        return {name: rule for name, rule in (*self.recorded.items(), *self.recorded_due.items()) if rule.tolerance}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the mapping reads, each once."""
        named = [name for _, rule in self.rules if not isinstance(rule, Always) for name in rule.columns]
        return tuple(dict.fromkeys([*([self.ticket] if self.ticket else []), *named]))


class MappingErrors(Exception):
    """A mapping has errors; ``problems`` lists each once, sorted by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))
