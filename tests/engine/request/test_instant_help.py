"""A text that cannot be read as an instant: the answer says which part, and how to write the instant instead."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.request.instant_help import instant_help
from engine.request.moment import NotAnInstant, read_instant

OFFERED: Final = {
    # names of zones
    "2026-03-02 10:00:00 UTC": ("expected an offset from UTC, got the name `UTC`", "2026-03-02T10:00:00Z"),
    "2026-03-02T10:00:00 (GMT)": ("expected an offset from UTC, got the name `(GMT)`", "2026-03-02T10:00:00Z"),
    "2026-07-02 10:00 Europe/Paris": (
        "expected an offset from UTC, got the time zone `Europe/Paris`",
        "2026-07-02T10:00:00+02:00",
    ),
    "2026-03-02T10:00:00+01:00[Europe/Paris]": ("unexpected `[Europe/Paris]`", "2026-03-02T10:00:00+01:00"),
    "2026-03-02T10:00:00Z[UTC]": ("unexpected `[UTC]`", "2026-03-02T10:00:00Z"),
    "2026-03-02 10:00 UTC+2": ("unexpected `UTC+2`", "2026-03-02T10:00:00+02:00"),
    "2026-03-02T10:00\N{MINUS SIGN}03:30": ("unexpected `\N{MINUS SIGN}03:30`", "2026-03-02T10:00:00-03:30"),
    # other orders, signs and words
    "2026/03/02 10:00:00Z": ("expected `-` between year, month and day, got `/`", "2026-03-02T10:00:00Z"),
    "02.03.2026 10:00 Z": ("expected the year first", "2026-03-02T10:00:00Z"),
    "13/03/2026 10:00 GMT": ("expected the year first", "2026-03-13T10:00:00Z"),
    "2 March 2026 10:00 UTC": ("expected the month as a number, got `March`", "2026-03-02T10:00:00Z"),
    "Mon, 02 Mar 2026 10:00:00 GMT": ("expected the month as a number, got `Mar`", "2026-03-02T10:00:00Z"),
    "March 2, 2026 10:00 PM Z": ("expected the month as a number, got `March`", "2026-03-02T22:00:00Z"),
    "2026-03-02 12:05 a.m. Z": ("unexpected `a.m.`", "2026-03-02T00:05:00Z"),
    "2026-3-2T09:05Z": ("expected two digits for month and day", "2026-03-02T09:05:00Z"),
    "2026-03-02T9:05Z": ("expected two digits for the hour", "2026-03-02T09:05:00Z"),
    "2026-03-02T10:00 Z": ("expected one space, between day and time", "2026-03-02T10:00:00Z"),
    "2026-12-31T24:00Z": ("`24:00` is `00:00` of the next day", "2027-01-01T00:00:00Z"),
    "1767603600": ("expected an instant, got a number of seconds", "2026-01-05T09:00:00Z, if it counts from 1970"),
    "1767603600000": ("expected an instant, got a number of seconds", "2026-01-05T09:00:00Z, if it counts from 1970"),
}


@pytest.mark.parametrize("text", OFFERED)
def test_a_text_that_is_nearly_an_instant_is_offered_as_one(text: str) -> None:
    reason, offered = OFFERED[text]

    assert instant_help(text) == (reason, f"write {offered}")
    assert datetime.fromisoformat(offered.partition(",")[0]).tzinfo is not None


NOT_OFFERED: Final = {
    "2026-02-30T10:00:00Z": ("expected a day from 1 to 28 in February 2026, got 30", ""),
    "2026-13-02T10:00Z": ("expected a month from 1 to 12, got 13", "the month comes before the day: 2026-02-13"),
    "2026-03-02T25:00Z": ("the time 25:00 does not exist", "hours go from 00 to 23, minutes and seconds from 00 to 59"),
    "2026-03-02T10:00:60Z": (
        "the time 10:00:60 does not exist",
        "hours go from 00 to 23, minutes and seconds from 00 to 59",
    ),
    "2026-03-02 13:00 PM Z": (
        "the time 13 PM does not exist",
        "hours go from 00 to 23, minutes and seconds from 00 to 59",
    ),
    "2026-03-02T10:00+25:00": ("the offset +25:00 does not exist", "write an offset from -23:59 to +23:59"),
    "2026-03-02T10:00 CET": (
        "expected an offset from UTC, got `CET`",
        "write Z for UTC, or an offset such as +10:00",
    ),
    "2 Mai 2026 10:00 UTC": ("unknown month `Mai`", "write the month as a number, as in 2026-01-31"),
    "02/03/26 10:00": ("expected four digits for the year", "write year, month and day, as in 2026-01-31"),
    "02.03.2026": ("expected the year first", "add a time and an offset, as in 2026-03-02T09:00:00+10:00"),
    # the text can mean either day, and has no offset
    "02/03/2026 10:00": (
        "expected the year first",
        "write 2026-03-02T10:00:00Z if 02 is the day, or 2026-02-03T10:00:00Z if 02 is the month, with the right offset instead of Z if it is not UTC",
    ),
}


@pytest.mark.parametrize("text", NOT_OFFERED)
def test_what_cannot_be_known_is_said_and_not_guessed(text: str) -> None:
    assert instant_help(text) == NOT_OFFERED[text]


@pytest.mark.parametrize(
    "text",
    [
        "half past nine",
        "yesterday",
        "2026",
        "",
        "2026-03-02 noon",
        "x" * 10_000,
        "2300-01-01 00:00 UTC",
        "9999-12-31 24:00 UTC",
        "٢٠٢٦-٠٣-٠٢ 10:00 UTC",
    ],
)
def test_a_text_that_is_nothing_like_an_instant_has_no_help(text: str) -> None:
    assert instant_help(text) is None


def test_it_reaches_everyone_who_sends_an_instant() -> None:
    with pytest.raises(NotAnInstant) as caught:
        read_instant("received_at", "2026-03-02 10:00:00 UTC")

    assert (caught.value.message, caught.value.help) == (
        "expected an offset from UTC, got the name `UTC`: `2026-03-02 10:00:00 UTC`",
        "write 2026-03-02T10:00:00Z",
    )


PIECES: Final = st.sampled_from(
    [
        "2026",
        "02",
        "31",
        "13",
        "-",
        "/",
        ".",
        ":",
        " ",
        "T",
        "10",
        "24",
        "60",
        "UTC",
        "Z",
        "+25",
        "PM",
        "Mar",
        "March",
        "Mon,",
        "[",
        "]",
        "(",
        "Europe/Paris",
        "\u2212",
        "0",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=14).map("".join)))
def test_no_text_fails_and_what_is_offered_can_be_read(text: str) -> None:
    found = instant_help(text)

    if found is not None and found.help.startswith("write 2") and " or " not in found.help:
        offered = found.help.removeprefix("write ").partition(",")[0]
        assert datetime.fromisoformat(offered).tzinfo is not None
