"""Past tickets are the same from Parquet, CSV and JSON lines; rows that cannot be read are reported one by one."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.records.filter import Filter
from engine.replay.nouns import RejectedRow
from guidepost.past_tickets import RejectedRowsWriter, TicketsError, open_tickets, write_rejected_rows
from guidepost.past_tickets.csv import BLOCK_SIZE
from guidepost.past_tickets.open import inspect_files
from tests.support.tickets import COUNTER, read_mapping_text, rejected_rows, tickets, write_file

MAP = """
ticket: Id
facts:
  size: {column: Size, values: {A: large, B: small}}
  share: Share
  story: Story
  came_at: {column: Came, zone: UTC}
"""
ROWS = [
    {"Id": "T1", "Size": "A", "Share": "12.5", "Story": "it broke", "Came": "2026-01-26T04:00"},
    {"Id": "T2", "Size": "B", "Share": "", "Story": 'two\nlines, "quoted"', "Came": ""},
    {"Id": "T3", "Size": "A", "Share": "7", "Story": "", "Came": "2026-01-27T04:00"},
]


def as_csv(rows: list[dict[str, str]], separator: str = ",") -> str:
    """Write rows as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(ROWS[0]), delimiter=separator, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def opened(spec: str, text: str = MAP) -> Any:
    """Open a source by a mapping."""
    return open_tickets(spec, COUNTER, read_mapping_text(text))


def plain(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return tickets with values as texts, so that files with types and without compare."""
    return [
        {name: f"{float(value):g}" if name == "share" else str(value) for name, value in one.items()} for one in found
    ]


WANT = [
    {
        "row": "1",
        "name": "T1",
        "size": "large",
        "share": "12.5",
        "story": "given",
        "came_at": "2026-01-26 04:00:00+00:00",
    },
    {"row": "2", "name": "T2", "size": "small", "story": "given"},
    {"row": "3", "name": "T3", "size": "large", "share": "7", "came_at": "2026-01-27 04:00:00+00:00"},
]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", as_csv(ROWS)),
        ("b.csv", "\ufeff" + as_csv(ROWS)),
        ("c.csv", as_csv(ROWS, ";")),
        ("d.tsv", as_csv(ROWS, "\t")),
        ("e.csv.gz", gzip.compress(as_csv(ROWS).encode(), mtime=0)),
        ("f.csv", as_csv(ROWS).replace("\n", "\r\n").replace("two\r\n", "two\n")),
        ("g.jsonl", "\n".join(map(json.dumps, ROWS))),
        ("h.json.gz", gzip.compress("\n".join(map(json.dumps, ROWS)).encode())),
        ("i.txt", as_csv(ROWS)),
    ],
)
def test_the_same_tickets_come_out_of_every_kind_of_text(tmp_path: Path, name: str, content: str | bytes) -> None:
    source = opened(write_file(tmp_path / name, content))
    batches = list(source.batches())

    assert plain(tickets(batches)) == WANT
    assert batches[-1].share == 1.0
    assert [batch.rejected for batch in batches] == [()] * len(batches)


def table() -> pa.Table:
    """The rows with types, as a warehouse has them."""
    columns = {name: [row[name] or None for row in ROWS] for name in ROWS[0]}
    made = pa.table(columns)
    return made.set_column(2, "Share", pa.array([12.5, None, 7.0])).set_column(
        4, "Came", made["Came"].cast(pa.timestamp("us"))
    )


def test_the_same_tickets_come_out_of_parquet_in_one_file_or_many(tmp_path: Path) -> None:
    folder = tmp_path / "year"
    folder.mkdir()
    pq.write_table(table(), tmp_path / "all.parquet", row_group_size=2)
    pq.write_table(table().slice(0, 1), folder / "part-1.parquet")
    pq.write_table(table().slice(1), folder / "part-2.parquet")
    for spec in (str(tmp_path / "all.parquet"), str(folder), str(folder / "part-*.parquet")):
        source = opened(spec)

        assert source.rows == 3
        assert plain(tickets(source.batches())) == WANT
        assert plain(tickets(source.batches(1))) == WANT
        assert [round(batch.share, 2) for batch in source.batches(1)] == [0.33, 0.67, 1.0]


def test_words_in_parquet_are_decoded_once_and_not_row_by_row(tmp_path: Path) -> None:
    pq.write_table(pa.table({"Size": ["A", "B"] * 5_000}), tmp_path / "t.parquet")
    batch = next(
        iter(
            opened(str(tmp_path / "t.parquet"), "facts: {size: {column: Size, values: {A: large, B: small}}}").batches()
        )
    )

    assert sorted(batch.chunk.facts["size"].values) == ["large", "small"]  # type: ignore[union-attr]


def test_rows_with_too_few_or_too_many_fields_are_told_with_their_number_and_text(tmp_path: Path) -> None:
    text = "Id,Size\nT1,A\nT2\nT3,B,x,y\nT4,A\n\nT5,B\nT6\n"
    source = opened(write_file(tmp_path / "t.csv", text), "ticket: Id\nfacts: {size: Size}")

    assert [(one["row"], one["name"]) for one in tickets(source.batches())] == [(1, "T1"), (4, "T4"), (5, "T5")]
    assert rejected_rows(source) == [
        RejectedRow(row=2, name="", field="", message="1 fields instead of 2", content="T2"),
        RejectedRow(row=3, name="", field="", message="4 fields instead of 2", content="T3,B,x,y"),
        RejectedRow(row=6, name="", field="", message="1 fields instead of 2", content="T6"),
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["good", "short", "long", "unlisted"]), min_size=1, max_size=40), st.integers(1, 5))
def test_every_row_of_a_csv_is_a_ticket_or_unread_under_its_own_number(
    tmp_path: Path, kinds: list[str], size: int
) -> None:
    lines = {"good": "T{},A", "short": "T{}", "long": "T{},A,A", "unlisted": "T{},Z"}
    text = "Id,Size\n" + "".join(lines[kind].format(at) + "\n" for at, kind in enumerate(kinds, 1))
    source = opened(
        write_file(tmp_path / "t.csv", text), "ticket: Id\nfacts: {size: {column: Size, values: {A: large}}}"
    )
    found = [(one["row"], one["name"]) for one in tickets(source.batches(size))]

    assert found == [(at, f"T{at}") for at, kind in enumerate(kinds, 1) if kind == "good"]
    assert [one.row for batch in source.batches(size) for one in batch.rejected] == [
        at for at, kind in enumerate(kinds, 1) if kind != "good"
    ]


def test_rows_are_numbered_across_the_blocks_of_a_large_file(tmp_path: Path) -> None:
    row = "T{},A," + "x" * 200
    lines = ["Id,Size,Text", *(row.format(at) if at % 10_000 else f"T{at}" for at in range(1, 50_001))]
    spec = write_file(tmp_path / "t.csv", "\n".join(lines))
    assert Path(spec).stat().st_size > 2 * BLOCK_SIZE
    source = opened(spec, "ticket: Id\nfacts: {size: Size}")
    rows = [
        (int(row), batch.chunk.names.sent(at)) for batch in source.batches() for at, row in enumerate(batch.chunk.rows)
    ]

    assert [one for one in rows if one[1] != f"T{one[0]}"] == []
    assert len(rows) == 49_995
    assert [one.row for one in rejected_rows(source)] == [10_000, 20_000, 30_000, 40_000, 50_000]
    shares = [batch.share for batch in source.batches()]
    assert shares == sorted(shares)


def test_a_broken_line_of_json_is_unread_and_what_is_inside_an_object_is_named_with_dots(tmp_path: Path) -> None:
    lines = [
        '{"key": "A-1", "fields": {"size": {"name": "large"}, "n": 3}}',
        '{"key": "A-2", "fiel',
        "",
        "[1]",
        '{"key": "A-5", "fields": {"size": null, "n": "x"}}',
    ]
    source = opened(
        write_file(tmp_path / "t.jsonl", "\n".join(lines)),
        "ticket: key\nfacts: {size: fields.size.name, items: fields.n}",
    )

    assert tickets(source.batches()) == [
        {"row": 1, "name": "A-1", "size": "large", "items": "3"},
        {"row": 5, "name": "A-5", "items": "x"},
    ]
    assert [(one.row, one.message.partition(":")[0], one.content) for one in rejected_rows(source)] == [
        (2, "not a JSON object", lines[1]),
        (4, "not a JSON object", "[1]"),
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"Id": ' + "[" * 100_000 + "]" * 100_000 + "}", "lists or objects are nested too deeply"),
        ('{"Id": ' * 100_000 + "1" + "}" * 100_000, "lists or objects are nested too deeply"),
        ('{"Id": "\\ud800"}', "an escape is half of a surrogate pair"),
        ('{"Id": 1, "\\uDFFF": 1}', "an escape is half of a surrogate pair"),
    ],
)
def test_a_line_of_json_that_no_ticketing_system_writes_is_unread_and_stops_nothing(
    tmp_path: Path, line: str, why: str
) -> None:
    spec = write_file(
        tmp_path / "t.jsonl", f'{{"Id": "\\ud83d\\ude00", "Size": "A"}}\n{line}\n{{"Id": "T3", "Size": "A"}}\n'
    )

    batches = list(opened(spec, "ticket: Id\nfacts: {size: Size}").batches())

    assert [one["name"] for one in tickets(batches)] == ["\U0001f600", "T3"]
    assert [(one.row, one.message) for batch in batches for one in batch.rejected] == [(2, f"not a JSON object: {why}")]


def test_bytes_and_lists_in_parquet_are_read_as_the_text_that_they_hold(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"Id": [b"T1", b"T\xff", None], "Size": [b"A", b"A", b"A"], "Story": [["a"], [], None]}),
        tmp_path / "t.parquet",
    )
    batches = list(opened(str(tmp_path / "t.parquet"), "ticket: Id\nfacts: {size: Size, story: Story}").batches())

    assert [(one["name"], one["size"], one.get("story")) for one in tickets(batches)] == [
        ("T1", "A", "given"),
        ("T\ufffd", "A", "given"),
        (None, "A", None),
    ]


def test_a_file_with_very_many_columns_is_read_in_a_moment(tmp_path: Path) -> None:
    spec = write_file(
        tmp_path / "t.csv",
        "Id,Size" + "".join(f",x{number}" for number in range(60_000)) + "\nT1,A" + ",1" * 60_000 + "\n",
    )

    assert 60_002 == len(inspect_files(spec).columns)


def test_lines_may_end_as_on_an_old_mac(tmp_path: Path) -> None:
    assert ["T1", "T2"] == [
        one["name"]
        for one in tickets(
            opened(write_file(tmp_path / "t.csv", "Id,Size\rT1,A\rT2,A\r"), "ticket: Id\nfacts: {size: Size}").batches()
        )
    ]


def test_columns_that_share_a_name_are_told_apart_by_number(tmp_path: Path) -> None:
    source = opened(
        write_file(tmp_path / "t.csv", "Id,Label,Label\nT1,A,B\n"),
        "facts: {size: {column: Label (2), values: {B: small}}}",
    )

    assert tickets(source.batches()) == [{"row": 1, "name": None, "size": "small"}]


def test_without_a_mapping_columns_that_are_called_like_facts_are_facts(tmp_path: Path) -> None:
    source = open_tickets(
        write_file(tmp_path / "t.csv", "Number,SIZE,Came At,Colour\nT1,large,2026-01-26T04:00Z,red\n"), COUNTER
    )

    assert plain(tickets(source.batches())) == [
        {"row": "1", "name": "T1", "size": "large", "came_at": "2026-01-26 04:00:00+00:00"}
    ]
    assert source.notes == ["left out, since no fact has the name: `Colour`"]


DAMAGED = gzip.compress(b"", mtime=0)[:10] + b"\xff" * 50

UNREADABLE = [
    ("none.csv", None, "no such file: none.csv", "did you mean `some.csv`?"),
    ("empty.csv", b"", "empty.csv is empty", "the first line of a CSV file names its columns"),
    ("blank.csv", b"\n\n", "blank.csv is empty", "the first line of a CSV file names its columns"),
    (
        "wide.csv",
        "Id,Size\nT1,A".encode("utf-16"),
        "expected UTF-8 in wide.csv, got UTF-16",
        "export it as UTF-8 (in Excel: CSV UTF-8)",
    ),
    (
        "latin.csv",
        "Id,Größe\nT1,A".encode("latin-1"),
        "expected UTF-8 in latin.csv, byte 6 is not",
        "export it as UTF-8 (in Excel: CSV UTF-8)",
    ),
    ("zip.csv", b"PK\x03\x04\0\0", "expected text in zip.csv", "use Parquet, CSV or JSON lines"),
    (
        "cut.parquet",
        b"PAR1abc",
        "expected a Parquet file, cannot read cut.parquet",
        "write the file again, or use CSV or JSON lines",
    ),
    ("damaged.csv.gz", DAMAGED, "damaged.csv.gz cannot be read: Error -3", ""),
    ("damaged.json.gz", DAMAGED, "damaged.json.gz cannot be read: Error -3", ""),
    (
        "long.csv",
        b"Id," + b"x" * 200_000 + b"\n1,2\n",
        "the first line of long.csv cannot be read: field larger than",
        "the first line of a CSV file names its columns",
    ),
    (
        "endless.csv",
        b"Id," * 500_000 + b"\n",
        "the first line of endless.csv is longer than 1 MB",
        "the first line of a CSV file names its columns",
    ),
    ("list.json", b"[1]\n", "list.json has no line with a JSON object", "JSON lines have one object on each line"),
    (
        "other.csv",
        b"Id,Sizes\nT1,A\n",
        "other.csv does not have the column `Size`, which the mapping map.yaml reads",
        "did you mean `Sizes`?",
    ),
    (
        "nothing/*.parquet",
        None,
        "no file matches nothing/*.parquet",
        "use Parquet, CSV or JSON lines, the URL of a decision log, or `log`",
    ),
    (".", None, "no Parquet file in .", "use Parquet, CSV or JSON lines, the URL of a decision log, or `log`"),
]


@pytest.mark.parametrize(("name", "content", "message", "help_"), UNREADABLE)
def test_a_source_that_cannot_be_read_is_said_to_be_so_with_a_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes | None, message: str, help_: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_file(tmp_path / "some.csv", "Id\n")
    if content is not None:
        write_file(tmp_path / name, content)
    with pytest.raises(TicketsError) as error:
        list(opened(name, "ticket: Id\nfacts: {size: Size}").batches())

    assert error.value.message.startswith(message)
    assert error.value.help == help_


def test_bytes_that_are_no_text_further_down_are_said_too(tmp_path: Path) -> None:
    spec = write_file(tmp_path / "t.csv", b"Id,Size\n" + b"T1,A\n" * 300_000 + "T2,größe\n".encode("latin-1"))

    with pytest.raises(TicketsError, match="expected UTF-8 in"):
        list(opened(spec, "facts: {size: Size}").batches())


@pytest.mark.parametrize("cell", ['"A', '"A,x', 'A,"x'])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_quote_that_is_never_closed_does_not_swallow_what_follows(tmp_path: Path, cell: str, zipped: bool) -> None:
    text = f"Id,Size\nT1,A\nT2,{cell}\n" + "T3,A\n" * 10_000
    spec = write_file(tmp_path / "t.csv", gzip.compress(text.encode(), mtime=0) if zipped else text)

    with pytest.raises(TicketsError, match="opens a quote in its last row, 2, and never closes it"):
        list(opened(spec, "facts: {size: Size}").batches())


def test_a_text_over_several_lines_may_stand_at_the_end(tmp_path: Path) -> None:
    source = opened(
        write_file(tmp_path / "t.csv", 'Id,Size,Story\nT1,A,"it\nbroke"\n\n'), "facts: {size: Size, story: Story}"
    )

    assert tickets(source.batches()) == [{"row": 1, "name": None, "size": "A", "story": "given"}]


def test_only_a_log_can_be_asked_for_some_of_its_records(tmp_path: Path) -> None:
    with pytest.raises(TicketsError, match="expected a decision log"):
        open_tickets(write_file(tmp_path / "t.csv", "size\nlarge\n"), COUNTER, None, Filter(caller="desk"))


def test_when_no_column_is_called_like_a_fact_a_mapping_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(TicketsError, match=r"no column of .* has the name of a fact; it has `a`, `b`") as error:
        open_tickets(write_file(tmp_path / "t.csv", "a,b\n1,2\n"), COUNTER)

    assert "replay suggest-mapping" in error.value.help


def test_a_file_with_only_a_header_has_no_tickets(tmp_path: Path) -> None:
    assert tickets(opened(write_file(tmp_path / "t.csv", "Id,Size\n"), "facts: {size: Size}").batches()) == []


def test_unread_rows_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "unread.csv"
    rows = [RejectedRow(row=7, name="T7", field="Size", message="`Z` is not\nlisted", content='{"Size": "Z"}')]

    assert write_rejected_rows(path, []) == 0
    assert not path.exists()
    assert write_rejected_rows(path, rows) == 1
    assert list(csv.reader(path.open(newline="", encoding="utf-8"))) == [
        ["row", "ticket", "field", "message", "content"],
        ["7", "T7", "Size", "`Z` is not\nlisted", '{"Size": "Z"}'],
    ]
    before = path.read_bytes()

    def interrupted() -> None:
        with RejectedRowsWriter(path) as writer:
            writer.add(rows * 3)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["unread.csv"]


def test_a_row_can_be_shown_as_it_stands_in_its_source(tmp_path: Path) -> None:
    batch = next(iter(opened(write_file(tmp_path / "t.csv", as_csv(ROWS))).batches()))

    assert json.loads(batch.content(3)) == ROWS[2]
