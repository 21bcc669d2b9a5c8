"""Problems of tables: gaps, overlaps, rules that never fire, and values that no rule produces, each with a witness.

The checks read cells over sent facts, through the whole chain of tables. So a cell that no ticket reaches is not a
problem, and every witness is a ticket that a caller can send.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from engine.model.policy import HitPolicy, Policy, Rule, Table
from engine.model.problems import Place, Problem
from engine.model.vocabulary import FactType
from engine.tables.classes import Atoms, Axis, Mask
from engine.tables.partial import PartialTable
from engine.tables.tabulate import MAX_CELLS, Grid, Tests, cells, region

MAX_READERS = 4
"""How many tables that read a fact are listed."""

MAX_TRIED = 32
"""The most cells that are tried for a witness."""

MAX_OVERLAPS = 20
"""How many pairs of overlapping rules are reported for one table."""

Witness = tuple[tuple[str, str], ...]


def too_many(axes: tuple[Axis, ...]) -> bool:
    """Return whether axes span more cells than the limit."""
    return cells(axes) > MAX_CELLS


def space_problem(what: str, axes: tuple[Axis, ...], place: Place, tables: Sequence[Table]) -> Problem | None:
    """Return the problem of axes that span too many cells, or None; ``tables`` read these axes."""
    if not too_many(axes):
        return None
    return Problem(
        place=place,
        code="space-too-large",
        message=f"{what} has {cells(axes):,} cells, more than the limit of {MAX_CELLS:,}: {sizes_text({axis.fact: axis.size for axis in axes})}",
        help=_smaller(axes, tables),
    )


def _smaller(axes: tuple[Axis, ...], tables: Sequence[Table]) -> str:
    """Return which facts to remove, which tables read them, and how many cells remain."""
    left, gone = cells(axes), list[Axis]()
    for axis in sorted(axes, key=lambda one: (-one.size, one.fact)):
        if left <= MAX_CELLS:
            break
        gone.append(axis)
        left //= axis.size
    parts = []
    for axis in gone:
        readers = [table.name for table in tables if axis.fact in table.reads]
        more = f" and {len(readers) - MAX_READERS} more" if len(readers) > MAX_READERS else ""
        parts.append(
            f"`{axis.fact}`"
            + (f" from {', '.join(f'`{name}`' for name in readers[:MAX_READERS])}{more}" if readers else "")
        )
    return (
        f"the sizes multiply: remove {', and '.join(parts)}, and {left:,} cells are left; "
        f"or distinguish fewer values of a fact, since values that no rule distinguishes count once; or move an outcome that depends on fewer facts to another table"
    )


def sizes_text(sizes: Mapping[str, int]) -> str:
    """Return the number of classes of each fact, the largest first.

    >>> sizes_text({"impact": 4, "country": 9})
    'country 9 × impact 4'
    """
    return " × ".join(f"{fact} {size}" for fact, size in sorted(sizes.items(), key=lambda pair: (-pair[1], pair[0])))


def table_problems(
    policy: Policy, partial_tables: Mapping[str, PartialTable], atoms: Mapping[str, Atoms]
) -> list[Problem]:
    """Return the problems of all cells of all tables."""
    problems: list[Problem] = []
    troubled: set[str] = set()
    for partial in partial_tables.values():
        witness = Witnesses(partial, atoms)
        found = [*_gap(partial, policy, witness), *_overlaps(partial, witness)]
        idle = [] if troubled & set(partial.grid.table.reads) else list(idle_rules(partial))
        found += [_never_fires(partial, rule, witness) for rule in idle]
        found += _never_produced(partial, policy, idle)
        problems.extend(found)
        if found or troubled & set(partial.grid.table.reads):
            troubled.update(partial.grid.table.produces)
    return problems


class Witnesses:
    """Finds tickets for cells of a table over sent facts."""

    def __init__(self, partial: PartialTable, atoms: Mapping[str, Atoms]) -> None:
        self.partial, self.atoms = partial, atoms

    def __call__(self, where: Mask) -> Witness:
        """Return the smallest ticket that lies in a mask, whatever the values of the facts that it does not name.

        Cells in which every fact is sent are preferred. At most ``MAX_TRIED`` cells are tried, so a smaller ticket may
        exist, but no fact of this one can be left out.
        """
        found = np.argwhere(where)
        missing = (found == 0).sum(axis=1)
        best = found[missing == missing.min()]
        tried = best[np.unique(np.linspace(0, len(best) - 1, MAX_TRIED).astype(np.intp))]
        cell, named = min(((cell, _named(where, cell)) for cell in tried.tolist()), key=lambda pair: len(pair[1]))
        return tuple(
            (axis.fact, self.atoms[axis.fact].text(axis.members[cell[at]]))
            for at, axis in enumerate(self.partial.axes)
            if at in named
        )


def _named(where: Mask, cell: list[int]) -> list[int]:
    """Return the axes that keep a cell in a mask: along all others, every value that can be sent lies in the mask."""
    named = [at for at, value in enumerate(cell) if value]
    for axis in reversed(named):
        fewer = [at for at in named if at != axis]
        if where[tuple(value if at in fewer or not value else slice(1, None) for at, value in enumerate(cell))].all():
            named = fewer
    return named


def _known(partial: PartialTable) -> Mask:
    """Return the cells in which every fact is sent."""
    known = np.ones(partial.cell.shape, dtype=np.bool_)
    for at in range(len(partial.axes)):
        known[(slice(None),) * at + (0,)] = False
    return known


def _gap(partial: PartialTable, policy: Policy, witness: Witnesses) -> Iterator[Problem]:
    table = partial.grid.table
    more = "a rule with `then: nothing` if nothing is due" if table.name in policy.deadlines else "an `otherwise`"
    if table.has_otherwise or table.hit is HitPolicy.COLLECT or bool(partial.grid.rule_set_of.all()):
        return
    bare = _known(partial) & (partial.rule_set_of == 0) & _covered_above(partial)
    count = int(bare.sum())
    if count:
        yield Problem(
            place=table.place,
            code="gap",
            message=f"no rule of `{table.name}` covers {_cases(count)}",
            help=f"add a rule, or {more}",
            witness=witness(bare),
        )


def _covered_above(partial: PartialTable) -> Mask:
    """Return the cells in which every table that this one reads has an outcome."""
    covered = np.ones(partial.cell.shape, dtype=np.bool_)
    local, sent = partial.cell, {axis.fact for axis in partial.axes}
    for axis in reversed(partial.grid.axes):
        local, at = np.divmod(local, axis.size)
        if axis.fact not in sent:
            covered &= at != 0
    return covered


def _cases(count: int) -> str:
    return "a case" if count == 1 else f"{count:,} cases"


def _overlaps(partial: PartialTable, witness: Witnesses) -> Iterator[Problem]:
    table = partial.grid.table
    for first, second, shared in overlapping(partial):
        local = np.ravel_multi_index(shared, partial.grid.rule_set_of.shape) if shared else 0
        one, other = table.rules[first], table.rules[second]
        yield Problem(
            place=other.place,
            code="overlap",
            message=f"the rules `{one.id}` and `{other.id}` both cover a case; `{table.name}` is unique",
            help=f"make them exclude each other (`{one.id}` is in line {one.place.line}), or use `hit: first`",
            witness=witness(partial.cell == local),
        )


def reached_cells(partial: PartialTable, where: Mask | None = None) -> Mask:
    """Return the cells of a table's own grid that tickets reach: all, or those in cells ``where`` over sent facts."""
    reached = np.zeros(partial.grid.rule_set_of.size, dtype=np.bool_)
    reached[partial.cell.ravel() if where is None else partial.cell[where]] = True
    return reached.reshape(partial.grid.rule_set_of.shape)


def overlapping(partial: PartialTable) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """Yield pairs of rules of a unique table that fire in the same cell, by position, with the first such cell."""
    if partial.grid.table.hit is HitPolicy.UNIQUE:
        yield from _overlaps_in(partial.grid, reached_cells(partial))


def _overlaps_in(grid: Grid, reached: Mask) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    count = np.zeros(grid.rule_set_of.shape, dtype=np.int32)
    allowed = [_allowed(tests, grid) for tests in grid.tests]
    for classes in allowed:
        count[np.ix_(*classes) if classes else ()] += 1
    crowded = np.asarray((count > 1) & reached)
    found = 0
    for cell in map(tuple, np.argwhere(crowded)):
        if not crowded[cell]:
            continue
        both = [
            rule
            for rule, classes in enumerate(allowed)
            if all(at in axis for at, axis in zip(cell, classes, strict=True))
        ]
        yield both[0], both[1], tuple(int(at) for at in cell)
        found += 1
        if found == MAX_OVERLAPS:
            return
        if not cell:
            return
        shared = [np.intersect1d(one, other) for one, other in zip(allowed[both[0]], allowed[both[1]], strict=True)]
        crowded[np.ix_(*shared)] = False


def _allowed(tests: Tests, grid: Grid) -> list[np.ndarray]:
    allowed = dict(tests)
    return [np.array(allowed.get(at, range(axis.size)), dtype=np.intp) for at, axis in enumerate(grid.axes)]


def idle_rules(partial: PartialTable) -> Iterator[int]:
    """Yield the positions of rules that fire in no settled cell; overlaps of a unique table are reported separately."""
    grid, table = partial.grid, partial.grid.table
    settled = reached_cells(partial, partial.settled)
    if table.hit is HitPolicy.COLLECT:
        yield from (at for at in range(len(table.rules)) if not (holds(grid, at) & settled).any())
        return
    fired = {rule for entry in np.unique(grid.rule_set_of[settled]).tolist() for rule in grid.rule_sets[entry]}
    for at in range(len(table.rules) + (table.otherwise is not None)):
        if at not in fired and not (table.hit is HitPolicy.UNIQUE and bool((holds(grid, at) & settled).any())):
            yield at


def rule_at(table: Table, at: int) -> Rule:
    """Return the rule at a position; the position after the last rule is `otherwise`."""
    return table.rules[at] if table.otherwise is None or at < len(table.rules) else table.otherwise


def _never_fires(partial: PartialTable, at: int, witness: Witnesses) -> Problem:
    table, rule = partial.grid.table, rule_at(partial.grid.table, at)
    what = f"the rule `{rule.id}` can never fire"
    if at == len(table.rules):
        return Problem(
            place=rule.place,
            code="never-fires",
            message=f"{what}: the rules above it cover every case",
            help="leave it out",
        )
    covered = covers(partial, at)
    where = covered & partial.settled
    if where.any():
        other = partial.grid.rules(int(partial.rule_set_of[where][0]))[0]
        return Problem(
            place=rule.place,
            code="never-fires",
            message=f"{what}: other rules come first",
            help=f"for the witness, `{other.id}` in line {other.place.line} fires",
            witness=witness(where),
        )
    if covered.any():
        return Problem(
            place=rule.place,
            code="never-fires",
            message=f"{what}: its conditions hold only while a fact is unknown that it does not name",
            help="add a condition on that fact: `unknown`, or a value",
            witness=witness(covered),
        )
    return Problem(
        place=rule.place,
        code="never-fires",
        message=f"{what}: no ticket meets its conditions",
        help="they contradict each other, or need outcomes that no table produces",
    )


def covers(partial: PartialTable, at: int) -> Mask:
    """Return the cells over sent facts in which the conditions of a rule hold."""
    return holds(partial.grid, at).ravel()[partial.cell]


def holds(grid: Grid, at: int) -> Mask:
    """Return the cells of a table's own grid in which the conditions of a rule hold; for `otherwise`, none."""
    local = np.zeros(grid.rule_set_of.shape, dtype=np.bool_)
    if at < len(grid.tests):
        local[region(grid.tests[at], grid.rule_set_of.shape)] = True
    return local


def _never_produced(partial: PartialTable, policy: Policy, idle: list[int]) -> Iterator[Problem]:
    """Yield a problem for values of a choice that no cell has, except values of rules that never fire anyway."""
    for name, codes in partial.codes.items():
        outcome = policy.outcomes[name]
        if outcome.type is not FactType.CHOICE:
            continue
        produced = set(np.flatnonzero(np.bincount(codes.low[codes.low == codes.high])).tolist())
        reported = {rule_at(partial.grid.table, at).then.get(name) for at in idle}
        missing = [value for code, value in enumerate(codes.domain) if code not in produced and value not in reported]
        if missing:
            listed = ", ".join(f"`{value}`" for value in missing)
            yield Problem(
                place=outcome.place,
                code="never-produced",
                message=f"no rule of `{partial.grid.table.name}` produces the {name} {listed}",
                help="remove it from the vocabulary, or add a rule that produces it",
            )
