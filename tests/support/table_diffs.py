"""Changed tables of a difference, made manually."""

from __future__ import annotations

from dataclasses import replace

from engine.diff import Change, Diff, OutcomeState, StateKind, Values
from engine.diff.causes import with_causes
from engine.diff.nouns import TableDiff, TableRegion
from engine.model.policy import Literal
from engine.version.version import Version


def decided(before: Literal, after: Literal) -> Change:
    """Return a change from a value to a value."""
    return Change(OutcomeState(StateKind.DECIDED, before), OutcomeState(StateKind.DECIDED, after))


def new(after: Literal) -> Change:
    """Return a change to a value from no answer."""
    return Change(OutcomeState(StateKind.NOT_COVERED), OutcomeState(StateKind.DECIDED, after))


def region(change: Change, situations: int, **when: str) -> TableRegion:
    """Return a region with one value for each fact; the example is a ticket with these facts."""
    values = tuple(Values(fact=fact, unknown=False, words=(word,)) for fact, word in when.items())
    return TableRegion(when=values, change=change, situations=situations, example=when)


def changed(table: str, outcome: str, of: int, *regions: TableRegion, others: int = 0) -> TableDiff:
    """Return a changed table whose regions do not overlap."""
    number = sum(one.situations for one in regions) + others
    return TableDiff(table=table, outcome=outcome, situations=of, changed=number, regions=regions, others=others)


def with_tables(diff: Diff, before: Version, after: Version, *tables: TableDiff) -> Diff:
    """Return a difference with these changed tables, and its outcomes with their causes."""
    return with_causes(replace(diff, tables=tables), before.policy, after.policy)
