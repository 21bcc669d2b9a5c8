"""Columns of times in the formats of other systems, read as instants.

A time without an offset is read in the zone of the mapping, as the business clock does: a time in a gap is moved by the
gap, and an ambiguous time is the first of the two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.cache import Cache
from engine.clock.zone import to_micros, zone
from engine.columns.fact_columns import Instants, Mask
from engine.model.vocabulary import stands_for_nothing
from engine.request.instant_help import instant_help
from guidepost.past_tickets.mapping import EPOCHS

MICROS: Final = pa.timestamp("us")
UTC_MICROS: Final = pa.timestamp("us", "UTC")
NEVER_SET: Final = "is a zero timestamp, which exports write for a time that was never set; list it under `empty`"
NO_ZONE: Final = "has no offset from UTC, and the mapping names no zone for it"

LEAST, MOST = to_micros(datetime.min.replace(tzinfo=UTC)), to_micros(datetime.max.replace(tzinfo=UTC))
OUTSIDE: Final = "is outside the years 1 to 9999"

_KEPT: Final = 100_000
"""How many texts that were parsed one by one are cached."""


@dataclass(slots=True, kw_only=True)
class InstantReader:
    """Reads columns of instants in one format; ``one_by_one`` caches texts that Arrow cannot parse."""

    format: str = ""
    zone: str = ""
    empty: frozenset[str] = frozenset({""})
    one_by_one: Cache[str, tuple[int | None]] = field(default_factory=lambda: Cache(_KEPT))

    def read(self, array: pa.Array) -> tuple[Instants, Mask | None]:
        """Return the instants, and which rows cannot be read (None if all can).

        1970-01-01T00:00:00Z is rejected, since exports write it for a time that was never set; so is a time outside the
        years 1 to 9999.
        """
        found, wrong = self._read(array)
        none = (found.micros == 0) | (found.micros < LEAST) | (found.micros > MOST)
        if found.given is not None:
            none &= found.given
        if not none.any():
            return found, wrong
        given = ~none if found.given is None else found.given & ~none
        return Instants(found.micros, given), none if wrong is None else none | wrong

    def _read(self, array: pa.Array) -> tuple[Instants, Mask | None]:
        kind = array.type
        if pa.types.is_dictionary(kind):
            array = array.dictionary_decode()
            kind = array.type
        if pa.types.is_timestamp(kind):
            return self._placed(_in_reach(array), None)
        if pa.types.is_date(kind):
            return self._placed(_in_reach(array.cast(pa.timestamp("s" if pa.types.is_date32(kind) else "ms"))), None)
        if pa.types.is_null(kind):
            return Instants(np.zeros(len(array), np.int64), np.zeros(len(array), np.bool_)), None
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            return self._numbered(array)
        return self._written(array.cast(pa.string()))

    def reason(self, value: object) -> str:
        """Return why a value is not an instant."""
        if isinstance(value, np.datetime64):
            return OUTSIDE
        if isinstance(value, datetime) and value.tzinfo is None and not self.zone:
            return NO_ZONE
        text = str(value)
        micros = self._meant(value, text)
        if micros == 0:
            return NEVER_SET
        if micros is not None and not LEAST <= micros <= MOST:
            return f"{OUTSIDE} in the format `{self.format}`" if self.format in EPOCHS else OUTSIDE
        if stands_for_nothing(text):
            return "is not an instant; list it under `empty` in a mapping"
        if not self.format and not self.zone and _iso(text) is not None:
            return NO_ZONE
        if not self.format:
            found = instant_help(text)
            return f"is not an instant in ISO 8601{f': {found.reason}' if found else ''}; a mapping can set its format"
        return f"is not an instant in the format `{self.format}`"

    def _meant(self, value: object, text: str) -> float | None:
        """Return the instant of a value in microseconds, or None if it does not match the format."""
        if isinstance(value, datetime):
            return self._in_micros(value)
        if self.format in EPOCHS:
            number = _number(text)
            return None if number is None or math.isnan(number) else number * EPOCHS[self.format]
        return self._micros(text)

    def _numbered(self, array: pa.Array) -> tuple[Instants, Mask | None]:
        array = self._without_empty(array)
        given = _given(array)
        if self.format not in EPOCHS:
            return Instants(np.zeros(len(array), np.int64), np.zeros(len(array), np.bool_)), _mask(array.is_valid())
        unit = EPOCHS[self.format]
        least, most = LEAST // unit - 1, MOST // unit + 1
        if pa.types.is_integer(array.type) and not pa.types.is_uint64(array.type):
            return Instants(np.clip(_filled(array.cast(pa.int64()), 0), least, most) * unit, given), None
        numbers = np.clip(np.nan_to_num(_filled(array.cast(pa.float64(), safe=False), 0.0)), least, most)
        return Instants(np.rint(numbers * unit).astype(np.int64), given), None

    def _without_empty(self, array: pa.Array) -> pa.Array:
        """Replace the numbers that the mapping lists as empty, such as 0 or -1, with null."""
        listed = [number for text in self.empty if (number := _number(text)) is not None]
        nothing = pc.is_in(array.cast(pa.float64(), safe=False), pa.array(listed, pa.float64()))
        return pc.if_else(nothing, pa.scalar(None, array.type), array) if listed else array

    def _written(self, array: pa.Array) -> tuple[Instants, Mask | None]:
        """Read texts with Arrow, and those that it cannot parse one by one."""
        trimmed = pc.utf8_trim_whitespace(array)
        trimmed = pc.if_else(
            pc.is_in(trimmed, pa.array(sorted(self.empty), pa.string())), pa.scalar(None, pa.string()), trimmed
        )
        if self.format in EPOCHS:
            return self._numbered_texts(trimmed)
        parsed = self._parsed(trimmed) if self.format else self._iso(trimmed)
        left = pc.and_(trimmed.is_valid(), parsed.is_null())
        return self._placed(parsed, None) if not pc.any(left).as_py() else self._placed(parsed, (_mask(left), trimmed))

    def _numbered_texts(self, trimmed: pa.Array) -> tuple[Instants, Mask | None]:
        numeric = pc.match_substring_regex(trimmed, r"^-?\d{1,17}(\.\d+)?$")
        numbers = pc.if_else(pc.fill_null(numeric, False), trimmed, pa.scalar(None, pa.string()))
        whole = not pc.any(pc.match_substring(numbers, ".")).as_py()
        read, _ = self._numbered(numbers.cast(pa.int64() if whole else pa.float64()))
        wrong = _mask(pc.fill_null(pc.invert(numeric), False))
        return read, wrong if wrong.any() else None

    def _parsed(self, trimmed: pa.Array) -> pa.Array:
        """Parse by a format, without dates that do not exist: Arrow reads February 31 as March 3."""
        try:
            parsed = pc.strptime(trimmed, format=self.format, unit="us", error_is_null=True)
        except pa.ArrowInvalid:
            return pa.nulls(len(trimmed), MICROS)
        early = pc.less_equal(pc.day(parsed), 3)
        if not pc.any(early).as_py():
            return parsed
        try:
            same = pc.equal(pc.strftime(parsed.cast(pa.timestamp("s", parsed.type.tz)), format=self.format), trimmed)
        except pa.ArrowInvalid:
            same = pa.array([False] * len(parsed))
        return pc.if_else(pc.fill_null(pc.or_(same, pc.invert(early)), False), parsed, pa.scalar(None, parsed.type))

    def _iso(self, trimmed: pa.Array) -> pa.Array:
        for kind in (MICROS, UTC_MICROS):
            try:
                return trimmed.cast(kind)
            except pa.ArrowInvalid:
                continue
        return pa.nulls(len(trimmed), UTC_MICROS)

    def _placed(self, parsed: pa.Array, left: tuple[Mask, pa.Array] | None) -> tuple[Instants, Mask | None]:
        """Return the instants of times in the zone of the mapping, with the texts in ``left`` parsed one by one."""
        micros, given = _filled(parsed.cast(pa.int64()), 0), _given(parsed)
        wrong: Mask | None = None
        if parsed.type.tz is None:
            if self.zone:
                micros = zone(self.zone).resolve_column(micros)
            else:
                wrong = np.ones(len(parsed), np.bool_) if given is None else given.copy()
        if left is not None:
            at = np.flatnonzero(left[0])
            read = [self._alone(text) for text in left[1].take(pa.array(at)).to_pylist()]
            micros = micros.copy()
            micros[at] = [one or 0 for one in read]
            given = np.ones(len(parsed), np.bool_) if given is None else given
            given[at] = [one is not None for one in read]
            wrong = np.zeros(len(parsed), np.bool_) if wrong is None else wrong
            wrong[at] = [one is None for one in read]
        if wrong is None or not wrong.any():
            return Instants(micros, given), None
        return Instants(micros, ~wrong if given is None else given & ~wrong), wrong

    def _alone(self, text: str) -> int | None:
        """Read one text; None if it is not an instant, or has no offset and the mapping names no zone."""
        (found,) = self.one_by_one.get(text) or self.one_by_one.put(text, (self._micros(text),))
        return found

    def _micros(self, text: str) -> int | None:
        at = _by_format(text, self.format) if self.format else _iso(text)
        return None if at is None else self._in_micros(at)

    def _in_micros(self, at: datetime) -> int | None:
        if at.tzinfo is not None:
            return to_micros(at)
        return zone(self.zone).resolve(to_micros(at.replace(tzinfo=UTC))) if self.zone else None


def _in_reach(array: pa.Array) -> pa.Array:
    """Return times in microseconds, clipped to just outside the years 1 to 9999, since others may exceed 64 bits."""
    kind = array.type
    per = {"s": 1_000_000, "ms": 1_000}.get(kind.unit, 1)
    if per > 1:
        array = pc.max_element_wise(
            pc.min_element_wise(array.cast(pa.int64()), MOST // per + 1, skip_nulls=False),
            LEAST // per - 1,
            skip_nulls=False,
        ).cast(kind)
    return array.cast(pa.timestamp("us", kind.tz), safe=False)


def _by_format(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 - the zone is the mapping's affair
    except ValueError:
        return None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.strip().upper())
    except ValueError:
        return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _filled(array: pa.Array, nothing: float) -> Any:
    return (array.fill_null(nothing) if array.null_count else array).to_numpy(zero_copy_only=False)


def _given(array: pa.Array) -> Mask | None:
    return _mask(array.is_valid()) if array.null_count else None


def _mask(array: pa.Array) -> Mask:
    return np.array(array.to_numpy(zero_copy_only=False), np.bool_)
