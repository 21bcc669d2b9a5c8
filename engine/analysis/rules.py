"""Redundant, subsumed and conflicting rules of one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from engine.analysis.cells import Numbers, TableCells
from engine.model.policy import Form, HitPolicy, SameAs
from engine.model.problem_codes import CODES
from engine.model.problems import Problem, Related
from engine.tables.cells import overlapping
from engine.tables.classes import Indices, Mask
from engine.tables.tabulate import Tests, region

MAX_CONFLICTS: Final = 20
"""The most conflicts that are reported for one table."""

MAX_NAMED: Final = 5
"""The most rules that a message names; the others are counted."""


Spare = Mapping[int, tuple[int, ...]]
"""Redundant rules by position, each with the rules that count there instead."""


def rule_findings(cells: TableCells, spare: Spare) -> Iterator[Problem]:
    """Yield the findings about the rules of one table, but for rules that never fire, which the check reports."""
    for rule, others in sorted(spare.items()):
        yield _redundant(cells, rule, others)
    if cells.table.form is Form.RULES:
        yield from _subsumed(cells, frozenset(spare))
        yield from _conditions(cells)
    yield from _conflicts(cells)


def spare_rules(cells: TableCells) -> Spare:
    """Return rules that can be removed together without changing any cell; each with those that count there instead.

    A rule is redundant if wherever it counts, the next rule has the same outcomes, cites the same headings and
    assumptions, and waits for the same facts. Rules that count in no cell are treated as removed. The cells of a
    matrix, the rows of an entry table and tables with overlaps are not examined.
    """
    if cells.table.form is not Form.RULES or any(True for _ in overlapping(cells.partial)):
        return {}
    return _spare_of_collect(cells) if cells.table.hit is HitPolicy.COLLECT else _spare_of_first(cells)


def _spare_of_first(cells: TableCells) -> dict[int, tuple[int, ...]]:
    return {rule: tuple(entry - 1 for entry in after if entry) for rule, after, spare in _followed(cells) if spare}


def _followed(cells: TableCells) -> Iterator[tuple[int, tuple[int, ...], bool]]:
    """Yield each rule, last first, with the entries that would replace it, and whether nothing would change."""
    grid = cells.grid
    last = len(grid.tests)
    below: Indices = np.full(cells.shape, last + 1 if cells.table.otherwise else 0, dtype=np.int32)
    for rule in range(last - 1, -1, -1):
        where = region(grid.tests[rule], cells.shape)
        counts = (grid.rule_set_of[where] == rule + 1) & cells.reached[where]
        if not counts.any():
            continue
        after = below[where][counts]
        spare = rule not in cells.idle and cells.alike(
            np.full_like(after, rule + 1), after, cells.numbers[where][counts]
        )
        yield rule, tuple(np.unique(after).tolist()), spare
        if not spare:
            below[where] = rule + 1


def _spare_of_collect(cells: TableCells) -> dict[int, tuple[int, ...]]:
    """Return the redundant rules of a collect table: they add nothing, and others claim every fact that they claim."""
    grid, spare = cells.grid, dict[int, tuple[int, ...]]()
    for rule, one in enumerate(cells.table.rules):
        if rule in cells.idle or any(one.then.get(name) for name in cells.table.produces):
            continue
        needed = False
        for axis, allowed in grid.tests[rule]:
            if allowed[:1] == (0,):
                here = cells.holds(rule) & _missing(cells, axis)
                others = [
                    other
                    for other in range(len(grid.tests))
                    if other not in (rule, *spare) and (axis, 0) in _named(cells, other)
                ]
                held = np.any([cells.holds(other) for other in others], axis=0) if others else np.zeros_like(here)
                needed = needed or bool((here & ~held).any())
        if not needed:
            spare[rule] = ()
    return spare


def _named(cells: TableCells, rule: int) -> frozenset[tuple[int, int]]:
    return frozenset((axis, 0) for axis, allowed in cells.grid.tests[rule] if allowed[:1] == (0,))


def _missing(cells: TableCells, axis: int) -> Mask:
    missing = np.zeros(cells.shape, dtype=np.bool_)
    missing[(slice(None),) * axis + (0,)] = True
    return missing


def _names(cells: TableCells, rules: tuple[int, ...]) -> str:
    every = cells.table.all_rules
    names = [f"`{every[rule].id}`" for rule in rules[:MAX_NAMED]]
    names += [f"{len(rules) - MAX_NAMED} more"] if len(rules) > MAX_NAMED else []
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _places(cells: TableCells, rules: tuple[int, ...], what: str) -> tuple[Related, ...]:
    every = cells.table.all_rules
    return tuple(Related(every[rule].place, f"`{every[rule].id}` {what}") for rule in rules[:MAX_NAMED])


def _redundant(cells: TableCells, rule: int, others: tuple[int, ...]) -> Problem:
    one = cells.table.rules[rule]
    if cells.table.hit is HitPolicy.COLLECT:
        message = f"the rule `{one.id}` adds nothing that other rules do not add"
    else:
        message = f"the rule `{one.id}` can be removed: {_names(cells, others)} {'has' if len(others) == 1 else 'have'} the same outcomes wherever it fires"
    witness = cells.witness(cells.counts(rule) & cells.settled)
    return Problem(
        place=one.place,
        code="redundant",
        message=message,
        help=CODES["redundant"].help,
        witness=witness,
        also=_places(cells, others, "has the same outcomes"),
    )


def _subsumed(cells: TableCells, spare: frozenset[int]) -> Iterator[Problem]:
    """Yield rules that differ only in their citations, or add what another rule adds."""
    collects = cells.table.hit is HitPolicy.COLLECT
    pairs = _twice(cells, spare) if collects else _wider(cells) if cells.table.hit is HitPolicy.FIRST else ()
    for rule, other in sorted(pairs):
        one, wide = cells.table.rules[rule], cells.table.rules[other]
        message = (
            f"`{wide.id}` already adds everything that the rule `{one.id}` adds"
            if collects
            else f"`{wide.id}` has the outcomes of the rule `{one.id}` in more cases; the two differ only in their citations"
        )
        yield Problem(
            place=one.place,
            code="subsumed",
            message=message,
            help=CODES["subsumed"].help,
            witness=cells.witness(cells.counts(rule) & cells.settled),
            also=(Related(wide.place, f"`{wide.id}` has the same outcomes in more cases"),),
        )


def _wider(cells: TableCells) -> Iterator[tuple[int, int]]:
    """Yield rules, each with a later one that covers all its cells and differs only in its citations."""
    for rule, after, spare in _followed(cells):
        if spare or rule in cells.idle or len(after) > 1 or not 0 < after[0] <= len(cells.table.rules):
            continue
        held = cells.holds(rule)
        counts: Numbers = cells.numbers[held & (cells.grid.rule_set_of == rule + 1)]
        entries = np.full(counts.shape, rule + 1, dtype=np.int32)
        if (
            cells.alike(entries, np.full_like(entries, after[0]), counts, cited=False)
            and not (held & ~cells.holds(after[0] - 1)).any()
        ):
            yield rule, after[0] - 1


def _twice(cells: TableCells, spare: frozenset[int]) -> Iterator[tuple[int, int]]:
    """Yield rules of a collect table, each with another that adds the same items in all its cases.

    Of two equal rules, only the second is reported.
    """
    rules = [
        rule
        for rule in range(len(cells.table.rules))
        if rule not in cells.idle and rule not in spare and any(cells.table.rules[rule].then.values())
    ]
    for rule in rules:
        then, held = cells.table.rules[rule].then, cells.holds(rule)
        for other in rules:
            same = other != rule and cells.table.rules[other].then == then
            if same and not (held & ~cells.holds(other)).any() and (other < rule or (cells.holds(other) & ~held).any()):
                yield rule, other
                break


def _conditions(cells: TableCells) -> Iterator[Problem]:
    """Yield conditions that always hold when the others of their rule do, in the cells that tickets reach.

    A reported condition counts as removed: of two that imply each other, only one is reported.
    """
    position = {axis.fact: at for at, axis in enumerate(cells.grid.axes)}
    for rule, one in enumerate(cells.table.rules):
        tests = dict(cells.grid.tests[rule])
        copied = {value.fact for value in one.then.values() if isinstance(value, SameAs)}
        for condition in one.when if rule not in cells.idle else ():
            axis = position[condition.fact]
            others = tuple((at, allowed) for at, allowed in sorted(tests.items()) if at != axis)
            if others and condition.fact not in copied and _implied(cells, axis, cells.grid.tests[rule], others):
                del tests[axis]
                yield Problem(
                    place=condition.place,
                    code="redundant-condition",
                    message=f"the rule `{one.id}` does not need the condition on `{condition.fact}`: it is always {condition.text} when the other conditions hold",
                    help=CODES["redundant-condition"].help,
                    witness=cells.witness(cells.holds(rule)),
                    also=(Related(one.place, f"the rule `{one.id}`"),),
                )


def _implied(cells: TableCells, axis: int, tests: Tests, others: Tests) -> bool:
    """Return whether all tests hold wherever the others do, and no ticket needs a claim on the fact of this axis."""
    freed, kept = region(others, cells.shape), region(tests, cells.shape)
    missing = region((*others, (axis, (0,))), cells.shape)
    return int(cells.reached[freed].sum()) == int(cells.reached[kept].sum()) and not cells.reached[missing].any()


def _conflicts(cells: TableCells) -> Iterator[Problem]:
    """Yield rules of a `first` table that hold where an earlier rule counts, with different outcomes."""
    if cells.table.hit is not HitPolicy.FIRST:
        return
    grid, found = cells.grid, 0
    for rule, one in enumerate(cells.table.rules):
        if rule in cells.idle:
            continue
        where = region(grid.tests[rule], cells.shape)
        inside = cells.settled[where] & (grid.rule_set_of[where] <= rule)
        numbers, entries = cells.numbers[where][inside], grid.rule_set_of[where][inside]
        if not numbers.size:
            continue
        differ = cells.differ(entries, np.full_like(entries, rule + 1), numbers)
        for entry in np.unique(entries[differ]).tolist():
            chosen = np.zeros(grid.rule_set_of.size, dtype=np.bool_)
            chosen[numbers[differ & (entries == entry)]] = True
            earlier = cells.table.rules[entry - 1]
            within = not (cells.holds(entry - 1) & ~cells.holds(rule)).any()
            how = f"is an exception to `{one.id}`" if within else f"and `{one.id}` overlap"
            yield Problem(
                place=one.place,
                code="conflict",
                message=f"`{earlier.id}` {how}: their outcomes differ, and the first one counts",
                help=CODES["conflict"].help,
                witness=cells.witness(chosen.reshape(cells.shape)),
                also=(Related(earlier.place, f"`{earlier.id}` comes first"),),
            )
            found += 1
            if found == MAX_CONFLICTS:
                return
