"""Diagrams behave as the tables of truth that they stand for, and equal functions are one node."""

from __future__ import annotations

import pickle
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.diagrams.store import Diagrams, Node, TooManyNodes
from engine.diagrams.transfer import transfer

SIZES = {"a": 2, "b": 3, "c": 4, "d": 2}
CELLS = [dict(zip(SIZES, classes, strict=True)) for classes in product(*map(range, SIZES.values()))]

truth_tables = st.lists(st.integers(0, 2), min_size=len(CELLS), max_size=len(CELLS))


def made(store: Diagrams, values: list[Any]) -> Node:
    """Make the diagram of a table of truth, from the last fact up."""
    row = [store.leaf(value) for value in values]
    for fact in reversed(SIZES):
        size = SIZES[fact]
        row = [store.node(fact, row[at : at + size]) for at in range(0, len(row), size)]
    return row[0]


def read(store: Diagrams, node: Node) -> list[Any]:
    return [store.value_at(node, cell) for cell in CELLS]


@given(truth_tables)
def test_a_diagram_has_the_values_that_it_was_made_of(values: list[int]) -> None:
    store = Diagrams(SIZES)

    assert read(store, made(store, values)) == values


@given(truth_tables, truth_tables)
def test_two_functions_are_equal_exactly_when_their_numbers_are(one: list[int], other: list[int]) -> None:
    store = Diagrams(SIZES)

    assert (made(store, one) == made(store, other)) == (one == other)


@given(truth_tables, truth_tables, truth_tables)
def test_combining_is_combining_the_values(one: list[int], two: list[int], three: list[int]) -> None:
    store = Diagrams(SIZES)

    def function(one: int, two: int, three: int) -> int:
        return one * 9 + two * 3 + three

    combined = store.combine(function, made(store, one), made(store, two), made(store, three))

    assert combined == made(store, [function(*values) for values in zip(one, two, three, strict=True)])


@given(truth_tables, st.tuples(truth_tables, truth_tables, truth_tables))
def test_choosing_takes_the_branch_that_the_selector_names(selector: list[int], ways: tuple[list[int], ...]) -> None:
    store = Diagrams(SIZES)

    chosen = store.choose(made(store, selector), [made(store, way) for way in ways])

    assert chosen == made(store, [ways[which][at] for at, which in enumerate(selector)])


@given(truth_tables, truth_tables, st.sampled_from(list(SIZES)), st.data())
def test_widening_adds_the_values_of_what_a_class_can_become(
    values: list[int], where: list[int], fact: str, data: st.DataObject
) -> None:
    store = Diagrams(SIZES)
    classes = range(SIZES[fact])
    finals = data.draw(st.tuples(*[st.lists(st.sampled_from(list(classes)), max_size=3) for _ in classes]))
    bits = [1 << value for value in values]

    node = store.widen(
        made(store, bits), fact, made(store, [bool(one) for one in where]), finals, lambda one, other: one | other
    )

    wanted = []
    for at, cell in enumerate(CELLS):
        found = bits[at]
        for final in finals[cell[fact]] if where[at] else ():
            found |= bits[CELLS.index({**cell, fact: final})]
        wanted.append(found)
    assert read(store, node) == wanted


@given(truth_tables)
def test_counting_is_counting_cells(values: list[int]) -> None:
    store = Diagrams(SIZES)
    node = made(store, values)

    assert {store.value(leaf): count for leaf, count in store.count(node).items()} == {
        value: values.count(value) for value in set(values)
    }


@given(truth_tables)
def test_the_facts_that_are_asked_are_those_that_matter(values: list[int]) -> None:
    store = Diagrams(SIZES)

    def matters(fact: str) -> bool:
        return any(
            values[CELLS.index(cell)] != values[CELLS.index({**cell, fact: other})]
            for cell in CELLS
            for other in range(SIZES[fact])
        )

    assert store.support(made(store, values)) == tuple(filter(matters, SIZES))


@given(truth_tables)
def test_no_node_has_children_that_are_all_the_same_and_no_two_are_equal(values: list[int]) -> None:
    store = Diagrams(SIZES)
    nodes = [one for one in store.reachable(made(store, values)) if not store.is_leaf(one)]

    assert all(len(set(store.children(one))) > 1 for one in nodes)
    assert len({(store.asks(one), store.children(one)) for one in nodes}) == len(nodes)


def test_values_of_unlike_types_are_unlike() -> None:
    store = Diagrams({})

    assert len({store.leaf(value) for value in (1, 1.0, True, "1", (1,))}) == 5


def test_a_full_store_says_which_facts_its_nodes_ask() -> None:
    store = Diagrams(SIZES, most=60)

    with pytest.raises(TooManyNodes) as error:
        made(store, list(range(len(CELLS))))

    assert error.value.asking == store.asking()
    assert 0 < sum(error.value.asking.values()) <= 60


def test_what_is_allowed_from_now_on_counts_the_nodes_from_now_on() -> None:
    store = Diagrams(SIZES)
    made(store, list(range(len(CELLS))))
    before = len(store)
    store.allow(3)

    with pytest.raises(TooManyNodes) as error:
        made(store, list(range(1, len(CELLS) + 1)))

    assert len(store) == before + 3
    assert sum(error.value.asking.values()) <= 3


@given(truth_tables)
def test_the_shortest_way_to_yes_is_a_ticket_and_none_is_shorter(values: list[int]) -> None:
    store = Diagrams(SIZES)
    node = made(store, [value == 2 for value in values])
    found = store.shortest(node)
    tickets = [{fact: one for fact, one in cell.items() if one} for cell in CELLS if store.value_at(node, cell)]

    if found is None:
        assert tickets == []
    else:
        assert store.value_at(node, found) is True
        assert len(found) == min(map(len, tickets))


@given(truth_tables)
def test_where_all_that_matters_is_known_class_0_is_absent(values: list[int]) -> None:
    store = Diagrams(SIZES)
    node = store.where_known(made(store, values), store.leaf("absent"))

    for cell, value in zip(CELLS, values, strict=True):
        if all(cell.values()):
            assert store.value_at(node, cell) == value


@given(
    truth_tables,
    st.fixed_dictionaries({fact: st.sets(st.integers(0, size - 1), min_size=1) for fact, size in SIZES.items()}),
)
def test_only_the_classes_that_are_named_are_counted(values: list[int], classes: dict[str, set[int]]) -> None:
    store = Diagrams(SIZES)
    node = made(store, values)
    counted = [
        value for cell, value in zip(CELLS, values, strict=True) if all(cell[fact] in classes[fact] for fact in SIZES)
    ]

    found = store.count(node, {fact: sorted(ones) for fact, ones in classes.items()})

    assert {store.value(leaf): count for leaf, count in found.items()} == {
        one: counted.count(one) for one in set(counted)
    }


@given(truth_tables, st.integers(0, 2), st.integers(0, 3))
def test_restricting_is_asking_with_the_facts_filled_in(values: list[int], b: int, c: int) -> None:
    store = Diagrams(SIZES)
    restricted = store.restrict(made(store, values), {"b": b, "c": c})

    assert read(store, restricted) == [
        value
        for cell, value in zip(
            CELLS, [store.value_at(made(store, values), cell | {"b": b, "c": c}) for cell in CELLS], strict=True
        )
    ]


@given(truth_tables)
def test_a_function_without_some_facts_joins_the_values_of_all_their_classes(values: list[int]) -> None:
    store = Diagrams(SIZES)
    node = made(store, values)
    without = store.some(node, ["a", "c"], max)

    assert read(store, without) == [
        max(store.value_at(node, cell | {"a": a, "c": c}) for a in range(2) for c in range(4)) for cell in CELLS
    ]


@given(truth_tables)
def test_alike_classes_make_no_difference_and_others_do(values: list[int]) -> None:
    store = Diagrams(SIZES)
    node = made(store, values)
    groups = store.alike(node)

    for fact, size in SIZES.items():
        group = groups.get(fact, (0,) * size)
        cofactors = [store.restrict(node, {fact: one}) for one in range(size)]
        for one, other in product(range(size), repeat=2):
            assert (group[one] == group[other]) == (cofactors[one] == cofactors[other])


@given(truth_tables)
def test_every_case_is_on_one_way_down_with_its_value(values: list[int]) -> None:
    store = Diagrams(SIZES)
    ways = list(store.paths(made(store, values)))

    for cell, value in zip(CELLS, values, strict=True):
        assert [said for way, said in ways if all(cell[fact] in classes for fact, classes in way.items())] == [value]


@given(truth_tables, st.permutations(list(SIZES)))
def test_a_transferred_function_has_the_same_values_in_any_order_of_facts(values: list[int], order: list[str]) -> None:
    store, other = Diagrams(SIZES), Diagrams({fact: SIZES[fact] for fact in order})
    classes = {fact: range(size) for fact, size in SIZES.items()}

    assert read(other, transfer(store, other, classes)(made(store, values))) == values


@given(truth_tables, st.integers(0, 2))
def test_a_function_is_transferred_with_known_facts_and_finer_classes(values: list[int], b: int) -> None:
    store, other = Diagrams(SIZES), Diagrams({"a": 4, "c": 4, "d": 2})
    node = made(store, values)
    moved = transfer(store, other, {"a": (0, 1, 1, 0), "c": range(4), "d": range(2)}, {"b": b})(node)

    for a, c, d in product(range(4), range(4), range(2)):
        expected = store.value_at(node, {"a": a % 3 and 1, "b": b, "c": c, "d": d})
        assert other.value_at(moved, {"a": a, "c": c, "d": d}) == expected


@given(truth_tables, st.integers(0, 2))
def test_a_fact_turns_a_value_exactly_if_it_does_so_in_some_case(values: list[int], b: int) -> None:
    store = Diagrams(SIZES)
    node = made(store, values)
    known = {"b": b}
    free = [cell for cell in CELLS if not b or cell["b"] == b]

    def grows(before: int, after: int) -> bool:
        return before < after

    for fact in ("a", "c", "d"):
        expected = any(
            grows(store.value_at(node, {**cell, fact: 0}), store.value_at(node, cell)) for cell in free if cell[fact]
        )
        assert store.turns(node, fact, known, grows) == expected
    asked = {
        fact
        for fact in SIZES
        if not known.get(fact)
        and any(
            store.value_at(node, cell) != store.value_at(node, {**cell, fact: one})
            for cell in free
            for one in range(SIZES[fact])
        )
    }
    assert set(store.support_at(node, known)) >= asked


def test_a_store_that_was_pickled_has_the_same_nodes_and_makes_no_node_twice() -> None:
    store = Diagrams({"wet": 3, "cold": 2})
    no, yes, one = store.leaf(False), store.leaf(True), store.leaf(1)
    cold = store.node("cold", [no, yes])
    wet = store.node("wet", [one, cold, no])
    again: Diagrams = pickle.loads(pickle.dumps(store))

    assert [again.children(node) for node in range(len(store))] == [store.children(node) for node in range(len(store))]
    assert [again.leaf(value) for value in (False, True, 1)] == [no, yes, one]
    assert (again.node("cold", [no, yes]), again.node("wet", [one, cold, no])) == (cold, wet)
    assert again.node("cold", [yes, no]) == len(store)
