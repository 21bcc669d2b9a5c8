"""Redundant, subsumed and conflicting rules of one table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from operator import eq
from typing import Final

from engine.analysis.likeness import alike, differ, unlike
from engine.model.conditions import Condition
from engine.model.policy import Form, HitPolicy, SameAs
from engine.model.problem_codes import CODES
from engine.model.problems import Problem, Related
from engine.tables.local_table import LocalTable

MAX_CONFLICTS: Final = 20
"""The most conflicts that are reported for one table."""

MAX_NAMED: Final = 5
"""The most rules that a message names; the others are counted."""


Spare = Mapping[int, tuple[int, ...]]
"""Redundant rules by position, each with the rules that count there instead."""


def rule_findings(local: LocalTable, spare: Spare) -> Iterator[Problem]:
    """Yield the findings about the rules of one table, but for rules that never fire, which the check reports."""
    for rule, others in sorted(spare.items()):
        yield _redundant(local, rule, others)
    if local.table.form is Form.RULES:
        yield from _subsumed(local, frozenset(spare))
        yield from _conditions(local)
    yield from _conflicts(local)


def spare_rules(local: LocalTable) -> Spare:
    """Return rules that can be removed together without changing any cell; each with those that count there instead.

    A rule is redundant if wherever it counts, the next rule has the same outcomes, cites the same headings and
    assumptions, and waits for the same facts. Rules that count in no cell are treated as removed. The cells of a
    matrix, the rows of an entry table and tables with overlaps are not examined.
    """
    if local.table.form is not Form.RULES or local.overlaps:
        return {}
    if local.table.hit is HitPolicy.COLLECT:
        return _spare_of_collect(local)
    if local.table.hit is HitPolicy.UNIQUE:
        return _spare_of_unique(local)
    return {rule: tuple(one for one in after if one >= 0) for rule, after, spare in _followed(local) if spare}


def _spare_of_unique(local: LocalTable) -> dict[int, tuple[int, ...]]:
    """Return the redundant rules of a table in which no two rules count: nothing but `otherwise` replaces them."""
    last = len(local.table.rules)
    instead = (last,) if local.table.otherwise else ()
    return {
        rule: instead
        for rule in range(last)
        if rule not in local.idle
        and not unlike(local, (rule,), instead)
        and alike(local, (rule,), instead, local.both(local.counting(rule), local.reached))
    }


def _followed(local: LocalTable) -> Iterator[tuple[int, tuple[int, ...], bool]]:
    """Yield each rule, last first, with those that would replace it (-1: none), and whether nothing would change."""
    store, last = local.store, len(local.table.rules)
    below = store.leaf(last if local.table.otherwise else -1)
    elsewhere = store.leaf(None)
    for rule in range(last - 1, -1, -1):
        here = local.both(local.counting(rule), local.reached)
        if here == local.no:
            continue
        after = store.choose(here, [elsewhere, below])
        others = sorted(one for one in store.values(after) if one is not None)
        spare = rule not in local.idle and (len(others) > 1 or not unlike(local, (rule,), _one(others[0])))
        spare = spare and all(
            alike(local, (rule,), _one(other), store.map(partial(eq, other), after)) for other in others
        )
        yield rule, tuple(others), spare
        if not spare:
            below = store.choose(local.holds(rule), [below, store.leaf(rule)])


def _one(rule: int) -> tuple[int, ...]:
    return (rule,) if rule >= 0 else ()


def _spare_of_collect(local: LocalTable) -> dict[int, tuple[int, ...]]:
    """Return the redundant rules of a collect table: they add nothing, and others claim every fact that they claim."""
    spare, claims = dict[int, tuple[int, ...]](), [_claimed(rule.when) for rule in local.table.rules]
    for rule, one in enumerate(local.table.rules):
        if rule in local.idle or any(one.then.get(name) for name in local.table.produces):
            continue
        for name in sorted(claims[rule]):
            left = local.both(local.both(local.holds(rule), local.missing(name)), local.reached)
            for other, claimed in enumerate(claims):
                if other not in (rule, *spare) and name in claimed:
                    left = local.without(left, local.holds(other))
            if left != local.no:
                break
        else:
            spare[rule] = ()
    return spare


def _claimed(conditions: Iterable[Condition]) -> frozenset[str]:
    return frozenset(one.fact for one in conditions if one.unknown)


def _names(local: LocalTable, rules: tuple[int, ...]) -> str:
    every = local.table.all_rules
    names = [f"`{every[rule].id}`" for rule in rules[:MAX_NAMED]]
    names += [f"{len(rules) - MAX_NAMED} more"] if len(rules) > MAX_NAMED else []
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _places(local: LocalTable, rules: tuple[int, ...], what: str) -> tuple[Related, ...]:
    every = local.table.all_rules
    return tuple(Related(every[rule].place, f"`{every[rule].id}` {what}") for rule in rules[:MAX_NAMED])


def _redundant(local: LocalTable, rule: int, others: tuple[int, ...]) -> Problem:
    one = local.table.rules[rule]
    if local.table.hit is HitPolicy.COLLECT:
        message = f"the rule `{one.id}` adds nothing that other rules do not add"
    else:
        message = f"the rule `{one.id}` can be removed: {_names(local, others)} {'has' if len(others) == 1 else 'have'} the same outcomes wherever it fires"
    witness = local.witness(local.both(local.counting(rule), local.settled))
    return Problem(
        place=one.place,
        code="redundant",
        message=message,
        help=CODES["redundant"].help,
        witness=witness,
        also=_places(local, others, "has the same outcomes"),
    )


def _subsumed(local: LocalTable, spare: frozenset[int]) -> Iterator[Problem]:
    """Yield rules that differ only in their citations, or add what another rule adds."""
    collects = local.table.hit is HitPolicy.COLLECT
    pairs = _twice(local, spare) if collects else _wider(local) if local.table.hit is HitPolicy.FIRST else ()
    for rule, other in sorted(pairs):
        one, wide = local.table.rules[rule], local.table.rules[other]
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
            witness=local.witness(local.both(local.counting(rule), local.settled)),
            also=(Related(wide.place, f"`{wide.id}` has the same outcomes in more cases"),),
        )


def _wider(local: LocalTable) -> Iterator[tuple[int, int]]:
    """Yield rules, each with a later one that covers all its cases and differs only in its citations."""
    for rule, after, spare in _followed(local):
        if spare or rule in local.idle or len(after) > 1 or not 0 <= after[0] < len(local.table.rules):
            continue
        here = local.both(local.counting(rule), local.reached)
        if alike(local, (rule,), after, here, cited=False) and _covers(local, after[0], rule):
            yield rule, after[0]


def _covers(local: LocalTable, wide: int, rule: int) -> bool:
    """Return whether a rule holds wherever another does, of what tickets reach."""
    left = local.without(local.holds(rule), local.holds(wide))
    return local.both(left, local.reached) == local.no


def _twice(local: LocalTable, spare: frozenset[int]) -> Iterator[tuple[int, int]]:
    """Yield rules of a collect table, each with another that adds the same items in all its cases.

    Of two equal rules, only the second is reported.
    """
    rules = [
        rule
        for rule in range(len(local.table.rules))
        if rule not in local.idle and rule not in spare and any(local.table.rules[rule].then.values())
    ]
    for rule in rules:
        then = local.table.rules[rule].then
        for other in rules:
            same = other != rule and local.table.rules[other].then == then
            if same and _covers(local, other, rule) and (other < rule or not _covers(local, rule, other)):
                yield rule, other
                break


def _conditions(local: LocalTable) -> Iterator[Problem]:
    """Yield conditions that always hold when the others of their rule do, in the cells that tickets reach.

    A reported condition counts as removed: of two that imply each other, only one is reported.
    """
    for rule, one in enumerate(local.table.rules):
        left = list(one.when)
        copied = {value.fact for value in one.then.values() if isinstance(value, SameAs)}
        for condition in one.when if rule not in local.idle else ():
            others = [other for other in left if other is not condition]
            if others and condition.fact not in copied and _implied(local, rule, condition, others):
                left = others
                yield Problem(
                    place=condition.place,
                    code="redundant-condition",
                    message=f"the rule `{one.id}` does not need the condition on `{condition.fact}`: it is always {condition.text} when the other conditions hold",
                    help=CODES["redundant-condition"].help,
                    witness=local.witness(local.holds(rule)),
                    also=(Related(one.place, f"the rule `{one.id}`"),),
                )


def _implied(local: LocalTable, rule: int, condition: Condition, others: Iterable[Condition]) -> bool:
    """Return whether a rule holds wherever the others do, and no ticket needs a claim on the fact of this one."""
    if True in local.values_within(local.reached, others, missing=condition.fact):
        return False
    freed = local.both(local.region(*others), local.reached)
    return local.without(freed, local.holds(rule)) == local.no


def _conflicts(local: LocalTable) -> Iterator[Problem]:
    """Yield rules of a `first` table that hold where an earlier rule counts, with different outcomes."""
    if local.table.hit is not HitPolicy.FIRST:
        return
    store, found = local.store, 0
    for rule, one in enumerate(local.table.rules):
        if rule in local.idle or local.values_within(local.counts_settled, one.when) <= {rule, None}:
            continue
        counts = store.choose(local.both(local.holds(rule), local.reached_settled), [store.leaf(rule), local.counts])
        for earlier in sorted(set(store.values(counts)) - {rule}):
            where = local.both(store.map(partial(eq, earlier), counts), differ(local, (earlier,), (rule,)))
            if where == local.no:
                continue
            other = local.table.rules[earlier]
            how = f"is an exception to `{one.id}`" if _covers(local, rule, earlier) else f"and `{one.id}` overlap"
            yield Problem(
                place=one.place,
                code="conflict",
                message=f"`{other.id}` {how}: their outcomes differ, and the first one counts",
                help=CODES["conflict"].help,
                witness=local.witness(where),
                also=(Related(other.place, f"`{other.id}` comes first"),),
            )
            found += 1
            if found == MAX_CONFLICTS:
                return
