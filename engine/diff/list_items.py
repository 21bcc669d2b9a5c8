"""Lists of two versions, compared item by item: which items go, come, or are open.

No whole list is made: forty items that are given or not make more lists than can be counted. An item's state is how
often it is in the list for certain, and at most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import Any, Final

from engine.diagrams.store import Node
from engine.diff.joint_space import JointSpace
from engine.diff.nouns import Change, OutcomeState, StateKind
from engine.diff.states import Changes
from engine.tables.table_diagram import Items

Times = tuple[int, int]
"""How often an item is in a list: for certain, and at most."""

ORDER: Final = "the order of its items differs"


def item_changes(name: str, space: JointSpace, both: Node, changes: Changes) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Yield items that change together, and the numbers of their changes, where ``both`` versions have the list."""
    store = space.store
    sides = [_parts_by_text(name, space, at) for at in (0, 1)]
    times = [{text: _times(space, at, text, part) for text, part in side.items()} for at, side in enumerate(sides)]
    never = store.leaf((0, 0))
    together: dict[Node, list[tuple[str, Node, Node]]] = {}
    for text in sorted({*times[0], *times[1]}):
        one, other = (side.get(text, never) for side in times)
        if one != other:
            where = store.combine(lambda was, now, there: there and was != now, one, other, both)
            together.setdefault(where, []).append((text, one, other))
    together.pop(store.leaf(False), None)
    for where, items in together.items():
        texts = tuple(text for text, _, _ in items)
        nodes = [node for _, one, other in items for node in (one, other)]
        yield texts, store.combine(partial(_number, changes, texts), where, *nodes)


def _number(changes: Changes, texts: Sequence[str], there: bool, *seen: Times) -> int:
    """Return the number of the change of items, each of which was so often in the list and is so often."""
    if not there:
        return 0
    return changes.number(item_change(dict(zip(texts, zip(seen[::2], seen[1::2], strict=True), strict=True))))


def item_change(items: Mapping[str, tuple[Times, Times]]) -> Change:
    """Return the change of items, each with how often it was and is in the list.

    >>> item_change({"fax": ((1, 1), (0, 0)), "chat": ((0, 1), (1, 1))})  # doctest: +NORMALIZE_WHITESPACE
    Change(before=OutcomeState(kind=<StateKind.UNDECIDED: 'undecided'>, value=('fax',), possible=('chat',)),
           after=OutcomeState(kind=<StateKind.DECIDED: 'decided'>, value=('chat',), possible=()),
           in_part=True)
    """
    ends = []
    for at in (0, 1):
        certain: list[str] = []
        opened: list[str] = []
        for text, times in items.items():
            (least, most), (other_least, other_most) = times[at], times[1 - at]
            certain += [text] * (least - other_least)
            opened += [text] * ((most - least) - (other_most - other_least))
        kind = StateKind.UNDECIDED if opened else StateKind.DECIDED
        ends.append(OutcomeState(kind, tuple(sorted(certain)), tuple(sorted(opened))))
    return Change(ends[0], ends[1], in_part=True)


def _parts_by_text(name: str, space: JointSpace, at: int) -> dict[str, Items]:
    drawn = space.sides[at].table(name)
    parts = () if drawn is None else drawn.items.get(name, ())
    return {text: part for part in parts for one in part.lists for text in one}


def _times(space: JointSpace, at: int, text: str, part: Items) -> Node:
    return space.store.map(times_in(part, text), space.moved[at](part.possible))


def times_in(part: Items, text: str) -> Callable[[Any], Times]:
    """Return how what is possible of a part is read as how often an item is in it."""
    counts = [one.count(text) for one in part.lists]

    def times(possible: int | tuple[int, ...]) -> Times:
        found = [counts[code] for code in ((possible,) if isinstance(possible, int) else possible)]
        return min(found), max(found)

    return times


def order_differs(name: str, space: JointSpace, both: Node) -> bool:
    """Return whether in some situation two items that both lists have for certain are in the other order."""
    sides = [_Order(name, space, at) for at in (0, 1)]
    common = sorted(set(sides[0].place) & set(sides[1].place))
    for one, other in combinations(common, 2):
        fixed = [side.fixed(one, other) for side in sides]
        if fixed[0] is not None and fixed[0] == fixed[1]:
            continue
        where = space.store.combine(
            lambda there, was, now: there and None not in (was, now) and was != now,
            both,
            *(side.first(one, other) for side in sides),
        )
        if where != space.store.leaf(False):
            return True
    return False


class _Order:
    """The order of the items of a list in one version."""

    def __init__(self, name: str, space: JointSpace, at: int) -> None:
        drawn = space.sides[at].table(name)
        self.space, self.at = space, at
        self.parts = () if drawn is None else drawn.items.get(name, ())
        self.place = {text: place for place, part in enumerate(self.parts) for one in part.lists for text in one}

    def fixed(self, one: str, other: str) -> bool | None:
        """Return whether an item is before another wherever both are in the list; None if it varies."""
        if self.place[one] != self.place[other]:
            return self.place[one] < self.place[other]
        orders = {_before(listed, one, other) for listed in self.parts[self.place[one]].lists} - {None}
        return orders.pop() if len(orders) == 1 else None

    def first(self, one: str, other: str) -> Node:
        """Draw whether an item is before another; None where they are not both in the list for certain."""
        store = self.space.store
        nodes = [self.space.moved[self.at](self.parts[self.place[text]].possible) for text in (one, other)]
        part = self.parts[self.place[one]]
        if nodes[0] == nodes[1] and self.place[one] == self.place[other]:

            def order(possible: int | tuple[int, ...]) -> bool | None:
                found = {_before(part.lists[code], one, other) for code in _codes(possible)}
                return found.pop() if len(found) == 1 else None

            return store.map(order, nodes[0])
        earlier = self.place[one] < self.place[other]
        certain = [
            store.map(partial(_certain, self.parts[self.place[text]], text), node)
            for text, node in zip((one, other), nodes, strict=True)
        ]
        return store.combine(lambda here, there: earlier if here and there else None, *certain)


def _codes(possible: int | tuple[int, ...]) -> Iterable[int]:
    return (possible,) if isinstance(possible, int) else possible


def _certain(part: Items, text: str, possible: int | tuple[int, ...]) -> bool:
    return all(text in part.lists[code] for code in _codes(possible))


def _before(listed: Sequence[str], one: str, other: str) -> bool | None:
    if one not in listed or other not in listed:
        return None
    return listed.index(one) < listed.index(other)
