"""Columns of facts and outcomes: a rule of a mapping and a batch of rows in, a column and its invalid rows out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.columns.fact_columns import Instants, Mask, Numbers, SentColumn, Words
from engine.model.quoting import value_as_text
from engine.model.vocabulary import Fact, FactType
from engine.replay.nouns import OutcomeColumn
from guidepost.past_tickets.dictionary import MISSING, Codes, LazyTexts, Translator, dictionary_codes, invalid_rows
from guidepost.past_tickets.map_value import PLACES, cell_text, fact_translator, state_translator, table_translator
from guidepost.past_tickets.mapping import EPOCHS, Always, FromColumn, FromTable, Rule
from guidepost.past_tickets.timestamps import InstantReader

_GIVEN: Final = (" ", "given")
"""The values of a column of texts: a version only distinguishes a blank text from any other."""

_PLAIN: Final = r"^-?\d+(\.\d+)?$"

_LONG: Final = 60


@dataclass(frozen=True, slots=True)
class InvalidRows:
    """Rows whose value cannot be read: their column, and the message for each row."""

    column: str
    rows: Mask
    message: Callable[[int], str]


class FactColumn(Protocol):
    """Reads the column of one fact."""

    def read(self, batch: pa.RecordBatch) -> tuple[SentColumn, InvalidRows | None]:
        """Return the column, and the rows that cannot be read."""
        ...


def fact_column(fact: Fact, rule: Rule, empty: frozenset[str]) -> FactColumn:
    """Return the reader of a fact for a rule of a mapping."""
    match rule:
        case Always():
            return _ConstantColumn(rule.value)
        case FromTable():
            return _TableColumn(rule, Translator(table_translator(rule, empty)))
    if fact.type is FactType.INSTANT:
        return InstantColumn(rule, InstantReader(format=rule.format, zone=rule.zone, empty=empty))
    words = _TranslatedColumn(rule, Translator(fact_translator(fact, rule, empty)), empty)
    if rule.values is None and fact.type is FactType.TEXT:
        return _TextColumn(rule, empty)
    return _NumberColumn(rule, words) if rule.values is None and fact.numeric else words


@dataclass(frozen=True, slots=True)
class _ConstantColumn:
    value: str

    def read(self, batch: pa.RecordBatch) -> tuple[SentColumn, InvalidRows | None]:
        return Words(np.zeros(batch.num_rows, np.int32), (self.value,)), None


@dataclass(frozen=True, slots=True)
class _TranslatedColumn:
    """Values that are translated, each distinct one once."""

    rule: FromColumn
    lookup: Translator
    empty: frozenset[str]

    def read(self, batch: pa.RecordBatch) -> tuple[SentColumn, InvalidRows | None]:
        codes, values, fault = _translate(batch, self.rule, self.lookup, self.empty)
        return Words(codes, values), fault


@dataclass(frozen=True, slots=True)
class StateColumn:
    """Reads the column of a recorded outcome."""

    rule: FromColumn
    lookup: Translator
    empty: frozenset[str]

    @classmethod
    def of(cls, outcome: Fact, rule: FromColumn, empty: frozenset[str]) -> StateColumn:
        """Return the reader of an outcome for a rule of a mapping."""
        return cls(rule, Translator(state_translator(outcome, rule, empty)), empty)

    def read(self, batch: pa.RecordBatch) -> tuple[OutcomeColumn, InvalidRows | None]:
        """Return the states, and the rows that cannot be read."""
        codes, states, fault = _translate(batch, self.rule, self.lookup, self.empty)
        return OutcomeColumn(codes, states), fault


@dataclass(frozen=True, slots=True)
class _NumberColumn:
    """Numbers, if the file has numbers or all texts are plain ones; other columns are translated as words."""

    rule: FromColumn
    words: _TranslatedColumn

    def read(self, batch: pa.RecordBatch) -> tuple[SentColumn, InvalidRows | None]:
        array = self._written(first_given(batch, self.rule.columns, self.words.empty))
        if not (pa.types.is_integer(array.type) or pa.types.is_floating(array.type) or pa.types.is_decimal(array.type)):
            return self.words.read(batch)
        numbers = array.cast(pa.float64(), safe=False)
        values = (numbers.fill_null(0.0) if numbers.null_count else numbers).to_numpy(zero_copy_only=False)
        if self.rule.scale != 1:
            values = np.round(values * self.rule.scale, PLACES)
        return Numbers(
            values, np.array(array.is_valid().to_numpy(zero_copy_only=False)) if array.null_count else None
        ), None

    def _written(self, array: pa.Array) -> pa.Array:
        """Convert texts to numbers if all of them are plain ones."""
        if self.rule.comma or not pa.types.is_string(array.type):
            return array
        trimmed = pc.utf8_trim_whitespace(array)
        nothing = pc.is_in(trimmed, pa.array(sorted(self.words.empty), pa.string()))
        if not pc.all(pc.or_(nothing, pc.match_substring_regex(trimmed, _PLAIN))).as_py():
            return array
        return pc.if_else(nothing, pa.scalar(None, pa.string()), trimmed).cast(pa.float64())


@dataclass(frozen=True, slots=True)
class _TextColumn:
    """Texts, reduced to whether they are blank."""

    rule: FromColumn
    empty: frozenset[str]

    def read(self, batch: pa.RecordBatch) -> tuple[SentColumn, InvalidRows | None]:
        array = first_given(batch, self.rule.columns, self.empty)
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        trimmed = pc.utf8_trim_whitespace(array.cast(pa.string()))
        nothing = pc.or_(trimmed.is_null(), pc.is_in(trimmed, pa.array(sorted(self.empty), pa.string())))
        codes = np.where(nothing.to_numpy(zero_copy_only=False), MISSING, 1).astype(np.int32)
        blank = pc.fill_null(pc.equal(trimmed, ""), False).to_numpy(zero_copy_only=False)
        codes[blank & (codes > 0)] = 0
        return Words(codes, _GIVEN), None


@dataclass(frozen=True, slots=True)
class _TableColumn:
    """A fact of several columns: each combination of values is translated once."""

    rule: FromTable
    lookup: Translator

    def read(self, batch: pa.RecordBatch) -> tuple[SentColumn, InvalidRows | None]:
        parts = [dictionary_codes(column_named(batch, name)) for name in self.rule.columns]
        number = np.zeros(batch.num_rows, np.int64)
        for codes, values in parts:
            # Renumbering before each step keeps the numbers below rows times values.
            number = np.unique(number, return_inverse=True)[1] * (len(values) + 1) + codes + 1
        _, first, combined = np.unique(number, return_index=True, return_inverse=True)
        cells = [
            tuple(values[codes[row]] if codes[row] >= 0 else None for codes, values in parts) for row in first.tolist()
        ]
        codes, targets, wrong = self.lookup.read(combined.astype(np.int32), cells)
        rows = invalid_rows(codes)
        if rows is None:
            return Words(codes, targets), None

        def message(row: int) -> str:
            said = ", ".join(_quoted(one) for one in cells[combined[row]])
            return f"{said} {wrong[int(combined[row])].reason}"

        return Words(np.maximum(codes, MISSING), targets), InvalidRows(" + ".join(self.rule.columns), rows, message)


@dataclass(frozen=True, slots=True)
class InstantColumn:
    """Reads a column of instants in any format."""

    rule: FromColumn
    reader: InstantReader

    def read(self, batch: pa.RecordBatch) -> tuple[Instants, InvalidRows | None]:
        """Return the instants, and the rows that cannot be read."""
        array = first_given(batch, self.rule.columns, self.reader.empty)
        if self.rule.format in EPOCHS and pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        found, wrong = self.reader.read(array)
        if wrong is None:
            return found, None
        return found, InvalidRows(_named(self.rule.columns), wrong, partial(self._message, array))

    def _message(self, array: pa.Array, row: int) -> str:
        value = cell_value(array[row])
        return f"{_quoted(value)} {self.reader.reason(value)}"


def cell_value(cell: pa.Scalar) -> Any:
    """Return the value of a cell; a time outside the range of ``datetime`` is a ``numpy.datetime64``."""
    try:
        return cell.as_py()
    except (OverflowError, ValueError):
        kind = cell.type
        number = cell.cast(pa.int32() if pa.types.is_date32(kind) else pa.int64()).as_py()
        return np.datetime64(number, "D" if pa.types.is_date32(kind) else getattr(kind, "unit", "ms"))


def column_named(batch: pa.RecordBatch, name: str) -> pa.Array:
    """Return a column by name, or nulls if the batch does not have it.

    Bytes are decoded as UTF-8, and lists and objects become JSON, as in a file of JSON lines.
    """
    at = batch.schema.get_field_index(name)
    if at < 0:
        return pa.nulls(batch.num_rows)
    column = batch.column(at)
    if pa.types.is_nested(column.type):
        return pa.array(
            [None if one is None else json.dumps(one, ensure_ascii=False, default=str) for one in column.to_pylist()],
            pa.string(),
        )
    if (
        pa.types.is_binary(column.type)
        or pa.types.is_large_binary(column.type)
        or pa.types.is_fixed_size_binary(column.type)
    ):
        return pa.array(
            [None if one is None else one.decode(errors="replace") for one in column.to_pylist()], pa.string()
        )
    return column


def first_given(batch: pa.RecordBatch, names: Sequence[str], empty: frozenset[str]) -> pa.Array:
    """Return for each row the value of the first column that has one."""
    if len(names) == 1:
        return column_named(batch, names[0])
    arrays = [column_named(batch, name) for name in names]
    arrays = [
        array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
        for array in arrays
        if not pa.types.is_null(array.type)
    ]
    if not arrays:
        return pa.nulls(batch.num_rows)
    if len({array.type for array in arrays}) > 1:
        arrays = [array.cast(pa.string()) for array in arrays]
    if pa.types.is_string(arrays[0].type) or pa.types.is_large_string(arrays[0].type):
        nothing = pa.array(sorted(empty), arrays[0].type)
        arrays = [
            pc.if_else(pc.is_in(pc.utf8_trim_whitespace(array), nothing), pa.scalar(None, array.type), array)
            for array in arrays
        ]
    return pc.coalesce(*arrays)


def ticket_names(batch: pa.RecordBatch, column: str) -> Words:
    """Return the id of each row's ticket, as the source writes it."""
    array = column_named(batch, column)
    if pa.types.is_dictionary(array.type):
        codes, values = dictionary_codes(array)
        return Words(codes, tuple(None if value is None else str(value) for value in values))
    return Words(np.arange(len(array), dtype=np.int32), LazyTexts(array))


def _translate(
    batch: pa.RecordBatch, rule: FromColumn, lookup: Translator, empty: frozenset[str]
) -> tuple[Codes, tuple[Any, ...], InvalidRows | None]:
    raw, values = dictionary_codes(first_given(batch, rule.columns, empty))
    codes, targets, wrong = lookup.read(raw, values)
    rows = invalid_rows(codes)
    if rows is None:
        return codes, targets, None
    return (
        np.maximum(codes, MISSING),
        targets,
        InvalidRows(
            _named(rule.columns), rows, lambda row: f"{_quoted(values[raw[row]])} {wrong[int(raw[row])].reason}"
        ),
    )


def _named(columns: Sequence[str]) -> str:
    return " or ".join(columns)


def _quoted(value: Any) -> str:
    if value is None:
        return "nothing"
    text = value_as_text(cell_text(value))
    return f"`{text}`" if len(text) <= _LONG else f"`{text[:_LONG]}…`"
