"""The nouns of a mapping: from the columns of another system to facts, and to what was decided there. Values; nothing here computes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from engine.model.problems import Problem

EMPTY: Final = ("",)
"""What stands for nothing, unless a mapping says otherwise."""

EPOCHS: Final[Mapping[str, int]] = {"epoch": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}
"""Formats of instants that are numbers: microseconds in one unit since 1970-01-01T00:00Z."""


class Repeated(StrEnum):
    """Which of several rows of one ticket count."""

    ALL = "all"
    FIRST = "first"
    LAST = "last"


class UnlistedValue(StrEnum):
    """What a value means that the mapping does not list."""

    ERROR = "error"
    """The row cannot be read."""
    UNKNOWN = "unknown"
    """Nothing is known: as if the cell were empty."""
    KEEP = "keep"
    """It is itself, as the version reads it."""
    VALUE = "value"
    """It is the value of ``fallback``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FromColumn:
    """What stands in a column (of several, the first that is given).

    Attributes:
        columns: their names.
        values: what each value means; without it, each is itself.
        unlisted: what a value means that is not listed.
        fallback: the value it means then, under ``UnlistedValue.VALUE``.
        scale: what a number is multiplied by.
        comma: whether numbers are written with a decimal comma.
        zone: the time zone of the clock that shows times without an offset.
        format: how an instant is written: as for strptime, or one of EPOCHS; "" is ISO 8601.
        tolerance: how far what is decided may be from what is recorded here and be the same: microseconds, or a number.
        tolerance_text: the tolerance as the mapping writes it.
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
    """The same value in every row."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FromTable:
    """What several columns say together: the value of the first row of which every cell stands there."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Mapping[str, str], str], ...]
    unlisted: UnlistedValue = UnlistedValue.ERROR
    fallback: str = ""


Rule = FromColumn | Always | FromTable


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    """How the rows of another system are read as tickets.

    ``recorded`` and ``recorded_due`` say how the desk decided, by the name of the outcome or deadline. ``empty`` are the
    texts that stand for nothing. ``name`` says where the mapping stands. ``repeated`` says which rows of a ticket count.
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
        """All rules, each with the path at which it stands."""
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
        """The columns that it reads, each once."""
        named = [name for _, rule in self.rules if not isinstance(rule, Always) for name in rule.columns]
        return tuple(dict.fromkeys([*([self.ticket] if self.ticket else []), *named]))


class MappingErrors(Exception):
    """A mapping is wrong; holds every problem found, sorted by place, without doubles."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))
