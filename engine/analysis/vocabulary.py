"""Facts, values, thresholds and outcomes that make no difference."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from engine.analysis.cells import TableCells
from engine.model.conditions import Condition
from engine.model.policy import Policy, SameAs
from engine.model.problem_codes import CODES
from engine.model.problems import Problem, Related
from engine.model.vocabulary import UNLISTED, Fact, FactType, number_text
from engine.tables.classes import Atoms
from engine.tables.missing_facts import PartialTable


def vocabulary_findings(
    policy: Policy, partial_tables: Mapping[str, PartialTable], timed: Mapping[str, TableCells]
) -> Iterator[Problem]:
    """Yield the findings about facts and outcomes.

    ``partial_tables`` are the tables over sent facts, ``timed`` the deadlines.
    """
    read = read_facts(policy)
    for name, fact in policy.facts.items():
        if name not in read:
            yield _found("unused-fact", fact, f"nothing reads the fact `{name}`")
        elif fact.type is not FactType.INSTANT and not has_effect(name, policy, partial_tables, timed):
            yield _found("no-effect", fact, f"the fact `{name}` is read, but never changes an outcome")
        else:
            alike = words_alike(fact, policy)
            if alike:
                rest = " from a value that is not listed" if fact.open and len(alike) == 1 else ""
                yield _found("unused-value", fact, f"no rule distinguishes {_listed(alike)} of the fact `{name}`{rest}")
    shown = shown_outcomes(policy)
    for name, outcome in policy.outcomes.items():
        if name not in shown | read and name not in {roster.produces for roster in policy.rosters.values()}:
            yield _found("unread-outcome", outcome, f"no decision lists the outcome `{name}`, and nothing reads it")


def _found(code: str, fact: Fact, message: str) -> Problem:
    return Problem(place=fact.place, code=code, message=message, help=CODES[code].help)


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words[:-1]) + f" and `{words[-1]}`" if len(words) > 1 else f"`{words[0]}`"


def read_facts(policy: Policy) -> frozenset[str]:
    """Return the facts and outcomes that tables, rosters, deadlines and elapsed times read."""
    read = {name for table in policy.all_tables for name in table.reads}
    read |= {roster.at for roster in policy.rosters.values()}
    read |= {name for one in policy.deadlines.values() for name in (one.starts, one.met, one.amount, one.region)}
    read |= {name for one in policy.elapsed.values() for name in (one.since, one.region)}
    return frozenset(read)


def shown_outcomes(policy: Policy) -> frozenset[str]:
    """Return the outcomes that decisions list."""
    return frozenset(name for decision in policy.decisions.values() for name in decision.outcomes)


def has_effect(
    fact: str, policy: Policy, partial_tables: Mapping[str, PartialTable], timed: Mapping[str, TableCells]
) -> bool:
    """Return whether two tickets that differ only in a fact can differ in an outcome of a decision or deadline."""
    goes_by = {name for one in policy.deadlines.values() for name in one.goes_by}
    counted = shown_outcomes(policy) | goes_by | {one.region for one in policy.elapsed.values()}
    among = [partial for partial in partial_tables.values() if counted & set(partial.codes)] + [
        cells.partial for cells in timed.values()
    ]
    for partial in sorted(among, key=lambda partial: partial.cell.size):
        at = next((at for at, axis in enumerate(partial.axes) if axis.fact == fact), None)
        if at is not None and any(
            _varies(codes, at)
            for name, one in partial.codes.items()
            if name in counted or name in timed
            for codes in (one.low, one.high)
        ):
            return True
    return False


def _varies(codes: np.ndarray[Any, Any], axis: int) -> bool:
    first = codes[(slice(None),) * axis + (slice(0, 1),)]
    return bool((codes != first).any())


def words_alike(fact: Fact, policy: Policy) -> tuple[str, ...]:
    """Return the words of a choice or a yes/no that no rule names and no outcome copies, if there are several.

    An unlisted value counts as one of them unless a rule names `unlisted`; it is not returned.
    """
    if fact.type not in (FactType.CHOICE, FactType.BOOLEAN):
        return ()
    used: set[str] = set()
    for table in policy.all_tables:
        for rule in table.rules:
            copied = any(isinstance(value, SameAs) and value.fact == fact.name for value in rule.then.values())
            for condition in rule.when:
                if condition.fact == fact.name:
                    used |= named(condition, fact) | (condition.words if copied else frozenset())
    alike = [word for word in fact.words if word not in used]
    return tuple(word for word in alike if word != UNLISTED) if len(alike) > 1 else ()


def named(condition: Condition, fact: Fact) -> frozenset[str]:
    """Return the words that a condition names: those that it allows, or those after its `not`."""
    negated = condition.text.startswith("not ") and condition.text not in fact.words
    return frozenset(fact.words) - condition.words if negated else condition.words


def threshold_findings(cells: TableCells, spare: Collection[int]) -> Iterator[Problem]:
    """Yield thresholds that make no difference in any cell that tickets reach.

    Thresholds of rules that never fire or are redundant are not reported.
    """
    tried = set()
    for position, rule in enumerate(cells.table.rules):
        for condition in rule.when if position not in spare and position not in cells.idle else ():
            at = next(at for at, axis in enumerate(cells.grid.axes) if axis.fact == condition.fact)
            for cut, below in _ends(condition, cells.atoms[condition.fact]):
                if (at, below) in tried:
                    continue
                tried.add((at, below))
                if _same_beside(cells, at, below):
                    yield Problem(
                        place=condition.place,
                        code="needless-threshold",
                        message=f"`{cells.table.name}` has a threshold for `{condition.fact}` at {number_text(cut)}, with the same outcomes on both sides",
                        help=CODES["needless-threshold"].help,
                        witness=cells.witness(cells.holds(position)),
                        also=(Related(cells.table.place, f"the table `{cells.table.name}`"),),
                    )


def _ends(condition: Condition, atoms: Atoms) -> Iterator[tuple[float, int]]:
    """Yield the ends of a condition's intervals, each with the last atom below it (or on it, if the end is below)."""
    for interval in condition.intervals:
        for end, first in ((interval.low, interval.low_closed), (interval.high, not interval.high_closed)):
            if end in atoms.cuts:
                at = atoms.of(end)
                below = at - 1 if first else at
                if 1 <= below < len(atoms.samples):
                    yield end, below


def _same_beside(cells: TableCells, axis: int, below: int) -> bool:
    """Return whether an atom and the next one have the same outcomes in all cells that tickets reach."""
    class_of = cells.grid.axes[axis].class_of
    one, other = int(class_of[below]), int(class_of[below + 1])
    if one == other:
        return False
    reached = np.take(cells.reached, one, axis), np.take(cells.reached, other, axis)
    if (reached[0] != reached[1]).any() or not reached[0].any():
        return False
    entries, others = (np.take(cells.grid.rule_set_of, at, axis)[reached[0]] for at in (one, other))
    return cells.alike(entries, others, np.take(cells.numbers, one, axis)[reached[0]])
