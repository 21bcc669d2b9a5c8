"""Reading YAML: every key and value knows where it stands, and every value is the text that was written."""

from __future__ import annotations

import pytest

from engine.load.yaml_tree import Mapping, Node, Scalar, Sequence, at, plain, read
from engine.model.problems import Place


def tree_of(text: str) -> Node:
    tree, problems = read("a.yaml", text)
    assert problems == []
    assert tree is not None
    return tree


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "NO",
        "yes",
        "on",
        "off",
        "y",
        "true",
        "null",
        "~",
        "1",
        "1.10",
        "0x1F",
        "010",
        "1_000",
        "1e3",
        ".5",
        "-.inf",
        ".nan",
        "12:30",
        "190:20:30",
        "2026-01-31",
        "2026-01-31T09:00:00Z",
        "=",
    ],
)
def test_a_plain_word_is_the_text_that_was_written(text: str) -> None:
    assert plain(tree_of(f"key: {text}")) == {"key": text}
    assert plain(tree_of(f"[{text}]")) == [text]
    assert plain(tree_of(f"{text}: value")) == {text: "value"}


def test_a_key_without_a_value_is_an_empty_text() -> None:
    assert plain(tree_of("a:\nb: ''\n")) == {"a": "", "b": ""}


def test_quotes_and_blocks_are_only_ways_to_write_a_text() -> None:
    assert plain(tree_of("a: 'x'\nb: \"x\"\nc: >-\n  x\n  y\nd: |\n  x\n  y\n")) == {
        "a": "x",
        "b": "x",
        "c": "x y",
        "d": "x\ny\n",
    }


def test_every_key_and_value_knows_its_place() -> None:
    tree = tree_of("a: {b: [x, y]}\n\n# a remark\nc:\n  - d: z\n")

    assert isinstance(tree, Mapping)
    assert tree.key_places == {"a": Place(file="a.yaml", line=1, column=1), "c": Place(file="a.yaml", line=4, column=1)}
    places = {
        path: at(tree, path).place for path in [(), ("a",), ("a", "b"), ("a", "b", 1), ("c",), ("c", 0), ("c", 0, "d")]
    }
    assert {path: (place.line, place.column) for path, place in places.items()} == {
        (): (1, 1),
        ("a",): (1, 4),
        ("a", "b"): (1, 8),
        ("a", "b", 1): (1, 12),
        ("c",): (5, 3),
        ("c", 0): (5, 5),
        ("c", 0, "d"): (5, 8),
    }


def test_columns_are_counted_in_characters() -> None:
    tree = tree_of("größe: {é: ü, 日本: 語}")

    assert at(tree, ("größe", "日本")).place == Place(file="a.yaml", line=1, column=19)


def test_a_mapping_keeps_the_order_of_its_text() -> None:
    tree = tree_of("b: 1\na: 2\nc: 3\n")

    assert isinstance(tree, Mapping)
    assert list(tree.entries) == ["b", "a", "c"]
    assert tree.get("a") == Scalar("2", Place(file="a.yaml", line=2, column=4))
    assert tree.get("d") is None


def test_of_a_repeated_key_the_first_counts_and_reading_goes_on() -> None:
    tree, problems = read("a.yaml", "a: 1\na: 2\nb: {c: 3, c: 4}\n")

    assert tree is not None
    assert plain(tree) == {"a": "1", "b": {"c": "3"}}
    assert [(problem.place.line, problem.place.column, problem.code) for problem in problems] == [
        (2, 1, "repeated-key"),
        (3, 11, "repeated-key"),
    ]


def test_what_is_refused_ends_the_reading_and_leaves_no_tree() -> None:
    tree, problems = read("a.yaml", "a: 1\na: 2\nb: !tag 3\nc: &anchor 4\n")

    assert tree is None
    assert [problem.code for problem in problems] == ["repeated-key", "tag"]


def test_a_leading_marker_and_an_empty_list_are_plain_yaml() -> None:
    assert tree_of("---\n[]\n") == Sequence((), Place(file="a.yaml", line=2, column=1))


def test_a_bomb_is_refused_before_it_is_read() -> None:
    """Fifteen million brackets cost no more than the two dozen that are looked at."""
    tree, problems = read("a.yaml", "[" * 15_000_000)

    assert tree is None
    assert [str(problem) for problem in problems] == ["a.yaml:1:25: more than 24 levels of nesting [too-large]"]
