"""Parts of two versions that are the same part: by name, by content, or by place and likeness.

A part with a name of its own keeps its identity while it keeps its name, whatever else changes. The name of an entry or
of a cell of a matrix is its condition, so a changed condition changes the name: such rules are paired if they are alike
and have the same neighbour. Rules of different tables are never paired.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from engine.diff.parts import WHEN, Part, PartKey
from engine.model.policy import HitPolicy, Policy, Table

Pairs = Mapping[PartKey, PartKey]
"""The part of the later version for each part of the earlier one that is still there."""

_NEAR: Final = 10
"""How far apart two alike rules may be, in places between the same neighbours."""


def same_parts(one: Mapping[PartKey, Part], other: Mapping[PartKey, Part]) -> Pairs:
    """Pair the parts of two versions, each at most once."""
    found = {key: key for key in one if key in other}
    found |= dict(_renamed(one, other))
    return found | dict(_alike(one, other, found))


def _renamed(one: Mapping[PartKey, Part], other: Mapping[PartKey, Part]) -> Iterator[tuple[PartKey, PartKey]]:
    """Yield parts that only one version has, of the same kind and owner, with the same content."""
    left: dict[object, list[PartKey]] = {}
    for key, now in other.items():
        if key not in one and now.identity:
            left.setdefault((key.part, now.owner, now.identity), []).append(key)
    for key, was in one.items():
        there = left.get((key.part, was.owner, was.identity)) if key not in other and was.identity else None
        if there:
            yield key, there.pop(0)


def _alike(
    one: Mapping[PartKey, Part], other: Mapping[PartKey, Part], same: Pairs
) -> Iterator[tuple[PartKey, PartKey]]:
    """Yield the unpaired rules that are named by their content, the most alike first, then the nearest."""
    back = {late: early for early, late in same.items()}
    gone = _between(one, {early: early for early in same})
    come = _between(other, back)
    nearest: list[tuple[int, int, int, int, PartKey, PartKey]] = []
    for gap, removed in gone.items():
        for at, early in enumerate(removed):
            added = come.get(gap, [])
            for there in range(max(0, at - _NEAR), min(len(added), at + _NEAR + 1)):
                late = added[there]
                was, now = one[early].identity, other[late].identity
                if _is_half(was, now) or _is_half(_conditions(was), _conditions(now)):
                    nearest.append((-len(was & now), abs(at - there), at, there, early, late))
    paired: set[PartKey] = set()
    for *_, early, late in sorted(nearest):
        if not {early, late} & paired:
            paired |= {early, late}
            yield early, late


def _is_half(one: frozenset[tuple[str, str]], other: frozenset[tuple[str, str]]) -> bool:
    """Return whether half of the statements of both are the same."""
    return 2 * len(one & other) >= max(1, len(one), len(other))


def _conditions(statements: frozenset[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    return frozenset(one for one in statements if one[0].startswith(WHEN))


def _between(parts: Mapping[PartKey, Part], kept: Pairs) -> dict[object, list[PartKey]]:
    """Group the rules that are named by their content and were not kept, by table and the kept rule above them."""
    found: dict[object, list[PartKey]] = {}
    for owner, rules in groupby(parts, key=lambda key: parts[key].owner if parts[key].by_content else ""):
        above: PartKey | None = None
        for key in rules if owner else ():
            if key in kept:
                above = kept[key]
            else:
                found.setdefault((owner, above), []).append(key)
    return found


def moved_rules(before: Policy, after: Policy, same: Pairs) -> dict[PartKey, tuple[str, str]]:
    """Return the rules that moved, in tables in which the order counts, with their place before and after.

    The fewest rules that have to move are named.
    """
    found: dict[PartKey, tuple[str, str]] = {}
    earlier = _tables(before)
    for name, table in _tables(after).items():
        if name in earlier and table.hit is not HitPolicy.UNIQUE and earlier[name].hit is table.hit:
            found |= _moved(_keys(earlier[name]), _keys(table), same)
    return found


def _tables(policy: Policy) -> dict[str, Table]:
    return {**policy.tables, **{name: deadline.table for name, deadline in policy.deadlines.items()}}


def _keys(table: Table) -> list[PartKey]:
    return [PartKey("rule", rule.id) for rule in table.rules]


def _moved(one: Sequence[PartKey], other: Sequence[PartKey], same: Pairs) -> dict[PartKey, tuple[str, str]]:
    place = {key: at for at, key in enumerate(other)}
    kept = [same[key] for key in one if same.get(key) in place]
    stay = set(_rising([place[key] for key in kept]))
    was = {same[key]: _after(one[at - 1] if at else None) for at, key in enumerate(one) if key in same}
    return {
        key: (was[key], _after(other[place[key] - 1] if place[key] else None)) for key in kept if place[key] not in stay
    }


def _after(key: PartKey | None) -> str:
    return f"after {key.name}" if key else "first"


def _rising(numbers: Sequence[int]) -> list[int]:
    """Return a longest rising selection of different numbers.

    >>> _rising([2, 0, 1, 3])
    [0, 1, 3]
    """
    ends: list[int] = []
    below: dict[int, int | None] = {}
    for number in numbers:
        at = bisect_left(ends, number)
        below[number] = ends[at - 1] if at else None
        ends[at : at + 1] = [number]
    found: list[int] = []
    last: int | None = ends[-1] if ends else None
    while last is not None:
        found.append(last)
        last = below[last]
    return found[::-1]
