"""Columns of instants in the formats of other systems are read like single instants by the business clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.clock.zone import to_datetime, to_micros, zone
from guidepost.past_tickets.map_column import cell_value
from guidepost.past_tickets.timestamps import InstantReader
from tests.support.campaign import LONG

SOME = 400 if LONG else 25

ZONES = ("Australia/Sydney", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "UTC")
FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %I:%M %p",
    "%d.%m.%Y %H:%M:%S",
    "%d/%b/%y %I:%M %p",
    "%d %B %Y, %H:%M",
)
NEAR = st.sampled_from(
    [
        datetime.fromisoformat(day)
        for day in ("2026-04-05", "2026-10-04", "2026-03-29", "2026-10-25", "2024-02-28", "2025-12-31")
    ]
)
TIMES = st.builds(lambda day, minutes: day + timedelta(minutes=minutes), NEAR, st.integers(-1_600, 3_200))
"""Times around the days on which clocks are turned, and the ends of months."""


def said(array: Any, form: str = "", place: str = "", empty: tuple[str, ...] = ("",)) -> list[str | None]:
    """Read a column; give its instants, "wrong" where something else stands."""
    found, wrong = InstantReader(format=form, zone=place, empty=frozenset(empty)).read(
        array if isinstance(array, pa.Array) else pa.array(array)
    )
    assert wrong is None or wrong.any()
    return [
        "wrong" if wrong is not None and wrong[at] else None if (one := found.sent(at)) is None else one.isoformat()
        for at in range(len(found))
    ]  # type: ignore[attr-defined]


def meant(local: datetime, place: str) -> str:
    """Ask the business clock which instant a local time means."""
    return to_datetime(zone(place).resolve(to_micros(local.replace(tzinfo=UTC)))).isoformat()


@settings(max_examples=SOME, deadline=None)
@given(st.lists(TIMES, min_size=1, max_size=20), st.sampled_from(ZONES), st.sampled_from(FORMATS))
def test_a_local_time_is_the_instant_that_the_business_clock_takes_it_for(
    times: list[datetime], place: str, form: str
) -> None:
    assert said([at.strftime(form) for at in times], form, place) == [meant(at, place) for at in times]


@settings(max_examples=SOME, deadline=None)
@given(st.lists(TIMES, min_size=1, max_size=20), st.sampled_from(ZONES))
def test_iso_texts_and_timestamps_without_a_zone_are_read_alike(times: list[datetime], place: str) -> None:
    want = [meant(at, place) for at in times]

    assert said([at.isoformat() for at in times], "", place) == want
    assert said([at.isoformat(" ", "minutes") for at in times], "", place) == want
    assert said(pa.array(times, pa.timestamp("ns")), "", place) == want
    assert said(pa.array(times, pa.timestamp("s")).dictionary_encode(), "", place) == want


def test_a_time_that_the_clock_skips_is_later_by_the_gap_and_of_one_that_comes_twice_the_first_is_meant() -> None:
    assert said(["2026-10-04T02:30", "2026-04-05T02:30"], "", "Australia/Sydney") == [
        "2026-10-03T16:30:00+00:00",
        "2026-04-04T15:30:00+00:00",
    ]


def test_a_day_that_no_month_has_is_no_instant() -> None:
    texts = ["31/02/2026 10:00", "29/02/2024 10:00", "29/02/2025 10:00", "31/04/2026 10:00", "01/05/2026 10:00"]

    assert said(texts, "%d/%m/%Y %H:%M", "UTC") == [
        "wrong",
        "2024-02-29T10:00:00+00:00",
        "wrong",
        "wrong",
        "2026-05-01T10:00:00+00:00",
    ]


def test_fractions_of_seconds_leading_zeros_and_spaces_around_do_not_matter() -> None:
    assert said([" 1/5/2026 9:05 ", "01/05/2026 09:05"], "%d/%m/%Y %H:%M", "UTC") == ["2026-05-01T09:05:00+00:00"] * 2
    assert said(["2026-05-01 09:05:00.25"], "%Y-%m-%d %H:%M:%S.%f", "UTC") == ["2026-05-01T09:05:00.250000+00:00"]


def test_small_letters_mean_the_same_as_for_a_call() -> None:
    assert said(["2026-01-23t15:00z", "2026-01-23T15:00Z"], "") == ["2026-01-23T15:00:00+00:00"] * 2


def test_an_offset_in_the_text_counts_more_than_the_zone() -> None:
    assert said(["2026-05-01T09:00+10:00", "2026-05-01T09:00Z"], "", "Europe/Berlin") == [
        "2026-04-30T23:00:00+00:00",
        "2026-05-01T09:00:00+00:00",
    ]
    assert said(["2026-05-01T09:00+10:00", "2026-05-01T09:00"], "", "Europe/Berlin") == [
        "2026-04-30T23:00:00+00:00",
        "2026-05-01T07:00:00+00:00",
    ]
    assert said(["01/05/2026 09:00 +1000", "05/05/2026 09:00 +0000"], "%d/%m/%Y %H:%M %z", "Asia/Tokyo") == [
        "2026-04-30T23:00:00+00:00",
        "2026-05-05T09:00:00+00:00",
    ]


def test_without_an_offset_and_without_a_zone_nobody_knows_when_it_was() -> None:
    reader = InstantReader()

    assert said(["2026-05-01T09:00", None, "", "2026-05-01T09:00Z"]) == [
        "wrong",
        None,
        None,
        "2026-05-01T09:00:00+00:00",
    ]
    assert said(pa.array([datetime(2026, 5, 1), None], pa.timestamp("us"))) == ["wrong", None]  # noqa: DTZ001
    assert reader.reason("2026-05-01T09:00") == "has no offset from UTC, and the mapping names no zone for it"
    assert reader.reason("soon") == "is not an instant in ISO 8601; a mapping can set its format"
    assert InstantReader(format="%d/%m/%Y").reason("soon") == "is not an instant in the format `%d/%m/%Y`"


def test_what_is_no_instant_is_told_row_by_row() -> None:
    assert said(["2026-05-01T09:00Z", "soon", None, "NULL"], empty=("", "NULL")) == [
        "2026-05-01T09:00:00+00:00",
        "wrong",
        None,
        None,
    ]
    assert said(["soon", "later"], "%d/%m/%Y", "UTC") == ["wrong", "wrong"]
    assert said([None, None]) == [None, None]


def test_numbers_are_instants_only_where_the_mapping_says_in_which_unit() -> None:
    assert said([1_767_225_600, None], "epoch") == ["2026-01-01T00:00:00+00:00", None]
    assert said([1_767_225_600_500], "epoch_ms") == ["2026-01-01T00:00:00.500000+00:00"]
    assert said([1_767_225_600.25], "epoch") == ["2026-01-01T00:00:00.250000+00:00"]
    assert said(["1767225600", "", "x"], "epoch") == ["2026-01-01T00:00:00+00:00", None, "wrong"]
    assert said(["1767225600.5"], "epoch") == ["2026-01-01T00:00:00.500000+00:00"]
    assert said([1_767_225_600, None]) == ["wrong", None]


def test_a_date_begins_at_midnight_of_its_zone() -> None:
    assert said(pa.array([date(2026, 1, 26)]), "", "Australia/Sydney") == ["2026-01-25T13:00:00+00:00"]
    assert said(["2026-01-26"], "", "Australia/Sydney") == ["2026-01-25T13:00:00+00:00"]


def test_timestamps_with_a_zone_are_instants_already() -> None:
    at = datetime(2026, 1, 26, 4, tzinfo=UTC)

    assert said(pa.array([at, None], pa.timestamp("ms", "America/New_York")), "", "Asia/Tokyo") == [
        at.isoformat(),
        None,
    ]


@pytest.mark.parametrize("form", ["", "%Y-%m-%d %H:%M"])
@settings(max_examples=SOME, deadline=None)
@given(
    st.lists(st.sampled_from(["2026-05-01 09:00", "2026-02-30 09:00", "x", "", "2026-05-01 09:00Z", None]), max_size=12)
)
def test_a_column_is_read_as_its_texts_are_one_by_one(form: str, texts: list[str | None]) -> None:
    alone = [one for text in texts for one in said(pa.array([text], pa.string()), form, "Asia/Tokyo")]

    assert said(pa.array(texts, pa.string()), form, "Asia/Tokyo") == alone


def test_a_column_without_gaps_says_so_by_no_mask() -> None:
    found, _ = InstantReader(format="", zone="UTC").read(pa.array(["2026-05-01"]))

    assert found.given is None
    assert found.micros.dtype == np.int64


@pytest.mark.parametrize(
    ("array", "form"),
    [
        (["0", "1769385600"], "epoch"),
        (["0.0", "1769385600.0"], "epoch"),
        (pa.array([0, 1769385600]), "epoch"),
        (pa.array([0.0, 1769385600000.0]), "epoch_ms"),
        (["1970-01-01T00:00:00Z", "2026-01-26T00:00:00Z"], ""),
        (["1970-01-01 02:00+02:00", "2026-01-26 00:00Z"], ""),
        (["01/01/1970 00:00", "26/01/2026 00:00"], "%d/%m/%Y %H:%M"),
        (
            pa.array([datetime(1970, 1, 1, tzinfo=UTC), datetime(2026, 1, 26, tzinfo=UTC)], pa.timestamp("us", "UTC")),
            "",
        ),
        (pa.array([date(1970, 1, 1), date(2026, 1, 26)]), ""),
    ],
)
def test_a_time_that_an_export_never_set_is_no_instant(array: Any, form: str) -> None:
    assert said(array, form, "UTC") == ["wrong", "2026-01-26T00:00:00+00:00"]


def test_such_a_time_is_said_to_be_one_and_can_be_declared_empty() -> None:
    why = "is a zero timestamp, which exports write for a time that was never set; list it under `empty`"

    assert [
        InstantReader(format="epoch").reason(0),
        InstantReader(format="epoch").reason("0"),
        InstantReader().reason("1970-01-01T00:00:00Z"),
        InstantReader().reason(datetime(1970, 1, 1, tzinfo=UTC)),
    ] == [why] * 4
    assert said(["0", "1769385600"], "epoch", empty=("", "0")) == [None, "2026-01-26T00:00:00+00:00"]
    assert said(pa.array([0, -1, 1769385600]), "epoch", empty=("", "0", "-1")) == [
        None,
        None,
        "2026-01-26T00:00:00+00:00",
    ]
    assert said(["1970-01-01T00:00:00Z", "2026-01-26T00:00Z"], empty=("", "1970-01-01T00:00:00Z")) == [
        None,
        "2026-01-26T00:00:00+00:00",
    ]


@pytest.mark.parametrize(
    ("array", "form"),
    [
        (pa.array([253_402_300_800, None, 1_769_400_000_000_000]), "epoch"),
        (pa.array([2**62, None, -(2**62)]), "epoch_ms"),
        (pa.array([float("inf"), None, -1e300]), "epoch_ms"),
        (pa.array(["17694000000000000", "", "-99999999999999999"]), "epoch_ms"),
        (pa.array([2**64 - 1, None, 2**63], pa.uint64()), "epoch_us"),
        (pa.array([2**62, None, -(2**62)], pa.timestamp("s")), ""),
        (pa.array([2**62, None, -(2**62)], pa.timestamp("us", "UTC")), ""),
        (pa.array([2**30, None, -(2**30)], pa.date32()), ""),
        (pa.array(["9999-12-31T23:59:59-23:00", "", "0001-01-01T00:00+14:00"]), ""),
    ],
)
def test_a_time_that_no_calendar_has_is_no_instant_and_never_becomes_another_one(array: Any, form: str) -> None:
    reader = InstantReader(format=form, zone="UTC")
    found, wrong = reader.read(array)

    assert wrong is not None
    assert found.given is not None
    assert ([True, False, True], [False] * 3) == (wrong.tolist(), found.given.tolist())
    assert all(reader.reason(cell_value(array[at])).startswith("is outside the years 1 to 9999") for at in (0, 2))
