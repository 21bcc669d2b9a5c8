"""A draft of a mapping is valid, marks its guesses with reasons, and is independent of desks.

The example mappings read all rows of their samples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.model.vocabulary import Fact, FactType, Value
from engine.version.build import build
from engine.version.bundle import Bundle
from engine.version.version import Version
from guidepost.past_tickets import Batch, TicketsError, mapping_of, open_tickets, read_mapping, suggest_mapping
from guidepost.past_tickets.sample import ColumnProfile
from guidepost.past_tickets.similarity import instant_format, match_values
from guidepost.policies.sources.folder import VersionFolder, read_folder
from tests.support.campaign import LONG
from tests.support.deciders import decide
from tests.support.paths import ROOT
from tests.support.tickets import facts, write_file

MAPPINGS: Final = ROOT / "examples" / "mappings"
DATA: Final = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="module")
def guide(shipped: Bundle) -> Version:
    """The version in force."""
    return shipped.versions[-1]


@pytest.mark.parametrize("name", ["servicenow", "jira"])
def test_a_draft_says_what_it_guesses(guide: Version, golden: Callable[[str, str], None], name: str) -> None:
    text = suggest_mapping(str(MAPPINGS / f"{name}.csv"), guide)

    golden(f"mapping/{name}.yaml", text)
    mapping_of("draft.yaml", text, guide)


def test_a_draft_of_parquet_and_of_json_lines_finds_the_same(guide: Version, tmp_path: Path) -> None:
    rows = [{"id": f"T{at}", "impact": "high" if at % 2 else "low", "created": 1_767_225_600 + at} for at in range(40)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    lines = write_file(tmp_path / "t.jsonl", "\n".join(str(row).replace("'", '"') for row in rows))
    drafts = [suggest_mapping(spec, guide) for spec in (str(tmp_path / "t.parquet"), lines)]

    assert drafts[0].partition("\n")[2] == drafts[1].partition("\n")[2]
    assert "ticket: id\n" in drafts[0]
    assert "  impact: impact\n" in drafts[0]
    assert '  received_at: {column: created, format: "epoch"}  # by a usual name\n' in drafts[0]


def test_a_draft_works_from_the_words_of_any_desk(tmp_path: Path) -> None:
    hospital = build(read_folder(VersionFolder(ROOT / "examples" / "hospital", "hospital")))
    fact = next(
        one
        for one in hospital.policy.facts.values()
        if one.type is FactType.CHOICE and 2 < len(one.values) < 10 and not one.open
    )
    cells = [value.name or value.value for value in fact.values]
    text = suggest_mapping(
        write_file(tmp_path / "t.csv", "nr,what\n" + "".join(f"{at},{cell}\n" for at, cell in enumerate(cells * 3))),
        hospital,
    )

    assert mapping_of("draft.yaml", text, hospital).facts[fact.name].columns == ("what",)  # type: ignore[union-attr]


def test_a_file_in_which_nothing_looks_like_a_fact_still_gives_a_draft_that_is_accepted(
    guide: Version, tmp_path: Path
) -> None:
    text = suggest_mapping(write_file(tmp_path / "t.csv", "a,b\n1,x\n2,y\n"), guide)

    assert "no column is similar to a fact" in text
    mapping_of("draft.yaml", text, guide)
    with pytest.raises(TicketsError, match="has no rows"):
        suggest_mapping(write_file(tmp_path / "e.csv", "a,b\n"), guide)


def test_what_stands_for_nothing_is_found(guide: Version, tmp_path: Path) -> None:
    text = suggest_mapping(write_file(tmp_path / "t.csv", 'impact\nhigh\nNULL\nlow\n""\n'), guide)

    assert 'empty: ["", "NULL"]' in text


SCALE: Final = Fact(
    name="size",
    type=FactType.CHOICE,
    values=(Value(value="large", name="Very large"), Value(value="middle"), Value(value="small")),
)


def profile(values: Iterable[object]) -> ColumnProfile:
    """Make a column."""
    made = ColumnProfile(name="Size")
    for value in values:
        made.add(value)
    return made


@pytest.mark.parametrize(
    ("values", "means"),
    [
        (["Large", "SMALL"], {"Large": "large", "SMALL": "small"}),
        (["1 - Very large", "3 - Small"], {"1 - Very large": "large", "3 - Small": "small"}),
        (["largest"], {"largest": "large"}),
        ([1, 2, 3], {"1": "large", "2": "middle", "3": "small"}),
        (["S1", "S3"], {"S1": "large", "S3": "small"}),
        (["High", "Low", "Medium"], {"High": "large", "Medium": "middle", "Low": "small"}),
        ([0, 2], {"0": "large", "2": "small"}),
        ([1, 2, 3, 4], {}),
        (["red"], {}),
    ],
)
def test_values_are_matched_by_their_words_else_by_their_order(values: list[object], means: dict[str, str]) -> None:
    found, left = match_values(profile(values), SCALE)

    assert {one.text: one.target for one in found} == means
    assert left == [str(value) for value in values if str(value) not in means]


@pytest.mark.parametrize(
    ("texts", "form", "other"),
    [
        (["26/01/2026 15:00", "05/02/2026 09:30"], "%d/%m/%Y %H:%M", ""),
        (["05/02/2026 09:30"], "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"),
        (["2026-01-26T15:00"], "", ""),
        (["26/Jan/26 3:05 PM"], "%d/%b/%y %I:%M %p", ""),
        (["1767225600"], "epoch", ""),
        (["1767225600000"], "epoch_ms", ""),
    ],
)
def test_the_format_of_instants_is_found_and_a_second_reading_said(texts: list[str], form: str, other: str) -> None:
    found = instant_format(profile(texts))

    assert found is not None
    assert (found.format, found.other) == (form, other)


@pytest.mark.parametrize("texts", [["7", "8"], ["soon"], [""], ["2026"]])
def test_what_is_no_instant_is_not_taken_for_one(texts: list[str]) -> None:
    assert instant_format(profile(texts)) is None


# ---- The mappings that ship


def decided_otherwise(batches: Iterable[Batch], version: Version) -> tuple[int, Counter[tuple[str, str, str, str]]]:
    """Decide each combination of facts once; return the number of tickets, and the cells that differ from records."""
    answers: dict[tuple[tuple[str, Any], ...], str] = {}
    tickets, found = 0, Counter[tuple[str, str, str, str]]()
    for batch in batches:
        assert batch.rejected == ()
        recorded = batch.chunk.recorded.outcomes["priority"]  # type: ignore[union-attr]
        rows = [{name: row[name] for name in ("stage", "channel", "impact", "urgency")} for row in facts(batch)]
        for row, code in zip(rows, recorded.codes.tolist(), strict=True):
            tickets += 1
            key = tuple(sorted(row.items()))
            if key not in answers:
                answers[key] = str(
                    next(one.value for one in decide(version, "priority", row).outcomes if one.name == "priority")
                )
            if answers[key] != recorded.states[code].value:
                found[row["impact"], row["urgency"], str(recorded.states[code].value), answers[key]] += 1
    return tickets, found


def test_the_sample_of_servicenow_differs_in_the_one_cell_that_the_site_changed(guide: Version) -> None:
    mapping = read_mapping(MAPPINGS / "servicenow.yaml", guide)

    assert decided_otherwise(open_tickets(str(MAPPINGS / "servicenow.csv"), guide, mapping).batches(), guide) == (
        354,
        Counter({("low", "low", "P4", "P5"): 18}),
    )


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("file", "tickets", "low"),
    [("uci498_incidents_last.csv.gz", 24_918, 671), ("uci498_incident_events.csv.gz", 141_712, 3_431)],
)
def test_all_real_incidents_differ_in_that_cell_only(guide: Version, file: str, tickets: int, low: int) -> None:
    if "events" in file and not LONG:
        pytest.skip("the last events stand for all of them; GUIDEPOST_CAMPAIGN=long reads all")
    if not (DATA / file).exists():
        pytest.skip(f"shared/data/{file} is not there")
    mapping = read_mapping(MAPPINGS / "servicenow.yaml", guide)

    assert decided_otherwise(open_tickets(str(DATA / file), guide, mapping).batches(), guide) == (
        tickets,
        Counter({("low", "low", "P4", "P5"): low}),
    )


def test_the_sample_of_jira_is_read_whole_and_its_priority_was_set_by_hand_three_times(guide: Version) -> None:
    mapping = read_mapping(MAPPINGS / "jira.yaml", guide)
    batches = list(open_tickets(str(MAPPINGS / "jira.csv"), guide, mapping).batches())
    rows = [row for batch in batches for row in facts(batch)]
    recorded = [batch.chunk.recorded.outcomes["priority"] for batch in batches]  # type: ignore[union-attr]
    matrix = {
        ("high", "high"): 1,
        ("high", "medium"): 2,
        ("medium", "high"): 2,
        ("high", "low"): 3,
        ("medium", "medium"): 3,
        ("low", "high"): 3,
        ("medium", "low"): 4,
        ("low", "medium"): 4,
        ("low", "low"): 5,
    }
    was = [column.states[code].value for column in recorded for code in column.codes]

    assert [batch.rejected for batch in batches] == [()]
    assert len(rows) == 60
    assert {row["business_impact"] for row in rows} == {"extreme", "high", "medium", "minimal"}
    assert sum(f"P{matrix[row['impact'], row['urgency']]}" != value for row, value in zip(rows, was, strict=True)) == 3
    assert rows[0]["affected_percent"] == 12.0
    assert rows[0]["received_at"].isoformat() == "2026-03-30T03:02:00+00:00"


def test_the_mapping_that_the_manual_shows_is_accepted(guide: Version) -> None:
    manual = (ROOT / "docs" / "tickets.md").read_text(encoding="utf-8")
    shown = manual.split("```yaml\n")[1].split("```")[0]
    mapping = mapping_of("manual.yaml", shown, guide)

    assert set(mapping.facts) == {
        "country",
        "stage",
        "impact",
        "channel",
        "business_impact",
        "affected_percent",
        "received_at",
    }
    assert set(mapping.recorded_due) == {"response_due"}
