"""Time on the command line: due times and their reasons, business time, calendars and rosters."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import Result

from guidepost.cli.options import policies_folder
from tests.support.command import run_command
from tests.support.paths import ROOT
from tests.support.terminals import COLOURED, run_on_terminal

SHIPPED: Final = ("--policies", str(ROOT / "policies"))

WORKSHOP: Final = {
    "manifest.yaml": """\
kind: manifest
name: workshop
version: "1.0.0"
effective_from: "2025-01-01T00:00:00Z"
source: the board in the hall
owner: the foreman
triage: [repair]
""",
    "vocabulary.yaml": """\
kind: vocabulary
facts:
  size: {type: choice, about: how large the job is, values: [{value: small, about: a small one}, {value: large, about: a large one}]}
  came_at: {type: instant, about: when it came in}
  fixed_at: {type: instant, about: when it was done}
  hours_waiting: {type: number, about: hours it has waited; follows from came_at, unit: h, minimum: 0}
outcomes:
  hours: {type: number, about: how many hours it has}
  long: {type: boolean, about: whether it has waited long}
  fixed_by: {type: instant, about: when it must be done}
""",
    "repair.yaml": """\
kind: policy
about: until when a job is done
source: board
decision: {name: repair, about: until when a job is done, answers: [hours], beside: [long, fixed_by]}
calendars:
  hall:
    about: when the hall is open
    zone: Europe/Berlin
    holidays: hall
    hours: {mon-fri: ["08:00-12:00", "13:00-17:00"]}
    dates: {2026-12-24: "08:00-12:00", 2026-12-28: closed}
    breaks: {2026-12-23: "10:00-11:00"}
    assumption: the hours are those on the door
tables:
  time:
    about: by size
    produces: [hours]
    rules:
      - {id: time.small, when: {size: small}, then: {hours: 4}}
      - {id: time.large, when: {size: large}, then: {hours: 20}}
  waiting:
    about: whether it has waited long
    hit: first
    produces: [long]
    rules:
      - {id: waiting.long, when: {hours_waiting: "> 8"}, then: {long: yes}}
    otherwise: {then: {long: no}}
deadlines:
  fixed_by:
    about: when the job must be done
    from: came_at
    met: fixed_at
    amount: hours
    when_past: breached
    at_risk: {left: 30 minutes}
    holds: {extend: yes}
    rules:
      - {id: fixed_by.all, when: {}, then: {unit: hours, calendar: hall}}
elapsed:
  hours_waiting: {from: came_at, unit: hours, count: exact, calendar: hall}
""",
    "holidays/hall.yaml": """\
kind: holidays
name: hall
about: days on which the hall stays shut
source: the calendar in the hall
covers: {from: 2026-01-01, to: 2026-12-31}
days:
  2026-12-25: {name: Christmas, status: confirmed}
  2026-12-30: {name: Day of the Long Name of the Hall, status: estimated, source: somebody wrote it}
""",
}


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small desk with every kind of day in its calendar, as the default policies folder."""
    desk = tmp_path / "workshop"
    for name, text in WORKSHOP.items():
        (desk / name).parent.mkdir(parents=True, exist_ok=True)
        (desk / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GUIDEPOST_POLICIES", desk.name)
    monkeypatch.setattr(policies_folder, "utc_now", lambda: datetime(2026, 12, 23, 12, tzinfo=UTC))
    return desk


pytestmark = pytest.mark.usefixtures("built_once")


def said(result: Result) -> str:
    """Return both streams and exit code as one text, without what a policy's text or another tz database changes."""
    parts = [
        result.stdout,
        "--- errors ---\n" + result.stderr if result.stderr else "",
        f"--- exit {result.exit_code} ---\n",
    ]
    whole = re.sub(r"digest [0-9a-f]{12}\b", "digest 0123456789ab", "".join(parts))
    return re.sub(r"(policies/\w+\.yaml):\d+:\d+ *", r"\1:0:0  ", re.sub(r"(tz database +)\w+", r"\g<1>2026a", whole))


def found(*arguments: str) -> Any:
    """Return what a command writes as JSON."""
    result = run_command(*arguments, "-o", "json")
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


# The worked decisions of the guide that have a due time

WORKED: Final = {
    "p3-over-australia-day": (
        "Tue 2026-01-27 15:00 +11:00 Australia/Sydney",
        "eval response assigned_priority=P3 plan=partner country=AU received_at=2026-01-23T15:00+11:00 --now 2026-01-23T16:00+11:00",
    ),
    "p2-in-twelve-hours": (
        "09:30 +13:00 Pacific/Auckland",
        "eval response assigned_priority=P2 plan=saas_12x5 country=NZ received_at=2026-01-16T17:30+13:00 --now 2026-01-19T09:00+13:00",
    ),
    "p3-from-a-saturday": (
        "Tue 2026-05-19 00:00 +08:00 Asia/Manila",
        "eval response assigned_priority=P3 plan=partner country=PH received_at=2026-05-16T10:00+08:00 --now 2026-05-20T10:00+08:00",
    ),
    "p2-by-the-matrix": (
        "Fri 2026-01-23 19:00 +11:00 Australia/Sydney",
        "eval response impact=high urgency=medium plan=partner country=AU received_at=2026-01-23T15:00+11:00 --now 2026-01-23T15:00+11:00",
    ),
    "p2-by-the-channel": (
        "Fri 2026-01-23 19:00 +11:00 Australia/Sydney",
        "eval response stage=arrival channel=email plan=partner country=AU received_at=2026-01-23T15:00+11:00 --now 2026-01-23T18:30+11:00",
    ),
    "p5-has-none": (
        "nothing is due",
        "eval response stage=triage channel=email impact=low urgency=low plan=partner received_at=2026-01-23T15:00+11:00 --now 2026-01-23T15:00+11:00",
    ),
    "no-service-level": (
        "nothing is due",
        "eval response channel=other impact=high urgency=high plan=partner received_at=2026-01-23T15:00+11:00 --now 2026-01-23T15:00+11:00",
    ),
}


@pytest.mark.parametrize("name", WORKED)
def test_the_worked_decisions_of_the_guide_show_when_and_why(name: str, golden: Callable[[str, str], None]) -> None:
    when, command = WORKED[name]
    result = run_command(*shlex.split(command), *SHIPPED)

    assert re.search(rf"response_due +.*{re.escape(when)}", result.stdout)
    golden(f"cli/due/{name}.txt", f"$ guidepost {command}\n{said(result)}")


def _always_open(workshop: Path) -> None:
    """Count the jobs of the workshop in days that are always open."""
    path = workshop / "repair.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace(
            "then: {unit: hours, calendar: hall}",
            "then: {unit: business_days, rule: roll_then_clock, calendar: day_and_night}",
        ).replace(
            "calendars:\n", "calendars:\n  day_and_night: {about: always, zone: Europe/Berlin, always: yes}\n", 1
        ),
        encoding="utf-8",
    )


def test_days_of_a_place_that_never_closes_are_called_days(workshop: Path) -> None:
    _always_open(workshop)
    ticket = ("size=large", "came_at=2026-03-02T10:00+01:00", "--now", "2026-03-03T04:00+01:00")

    answer = run_command("eval", *ticket, "--explain")
    shown = run_command("show", "fixed_by")
    added = run_command(
        "clock",
        "add",
        "2026-03-02T10:00+01:00",
        "1 business day",
        "--calendar",
        "day_and_night",
        "--rule",
        "roll_then_clock",
    )
    counted = run_command(
        "clock",
        "count",
        "2026-03-02T10:00+01:00",
        "2026-03-04T12:00+01:00",
        "--calendar",
        "day_and_night",
        "--rule",
        "roll_then_clock",
    )

    assert "20 days, to the same time of day (roll_then_clock)" in answer.stdout
    assert "19.25 days (462 h) left" in answer.stdout
    assert "days by day_and_night" in shown.stdout
    assert "1 day by day_and_night" in added.stdout
    assert re.search(r"^days +2 full, 3 including the one that has begun", counted.stdout, re.MULTILINE)
    assert not any("business day" in result.stdout for result in (answer, shown, added, counted))


def test_a_deadline_past_the_known_holidays_is_late_by_at_least_the_counted_time() -> None:
    result = run_command(
        "eval",
        "response",
        "assigned_priority=P3",
        "plan=partner",
        "country=AU",
        "received_at=2028-12-20T15:00+11:00",
        "--now",
        "2031-02-01T11:00+11:00",
        "--explain",
        *SHIPPED,
    )

    assert "(breached: at least 4.38 business days (105 h) late)" in result.stdout
    assert "the rest cannot be counted, because the holidays are not known" in result.stdout


# What people read

GOLDEN: Final = {
    "eval-running": "eval size=small came_at=2026-12-23T09:30+01:00 --now 2026-12-23T11:30+01:00",
    "eval-at-risk": "eval size=small came_at=2026-12-23T09:30+01:00 --now 2026-12-23T15:15+01:00",
    "eval-breached": "eval size=small came_at=2026-12-23T09:30+01:00 --now 2026-12-23T16:00+01:00 --explain",
    "eval-met": "eval size=small came_at=2026-12-23T09:30+01:00 fixed_at=2026-12-23T14:00+01:00 --now 2026-12-29T16:00+01:00 --explain",
    "eval-met-late": "eval size=small came_at=2026-12-23T09:30+01:00 fixed_at=2026-12-23T16:00+01:00 --now 2026-12-29T16:00+01:00",
    "eval-held": "eval size=small came_at=2026-12-23T09:30+01:00 --pause 2026-12-23T11:30+01:00/2026-12-23T14:00+01:00 --pause 2026-12-23T14:30+01:00/ "
    "--now 2026-12-23T14:45+01:00 --explain",
    "eval-held-after-met": "eval size=small came_at=2026-12-23T09:30+01:00 fixed_at=2026-12-23T12:00+01:00 --pause 2026-12-23T13:00+01:00/ --now 2026-12-29T16:00+01:00 --explain",
    "eval-held-after-due": "eval size=small came_at=2026-12-23T09:30+01:00 --pause 2026-12-23T16:00+01:00/ --now 2026-12-29T16:00+01:00 --explain",
    "eval-every-kind": "eval size=large came_at=2026-12-23T09:30+01:00 --pause 2026-12-29T09:00+01:00/2026-12-29T10:00+01:00 --now 2026-12-23T14:45+01:00 --explain",
    "eval-not-known": "eval size=large came_at=2026-12-29T09:30+01:00 --now 2026-12-29T10:00+01:00 --explain",
    "eval-undecided": "eval came_at=2026-12-21T09:30+01:00 --now 2026-12-21T10:00+01:00",
    "eval-no-instant": "eval size=small --now 2026-12-21T10:00+01:00",
    "eval-before": "eval size=small came_at=2026-12-21T09:30+01:00 --before size=large --now 2026-12-21T10:00+01:00",
    "eval-before-unknown": "eval size=small came_at=2026-12-21T09:30+01:00 --before size= --now 2026-12-21T10:00+01:00",
    "eval-wrong": "eval size=small came_at=2026-12-21T09:30 fixed_at=2300-01-01T00:00Z --now 1969-12-31T23:00Z --pause 2026-12-21T10:00/2026-12-21T11:00Z "
    "--pause tomorrow --before siz=large --before size=huge --before size",
    "add-hours": "clock add 2026-12-23T09:30+01:00 12 hours --calendar hall",
    "add-days": 'clock add 2026-12-24T14:00+01:00 "2 business days" --calendar hall --rule roll_then_clock',
    "add-to-the-close": 'clock add 2026-12-22T14:00+01:00 "1 business day" --calendar hall --rule roll_then_close',
    "add-held": "clock add 2026-12-23T09:30+01:00 90 minutes --calendar hall --pause 2026-12-23T11:00+01:00/2026-12-23T14:00+01:00",
    "add-not-known": "clock add 2026-12-23T09:30+01:00 400 hours --calendar hall",
    "add-wrong": 'clock add 2026-12-23T09:30 "1 day" --calendar hal --region AU --pause now --now today',
    "count": "clock count 2026-12-22T14:00+01:00 2026-12-29T10:00+01:00 --calendar hall --rule roll_then_clock",
    "count-wrong": "clock count 2026-12-22T14:00+01:00 2026-12-20T10:00+01:00 --calendar hall --rule roll_then_clock --pause 2026-12-22T14:00Z/2026-12-22T15:00Z",
    "list": "clock show",
    "month": "clock show hall",
    "month-turn": "clock show hall --month 2026-10",
    "month-not-known": "clock show hall --month 2027-01 --now 2027-01-05T10:00+01:00",
    "week": "clock show hall --week 2026-12-24",
    "week-turn": "clock show hall --week 2026-03-29",
    "show-wrong": "clock show hal --region AU --month 2026-13 --week 2026-12",
    "sun-none": "clock sun",
    "show-calendar": "show hall",
    "show-deadline": "show fixed_by",
    "show-decision": "show repair",
    "show-fact": "show hours_waiting",
    "show-deadlines": "show deadlines",
    "show-elapsed": "show elapsed",
    "show-holidays": "show holidays",
    "show-overview": "show",
}


@pytest.mark.usefixtures("workshop")
@pytest.mark.parametrize("name", GOLDEN)
def test_output_matches_the_golden_files(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"cli/clock/{name}.txt", f"$ guidepost {GOLDEN[name]}\n{said(run_command(*shlex.split(GOLDEN[name])))}")


SHIPPED_GOLDEN: Final = {
    "long-way": 'clock add 2026-01-23T17:30+08:00 "200 business days" --calendar business_days --region MY-14 --rule roll_then_close',
    "month-shipped": "clock show weekdays_12h --region AU-NSW --month 2026-04 --now 2026-04-03T10:00Z",
    "sun-day": "clock sun 2026-01-23T15:00+11:00",
    "sun-night": "clock sun 2026-01-23T18:00Z",
    "needs-region": "clock show business_days --now 2026-04-03T10:00Z",
    "needs-rule": 'clock add 2026-01-23T17:30+08:00 "1 business day" --calendar business_days --region MY14',
    "eval-turn": "eval coverage received_at=2026-01-23T15:00+11:00 country=AU --now 2026-01-23T15:00+11:00",
    "eval-elapsed": "eval lifecycle case_state=closed reopen_requested=yes closed_at=2026-01-16T16:00+11:00 --now 2026-01-26T10:00+11:00",
}


@pytest.mark.parametrize("name", SHIPPED_GOLDEN)
def test_the_shipped_calendars_match_the_golden_files(name: str, golden: Callable[[str, str], None]) -> None:
    golden(
        f"cli/clock/{name}.txt",
        f"$ guidepost {SHIPPED_GOLDEN[name]}\n{said(run_command(*shlex.split(SHIPPED_GOLDEN[name]), *SHIPPED))}",
    )


# Time in a decision


@pytest.mark.usefixtures("workshop")
def test_a_file_may_contain_the_present_time_and_the_holds() -> None:
    ticket = "size: small\ncame_at: 2026-12-23T09:30+01:00\nnow: 2026-12-23T14:45+01:00\npauses:\n  - {from: 2026-12-23T11:30+01:00, to: 2026-12-23T14:00+01:00}\n  - from: 2026-12-23T14:30+01:00\n"
    as_json = json.dumps(
        {
            "size": "small",
            "came_at": "2026-12-23T09:30+01:00",
            "now": "2026-12-23T14:45+01:00",
            "pauses": [
                {"from": "2026-12-23T11:30+01:00", "to": "2026-12-23T14:00+01:00"},
                {"from": "2026-12-23T14:30+01:00", "to": None},
            ],
        }
    )
    options = shlex.split(GOLDEN["eval-held"])[1:-1]

    answers = [run_command("eval", "-f", "-", "-o", "json", text=text).stdout for text in (ticket, as_json)]

    assert answers[0] == answers[1] == run_command("eval", *options, "-o", "json").stdout
    assert json.loads(answers[0])["answers"][0]["deadlines"][0]["held"] == 6300.0


@pytest.mark.usefixtures("workshop")
def test_options_override_the_times_of_a_file() -> None:
    ticket = "size: small\ncame_at: 2026-12-23T09:30+01:00\nnow: 2027-12-23T14:45+01:00\npauses: [{from: 2026-12-23T11:00+01:00, to: 2026-12-23T14:00+01:00}]\n"
    options = ("--now", "2026-12-23T14:45+01:00", "--pause", "2026-12-23T11:00+01:00/2026-12-23T11:30+01:00")

    answer = json.loads(run_command("eval", "-f", "-", *options, "-o", "json", text=ticket).stdout)["answers"][0][
        "deadlines"
    ][0]

    assert (answer["held"], answer["standing"]["at"]) == (1800.0, "2026-12-23T13:45:00Z")


@pytest.mark.usefixtures("workshop")
@pytest.mark.parametrize(
    "pauses",
    ["pauses: noon\n", "pauses: [noon]\n", "pauses: [{since: noon}]\n", "pauses: [{to: 2026-12-23T11:00+01:00}]\n"],
)
def test_invalid_holds_are_rejected(pauses: str) -> None:
    result = run_command("eval", "-f", "-", text=f"size: small\n{pauses}")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "pauses" in result.stderr


@pytest.mark.usefixtures("workshop")
def test_without_now_the_clock_of_the_machine_is_used() -> None:
    assert (
        "(breached: 16 hours late)"
        not in run_command(
            "eval", "size=small", "came_at=2026-12-21T09:30+01:00", "--now", "2026-12-21T10:00+01:00"
        ).stdout
    )
    assert "breached: " in run_command("eval", "size=small", "came_at=2026-12-21T09:30+01:00").stdout


def test_the_present_time_chooses_the_version_unless_one_is_named() -> None:
    def version(*choice: str) -> str:
        return str(
            found("eval", "priority", "impact=high", "urgency=high", "--now", "2020-01-01T00:00Z", *choice, *SHIPPED)[
                "version"
            ]["version"]
        )

    assert (version(), version("--version", "2.0.0"), version("--as-of", "2022-01-01T00:00:00Z")) == (
        "1.0.0",
        "2.0.0",
        "2.0.0",
    )


@pytest.mark.usefixtures("workshop")
def test_a_change_as_json_has_both_due_times_and_the_reason() -> None:
    answer = found(
        "eval",
        "repair",
        "size=small",
        "came_at=2026-12-21T09:30+01:00",
        "--before",
        "size=large",
        "--now",
        "2026-12-21T10:00+01:00",
    )
    change = answer["rescheduled"]

    assert list(answer)[-1] == "rescheduled"
    assert [(one["name"], one["moved"], one["before"]["due"], one["after"]["due"]) for one in change["deadlines"]] == [
        ("fixed_by", True, "2026-12-23T14:30:00Z", "2026-12-21T13:30:00Z"),
    ]
    assert [(one["outcome"], one["before"]["value"], one["after"]["value"]) for one in change["because"]] == [
        ("hours", 20, 4)
    ]
    assert change["because"][0]["rules"][0] == {
        "id": "time.small",
        "table": "time",
        "file": "workshop/repair.yaml",
        "line": 19,
        "column": 14,
        "source": "board",
        "assumption": "",
    }


# The clock on its own


@pytest.mark.usefixtures("workshop")
def test_the_json_of_adding_is_the_deadline_of_a_record() -> None:
    added = found(*shlex.split(GOLDEN["add-hours"]))

    assert list(added) == [
        "starts",
        "due",
        "local_due",
        "amount",
        "unit",
        "rule",
        "calendar",
        "zone",
        "tzdb",
        "stretches",
    ]
    assert (added["due"], added["calendar"]) == ("2026-12-29T09:30:00Z", "hall")
    assert {one["kind"] for one in added["stretches"]} == {"open", "closed", "break", "holiday"}


@pytest.mark.usefixtures("workshop")
def test_counting_returns_what_was_added() -> None:
    added = found(*shlex.split(GOLDEN["add-hours"]))
    counted = found("clock", "count", added["starts"], added["due"], "--calendar", "hall", "--rule", "roll_then_close")

    assert list(counted) == [
        "start",
        "end",
        "seconds",
        "sure",
        "business_days",
        "calendar",
        "zone",
        "tzdb",
        "stretches",
    ]
    assert (counted["seconds"], counted["sure"]) == (12 * 3600, True)
    assert counted["stretches"] == added["stretches"]
    assert counted["business_days"] == {"rule": "roll_then_close", "full": 1, "begun": 2}


@pytest.mark.usefixtures("workshop")
def test_a_month_as_json_has_every_day_with_its_hours_and_holidays() -> None:
    month = found("clock", "show", "hall", "--month", "2026-12", "--now", "2026-12-23T13:00+01:00")
    days = {day["date"]: day for day in month["days"]}

    assert list(month) == ["calendar", "zone", "tzdb", "now", "holidays", "days", "turns"]
    assert month["now"] == {
        "at": "2026-12-23T12:00:00Z",
        "open": True,
        "opens": "2026-12-23T12:00:00Z",
        "closes": "2026-12-23T16:00:00Z",
    }
    assert len(days) == 31
    assert days["2026-12-23"] == {
        "date": "2026-12-23",
        "open": [[480, 720], [780, 1020]],
        "holiday": None,
        "one_off": False,
        "breaks": [[600, 660]],
    }
    assert days["2026-12-30"]["holiday"]["status"] == "estimated"
    assert days["2026-12-28"]["open"] == []
    assert days["2026-12-28"]["one_off"] is True


@pytest.mark.usefixtures("workshop")
def test_days_outside_the_holiday_list_are_not_taken_to_be_open() -> None:
    month = found("clock", "show", "hall", "--month", "2027-01")

    assert {day["open"] for day in month["days"]} == {None}


def test_the_sun_as_json_has_every_centre_and_the_turn() -> None:
    roster = found("clock", "sun", "2026-01-23T15:00+11:00", *SHIPPED)["rosters"][0]

    assert [(one["value"], one["daytime"]) for one in roster["entries"]] == [
        (name, True) for name in ("melbourne", "sydney", "auckland", "manila", "kuala_lumpur")
    ]
    assert (roster["turn"]["on_duty"]["value"], roster["turn"]["next"]["value"]) == ("melbourne", "manila")


def test_the_calendars_regions_and_lists_as_json() -> None:
    listed = found("clock", "show", *SHIPPED)

    assert [one["name"] for one in listed["calendars"]] == ["around_the_clock", "business_days", "weekdays_12h"]
    assert {one["name"] for one in listed["regions"]} == {one["name"] for one in listed["holidays"]}


@pytest.mark.usefixtures("workshop")
@pytest.mark.parametrize(
    "what",
    ["hall", "fixed_by", "repair", "hours_waiting", "deadlines", "elapsed", "calendars", "regions", "holidays", ""],
)
def test_everything_shown_of_time_is_also_available_as_json(what: str) -> None:
    assert json.loads(run_command("show", *what.split(), "-o", "json").stdout) or what == "regions"


def test_a_decision_is_shown_with_what_its_deadlines_read() -> None:
    tables = {part["name"] for part in found("show", "response", *SHIPPED)["tables"]}

    assert {"response_due", "triage_due", "target_counts", "business_region", "response", "hours"} <= tables


@pytest.mark.parametrize("name", ["AU-NSW", "SG"])
def test_a_region_is_shown_with_its_holidays(name: str) -> None:
    region = found("show", name, *SHIPPED)

    assert region["name"] == name
    assert region["holidays"]["days"][0]["name"] == "New Year's Day"


AMOUNTS: Final = {
    "soon": 'expected an amount of time, got `soon`; write it like "4 hours"',
    "3 fortnights": "expected an amount of time, got `3 fortnights`; write it like",
    "2 days": "expected hours or business days, got `2 days`: write `48 hours` or `2 business days`",
    "1.5 business days": "expected a whole number of business days, got `1.5 business days`",
    "3000000 hours": "`3000000 hours` is longer than the calendars, which cover the years 1970 to 2200",
}


@pytest.mark.usefixtures("workshop")
@pytest.mark.parametrize("amount", AMOUNTS)
def test_an_amount_is_a_number_of_minutes_hours_or_business_days(amount: str) -> None:
    result = run_command("clock", "add", "2026-12-23T09:30Z", amount, "--calendar", "hall")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {AMOUNTS[amount]}")


@pytest.mark.usefixtures("workshop")
def test_business_days_need_a_rule() -> None:
    without, with_hours = (
        run_command("clock", "add", "2026-12-23T09:30Z", "1 business day", "--calendar", "hall"),
        run_command("clock", "add", "2026-12-23T09:30Z", "1 hour", "--calendar", "hall", "--rule", "roll_then_close"),
    )

    assert (
        without.stderr
        == "error: `--rule` is missing, which business days need: roll_then_clock (to the same time of day), or roll_then_close (to the close of the day)\n"
    )
    assert with_hours.stderr == "error: `--rule` applies to business days only; leave it out\n"


@pytest.mark.usefixtures("workshop")
@pytest.mark.parametrize(
    ("start", "message"),
    [
        (
            "2026-12-23T09:30",
            "expected an offset from UTC for `START`, got `2026-12-23T09:30`; add Z or an offset such as +10:00\n  allowed: RFC 3339, such as 2026-01-31T09:00:00+10:00",
        ),
        ("1969-12-31T23:59Z", "`1969-12-31T23:59Z` is out of range for `START`\n  allowed: years 1970 to 2200"),
        ("2201-01-01T00:00Z", "`2201-01-01T00:00Z` is out of range for `START`\n  allowed: years 1970 to 2200"),
        ("1970-01-01T10:00+10:00", "`START` is 1970-01-01T00:00:00Z, a zero timestamp: was it set?"),
        ("noon", "expected an instant for `START`, got"),
    ],
)
def test_an_instant_needs_an_offset_and_a_year_of_the_calendars(start: str, message: str) -> None:
    result = run_command("clock", "add", start, "1 hour", "--calendar", "hall")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {message}")


# A terminal


STYLED: Final = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
@pytest.mark.parametrize("name", ["eval-every-kind", "month", "show-deadline"])
def test_a_terminal_of_80_columns_is_enough(name: str, workshop: Path) -> None:
    shown = run_on_terminal(80, *shlex.split(GOLDEN[name]), GUIDEPOST_POLICIES=str(workshop))

    assert COLOURED.search(shown)
    assert max(len(STYLED.sub("", line)) for line in shown.splitlines()) <= 80


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
def test_every_centre_fits_a_terminal_of_80_columns() -> None:
    shown = STYLED.sub("", run_on_terminal(80, *shlex.split(SHIPPED_GOLDEN["sun-day"]), *SHIPPED))

    assert re.search(r"^  Kuala Lumpur   Fri 12:00 \+08:00   Asia/Kuala_Lumpur     until 18:00 *$", shown, re.MULTILINE)


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
def test_the_drawing_needs_no_colours(workshop: Path) -> None:
    command = shlex.split(GOLDEN["eval-every-kind"])
    coloured, plain = (
        run_on_terminal(80, *command, GUIDEPOST_POLICIES=str(workshop)),
        run_on_terminal(80, *command, GUIDEPOST_POLICIES=str(workshop), NO_COLOR="1"),
    )

    assert not COLOURED.search(plain)
    assert STYLED.sub("", coloured) == STYLED.sub("", plain)
    for sign in ("► start", "▼ now", "! at risk from", "◆ due", "█ open", "· closed", "▒ holiday", "- break", "= hold"):
        assert sign in STYLED.sub("", plain)
