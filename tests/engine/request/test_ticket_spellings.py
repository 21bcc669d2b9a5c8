"""A sign is not punctuation: what is folded away never makes one value of two, whatever way a value comes in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import grpc
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from typer.testing import CliRunner

from engine.columns.fact_columns import Numbers, words_of
from engine.columns.read import ColumnReader
from engine.model.answer import WrongRequest
from engine.model.vocabulary import NOTHING, Value, folded, stands_for_nothing, value_of
from engine.version.build import build
from engine.version.bundle import Versions
from engine.version.version import Version
from guidepost import Client
from guidepost.cli.app import app
from guidepost.past_tickets import Mapper, Vocabulary, mapping_of
from guidepost.past_tickets.sample import ColumnProfile
from guidepost.past_tickets.similarity import match_values
from tests.oracle import same_word
from tests.support.servers import COUNTER, serving
from tests.support.tickets import facts, map_rows

LEVELS: Final = (
    *(
        Value(value=name, aliases=(str(level), f"{level} - {name}"))
        for level, name in enumerate(("highest", "high", "medium", "low", "lowest"), 1)
    ),
    Value(value="none"),
)
SCALE: Final = ", ".join(f'{{value: {one.value}, about: x, aliases: ["{one.aliases[0]}"]}}' for one in LEVELS[:5])

NOT_LEVEL_1: Final = (
    "-1",
    "- 1",
    "−1",
    "–1",
    "+1",
    "(1)",
    "[1]",
    "!1",
    "1!",
    "1.0",
    "0.1",
    ".1",
    "1-1",
    "1 1",
    "_1",
    "-highest",
    "!highest",
    "(highest)",
    "~highest",
    "highest-",
)
NOTHINGS: Final = ("-1", "-9", "-", "--", "n/a", "N/A", "NULL", "null", "None", "NaN", "?", "")


@pytest.fixture(scope="module")
def desk() -> Version:
    """The counter, with a scale of loudness that is written 1 to 5 as well."""
    files = dict(COUNTER)
    impact = re.search(
        r"values: \[\{value: \"1\", about: very\}, \{value: \"2\", about: not\}\]", files["vocabulary.yaml"]
    )
    assert impact
    files["vocabulary.yaml"] = files["vocabulary.yaml"].replace(
        impact[0], f"values: [{SCALE}, {{value: none, about: nobody}}]"
    )
    files["gift.yaml"] = files["gift.yaml"].replace('impact: "2"', "impact: high")
    return build(files, "counter")


def test_case_and_one_separator_between_letters_do_not_count() -> None:
    for one, other in (
        ("Self-Service Portal", "self service_portal"),
        ("1 - High", "1-HIGH"),
        ("Office 365", "office_365"),
        ("P 1", "p-1"),
        ("cafe\u0301", "CAFÉ"),
    ):
        assert folded(one) == folded(other)


@pytest.mark.parametrize("text", NOT_LEVEL_1)
def test_a_sign_brackets_and_other_marks_make_another_word(text: str) -> None:
    assert value_of(LEVELS, text) is None


@pytest.mark.parametrize("text", NOTHINGS)
def test_a_marker_of_nothing_is_no_value(text: str) -> None:
    assert value_of(LEVELS, text) is None


def test_a_word_for_nothing_is_a_value_only_as_the_vocabulary_writes_it() -> None:
    assert [value_of(LEVELS, text) for text in ("none", " none ", "None", "NONE")] == ["none", "none", None, None]
    assert value_of([Value(value="absent", aliases=("N/A",))], "N/A") == "absent"
    assert value_of([Value(value="absent", aliases=("N/A",))], "n/a") is None


@given(st.text("aZ15-−_ .,()!é\u0301/", max_size=8))
@example("a - -1")
@example("1 - - a")
def test_folding_twice_is_folding_once_and_keeps_every_letter_digit_and_sign(text: str) -> None:
    once = folded(text)

    assert folded(once) == once
    assert re.sub(r"[\s_\-−]", "", once) == re.sub(r"[\s_\-−]", "", folded(text.strip()))
    assert once.startswith(("-", "−")) == text.strip().startswith(("-", "−"))


@given(st.text("aZé15-−_ .(!", max_size=9))
def test_words_are_compared_as_plain_loops_compare_them(text: str) -> None:
    assert folded(text) == same_word(text)


@given(st.floats(-200, 200), st.floats(-200, 200))
def test_two_numbers_that_differ_are_never_one_word(one: float, other: float) -> None:
    assert (folded(repr(one)) == folded(repr(other))) == (repr(one) == repr(other))


@pytest.mark.parametrize("sent", [-1, -1.0, 1.5, 15, 0, *NOT_LEVEL_1, *NOTHINGS])
def test_a_version_reads_a_number_as_a_number_and_a_word_with_its_sign(desk: Version, sent: object) -> None:
    with pytest.raises(WrongRequest) as refused:
        desk.reader.read({"impact": sent})
    assert [one.fact for one in refused.value.wrong] == ["impact"]


def test_columns_read_numbers_and_words_alike(desk: Version) -> None:
    for column in (words_of(["1", "-1", "(1)", "1.0"]), Numbers(np.array([1.0, -1.0, -9.0, 0.5]))):
        reader = ColumnReader(desk.reader, desk.atoms, {"impact": column})
        block = reader.block(slice(0, 4))
        assert block.refused is not None
        assert block.refused.tolist() == [False, True, True, True]


def test_over_grpc_minus_one_is_not_level_one(desk: Version) -> None:
    with serving(Versions((desk,))) as address, Client(address) as client:
        for sent in (-1, -1.0, "-1", "- 1", "(1)", "!highest", "None"):
            with pytest.raises(grpc.RpcError, match="impact"):
                client.decide("gift", {"impact": sent, "weight": 4, "colour": "red"})
        assert client.decide("gift", {"impact": 2, "weight": 4, "colour": "red"}) == client.decide(
            "gift", {"impact": "High", "weight": 4, "colour": "red"}
        )


def test_an_open_list_takes_no_marker_of_nothing_for_another_value(desk: Version) -> None:
    for text in ("NULL", "n/a", "-", "None"):
        with pytest.raises(WrongRequest, match="empty cell"):
            desk.reader.read({"colour": text})
    assert desk.reader.read({"colour": "green"}).unlisted == (("colour", "green"),)


def test_two_values_that_are_read_as_one_are_a_problem_and_a_sign_tells_two_apart() -> None:
    vocabulary = "facts: {size: {column: S, values: {%s}}}"

    assert facts(map_rows(vocabulary % '"1": large, "-1": small', {"S": ["1", "-1"]})) == [
        {"size": "large"},
        {"size": "small"},
    ]


def test_a_mapping_never_takes_a_sign_for_punctuation() -> None:
    text = 'facts: {size: {column: S, values: {"1": large, "2": small}%s}}'

    for column in (["1", "-1", "(2)", "- 2"], pa.array([1, -1, -2, 12]), pa.array([1.0, -1.0, -2.0, 1.2])):
        found = map_rows(text % "", {"S": column})
        assert (facts(found), [one.row for one in found.rejected]) == ([{"size": "large"}], [2, 3, 4])
        assert facts(map_rows(text % ", else: unknown", {"S": column})) == [{"size": "large"}, {}, {}, {}]


@pytest.mark.parametrize("text", ["(2)", "- 2", "2-", "1 2", "1_0", "1.5", "0x1"])
def test_a_number_with_anything_but_its_sign_and_its_separators_is_none(text: str) -> None:
    found = map_rows('facts: {share: {column: S, decimal: ","}}', {"S": [text]})

    assert [one.message for one in found.rejected] == [f"`{text}` is not a number"]


def test_a_draft_takes_no_negative_number_for_a_rank(desk: Version) -> None:
    impact = desk.policy.facts["impact"]
    profile = ColumnProfile(name="Impact")
    for text in ("-1", "-2", "-3"):
        profile.add(text)

    assert match_values(profile, impact) == ([], ["-1", "-2", "-3"])


def test_a_word_that_is_a_value_and_an_empty_cell_is_counted(desk: Version) -> None:
    words = Vocabulary.of(desk)
    rows = pa.RecordBatch.from_pydict({"I": ["none", "none", "high", "None"]})

    assert Mapper(mapping_of("m", "facts: {impact: I}", words), words).batch(rows).doubts(()) == {("impact", "none"): 2}
    assert (
        Mapper(mapping_of("m", "facts: {impact: {column: I, values: {none: none, high: high}}}", words), words)
        .batch(rows)
        .doubts(())
        == {}
    )


def test_a_listed_value_is_meant_though_it_stands_for_nothing_elsewhere() -> None:
    found = map_rows(
        "facts: {size: {column: S, values: {None: small}}, way: W}\nempty: [None]", {"S": ["None"], "W": ["None"]}
    )

    assert facts(found) == [{"size": "small"}]


def test_on_the_command_line_a_sign_counts(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["eval", "priority", "impact=-high", "urgency=!high"])

    assert found.exit_code == 2
    assert "unknown impact `-high`" in found.stderr
    assert "unknown urgency `!high`" in found.stderr


def test_every_word_for_nothing_is_known_without_case() -> None:
    assert all(stands_for_nothing(word.upper()) and word == word.casefold() for word in NOTHING)
