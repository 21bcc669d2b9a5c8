"""What people read of a replay: on a terminal, in a pull request, as data; the words that all of them share."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from markdown_it import MarkdownIt

from engine.diff import Change, OutcomeState, StateKind
from engine.replay.nouns import DeadlineReplay, DueShift, OutcomeReplay
from engine.version.bundle import Bundle
from engine.version.version import Version
from guidepost.render.console import Screen
from guidepost.render.replay_console import replay_parts
from guidepost.render.replay_json import FORMAT, plain_replay
from guidepost.render.replay_markdown import replay_markdown
from guidepost.render.replay_verification import plain_verification, verification_markdown, verification_parts
from guidepost.replay.report import ReplayReport, transition_table
from guidepost.replay.text import duration_text, headline, moves_text, shift_text
from tests.support.replay_samples import NASTY, PRIORITY, alone, proved, quiet, sample, state


@pytest.fixture(scope="module")
def version(shipped: Bundle) -> Version:
    return shipped.versions[-1]


def text(shown: ReplayReport, *, every: bool = False) -> str:
    stream = io.StringIO()
    Screen(stream).show(*replay_parts(shown, every=every))
    return stream.getvalue()


@pytest.mark.parametrize("made", [sample, quiet, alone], ids=lambda made: made.__name__)
def test_every_form_says_the_same(
    version: Version, made: Callable[[Version], ReplayReport], golden: Callable[[str, str], None]
) -> None:
    shown = made(version)

    golden(f"replay/{made.__name__}.txt", text(shown))
    golden(f"replay/{made.__name__}.md", replay_markdown(shown))
    golden(f"replay/{made.__name__}.json", json.dumps(plain_replay(shown), indent=2, ensure_ascii=False) + "\n")


def test_every_form_of_a_proof_names_each_record_that_differs_and_what_is_missing(
    golden: Callable[[str, str], None],
) -> None:
    stream = io.StringIO()
    Screen(stream).show(*verification_parts(proved()))

    golden("replay/verified.txt", stream.getvalue())
    golden("replay/verified.md", verification_markdown(proved()))
    golden("replay/verified.json", json.dumps(plain_verification(proved()), indent=2, ensure_ascii=False) + "\n")


def test_what_a_source_says_is_text_in_a_pull_request_and_never_markup(version: Version) -> None:
    html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(replay_markdown(sample(version)))

    assert "<img" not in html
    assert "<script" not in html
    assert NASTY.partition("<img")[0].replace("<", "&lt;").replace(">", "&gt;") in html


def test_a_summary_that_would_be_too_long_says_what_is_left_out(version: Version) -> None:
    many = {Change(state(f"v{number}"), state("P1")): 1 for number in range(500)}
    long = replace(sample(version), replay=replace(sample(version).replay, outcomes=(replace(PRIORITY, matrix=many),)))

    assert "400 more are not shown" in replay_markdown(long)
    assert "470 more are not shown" in replay_markdown(long, 4_000)
    short = replay_markdown(long, 1_500)
    assert len(short.encode()) <= 1_500
    assert "`guidepost replay` shows all of it" in short


def test_the_data_adds_up_and_says_in_which_form_it_is(version: Version) -> None:
    plain = plain_replay(sample(version))

    assert plain["format"] == FORMAT == 1
    assert plain["unread"]["rows"] + plain["tickets"] == plain["rows"]
    priority = plain["outcomes"][0]
    assert sum(one["tickets"] for one in priority["matrix"]) == priority["tickets"]
    assert sum(one["tickets"] for one in priority["matrix"] if one["from"] != one["to"]) == priority["changed"]
    assert [one["value"] for one in plain["groups"]["channel"]] == ["telephone", None]


def test_an_example_is_a_command_with_the_facts_that_matter_and_its_instant(version: Version) -> None:
    shown = sample(version)

    assert "guidepost eval priority impact=low urgency=low channel=telephone stage=triage\n" in text(shown)
    assert (
        "guidepost eval response impact=low urgency=low channel=telephone stage=triage received_at=2016-03-01T02:10:00Z --now"
        in text(shown)
    )


def test_long_lists_are_cut_unless_all_is_asked_for(version: Version) -> None:
    one = replace(PRIORITY, regions=PRIORITY.regions * 10)
    shown = replace(sample(version), replay=replace(sample(version).replay, outcomes=(one,)))

    assert "and 12 regions more; --all shows them" in text(shown)
    assert text(shown, every=True).count("guidepost eval priority impact=low\n") == 10


def test_states_stand_in_the_order_of_the_policy_and_what_is_no_value_last(version: Version) -> None:
    undecided, gone = OutcomeState(StateKind.UNDECIDED), OutcomeState(StateKind.ABSENT)
    by_word = OutcomeReplay(
        name="priority",
        tickets=4,
        changed=4,
        matrix={
            Change(undecided, state("P1")): 1,
            Change(state("P5"), state("P2")): 1,
            Change(state("P1"), gone): 1,
            Change(state("P1"), state("P5")): 1,
        },
    )
    by_number = OutcomeReplay(
        name="anything",
        tickets=3,
        changed=3,
        matrix={
            Change(state(10.0), state(True)): 1,
            Change(state(9.0), state(False)): 1,
            Change(undecided, undecided): 1,
        },
    )

    assert transition_table(replace(sample(version)), by_word).rows == ("P1", "P5", "undecided")
    assert transition_table(replace(sample(version)), by_word).columns == ("P1", "P2", "P5", "nothing")
    assert transition_table(sample(version), by_number).rows == ("9", "10", "undecided")


def test_all_is_said_where_all_change_and_one_ticket_is_one(version: Version) -> None:
    def of(changed: int, tickets: int) -> str:
        return headline(
            replace(
                sample(version),
                replay=replace(sample(version).replay, changed=changed, tickets=tickets, compared=tickets),
            )
        )

    assert of(1, 1) == "1 of 1 ticket (100%) differs."
    assert of(3, 3) == "All 3 tickets differ."
    assert of(1, 3) == "1 of 3 tickets (33.3%) differs."
    assert of(0, 1) == "Nothing changes: 1 ticket is decided as before."


@pytest.mark.parametrize(
    ("least", "most", "said"),
    [
        (None, -168, "more than 1 week earlier"),
        (-168, -24, "1 day to 1 week earlier"),
        (-0.25, 0, "up to 15 min earlier"),
        (0, 0.25, "less than 15 min later"),
        (1, 4, "1 h to 4 h later"),
        (168, None, "1 week or more later"),
    ],
)
def test_a_bucket_says_by_how_much_in_words(least: float | None, most: float | None, said: str) -> None:
    ends = [None if end is None else timedelta(hours=end) for end in (least, most)]

    assert shift_text(DueShift(*ends, 1)) == said


def test_durations_have_their_two_greatest_units() -> None:
    lengths = [
        timedelta(seconds=59),
        timedelta(minutes=61),
        timedelta(days=8, hours=23),
        timedelta(days=14),
        timedelta(milliseconds=1),
    ]

    assert [duration_text(length) for length in lengths] == ["59 s", "1 h 1 min", "1 week 1 day", "2 weeks", "0 s"]


def test_a_deadline_names_only_what_happens_to_it() -> None:
    assert (
        moves_text(DeadlineReplay(name="due", tickets=10, both=10, earlier=0, later=3, appear=0, vanish=0))
        == "3 of 10 tickets (30%) change: 3 later"
    )
    assert (
        moves_text(DeadlineReplay(name="due", tickets=10, both=10, earlier=0, later=0, appear=0, vanish=0))
        == "0 of 10 tickets (0%)"
    )
