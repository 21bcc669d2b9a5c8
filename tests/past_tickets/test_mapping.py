"""A mapping assigns columns to facts and values to meanings; its errors are reported together, with place and help."""

from __future__ import annotations

import pickle

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.diff.nouns import OutcomeState, StateKind
from guidepost.past_tickets import Mapper, MappingErrors, TicketsError, read_mapping
from tests.support.campaign import LONG
from tests.support.tickets import COUNTER, facts, map_rows, read_mapping_text

SOME = 400 if LONG else 25

SIZES = 'facts:\n  size: {column: Size, values: {"1": large, "2 - so so": middle}%s}\n'


def test_a_listed_value_means_what_the_mapping_says_whatever_its_case_and_punctuation() -> None:
    found = map_rows(SIZES % "", {"Size": ["1", "2 - So So", " 1 ", None]})

    assert facts(found) == [{"size": "large"}, {"size": "middle"}, {"size": "large"}, {}]


def test_numbers_in_a_column_are_named_by_their_digits() -> None:
    assert facts(map_rows(SIZES % "", {"Size": pa.array([1, None])})) == [{"size": "large"}, {}]
    assert facts(map_rows(SIZES % "", {"Size": pa.array([1.0, None])})) == [{"size": "large"}, {}]


def test_a_value_that_is_not_listed_makes_the_row_unread_and_the_others_stay() -> None:
    found = map_rows("ticket: Id\n" + SIZES % "", {"Id": ["A", "B", "C"], "Size": ["1", "huge", "1"]}, first=11)

    assert [(one.row, one.name, one.field, one.message) for one in found.rejected] == [
        (12, "B", "Size", "`huge` is not among the values that the mapping lists")
    ]
    assert found.rejected[0].content == '{"Id": "B", "Size": "huge"}'
    assert found.chunk.rows.tolist() == [11, 13]
    assert [found.chunk.names.sent(at) for at in (0, 1)] == ["A", "C"]
    assert found.chunk.size == len(found.chunk.facts["size"]) == 2


@pytest.mark.parametrize(("said", "comes"), [("unknown", {}), ("small", {"size": "small"}), ("keep", {"size": "huge"})])
def test_else_says_what_a_value_means_that_is_not_listed(said: str, comes: dict[str, str]) -> None:
    found = map_rows(SIZES % f", else: {said}", {"Size": ["huge"]})

    assert (facts(found), found.rejected) == ([comes], ())


def test_true_and_false_are_words_for_a_list_of_values() -> None:
    assert facts(
        map_rows("facts: {size: {column: Big, values: {true: large}, else: keep}}", {"Big": [True, False]})
    ) == [
        {"size": "large"},
        {"size": "false"},
    ]


def test_without_values_the_version_reads_what_stands_there() -> None:
    assert facts(map_rows("facts: {size: Size}", {"Size": ["Large", "nonsense", ""]})) == [
        {"size": "Large"},
        {"size": "nonsense"},
        {},
    ]


def test_an_alias_of_a_value_may_stand_for_it_in_a_mapping() -> None:
    assert facts(map_rows("facts: {way: {column: Way, values: {Tel: Call}}}", {"Way": ["Tel"]})) == [{"way": "phone"}]


def test_of_several_columns_the_first_that_says_something_counts() -> None:
    rows = {"New": ["1", "", None, "-"], "Old": ["2", "1", "1", "2"]}

    found = map_rows('facts: {size: {column: [New, Old], values: {"1": large, "2": small}}}\nempty: ["", "-"]', rows)

    assert [one["size"] for one in facts(found)] == ["large", "large", "large", "small"]


def test_columns_of_different_types_can_stand_in_for_each_other() -> None:
    found = map_rows(
        'facts: {size: {column: [New, Old], values: {"1": large, "2": small}}}',
        {"New": pa.array([1, None]), "Old": ["2", "2"]},
    )

    assert facts(found) == [{"size": "large"}, {"size": "small"}]


TABLE = """
facts:
  size:
    table:
      - {when: {Scope: All, Harm: Bad}, then: large}
      - {when: {Harm: bad}, then: middle}
    else: %s
"""


def test_a_table_gives_what_its_first_fitting_row_says_of_several_columns() -> None:
    rows = {"Scope": ["all", "One", "All", "", None], "Harm": ["Bad", "BAD", "None", "", None]}

    found = map_rows(TABLE % "small", rows)

    assert facts(found) == [{"size": "large"}, {"size": "middle"}, {"size": "small"}, {}, {}]


def test_what_no_row_of_a_table_has_is_unread_unless_else_says_otherwise() -> None:
    found = map_rows(TABLE % "error", {"Scope": ["One", "One"], "Harm": ["None", "Bad"]})

    assert [(one.row, one.field, one.message) for one in found.rejected] == [
        (1, "Scope + Harm", "`One`, `None` is in no row of the table")
    ]
    assert facts(found) == [{"size": "middle"}]


@settings(max_examples=SOME, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "c", None]), st.sampled_from(["x", "y", ""])), min_size=1, max_size=40
    )
)
def test_a_table_reads_each_row_as_if_it_were_alone(rows: list[tuple[str | None, str]]) -> None:
    text = "facts: {size: {table: [{when: {P: a, Q: x}, then: large}, {when: {P: b}, then: middle}], else: unknown}}"
    want = [{"size": "large"} if row == ("a", "x") else {"size": "middle"} if row[0] == "b" else {} for row in rows]

    assert (
        facts(map_rows(text, {"P": pa.array([row[0] for row in rows], pa.string()), "Q": [row[1] for row in rows]}))
        == want
    )


def test_a_fact_can_be_the_same_in_every_row() -> None:
    assert facts(map_rows("facts: {way: {always: letter}, size: Size}", {"Size": ["small", None]})) == [
        {"way": "letter", "size": "small"},
        {"way": "letter"},
    ]


def test_numbers_are_scaled_and_read_with_a_decimal_comma() -> None:
    assert facts(map_rows("facts: {share: {column: S, scale: 100}}", {"S": [0.07, None]})) == [{"share": 7.0}, {}]
    assert facts(map_rows("facts: {share: {column: S, scale: 100}}", {"S": ["0.07", ""]})) == [{"share": 7.0}, {}]
    assert facts(map_rows('facts: {share: {column: S, decimal: ","}}', {"S": ["3,5 %", "1.234,5"]})) == [
        {"share": 3.5},
        {"share": 1234.5},
    ]


def test_what_is_no_number_where_one_is_calculated_with_is_unread() -> None:
    assert (
        map_rows("facts: {share: {column: S, scale: 2}}", {"S": ["4", "many"]}).rejected[0].message
        == "`many` is not a number"
    )


def test_of_a_text_only_whether_something_is_written_is_kept() -> None:
    rows = {"Text": ["it broke", "", None, "   "]}

    assert facts(map_rows("facts: {story: Text}", rows)) == [{"story": "given"}, {}, {}, {}]
    assert facts(map_rows("facts: {story: Text}\nempty: [NULL]", rows)) == [
        {"story": "given"},
        {"story": " "},
        {},
        {"story": " "},
    ]


def test_yes_and_no_are_read_from_booleans_and_from_words() -> None:
    assert facts(map_rows("facts: {vip: V}", {"V": [True, False, None]})) == [{"vip": True}, {"vip": False}, {}]
    assert facts(map_rows("facts: {vip: {column: V, values: {Gold: yes}, else: no}}", {"V": ["Gold", "Tin"]})) == [
        {"vip": "yes"},
        {"vip": "no"},
    ]


RECORDED = """
facts: {size: Size}
recorded:
  queue: {column: Queue, values: {Q1: fast, Q2: slow, later: undecided, nobody: not_covered}}
  free: Free
  minutes: Minutes
  tongues: Tongues
recorded_due:
  answer_due: {column: Due, zone: Europe/Berlin}
"""


def test_what_was_recorded_comes_as_states_and_an_empty_cell_records_nothing() -> None:
    rows = {
        "Size": ["small"] * 5,
        "Queue": ["Q1", "Q2", "later", "nobody", ""],
        "Free": ["yes", "no", None, "", "true"],
        "Minutes": ["4", None, "", "2.5", "4.0"],
        "Tongues": ["en, ja", "", None, "en", ""],
        "Due": ["2026-07-01 10:00", "", None, "2026-01-01T10:00Z", ""],
    }

    recorded = map_rows(RECORDED, rows).chunk.recorded

    assert recorded is not None
    said = {
        name: [column.states[code] if code >= 0 else None for code in column.codes.tolist()]
        for name, column in recorded.outcomes.items()
    }

    def decided(value: object) -> OutcomeState:
        return OutcomeState(StateKind.DECIDED, value)  # type: ignore[arg-type]

    assert said == {
        "queue": [
            decided("fast"),
            decided("slow"),
            OutcomeState(StateKind.UNDECIDED),
            OutcomeState(StateKind.NOT_COVERED),
            None,
        ],
        "free": [decided(True), decided(False), None, None, decided(True)],
        "minutes": [decided(4.0), None, None, decided(2.5), decided(4.0)],
        "tongues": [decided(("en", "ja")), None, None, decided(("en",)), None],
    }
    assert [
        recorded.due["answer_due"].sent(at) and recorded.due["answer_due"].sent(at).isoformat() for at in range(5)
    ] == [  # type: ignore[attr-defined]
        "2026-07-01T08:00:00+00:00",
        None,
        None,
        "2026-01-01T10:00:00+00:00",
        None,
    ]
    assert recorded.dated["answer_due"].tolist() == [True, False, False, True, False]
    assert recorded.digest == ""


def test_a_recorded_value_that_the_outcome_does_not_have_makes_the_row_unread() -> None:
    found = map_rows(
        "facts: {size: Size}\nrecorded: {queue: Queue}", {"Size": ["small", "small"], "Queue": ["slow", "P9"]}
    )

    assert [one.message for one in found.rejected] == ["`P9` is not a value of the outcome `queue`"]
    assert len(found.chunk.recorded.outcomes["queue"]) == 1  # type: ignore[union-attr]


def test_the_instant_of_deciding_is_the_one_the_mapping_names_else_that_of_receipt() -> None:
    rows = {"Came": ["2026-01-01T10:00Z"], "Now": ["2026-01-02T10:00Z"]}

    assert str(map_rows("facts: {came_at: Came}", rows).chunk.now.sent(0)) == "2026-01-01 10:00:00+00:00"  # type: ignore[union-attr]
    assert str(map_rows("facts: {came_at: Came}\nnow: Now", rows).chunk.now.sent(0)) == "2026-01-02 10:00:00+00:00"  # type: ignore[union-attr]
    assert map_rows("facts: {left_at: Came}", rows).chunk.now is None


def test_a_row_with_several_faults_is_unread_once() -> None:
    found = map_rows(
        'facts: {share: {column: S, scale: 2}, size: {column: Z, values: {"1": large}}}', {"S": ["x"], "Z": ["9"]}
    )

    assert [one.field for one in found.rejected] == ["S"]
    assert found.chunk.size == 0


def test_a_mapper_travels_to_other_processes_and_reads_the_same_there() -> None:
    batch = pa.RecordBatch.from_pydict({"Size": ["1", "9", None]})
    mapper = Mapper(read_mapping_text(SIZES % ""), COUNTER)
    here, there = mapper.batch(batch), pickle.loads(pickle.dumps(mapper)).batch(batch)

    assert facts(here) == facts(there)
    assert here.rejected == there.rejected


@settings(max_examples=SOME, deadline=None)
@given(st.lists(st.sampled_from(["1", "2 - so so", "huge", "", None, " 1"]), max_size=60), st.integers(1, 7))
def test_what_is_read_does_not_depend_on_how_rows_are_cut_or_kept(values: list[str | None], size: int) -> None:
    mapper = Mapper(read_mapping_text(SIZES % ""), COUNTER)
    whole = pa.RecordBatch.from_arrays([pa.array(values, pa.string())], ["Size"])
    kept_once = pa.RecordBatch.from_arrays([pa.array(values, pa.string()).dictionary_encode()], ["Size"])
    parts = [mapper.batch(whole.slice(at, size), at + 1) for at in range(0, len(values), size)]
    want = mapper.batch(whole)

    assert facts(mapper.batch(kept_once)) == facts(want) == [one for part in parts for one in facts(part)]
    assert (
        [one for part in parts for one in part.rejected]
        == list(want.rejected)
        == list(mapper.batch(kept_once).rejected)
    )


BROKEN = [
    ("facts: {sise: Size}", "1:9: unknown fact `sise` [unknown-fact]\n    help: did you mean `size`?"),
    (
        "facts: {size: {column: S, values: {A: larg}}}",
        "1:39: unknown size `larg` [unknown-value]\n    help: did you mean `large`?",
    ),
    (
        "facts: {size: {column: S, values: {A: large}, else: hug}}",
        "1:53: unknown size `hug` [unknown-value]\n    help: known: error, keep, large, middle, small, unknown",
    ),
    (
        "facts: {size: {column: S, else: large}}",
        "1:27: `else` is for values that `values` does not list, and there are no `values` [missing-key]\n    help: list the values, or remove `else`",
    ),
    (
        "facts: {size: {colum: S}}",
        "1:16: unknown key `colum` in `size` [unknown-key]\n    help: did you mean `column`?",
    ),
    (
        "facts: {size: {}}",
        "1:15: `column` is missing in `size` [missing-key]\n    help: a fact has one of `column`, `table` and `always`",
    ),
    (
        "facts: {size: {column: S, always: large}}",
        "1:15: `size` has 2 rules: column, always [unknown-key]\n    help: a fact has one of `column`, `table` and `always`",
    ),
    (
        "facts: {size: {column: S, zone: Asia/Tokyo}}",
        "1:27: `zone` does not belong to a fact of the type choice [unknown-key]\n    help: it may have `column`, `else`, `values`",
    ),
    (
        "facts: {came_at: {column: C, zone: Europe/Berln}}",
        "1:36: unknown time zone `Europe/Berln` [unknown-value]\n    help: did you mean `Europe/Berlin`?",
    ),
    (
        "facts: {came_at: {column: C, format: '%d.%m.%Q'}}",
        "1:38: unknown directive `%Q` in the format [bad-format]\n    help: such as %d/%m/%Y %H:%M, or epoch, epoch_ms, epoch_us for a number since 1970",
    ),
    (
        "facts: {came_at: {column: C, format: dd/mm/yyyy}}",
        "1:38: expected a format with directives such as `%Y`, got `dd/mm/yyyy` [bad-format]\n    help: such as %d/%m/%Y %H:%M, or epoch, epoch_ms, epoch_us for a number since 1970",
    ),
    (
        "facts: {share: {column: S, scale: often}}",
        "1:35: expected a number other than 0 for `scale`, got `often` [bad-format]",
    ),
    (
        "facts: {share: {column: S, decimal: ';'}}",
        "1:37: expected `.` or `,` as the decimal sign, got `;` [bad-format]",
    ),
    ("facts: {vip: {always: perhaps}}", "1:23: expected yes or no for `vip`, got `perhaps` [unknown-value]"),
    ("facts: {share: {always: many}}", "1:25: expected a number for `share`, got `many` [bad-format]"),
    (
        "facts: {size: {column: S, values: {A-1: large, a 1: small}}}",
        "1:48: `a 1` and `A-1` are read as the same word but have different meanings [repeated-key]",
    ),
    (
        "facts: {size: S}\nrecorded: {answer_due: D}",
        "2:12: unknown outcome `answer_due` [unknown-fact]\n    help: known: free, minutes, queue, tongues",
    ),
    (
        "facts: {size: S}\nrecorded_due: {queue: D}",
        "2:16: unknown deadline `queue` [unknown-fact]\n    help: known: answer_due",
    ),
    ("ticket: Id", "1:1: `facts` is missing [missing-key]"),
    ("facts: [size]", "1:8: `facts`: expected a mapping, got a list [wrong-type]"),
    ("", "1:1: the file is empty [yaml]"),
    ("facts: {size: S", "1:8: not YAML: the mapping that opens here is not closed [yaml]"),
]


@pytest.mark.parametrize(("text", "said"), BROKEN)
def test_what_is_wrong_with_a_mapping_is_said_with_its_place_and_a_help(text: str, said: str) -> None:
    with pytest.raises(MappingErrors) as error:
        read_mapping_text(text)

    assert str(error.value).startswith(f"map.yaml:{said}")


def test_everything_wrong_with_a_mapping_is_said_at_once_in_order() -> None:
    with pytest.raises(MappingErrors) as error:
        read_mapping_text("facts:\n  sise: S\n  way: {column: W, values: {a: b}}\n  share: {column: S, scale: x}\n")

    assert [problem.place.line for problem in error.value.problems] == [2, 3, 4]


def test_a_mapping_that_is_not_there_is_said_to_be_so(tmp_path) -> None:
    with pytest.raises(TicketsError, match=r"the mapping .*none\.yaml cannot be read: No such file"):
        read_mapping(tmp_path / "none.yaml", COUNTER)


def test_formats_that_mappings_may_have_are_those_that_are_read() -> None:
    assert (
        read_mapping_text('facts: {came_at: {column: C, zone: UTC, format: "%d/%b/%y %I:%M %p"}}')
        .facts["came_at"]
        .format
        == "%d/%b/%y %I:%M %p"
    )  # type: ignore[union-attr]


@settings(max_examples=SOME, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6) | st.sampled_from(["", None, " 7 ", "x", "1e3", "12 %"]), max_size=20),
    st.sampled_from(["1", "100"]),
)
def test_a_column_of_written_numbers_is_read_as_they_are_one_by_one(
    values: list[float | str | None], scale: str
) -> None:
    texts = [repr(value) if isinstance(value, float) else value for value in values]
    text = f"facts: {{share: {{column: S, scale: {scale}}}}}"

    def plain(found: list[dict[str, object]]) -> list[float | str | None]:
        return [
            float(str(one["share"]).rstrip("% ")) if one.get("share", "x") != "x" else one.get("share") for one in found
        ]  # type: ignore[misc]

    alone = [one for value in texts for one in facts(map_rows(text, {"S": pa.array([value], pa.string())}))]
    assert plain(facts(map_rows(text, {"S": pa.array(texts, pa.string())}))) == plain(alone)
