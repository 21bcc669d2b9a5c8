"""The nearest cases of a diagram: against every case of random ones, and where there are too many to list."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.diagrams.store import Diagrams, Node
from engine.whynot.nearest import Nearest, nearest

SIZES: Final = {"b": 3, "a": 4, "c": 3}
"""The facts of the random diagrams, in an order that is not that of their names."""

Case = dict[str, int]

CASES: Final[list[Case]] = [
    dict(zip(SIZES, classes, strict=True)) for classes in itertools.product(*map(range, SIZES.values()))
]


def drawn(store: Diagrams, holds: Callable[[Case], bool]) -> Node:
    def visit(known: Case, asked: Sequence[str]) -> Node:
        if not asked:
            return store.leaf(holds(known))
        fact, *others = asked
        return store.node(fact, [visit({**known, fact: one}, others) for one in range(SIZES[fact])])

    return visit({}, list(SIZES))


def smallest(true: list[Case], start: Case, kept: frozenset[str]) -> list[Case]:
    """Return the cases with the fewest changed facts, preferably without leaving one out."""
    allowed = [case for case in true if all(case[fact] or not start[fact] for fact in kept)]
    distance = {id(case): sum(case[fact] != start[fact] for fact in SIZES) for case in allowed}
    near = [case for case in allowed if distance[id(case)] == min(distance.values())]
    return [case for case in near if all(case[fact] or not start[fact] for fact in SIZES)] or near


def inside(found: Nearest, start: Case) -> Iterator[Case]:
    for box in found.boxes:
        for classes in itertools.product(*box.values()):
            yield {**start, **dict(zip(box, classes, strict=True))}


def kinds(cases: list[Case], true: list[Case]) -> set[tuple[object, ...]]:
    """Return the cases with one for all that differ in nothing that matters."""
    told = {
        fact: {
            one: [
                [case for case in true if {**case, fact: 0} == {**other, fact: 0} and case[fact] == one] != []
                for other in CASES
            ]
            for one in range(size)
        }
        for fact, size in SIZES.items()
    }
    return {tuple((one == 0, tuple(told[fact][one])) for fact, one in case.items()) for case in cases}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_nearest_cases_are_found_each_in_a_box_or_counted(data: st.DataObject) -> None:
    true = [case for case in CASES if data.draw(st.integers(0, 3)) == 0]
    start = data.draw(st.sampled_from(CASES))
    kept = data.draw(st.frozensets(st.sampled_from(sorted(SIZES))))
    most = data.draw(st.integers(1, 3))
    store = Diagrams(SIZES)
    node = drawn(store, true.__contains__)
    expected = smallest(true, start, kept) if true else []

    found = nearest(store, node, start, kept=kept, most=most)

    assert (found is None) == (not expected)
    if found is not None and start not in true:
        proposed = list(inside(found, start))
        assert all(case in expected for case in proposed)
        assert {len(box) for box in found.boxes} == {found.changes}
        assert len(found.boxes) <= most
        assert len(kinds(proposed, true)) + found.more == len(kinds(expected, true))
        assert found.more == 0 or len(found.boxes) == most


def test_a_box_cannot_be_made_larger() -> None:
    store = Diagrams(SIZES)
    node = drawn(store, lambda case: case["a"] > 1 and case["b"] > 0)

    assert nearest(store, node, {"a": 1, "b": 0, "c": 0}, most=5) == Nearest(2, ({"a": (2, 3), "b": (1, 2)},), 0)


def test_the_order_of_the_facts_in_the_store_changes_nothing() -> None:
    node_in: dict[tuple[str, ...], Nearest | None] = {}
    for names in itertools.permutations(["f0", "f1", "f2", "f3"]):
        store = Diagrams(dict.fromkeys(names, 3))
        node_in[names] = nearest(store, exactly(store, 2), dict.fromkeys(names, 0), most=4)

    assert len({str(found) for found in node_in.values()}) == 1
    assert node_in["f0", "f1", "f2", "f3"] == Nearest(
        changes=2,
        boxes=(*({"f0": (2,), other: (2,)} for other in ("f1", "f2", "f3")), {"f1": (2,), "f2": (2,)}),
        more=2,
    )


def test_ways_without_number_are_counted() -> None:
    """There are 137,846,528,820 ways to choose 20 of 40 facts."""
    names = [f"f{at:02}" for at in range(40)]
    store = Diagrams(dict.fromkeys(names, 3))

    found = nearest(store, exactly(store, 20), dict.fromkeys(names, 0), most=12)

    assert found is not None
    assert found.more == 137_846_528_820 - 12
    assert [list(box)[:19] for box in found.boxes] == [names[:19]] * 12


def exactly(store: Diagrams, wanted: int) -> Node:
    """Draw where so many facts have their last class."""
    layer: Mapping[int, Node] = {count: store.leaf(count == wanted) for count in range(len(store.facts) + 1)}
    for fact in reversed(store.facts):
        layer = {
            count: store.node(fact, [layer[count], layer[count], layer[count + 1]]) for count in range(len(layer) - 1)
        }
    return layer[0]
