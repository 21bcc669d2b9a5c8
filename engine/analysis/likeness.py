"""Whether rules of a table mean the same as others in some of its cases: outcomes, citations, missing facts.

Rules are positions in the table; the position after the last is `otherwise`. Several count in a collect table only, and
none where a table does not cover a case.
"""

from __future__ import annotations

from engine.diagrams.store import Node
from engine.model.policy import HitPolicy, SameAs
from engine.tables.check import rule_at
from engine.tables.local_table import LocalTable

Counted = tuple[int, ...]
"""The rules that count in a case; in a collect table, those among the rules that are compared."""


def alike(local: LocalTable, some: Counted, others: Counted, where: Node, *, cited: bool = True) -> bool:
    """Return whether nothing changes in cases that tickets reach if other rules count there.

    The outcomes and citations are the same where a ticket is decided, and so are the missing facts.
    """
    claimed = [frozenset[str]().union(*(_claimed(local, rule) for rule in rules)) for rules in (some, others)]
    for name in claimed[0] ^ claimed[1]:
        waits = local.both(where, local.missing(name))
        if local.table.hit is HitPolicy.COLLECT:
            for rule in range(len(local.table.rules)):
                if rule not in {*some, *others} and name in _claimed(local, rule):
                    waits = local.without(waits, local.holds(rule))
        if waits != local.no:
            return False
    final = local.both(where, local.reached_settled)
    if final == local.no:
        return True
    if cited and [_cited(local, rule) for rule in some] != [_cited(local, rule) for rule in others]:
        return False
    if local.table.hit is HitPolicy.COLLECT:
        return _list_alike(local, some, others, final)
    return local.both(final, differ(local, some, others)) == local.no


def unlike(local: LocalTable, some: Counted, others: Counted) -> bool:
    """Return whether rules differ wherever a ticket is decided: in their citations, or in an outcome.

    This needs no diagram of the cases in which they count.
    """
    cited = [[_cited(local, rule) for rule in rules] for rules in (some, others)]
    return cited[0] != cited[1] or differ(local, some, others) == local.yes


def _list_alike(local: LocalTable, some: Counted, others: Counted, where: Node) -> bool:
    """Return whether rules of a collect table give the same items as others, at the same place of the list."""
    rules = local.table.rules
    if [rules[one].then for one in some] != [rules[one].then for one in others]:
        return False
    for one, other in zip(some, others, strict=True):
        for between in range(min(one, other) + 1, max(one, other)):
            moved = between not in {*some, *others} and rules[between].then != rules[one].then
            if moved and local.both(where, local.holds(between)) != local.no:
                return False
    return True


def differ(local: LocalTable, some: Counted, others: Counted) -> Node:
    """Draw where two rules of a table in which one rule counts have different outcomes."""
    found = local.no
    for name in local.table.produces:
        unlike = local.store.combine(
            lambda one, another: one != another, _given(local, some, name), _given(local, others, name)
        )
        found = local.store.choose(unlike, [found, local.yes])
    return found


def _given(local: LocalTable, counted: Counted, name: str) -> Node:
    store = local.store
    if not counted:
        return store.leaf(())
    value = rule_at(local.table, counted[0]).then[name]
    if not isinstance(value, SameAs):
        return store.leaf(_key(value))
    words = [None, *local.reading.atoms[value.fact].samples]
    members = local.parts[value.fact].members
    return store.node(value.fact, [store.leaf(_key(words[members[one]])) for one in local.states[value.fact].classes])


def _key(value: object) -> tuple[str, object]:
    """Return a key that distinguishes yes from 1: values of different types differ; a copied yes/no is its word."""
    said = ("yes" if value else "no") if isinstance(value, bool) else value
    return type(said).__name__, said


def _claimed(local: LocalTable, rule: int) -> frozenset[str]:
    """Return what a rule names ``unknown`` for."""
    return frozenset(one.fact for one in rule_at(local.table, rule).when if one.unknown)


def _cited(local: LocalTable, rule: int) -> tuple[str, str]:
    one = rule_at(local.table, rule)
    return one.source, one.assumption
