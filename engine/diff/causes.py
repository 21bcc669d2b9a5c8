"""The changed tables behind each outcome that changes, in either version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.diff.nouns import Diff
from engine.model.policy import Policy


def with_causes(diff: Diff, before: Policy, after: Policy) -> Diff:
    """Return a difference whose outcomes name the changed tables on which they depend."""
    changed = tuple(dict.fromkeys(one.table for one in diff.tables))
    reads = (_reads(before), _reads(after))
    outcomes = (replace(one, tables=_behind(one.name, changed, reads)) for one in diff.outcomes)
    return replace(diff, outcomes=tuple(outcomes)) if changed else diff


def _behind(outcome: str, changed: tuple[str, ...], reads: tuple[Mapping[str, set[str]], ...]) -> tuple[str, ...]:
    behind = {outcome}
    for read in reads:
        left = [outcome]
        while left:
            new = read.get(left.pop(), set()) - behind
            behind |= new
            left += new
    return tuple(table for table in changed if _node(table) in behind)


def _reads(policy: Policy) -> dict[str, set[str]]:
    """Return what each outcome, fact and table reads; tables are marked, since a fact may have the same name."""
    found: dict[str, set[str]] = {}
    for table in policy.tables.values():
        found[_node(table.name)] = set(table.reads)
        found |= {outcome: {_node(table.name)} for outcome in table.produces}
    for deadline in policy.deadlines.values():
        found[_node(deadline.table.name)] = set(deadline.table.reads)
        found[deadline.name] = {*deadline.goes_by, _node(deadline.table.name)}
    return found | {name: {one.region} for name, one in policy.elapsed.items() if one.region}


def _node(table: str) -> str:
    return f"table {table}"
