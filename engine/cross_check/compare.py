"""Compares the rules that count in every cell by durable-rules' matches with the table that serves.

A planned table and the answers of its networks -> the cells in which the two differ. An answer is a 64-bit
word for each cell asked: bit n is set when the network's n-th rule matches. The arrays here have the shape of the table
when it is checked whole, and one element for each cell of the sample when not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from engine.cross_check.plan import CellQuery, TablePlan
from engine.cross_check.report import Disagreement, TableCrossCheck
from engine.cross_check.table import LEAF, Cell

Words: TypeAlias = npt.NDArray[np.uint64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Numbers: TypeAlias = npt.NDArray[Any]

NONE: Final = np.iinfo(np.int32).max
"""The index that means no rule."""

SHOWN: Final = 5
"""The most disagreements of a table that are reported in full."""


def compare(planned: TablePlan, answers: Sequence[Words]) -> tuple[TableCrossCheck, tuple[Disagreement, ...]]:
    """Compare one table with the answers of its networks, in the order of its questions."""
    table = planned.table
    differs = _sets_differ if table.policy == "collect" else _first_differs
    classes: tuple[Numbers, ...]
    if planned.sample is None:
        shape, classes = table.shape, tuple(np.indices(table.shape, sparse=True))
    else:
        shape, classes = (len(planned.sample.cells),), tuple(planned.sample.cells.T)
    wrong = np.argwhere(differs(planned, answers, shape, classes))
    result = TableCrossCheck(
        table=table.name,
        extent=planned.extent,
        cells=table.cells,
        covered=planned.covered,
        asked=planned.asked,
        disagreements=len(wrong),
    )
    return result, tuple(_disagreement(planned, answers, tuple(place.tolist())) for place in wrong[:SHOWN])


def _first_differs(
    planned: TablePlan, answers: Sequence[Words], shape: tuple[int, ...], classes: Sequence[Numbers]
) -> Flags:
    """Return where the first rule differs; under `unique`, also where several rules match."""
    first = np.full(shape, NONE, dtype=np.int32)
    count = np.zeros(shape, dtype=np.int32)
    for question, words in zip(planned.questions, answers, strict=True):
        firsts = np.full(words.shape, NONE, dtype=np.int32)
        counts = np.zeros(words.shape, dtype=np.int32)
        for bit, rule in reversed(list(enumerate(question.network.rules))):
            matches = words >> np.uint64(bit) & np.uint64(1) == 1
            firsts[matches] = rule
            counts += matches
        if question.rows is not None:
            first[question.rows] = np.minimum(first[question.rows], _placed(planned, question, firsts))
            count[question.rows] += _placed(planned, question, counts)
        else:
            np.minimum(first, _placed(planned, question, firsts), out=first)
            count += _placed(planned, question, counts)
    [served] = planned.table.served
    expected = np.array([below[0] if axis == LEAF and below else NONE for axis, below in served.nodes], dtype=np.int32)
    wrong: Flags = first != expected[served.leaves(classes, len(shape))]
    return wrong | (count > 1) if planned.table.policy == "unique" else wrong


def _sets_differ(
    planned: TablePlan, answers: Sequence[Words], shape: tuple[int, ...], classes: Sequence[Numbers]
) -> Flags:
    """Return where the set of matching rules is another."""
    wrong = np.zeros(shape, dtype=np.bool_)
    placed = [_placed(planned, *asked) for asked in zip(planned.questions, answers, strict=True)]
    for served in planned.table.served:
        rules = set(served.rules)
        leaf = served.leaves(classes, len(shape))
        for question, words in zip(planned.questions, placed, strict=True):
            bits = {rule: 1 << bit for bit, rule in enumerate(question.network.rules) if rule in rules}
            if not bits:
                continue
            expected = np.array(
                [sum(bits.get(rule, 0) for rule in below) if axis == LEAF else 0 for axis, below in served.nodes],
                dtype=np.uint64,
            )[leaf]
            got = words & np.uint64(sum(bits.values()))
            if question.rows is not None:
                wrong[question.rows] |= np.broadcast_to(expected, shape)[question.rows] != got
            else:
                wrong |= expected != got
    return wrong


def _placed(planned: TablePlan, question: CellQuery, values: Numbers) -> Numbers:
    """Map the answers of a network to the cells of the table, or to the rows of the sample."""
    if question.answers is not None:
        at_rows: Numbers = values[question.answers]
        return at_rows
    network = question.network
    over = values.reshape(network.shape)[np.ix_(*network.merged)]
    tested = dict(zip(network.axes, over.shape, strict=True))
    return over.reshape([tested.get(axis, 1) for axis in range(len(planned.table.axes))])


def _disagreement(planned: TablePlan, answers: Sequence[Words], place: tuple[int, ...]) -> Disagreement:
    """Describe the disagreement at a place of the compared arrays."""
    table = planned.table
    cell: Cell = place if planned.sample is None else tuple(planned.sample.cells[place[0]].tolist())
    got = sorted(_matches(planned, answers, cell, None if planned.sample is None else place[0]))
    if table.policy == "first":
        got = got[:1]
    expected = table.expected(cell)
    return Disagreement(
        table=table.name,
        cell=cell,
        expected_rules=tuple(table.rules[i].id for i in expected),
        got_rules=tuple(table.rules[i].id for i in got),
    )


def _matches(planned: TablePlan, answers: Sequence[Words], cell: Cell, row: int | None) -> Iterator[int]:
    """Yield the rules that match in a cell by the networks that were asked about it."""
    for question, words in zip(planned.questions, answers, strict=True):
        network = question.network
        if question.rows is None or question.answers is None:
            number = 0
            for axis, merged, length in zip(network.axes, network.merged, network.shape, strict=True):
                number = number * length + int(merged[cell[axis]])
            word = int(words[number])
        else:
            asked = np.flatnonzero(question.rows == row)
            word = int(words[question.answers[asked[0]]]) if len(asked) else 0
        yield from (rule for bit, rule in enumerate(network.rules) if word >> bit & 1)
