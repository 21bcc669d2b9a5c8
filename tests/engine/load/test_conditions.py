"""Conditions: what is written, and for which values of its fact it holds."""

from __future__ import annotations

import pytest

from engine.load.conditions import parse_condition, range_text, written
from engine.load.yaml_tree import Mapping, read
from engine.model.conditions import Condition
from engine.model.problems import Place, Problem
from engine.model.vocabulary import Fact, FactType, Value

LOAD = Fact(
    name="load",
    type=FactType.CHOICE,
    values=(Value(value="none"), Value(value="half", name="Half full", aliases=("50",)), Value(value="full")),
)
STREET = Fact(name="street", type=FactType.CHOICE, values=(Value(value="north"), Value(value="south")), open=True)
READY = Fact(name="ready", type=FactType.BOOLEAN)
SHARE = Fact(name="share", type=FactType.NUMBER, minimum=0, maximum=100)
COUNT = Fact(name="count", type=FactType.INTEGER)
NOTE = Fact(name="note", type=FactType.TEXT)
CAME = Fact(name="came", type=FactType.INSTANT)

NUMBERS = (0, 10, 24.9, 25, 25.1, 49.9, 50, 50.1, 100)


def condition(fact: Fact, text: str) -> Condition:
    problems: list[Problem] = []
    tree, _ = read("a.yaml", f"is: {text}")
    assert isinstance(tree, Mapping)
    found = parse_condition(fact, tree.entries["is"], problems)
    assert problems == []
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("fact", "text", "words", "unknown"),
    [
        (LOAD, "half", {"half"}, False),
        (LOAD, "[half, full]", {"half", "full"}, False),
        (LOAD, "[half, half]", {"half"}, False),
        (LOAD, "{not: half}", {"none", "full"}, False),
        (LOAD, "{not: [half, full]}", {"none"}, False),
        (LOAD, "unknown", set(), True),
        (LOAD, "[half, unknown]", {"half"}, True),
        (LOAD, "{not: unknown}", {"none", "half", "full"}, False),
        (LOAD, "{not: [unknown, half]}", {"none", "full"}, False),
        (STREET, "unlisted", {"unlisted"}, False),
        (STREET, "{not: north}", {"south", "unlisted"}, False),
        (READY, "yes", {"yes"}, False),
        (READY, "true", {"yes"}, False),
        (READY, "No", {"no"}, False),
        (READY, "{not: no}", {"yes"}, False),
        (NOTE, "given", {"given"}, False),
        (NOTE, "[blank, unknown]", {"blank"}, True),
        (CAME, "given", {"given"}, False),
        (CAME, "{not: unknown}", {"given"}, False),
    ],
)
def test_a_condition_on_words_holds_for_these(fact: Fact, text: str, words: set[str], unknown: bool) -> None:
    found = condition(fact, text)

    assert {word for word in fact.words if found.holds(word)} == words
    assert found.holds(None) is unknown


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("25", {25}),
        ("25.0", {25}),
        ('"> 50"', {50.1, 100}),
        ('">50"', {50.1, 100}),
        ('">= 50"', {50, 50.1, 100}),
        ('"< 25"', {0, 10, 24.9}),
        ('"<= 25"', {0, 10, 24.9, 25}),
        ('"[25..50]"', {25, 25.1, 49.9, 50}),
        ('"(25..50)"', {25.1, 49.9}),
        ('"(25..50]"', {25.1, 49.9, 50}),
        ('"[25 .. 50)"', {25, 25.1, 49.9}),
        ('["< 10", "> 50"]', {0, 50.1, 100}),
        ("[10, 100]", {10, 100}),
        ('{not: "[10..50]"}', {0, 50.1, 100}),
        ('{not: ["< 25", 100]}', {25, 25.1, 49.9, 50, 50.1}),
        ("{not: unknown}", set(NUMBERS)),
        ("unknown", set()),
    ],
)
def test_a_condition_on_numbers_holds_for_these(text: str, numbers: set[float]) -> None:
    found = condition(SHARE, text)

    assert {number for number in NUMBERS if found.holds(number)} == numbers
    assert found.holds(None) is (text == "unknown")


def test_not_never_holds_for_what_is_unknown() -> None:
    for fact, text in (
        (LOAD, "{not: half}"),
        (SHARE, '{not: "> 50"}'),
        (READY, "{not: yes}"),
        (LOAD, "{not: unknown}"),
    ):
        assert not condition(fact, text).holds(None)


def test_a_negative_number_can_be_asked_for() -> None:
    found = condition(COUNT, '"[-5..-1]"')

    assert found.holds(-3)
    assert not found.holds(0)


def test_a_condition_keeps_its_text_and_its_place() -> None:
    found = condition(LOAD, "{not: [half, full]}")

    assert found.text == "not [half, full]"
    assert found.place == Place(file="a.yaml", line=1, column=5)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("half", "half"),
        ("[half, full]", "[half, full]"),
        ("{not: half}", "not half"),
        ('"> 50"', "> 50"),
    ],
)
def test_a_condition_is_shown_as_it_is_written(text: str, shown: str) -> None:
    tree, _ = read("a.yaml", f"is: {text}")

    assert isinstance(tree, Mapping)
    assert written(tree.entries["is"]) == shown


def test_a_condition_that_is_wrong_is_a_problem_and_no_condition() -> None:
    problems: list[Problem] = []
    tree, _ = read("a.yaml", "is: [half, ful, fulll]")
    assert isinstance(tree, Mapping)

    assert parse_condition(LOAD, tree.entries["is"], problems) is None
    assert [problem.place.column for problem in problems] == [12, 17]


def test_the_range_of_a_number_is_said_in_words() -> None:
    assert range_text(SHARE) == "a number from 0 up to 100"
    assert range_text(COUNT) == "a whole number"
    assert range_text(Fact(name="late", type=FactType.INTEGER, minimum=1)) == "a whole number from 1"
