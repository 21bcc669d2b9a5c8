"""The holiday lists: what their files may say, how they are drafted anew, and what the shipped ones hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner, Result

from engine.clock.calendar import HolidayList, HolidayStatus
from engine.load.holidays import load_holidays
from engine.load.structure import structure_problems
from engine.load.yaml_tree import read
from engine.model.problems import Problem
from guidepost.cli.app import app
from guidepost.cli.commands import holidays as holidays_command
from guidepost.install_command import install_command
from guidepost.policies import holiday_drafts
from guidepost.policies.holiday_drafts import Drafter, NoSuchCalendar, PackageMissing
from tests.support.paths import ROOT

REGIONS: Final = ("AU-NSW", "AU-VIC", "ID", "MY-14", "NZ-AUK", "PH", "SG", "TH")

ISLE: Final = """\
# yaml-language-server: $schema=../schemas/holidays.schema.json
# Kept by the harbour master.
kind: holidays
name: ISLE
about: the isle
source: the charter
covers: {from: 2026-01-01, to: 2027-12-31}   # asked about nothing else
draft: {package: holidays, version: "1.0", code: IS/LE}
not_holidays:
  2027-06-01: the harbour is open
days:
  2026-01-01: {name: New Year's Day, status: confirmed}
  2026-08-14: {name: Founders' Day, status: confirmed, source: decree 4}
  # 2027
  2027-01-01: {name: New Year's Day, status: confirmed}
  2027-03-09: {name: Moon Festival, status: estimated, source: holidays 1.0}
  2027-05-05: {name: Tide Day, status: estimated, source: the tide tables}   # see page 7
"""

DRAFT: Final = {
    date(2026, 1, 1): "New Year's Day",
    date(2026, 8, 14): "Founders' Day",
    date(2027, 1, 1): "New Year's Day",
    date(2027, 3, 9): "Moon Festival",
    date(2027, 5, 5): "Tide Day",
    date(2028, 1, 1): "New Year's Day",
    date(2028, 2, 26): "Moon Festival",
}


def loaded(text: str, stem: str = "ISLE") -> tuple[HolidayList, list[Problem]]:
    """Read a list; give it with what is wrong with it."""
    tree, problems = read(f"holidays/{stem}.yaml", text)
    assert tree is not None
    problems += structure_problems("holidays", tree)
    return load_holidays(stem, tree, problems), problems


def changed(*changes: tuple[str, str]) -> str:
    text = ISLE
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the list"
        text = text.replace(old, new)
    return text


# ---- Reading a list


def test_a_list_has_its_span_and_each_date_with_name_status_and_source() -> None:
    known, problems = loaded(ISLE)

    assert problems == []
    assert (known.name, known.first, known.last) == ("ISLE", date(2026, 1, 1), date(2027, 12, 31))
    assert [(str(day), entry.name, entry.status.value, entry.source) for day, entry in known.days.items()] == [
        ("2026-01-01", "New Year's Day", "confirmed", "the charter"),
        ("2026-08-14", "Founders' Day", "confirmed", "decree 4"),
        ("2027-01-01", "New Year's Day", "confirmed", "the charter"),
        ("2027-03-09", "Moon Festival", "estimated", "holidays 1.0"),
        ("2027-05-05", "Tide Day", "estimated", "the tide tables"),
    ]
    assert all(day == entry.day for day, entry in known.days.items())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "2026-08-14:",
            "2026-02-29:",
            "13:3: the day `2026-02-29` does not exist [bad-format]\n    help: write a day that exists",
        ),
        (
            "2026-08-14:",
            "14 August 2026:",
            "13:3: expected a date such as 2026-01-31, got `14 August 2026` [bad-format]\n    help: write the year with four digits, the month and the day with two",
        ),
        (
            "2026-08-14:",
            "20260814:",
            "13:3: expected a date such as 2026-01-31, got `20260814` [bad-format]\n    help: write the year with four digits, the month and the day with two",
        ),
        (
            "2026-08-14:",
            "2028-08-14:",
            "13:3: `2028-08-14` is outside the range that the list covers, `2026-01-01` to `2027-12-31` [bad-format]\n    help: widen `covers`, or remove the day",
        ),
        (
            "2027-06-01:",
            "2028-06-01:",
            "10:3: `2028-06-01` is outside the range that the list covers, `2026-01-01` to `2027-12-31` [bad-format]\n    help: widen `covers`, or remove the day",
        ),
        (
            "2027-06-01:",
            "2027-01-01:",
            "10:3: `2027-01-01` is also in `days` [bad-format]\n    help: keep one of the two",
        ),
        (
            "to: 2027-12-31",
            "to: 2025-12-31",
            "7:16: the list covers no day: `2026-01-01` is after `2025-12-31` [bad-format]\n    help: write the first day as `from` and the last day as `to`",
        ),
        (
            "to: 2027-12-31",
            "to: 2027-31-12",
            "7:32: the day `2027-31-12` does not exist [bad-format]\n    help: write a day that exists",
        ),
        (
            "to: 2027-12-31",
            "to: 9999-12-31",
            "7:32: `9999-12-31` is out of range [bad-format]\n    help: write a day from 1970 to 2200",
        ),
        (
            "name: ISLE",
            "name: ILSE",
            "4:7: the list `ILSE` is in the file `ISLE.yaml` [bad-format]\n    help: give the list and its file the same name",
        ),
        (
            "status: confirmed, source: decree 4",
            "status: confrimed",
            "13:45: unknown status `confrimed` [unknown-value]\n    help: did you mean `confirmed`?",
        ),
        (
            ", status: confirmed, source: decree 4",
            "",
            "13:15: `status` is missing in `2026-08-14` [missing-key]\n    help: choose whether the date is certain: `status: confirmed` or `status: estimated`",
        ),
        (
            "source: the charter\n",
            "",
            "3:1: `source` is missing [missing-key]\n    help: cite where the days are published: `source: …`",
        ),
        (
            "2027-01-01: {name: New Year's Day",
            "2026-01-01: {name: New Year's Day",
            "15:3: the key `2026-01-01` is repeated [repeated-key]\n    help: first used in line 12; keep one of the two",
        ),
        (
            "kind: holidays",
            "kind: policy",
            "3:7: the file has the kind `policy` [wrong-kind]\n    help: write `kind: holidays` for a file in this place",
        ),
    ],
)
def test_what_is_wrong_with_a_list_is_said_with_its_place(old: str, new: str, said: str) -> None:
    assert "\n".join(map(str, loaded(changed((old, new)))[1])) == f"holidays/ISLE.yaml:{said}"


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "kind: holidays\ndays: []\ncovers: x",
        "kind: holidays\ncovers: {from: [1]}\ndays: {x: y, 2026-01-01: z}",
        "x",
    ],
)
def test_a_list_of_another_shape_is_refused_with_problems(text: str) -> None:
    assert loaded(text)[1]


# ---- Drafting it anew


@pytest.fixture
def isle(tmp_path: Path) -> Path:
    """A policies folder with one list."""
    (tmp_path / "holidays").mkdir()
    (tmp_path / "holidays" / "ISLE.yaml").write_text(ISLE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def guidepost(isle: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run ``guidepost holidays`` with a package that drafts what the test says."""

    def run(*words: str, draft: Mapping[date, str] | None = None) -> Result:
        def days(code: str, years: range) -> Mapping[date, str]:
            if code != "IS/LE":
                raise NoSuchCalendar(code)
            return {day: name for day, name in (DRAFT if draft is None else draft).items() if day.year in years}

        monkeypatch.setattr(holidays_command, "installed_package", lambda: Drafter("2.0", days))
        monkeypatch.chdir(isle)
        return CliRunner().invoke(app, ["holidays", *words, "--policies", "."])

    return run


def text_of(folder: Path) -> str:
    return (folder / "holidays" / "ISLE.yaml").read_text(encoding="utf-8")


def without(*days: date) -> dict[date, str]:
    return {day: name for day, name in DRAFT.items() if day not in days}


def test_a_draft_that_says_the_same_changes_nothing(isle: Path, guidepost: Callable[..., Result]) -> None:
    result = guidepost("refresh")

    assert (result.exit_code, result.output) == (0, "ISLE: 2026-01-01 to 2027-12-31: no change\n1 list up to date\n")
    assert text_of(isle) == ISLE


def test_an_estimated_date_that_moved_is_replaced_and_all_else_stays_as_it_was_written(
    isle: Path, guidepost: Callable[..., Result]
) -> None:
    draft = {**without(date(2027, 3, 9)), date(2027, 3, 10): "Moon Festival"}

    result = guidepost("refresh", draft=draft)

    assert result.exit_code == 0
    assert (
        result.output
        == """\
ISLE: 2026-01-01 to 2027-12-31: 1 change
date               holiday         change
───────────────────────────────────────────────────────────────────
2027-03-10   Wed   Moon Festival   moved from 2027-03-09, estimated

wrote holidays/ISLE.yaml
1 list up to date
"""
    )
    assert text_of(isle) == changed(
        ('version: "1.0"', 'version: "2.0"'),
        (
            "  2027-03-09: {name: Moon Festival, status: estimated, source: holidays 1.0}",
            "  2027-03-10: {name: Moon Festival, status: estimated, source: holidays 2.0}",
        ),
    )
    assert guidepost("refresh", draft=draft).output == "ISLE: 2026-01-01 to 2027-12-31: no change\n1 list up to date\n"


def test_an_estimated_date_that_is_gone_goes_and_one_with_another_name_is_renamed(
    isle: Path, guidepost: Callable[..., Result]
) -> None:
    gone = guidepost("refresh", draft=without(date(2027, 3, 9)))

    assert "2027-03-09   Tue   Moon Festival   removed" in gone.output
    assert "Moon Festival" not in text_of(isle)
    assert "# 2027\n" in text_of(isle)

    (isle / "holidays" / "ISLE.yaml").write_text(ISLE, encoding="utf-8")
    renamed = guidepost("refresh", draft={**DRAFT, date(2027, 3, 9): "Moon: the feast"})

    assert "2027-03-09   Tue   Moon: the feast   renamed from Moon Festival" in renamed.output
    assert '  2027-03-09: {name: "Moon: the feast", status: estimated, source: holidays 2.0}\n' in text_of(isle)


def test_what_a_person_confirmed_looked_up_or_struck_out_stays_and_that_is_said(
    isle: Path, guidepost: Callable[..., Result]
) -> None:
    draft = {
        **without(date(2026, 8, 14), date(2027, 5, 5)),
        date(2027, 6, 1): "Harbour Day",
        date(2026, 1, 1): "Another name",
    }

    result = guidepost("refresh", draft=draft)

    assert result.exit_code == 0
    assert [line.split("   ", 2)[2].strip() for line in result.output.splitlines() if "by a person" in line] == [
        "Founders' Day   kept: confirmed by a person, the package has no holiday here",
        "Tide Day        kept: looked up by a person, the package has no holiday here",
        "Harbour Day     left out by a person: the harbour is open",
    ]
    assert "no change" in result.output
    assert text_of(isle) == ISLE


def test_a_later_year_widens_the_list_and_its_dates_are_estimated(isle: Path, guidepost: Callable[..., Result]) -> None:
    result = guidepost("refresh", "--to", "2028")

    assert result.output.startswith("ISLE: 2026-01-01 to 2028-12-31, before 2026-01-01 to 2027-12-31: 2 changes\n")
    assert text_of(isle) == changed(("to: 2027-12-31", "to: 2028-12-31"), ('version: "1.0"', 'version: "2.0"')) + (
        "  2028-01-01: {name: New Year's Day, status: estimated, source: holidays 2.0}\n"
        "  2028-02-26: {name: Moon Festival, status: estimated, source: holidays 2.0}\n"
    )
    assert loaded(text_of(isle))[1] == []


def test_years_between_the_list_and_those_asked_for_are_drafted_too(
    isle: Path, guidepost: Callable[..., Result]
) -> None:
    guidepost("refresh", "--from", "2029", "--to", "2029")

    assert "2028-02-26" in text_of(isle)
    assert "to: 2029-12-31" in text_of(isle)


def test_only_the_years_asked_for_are_drafted(isle: Path, guidepost: Callable[..., Result]) -> None:
    assert (
        "no change"
        in guidepost(
            "refresh", "--to", "2026", draft={day: name for day, name in DRAFT.items() if day.year == 2026}
        ).output
    )
    assert text_of(isle) == ISLE


def test_check_writes_nothing_and_fails_if_a_list_would_change(isle: Path, guidepost: Callable[..., Result]) -> None:
    stale = guidepost("refresh", "--check", draft=without(date(2027, 3, 9)))

    assert stale.exit_code == 3
    assert (
        stale.stderr
        == "error: 1 list out of date with holidays; `guidepost holidays refresh` writes them\nholidays/ISLE.yaml\n"
    )
    assert "removed" in stale.stdout
    assert text_of(isle) == ISLE
    assert guidepost("refresh", "--check").exit_code == 0


@pytest.mark.parametrize(
    "days",
    [
        "days: {}\n",
        "days: {2026-08-14: {name: Founders' Day, status: confirmed, source: decree 4}}\n",
        "days:\n  2026-08-14:\n    name: Founders' Day\n    status: confirmed\n",
    ],
)
def test_a_new_list_is_filled(isle: Path, guidepost: Callable[..., Result], days: str) -> None:
    (isle / "holidays" / "ISLE.yaml").write_text(ISLE.partition("\ndays:")[0] + "\n" + days, encoding="utf-8")

    guidepost("refresh")
    known, problems = loaded(text_of(isle))

    assert problems == []
    assert {day: entry.name for day, entry in known.days.items()} == {
        day: name for day, name in DRAFT.items() if day.year < 2028
    }
    assert (known.days[date(2026, 8, 14)].status is HolidayStatus.CONFIRMED) == ("Founders" in days)
    assert text_of(isle).startswith(ISLE.partition("draft")[0])
    assert guidepost("refresh", "--check").exit_code == 0


def test_without_the_package_it_says_how_to_get_it(isle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Drafter:
        raise PackageMissing

    monkeypatch.setattr(holidays_command, "installed_package", missing)
    result = CliRunner().invoke(app, ["holidays", "refresh", "--policies", str(isle)])

    assert (result.exit_code, result.output) == (
        2,
        f"error: the `holidays` package drafts the lists, and is not installed: `{install_command('holidays')}`\n",
    )


def test_a_package_that_is_not_there_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "holidays", None)

    with pytest.raises(PackageMissing):
        holiday_drafts.installed_package()


@pytest.mark.parametrize(
    ("words", "change", "said"),
    [
        (("refresh", "ILSE"), (), "no list `ILSE` in holidays; did you mean `ISLE`?"),
        (("refresh", "--from", "2028", "--to", "2027"), (), "expected --from no later than --to, got 2028 and 2027"),
        (("refresh",), (("code: IS/LE", "code: XX"),), "ISLE: holidays 2.0 has no calendar `XX`"),
        (
            ("refresh",),
            (("package: holidays", "package: almanac"),),
            "expected a draft by `holidays` in ISLE, got `almanac`",
        ),
    ],
)
def test_what_cannot_be_drafted_is_said_in_a_line(
    isle: Path,
    guidepost: Callable[..., Result],
    words: tuple[str, ...],
    change: tuple[tuple[str, str], ...],
    said: str,
) -> None:
    (isle / "holidays" / "ISLE.yaml").write_text(changed(*change), encoding="utf-8")

    result = guidepost(*words)

    assert (result.exit_code, result.output) == (2, f"error: {said}\n")


def test_a_list_without_a_draft_is_kept_by_hand(isle: Path, guidepost: Callable[..., Result]) -> None:
    (isle / "holidays" / "ISLE.yaml").write_text(
        changed(('draft: {package: holidays, version: "1.0", code: IS/LE}\n', "")), encoding="utf-8"
    )

    assert guidepost("refresh").output == "ISLE: maintained manually, not drafted\n1 list up to date\n"


def test_a_broken_list_is_not_drafted(isle: Path, guidepost: Callable[..., Result]) -> None:
    broken = changed(("2026-08-14:", "2026-08-41:"))
    (isle / "holidays" / "ISLE.yaml").write_text(broken, encoding="utf-8")

    result = guidepost("refresh")

    assert result.exit_code == 3
    assert "holidays/ISLE.yaml:13:3: the day `2026-08-41` does not exist [bad-format]" in result.stderr
    assert text_of(isle) == broken


# ---- Showing it


def test_lists_are_shown_with_their_spans(guidepost: Callable[..., Result], golden: Callable[[str, str], None]) -> None:
    golden("cli/holidays.txt", guidepost("show").output)


def test_a_list_is_shown_with_status_and_source(
    guidepost: Callable[..., Result], golden: Callable[[str, str], None]
) -> None:
    golden("cli/holidays-list.txt", guidepost("show", "ISLE").output)


def test_a_year_that_a_list_does_not_cover_is_said_to_be_unknown(guidepost: Callable[..., Result]) -> None:
    assert "2026-08-14" not in guidepost("show", "--year", "2027").output
    assert guidepost("show", "ISLE", "--year", "2030").output == "ISLE covers 2026-01-01 to 2027-12-31, not 2030\n"


# ---- The shipped lists


def shipped(folder: str, name: str) -> HolidayList:
    known, problems = loaded((ROOT / folder / "holidays" / f"{name}.yaml").read_text(encoding="utf-8"), name)
    assert problems == []
    return known


def test_every_region_has_a_list() -> None:
    assert sorted(path.stem for path in (ROOT / "policies/holidays").glob("*")) == list(REGIONS)


@pytest.mark.parametrize(
    ("name", "fewest", "most"),
    [
        ("AU-NSW", 11, 14),
        ("AU-VIC", 13, 16),
        ("ID", 15, 19),
        ("MY-14", 18, 24),
        ("NZ-AUK", 11, 17),
        ("PH", 18, 22),
        ("SG", 11, 15),
        ("TH", 23, 29),
    ],
)
def test_every_year_has_about_as_many_holidays_as_the_law_gives(name: str, fewest: int, most: int) -> None:
    known = shipped("policies", name)
    years = Counter(day.year for day in known.days)

    assert (known.first, known.last) == (date(2019, 1, 1), date(2028, 12, 31))
    assert sorted(years) == list(range(2019, 2029))
    assert all(fewest <= number <= most for number in years.values()), years
    assert list(known.days) == sorted(known.days)


@pytest.mark.parametrize("name", REGIONS)
def test_every_year_begins_with_a_holiday_and_has_christmas(name: str) -> None:
    days = shipped("policies", name).days

    assert all(date(year, 1, 1) in days for year in range(2019, 2029))
    assert name == "TH" or all(date(year, 12, 25) in days for year in range(2019, 2029))


@pytest.mark.parametrize("name", REGIONS)
def test_what_is_past_is_confirmed_and_what_is_estimated_says_by_whom(name: str) -> None:
    known = shipped("policies", name)
    whole = (ROOT / f"policies/holidays/{name}.yaml").read_text(encoding="utf-8")

    assert all(entry.status is HolidayStatus.CONFIRMED for day, entry in known.days.items() if day.year <= 2026)
    assert all("source: " in line for line in whole.splitlines() if "status: estimated" in line)


@pytest.mark.parametrize("name", ["AU-NSW", "NZ-AUK"])
def test_lists_that_follow_from_a_law_are_all_confirmed(name: str) -> None:
    assert {entry.status for entry in shipped("policies", name).days.values()} == {HolidayStatus.CONFIRMED}


@pytest.mark.parametrize(
    ("name", "day", "holiday"),
    [
        ("AU-NSW", "2026-01-26", "Australia Day"),
        ("AU-NSW", "2022-09-22", "National Day of Mourning for Queen Elizabeth II"),
        ("AU-NSW", "2025-04-19", "Easter Saturday"),
        ("AU-NSW", "2026-04-27", "ANZAC Day (observed)"),
        ("AU-NSW", "2025-08-04", None),  # Bank Holiday
        ("AU-VIC", "2022-09-22", "National Day of Mourning for Queen Elizabeth II"),
        ("AU-VIC", "2025-11-04", "Melbourne Cup Day"),
        ("AU-VIC", "2020-10-23", "Friday before the AFL Grand Final"),
        ("AU-VIC", "2026-04-27", None),
        ("NZ-AUK", "2022-09-26", "Queen Elizabeth II Memorial Day"),
        ("NZ-AUK", "2026-01-26", "Auckland Anniversary Day"),
        ("NZ-AUK", "2028-07-14", "Matariki"),
        ("NZ-AUK", "2023-01-03", "New Year's Day (observed)"),
        ("PH", "2026-05-18", None),
        ("PH", "2022-12-26", "Additional special (non-working) day"),
        ("PH", "2025-02-25", None),  # a special working day
        ("SG", "2025-05-03", "Polling Day"),
        ("SG", "2028-10-17", "Deepavali"),
        ("SG", "2028-11-15", None),
        ("MY-14", "2024-07-08", "Islamic New Year (observed)"),
        ("MY-14", "2022-02-01", "Chinese New Year; Federal Territory Day"),
        ("TH", "2025-06-02", "Bridge Public Holiday"),
        ("TH", "2023-01-03", None),
        ("ID", "2026-03-23", None),  # collective leave
        ("ID", "2024-02-14", "General Election Day"),
    ],
)
def test_the_lists_have_the_days_that_are_easily_missed(name: str, day: str, holiday: str | None) -> None:
    found = shipped("policies", name).days.get(date.fromisoformat(day))

    assert (found.name if found else None) == holiday


@pytest.mark.skipif(find_spec("holidays") is None, reason="the holidays package is not installed: pip install holidays")
def test_the_shipped_lists_are_what_the_package_drafts_but_for_what_a_person_changed(
    golden: Callable[[str, str], None],
) -> None:
    result = CliRunner().invoke(app, ["holidays", "refresh", "--check", "--policies", str(ROOT / "policies")])

    assert result.exit_code == 0, result.output
    golden("cli/holidays-refresh.txt", result.stdout)
