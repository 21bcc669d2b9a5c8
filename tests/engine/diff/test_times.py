"""What a change of calendars, holidays, deadlines and rosters does; budgets; and what people read of a difference."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from engine.diff import (
    Budget,
    Diff,
    NotABudget,
    OutcomeDiff,
    StateKind,
    check_budget,
    compare,
    excesses,
    matrices,
    read_forbidden,
    read_limit,
)
from engine.diff.words import NO_CHANGE, headline, outcome_text, region_text, value_text, wording_text
from engine.version.build import build
from engine.version.version import Version
from guidepost.policies.sources.folder import VersionFolder, read_folder
from guidepost.render.diff_html import diff_html
from guidepost.render.diff_markdown import diff_markdown
from guidepost.render.diff_report import make_diff_report
from tests.support.command import run_command
from tests.support.paths import ROOT

HOSPITAL = ROOT / "examples" / "hospital"


@cache
def files() -> dict[str, str]:
    return read_folder(VersionFolder(HOSPITAL, "hospital"))


@cache
def hospital() -> Version:
    return build(files(), "hospital")


def edited(file: str, *edits: tuple[str, str]) -> Version:
    """Build the hospital with some texts of one file replaced."""
    text = files()[file]
    for before, after in edits:
        assert before in text
        text = text.replace(before, after)
    return build({**files(), file: text}, "hospital")


def difference(file: str, *edits: tuple[str, str]) -> Diff:
    return compare(hospital(), edited(file, *edits))


def outcomes(found: Diff) -> dict[str, OutcomeDiff]:
    return {one.name: one for one in found.outcomes}


def test_comments_and_layout_change_nothing() -> None:
    found = difference("attendance.yaml", ("\ntables:", "\n# how soon somebody comes\n\ntables:"))
    assert (found.same_decisions, found.wording, headline(found)) == (True, (), NO_CHANGE)


def test_other_hours_touch_the_deadlines_that_go_by_them_and_no_others() -> None:
    found = difference("hours.yaml", ('sun: "08:00-16:00"', 'sun: "08:00-18:00"'))
    assert {name: one.terms for name, one in outcomes(found).items()} == {
        "attend_by": ("the calendar `shifts` counts time differently",)
    }
    assert [wording_text(one) for one in found.wording] == ["calendar shifts: Sun 08:00-16:00 -> 08:00-18:00"]


def test_days_in_a_row_whose_hours_change_alike_are_one_line() -> None:
    found = difference("hours.yaml", ('mon-sat: ["06:00-14:00", ', 'mon-sat: ["07:00-14:00", '))

    assert [wording_text(one) for one in found.wording] == [
        "calendar shifts: Mon-Sat 06:00-14:00, 14:30-01:30 -> 07:00-14:00, 14:30-01:30"
    ]


def test_a_holiday_that_moves_touches_what_counts_by_its_list_and_is_named_by_its_date() -> None:
    (path,) = [name for name in files() if name.startswith("holidays/")]
    line = next(line for line in files()[path].splitlines() if line.strip().startswith("2026-12-25"))
    found = difference(path, (line, line.replace("2026-12-25", "2026-12-28")))
    assert [(one.part, one.name, one.edit.value) for one in found.wording] == [
        ("holiday", "PT 2026-12-25", "removed"),
        ("holiday", "PT 2026-12-28", "added"),
    ]
    assert outcomes(found)
    assert {one.terms for one in outcomes(found).values()} == {
        ("the calendar `weekdays` counts time differently: 2026-12-25, 2026-12-28",)
    }


def test_a_holiday_that_is_confirmed_or_falls_on_a_closed_day_changes_no_decision() -> None:
    (path,) = [name for name in files() if name.startswith("holidays/")]
    line = next(line for line in files()[path].splitlines() if line.strip().startswith("2026-12-25"))
    saturday = line.replace("2026-12-25", "2026-12-26")
    assert "2026-12-26" not in files()[path]
    found = difference(path, (line, f"{line}\n{saturday}"))
    assert (found.same_decisions, [one.name for one in found.wording]) == (True, ["PT 2026-12-26"])


SMALL_TIMES: dict[str, Any] = {
    "manifest.yaml": {
        "kind": "manifest",
        "name": "desk",
        "version": "1.0.0",
        "effective_from": "2020-01-01T00:00:00Z",
        "source": "a text",
        "owner": "me",
        "triage": ["work"],
    },
    "vocabulary.yaml": {
        "kind": "vocabulary",
        "facts": {
            "at": {"type": "instant", "about": "when it came"},
            "days": {"type": "integer", "about": "days since", "minimum": "0"},
            "town": {
                "type": "choice",
                "about": "where",
                "values": [{"value": "one", "about": "one"}, {"value": "two", "about": "two"}],
            },
        },
        "outcomes": {
            "state": {
                "type": "choice",
                "about": "how it stands",
                "values": [{"value": "new", "about": "new"}, {"value": "old", "about": "old"}],
            },
            "place": {
                "type": "choice",
                "about": "where it counts",
                "values": [{"value": "here", "about": "here"}, {"value": "there", "about": "there"}],
            },
            "due": {"type": "instant", "about": "when it is due"},
        },
    },
    "desk.yaml": {
        "kind": "policy",
        "about": "all",
        "source": "1",
        "decision": {"name": "work", "about": "what to do", "answers": ["state"], "beside": ["due"]},
        "calendars": {
            "desk": {"about": "open", "zone": "by_region", "holidays": "HQ", "hours": {"mon-fri": "09:00-17:00"}}
        },
        "regions": {"here": {"zone": "UTC", "holidays": "none"}, "there": {"zone": "Asia/Tokyo", "holidays": "none"}},
        "tables": {
            "state": {
                "about": "by age",
                "produces": "state",
                "rules": [
                    {"id": "state.new", "when": {"days": "<= 5"}, "then": {"state": "new"}},
                    {"id": "state.old", "when": {"days": "> 5"}, "then": {"state": "old"}},
                ],
            },
            "place": {
                "about": "by town",
                "produces": "place",
                "rules": [
                    {"id": "place.one", "when": {"town": "one"}, "then": {"place": "here"}},
                    {"id": "place.two", "when": {"town": "two"}, "then": {"place": "there"}},
                ],
            },
        },
        "deadlines": {
            "due": {
                "about": "soon",
                "from": "at",
                "when_past": "passed",
                "holds": {"extend": "no"},
                "region": "place",
                "rules": [
                    {"id": "due.all", "when": {}, "then": {"unit": "hours", "calendar": "desk", "amount": "8"}},
                ],
            }
        },
        "elapsed": {
            "days": {
                "from": "at",
                "unit": "business_days",
                "rule": "roll_then_clock",
                "count": "full",
                "calendar": "desk",
                "region": "place",
            }
        },
    },
    "holidays/HQ.yaml": {
        "kind": "holidays",
        "name": "HQ",
        "about": "the head office",
        "source": "a list",
        "covers": {"from": "2026-01-01", "to": "2026-12-31"},
        "days": {"2026-12-25": {"name": "Christmas Day", "status": "confirmed", "source": "law"}},
    },
}


def small(edit: Any = lambda files: None) -> Version:
    made = json.loads(json.dumps(SMALL_TIMES))
    edit(made)
    return build({path: json.dumps(content) for path, content in made.items()}, "desk")


def test_a_list_that_a_calendar_by_region_names_itself_counts_in_every_region() -> None:
    def edit(made: dict[str, Any]) -> None:
        made["holidays/HQ.yaml"]["days"]["2026-02-03"] = {
            "name": "Moving day",
            "status": "confirmed",
            "source": "a letter",
        }

    found = compare(small(), small(edit))
    said = "the calendar `desk` counts time differently in here, there: 2026-02-03"
    assert outcomes(found)["due"].terms == (said,)
    assert [wording_text(one) for one in found.requests] == [f"elapsed days: {said}"]


def test_where_an_elapsed_time_counts_elsewhere_what_reads_it_is_not_the_same() -> None:
    def edit(made: dict[str, Any]) -> None:
        made["desk.yaml"]["tables"]["place"]["rules"][0]["then"]["place"] = "there"
        made["desk.yaml"]["tables"]["place"]["rules"][1]["then"]["place"] = "here"

    found = compare(small(), small(edit))
    assert not found.same_decisions
    assert outcomes(found)["state"].terms == (
        "it depends on `days`, which is counted differently: its region `place` changes in 2 situations",
    )
    assert [one.name for one in found.requests] == ["days"]


def test_a_deadline_that_goes_by_what_follows_otherwise_says_so_too() -> None:
    def by_state(made: dict[str, Any]) -> None:
        made["desk.yaml"]["deadlines"]["due"]["rules"] = [
            {
                "id": f"due.{word}",
                "when": {"state": word},
                "then": {"unit": "hours", "calendar": "desk", "amount": amount},
            }
            for word, amount in (("new", "8"), ("old", "4"))
        ]

    def moved(made: dict[str, Any]) -> None:
        by_state(made)
        made["desk.yaml"]["elapsed"]["days"]["count"] = "begun"

    (term,) = outcomes(compare(small(by_state), small(moved)))["due"].terms
    assert term.startswith("it depends on `days`, which is counted differently: begun business days since")


def test_names_in_what_is_counted_differently_are_shown_as_code_and_nothing_is_said_twice() -> None:
    def begun(made: dict[str, Any]) -> None:
        made["desk.yaml"]["elapsed"]["days"]["count"] = "begun"

    shown = make_diff_report(small(), small(begun), ("before", "after"))
    (term,) = outcomes(shown.diff)["state"].terms
    page, markdown = diff_html(shown), diff_markdown(shown)

    assert (
        term
        == "it depends on `days`, which is counted differently: begun business days since at by desk roll_then_clock place instead of full business days since at by desk roll_then_clock place"
    )
    assert "it depends on <code>days</code>, which is counted differently: begun business days" in page
    assert "`" not in re.sub(r"<(script|style)>.*?</\1>", "", page, flags=re.DOTALL)
    assert "it depends on `days`, which is counted differently" in markdown
    assert "\\`" not in markdown


def test_a_limit_of_nothing_allows_no_other_hours_and_no_other_reading() -> None:
    def hours(made: dict[str, Any]) -> None:
        made["desk.yaml"]["calendars"]["desk"]["hours"] = {"mon-fri": "08:00-17:00"}

    found = compare(small(), small(hours))
    for budget in (
        Budget(read_limit("0%")),
        Budget(None, (read_forbidden("*: * -> *"),)),
        Budget(None, (read_forbidden("due: *->*"),)),
    ):
        assert any(
            "`due`: the calendar `desk` counts time differently" in one.message for one in excesses(found, budget)
        )
    assert excesses(found, Budget(read_limit("1%"))) == ()
    assert excesses(compare(small(), small()), Budget(read_limit("0"), (read_forbidden("*: * -> *"),))) == ()


def test_other_decisions_for_a_new_ticket_are_told() -> None:
    def edit(made: dict[str, Any]) -> None:
        made["desk.yaml"]["decision"]["name"] = "job"
        made["manifest.yaml"]["triage"] = ["job"]

    assert ("triage", "work", "job") in [
        (one.part, one.before, one.after) for one in compare(small(), small(edit)).requests
    ]


@pytest.mark.parametrize("text", ["stat: * -> *", "state: newish -> *", "state: New -> old"])
def test_a_forbidden_change_that_can_never_happen_is_refused(text: str) -> None:
    with pytest.raises(NotABudget, match="can never match"):
        check_budget(Budget(None, (read_forbidden(text),)), small().policy, small().policy)


def test_a_forbidden_change_may_name_a_value_a_state_or_any() -> None:
    rules = tuple(
        map(read_forbidden, ("state: new -> old", "state: * -> undecided", "*: * -> not_covered", "due: anything -> *"))
    )
    check_budget(Budget(None, rules), small().policy, small().policy)


def test_where_only_one_version_takes_fractions_they_stand_apart_from_whole_numbers() -> None:
    def number(made: dict[str, Any]) -> None:
        made["vocabulary.yaml"]["facts"]["days"]["type"] = "number"
        del made["desk.yaml"]["elapsed"]

    def whole(made: dict[str, Any]) -> None:
        del made["desk.yaml"]["elapsed"]

    regions = outcomes(compare(small(number), small(whole)))["state"].regions
    assert {region_text(region): [change.after.kind for change in region.changes] for region in regions} == {
        "days=fractions (0..5)": [StateKind.REFUSED],
        "days=fractions > 5": [StateKind.REFUSED],
    }


def test_a_rule_of_a_deadline_is_compared_over_what_it_reads() -> None:
    found = outcomes(
        difference("attendance.yaml", ("unit: minutes, amount: 45, calendar", "unit: minutes, amount: 60, calendar"))
    )
    ((name, one),) = found.items()
    assert (name, one.inputs) == ("bed_call_by", True)
    (change,) = (change for change in one.changes if change.after.kind is StateKind.DECIDED)
    assert [value_text(end.value) for end in (change.before, change.after)] == [
        "45 minutes by day_and_night",
        "60 minutes by day_and_night",
    ]
    (region,) = (region for region in one.regions if change in region.changes)
    assert region_text(region) == "bed_manager=yes, grade known and not 1"


def test_a_deadline_follows_the_outcome_that_gives_its_amount() -> None:
    old = next(line for line in files()["attendance.yaml"].splitlines() if "attend_within: 15" in line)
    found = outcomes(difference("attendance.yaml", (old, old.replace("attend_within: 15", "attend_within: 20"))))
    assert {"attend_within", "attend_by"} <= set(found)
    assert [follows.outcome for follows in found["attend_by"].follows] == ["attend_within"]
    assert not found["attend_by"].changed
    assert outcome_text(found["attend_by"]).startswith("follows attend_within, which changes in ")


def test_a_limit_is_a_share_of_an_outcomes_situations_or_a_number_of_them() -> None:
    found = difference(
        "attendance.yaml", ("unit: minutes, amount: 45, calendar", "unit: minutes, amount: 60, calendar")
    )
    one = outcomes(found)["bed_call_by"]
    assert excesses(found, Budget(read_limit(str(one.changed)))) == ()
    assert excesses(found, Budget(read_limit("100%"))) == ()
    assert [excess.rule for excess in excesses(found, Budget(read_limit(str(one.changed - 1))))] == [
        f"at most {one.changed - 1}"
    ]
    assert "bed_call_by" in excesses(found, Budget(read_limit("0%")))[0].message


MATRIX = ('"4":    ["2", "3", "3", "4", "4"]', '"4":    ["2", "3", "3", "4", "5"]')


def test_a_forbidden_change_names_where_it_happens_and_a_ticket() -> None:
    found = difference("grade.yaml", MATRIX)
    (excess,) = excesses(found, Budget(forbidden=(read_forbidden("scale_grade: 4 -> *"),)))
    assert (excess.message, excess.region, excess.example) == (
        "`scale_grade` changes 4 -> 5 in 1 situation",
        "impact=4, urgency=5",
        "impact=4 urgency=5",
    )
    assert (
        excesses(found, Budget(forbidden=(read_forbidden("scale_grade: * -> 4"), read_forbidden("scale_grade: 5->*"))))
        == ()
    )
    assert {one.rule for one in excesses(found, Budget(forbidden=(read_forbidden("*: 4 -> 5"),)))} == {
        "never *: 4 -> 5"
    }


def test_an_edited_cell_of_a_matrix_is_marked_and_no_other() -> None:
    scales = next(
        one for one in matrices(hospital().policy, edited("grade.yaml", MATRIX).policy) if one.table == "scales"
    )
    assert scales.changed == (("4", "5"),)
    assert (scales.before["4", "5"], scales.after["4", "5"]) == ("4", "5")


def test_another_turn_of_a_roster_is_said() -> None:
    found = outcomes(difference("watch.yaml", ('open: ["07:00", "19:00"]', 'open: ["08:00", "20:00"]')))
    assert {name: one.terms for name, one in found.items()} == {"control_room": ("the hours of its places differ",)}


@pytest.mark.parametrize("text", ["", "two", "2 %%", "-1"])
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(NotABudget):
        read_limit(text)


@pytest.mark.parametrize("text", ["", "priority", "priority: P1", "P1 -> P2"])
def test_what_is_no_change_is_refused(text: str) -> None:
    with pytest.raises(NotABudget):
        read_forbidden(text)


# --- the command ---


def run(*words: str) -> Result:
    return run_command("diff", *words)


@pytest.fixture(autouse=True)
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work where `old` is the hospital, and `new` a copy with one cell of its matrix edited."""
    monkeypatch.chdir(tmp_path)
    for side in ("old", "new"):
        for name, text in files().items():
            path = tmp_path / side / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace(*MATRIX) if side == "new" else text, encoding="utf-8")


@pytest.mark.parametrize(("form", "suffix"), [("text", "txt"), ("markdown", "md"), ("json", "json")])
def test_a_difference_is_written_for_people_pull_requests_and_programs(golden: Any, form: str, suffix: str) -> None:
    found = run("old", "new", "-o", form)
    assert found.exit_code == 0, found.stderr
    golden(f"diff/matrix.{suffix}", found.stdout)


def test_all_regions_are_shown_when_they_are_asked_for() -> None:
    brief, whole = run("old", "new").stdout, run("old", "new", "--all").stdout
    assert "--all shows where" in brief
    assert "--all" not in whole
    assert len(whole.splitlines()) > len(brief.splitlines())


def test_more_than_a_budget_allows_ends_with_6_and_names_it() -> None:
    found = run("old", "new", "--forbid", "scale_grade: 4 -> *", "--max-changed", "50%")
    assert found.exit_code == 6
    assert "impact=4 urgency=5" in found.stdout
    assert run("old", "new", "--max-changed", "50%").exit_code == 0


def test_the_same_version_twice_says_that_no_decision_changes() -> None:
    found = run("old", "old")
    assert (found.exit_code, NO_CHANGE in found.stdout) == (0, True)


def test_json_has_the_regions_as_data() -> None:
    found = json.loads(run("old", "new", "-o", "json").stdout)
    scale = next(one for one in found["outcomes"] if one["outcome"] == "scale_grade")
    assert scale["decisions"] == ["grade"]
    assert "scale_grade" in next(one for one in found["decisions"] if one["decision"] == "grade")["outcomes"]
    (region,) = (region for region in scale["regions"] if region["changes"][0]["from"]["status"] == "decided")
    assert region["when"] == [
        {"fact": "impact", "unknown": False, "values": ["4"]},
        {"fact": "urgency", "unknown": False, "values": ["5"]},
    ]
    assert region["changes"][0]["from"] == {"status": "decided", "value": "4"}
    assert region["example"] == {"impact": "4", "urgency": "5"}


def test_it_can_be_written_to_a_file(tmp_path: Path) -> None:
    assert run("old", "new", "-o", "html", "--to", str(tmp_path / "d.html")).exit_code == 0
    assert (tmp_path / "d.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_file_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    ended = run("old", "new", "-o", "html", "--to", str(tmp_path / "nowhere" / "d.html"))

    assert ended.exit_code == 2
    assert "d.html cannot be written: No such file or directory" in " ".join(ended.output.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [(("nowhere", "there"), "nowhere"), (("old", "old", "--forbid", "all"), "expected `outcome: value -> value`")],
)
def test_what_cannot_be_compared_is_wrong_usage(words: tuple[str, ...], said: str) -> None:
    found = run(*words)
    assert (found.exit_code, said in found.stderr) == (2, True)


def test_the_difference_of_the_guide_s_two_versions_is_as_its_golden_file_has_it(
    golden: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    found = run("1.0.0", "2.0.0")
    assert found.exit_code == 0, found.stderr
    golden("diff/guide.txt", found.stdout)


def test_elapsed_times_that_count_differently_for_the_same_reason_are_named_together() -> None:
    guide = read_folder(VersionFolder(ROOT / "policies", "guide"))
    day = "  2027-01-20: {name: Moving day, status: confirmed}\n"
    (path,) = [name for name in guide if name.endswith("NZ-AUK.yaml")]
    at = guide[path].index("  2027-02-")

    found = compare(build(guide, "guide"), build({**guide, path: guide[path][:at] + day + guide[path][at:]}, "guide"))

    both = "`business_days_since_resolution` and `business_days_since_closure`"
    said = "the calendar `business_days` counts time differently in NZ-AUK: 2027-01-20"
    assert outcomes(found)["case_action"].terms == (f"it depends on {both}, which are counted differently: {said}",)


def test_a_value_that_only_one_version_takes_is_refused_by_the_other() -> None:
    guide = dict(read_folder(VersionFolder(ROOT / "policies", "guide")))
    more = dict(guide)
    for path, text, new in (
        ("vocabulary.yaml", "      - {value: none, about: an end", "      - {value: trial, about: a trial}\n"),
        ("sla.yaml", "saas_12x5]}", "trial, "),
    ):
        more[path] = guide[path].replace(text, new + text)

    found = compare(build(guide, "guide"), build(more, "guide"))

    assert [wording_text(one) for one in found.requests] == ["value plan=trial: is refused -> read as trial"]
