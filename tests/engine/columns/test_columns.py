"""Columns of tickets have the same decisions, outcomes, due times, states and refusals as single tickets."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.clock.columns import NOWHERE
from engine.clock.zone import to_datetime, to_micros, zone
from engine.columns.combinations import MAX_KEY, Combinations, Numbering
from engine.columns.decide import ColumnDecider, ColumnDecisions
from engine.columns.due import NO_STATE, STATES
from engine.columns.fact_columns import Instants, Numbers, SentColumn, Words, facts_of, words_of
from engine.columns.lookup import DECIDED, NOT_COVERED, REFUSED, UNDECIDED
from engine.columns.roster import RosterColumn
from engine.deadlines.roster import duty
from engine.model.answer import Answer, Status, UnknownDecision, WrongRequest
from engine.model.vocabulary import FactType
from engine.request.moment import Moment
from engine.version.build import build
from engine.version.bundle import Bundle
from engine.version.version import Version
from guidepost.policies.sources.folder import VersionFolder, read_folder
from tests.support.campaign import LONG
from tests.support.columns import TURNING_DAYS, Row, any_instant, any_ticket, fact_columns, instant_column
from tests.support.deciders import decide, decider_of
from tests.support.every_ticket import build_unchecked
from tests.support.growth import chain, customers, prerequisites, thresholds, web
from tests.support.paths import ROOT
from tests.support.strategies import MANIFEST, policies, timed_policies

LEVELS: Final = {Status.NOT_COVERED: NOT_COVERED, Status.DECIDED: DECIDED, Status.UNDECIDED: UNDECIDED}


SAMPLE: Final = 2000 if LONG else 60


@pytest.fixture(scope="module", params=["1.0.0", "2.0.0", "hospital", "other times"])
def decider(request: pytest.FixtureRequest, shipped: Bundle) -> ColumnDecider:
    """One decider for each version, with all its decisions: what it keeps must not show."""
    if request.param == "hospital":
        version = build(read_folder(VersionFolder(ROOT / "examples" / "hospital", "hospital")))
    elif request.param == "other times":
        version = other_times()
    else:
        version = next(one for one in shipped.versions if one.ref.version == request.param)
    return ColumnDecider(decider_of(version), list(version.plans))


def other_times() -> Version:
    """Build the guide with other rules of time: begun hours, days that end at closing, warnings by minutes."""
    files = read_folder(VersionFolder(ROOT / "policies", "policies"))
    life = files["lifecycle.yaml"]
    since = life.index("  business_days_since_closure:")
    life = life[:since] + life[since:].replace(
        "unit: business_days\n    rule: roll_then_clock\n    count: begun\n    calendar: business_days",
        "unit: hours\n    count: begun\n    calendar: weekdays_12h",
        1,
    )
    files["lifecycle.yaml"] = life.replace(
        "when_past: passed", "when_past: breached\n    at_risk: {left: 90 minutes}", 1
    ).replace("rule: roll_then_clock, calendar: business_days", "rule: roll_then_close, calendar: weekdays_12h")
    files["sla.yaml"] = files["sla.yaml"].replace("left: 25%", "left: 37%", 1)
    return build(files, "policies")


@settings(max_examples=600 if LONG else 9, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_column_is_decided_as_its_tickets_are_one_by_one(decider: ColumnDecider, data: st.DataObject) -> None:
    facts = decider.version.policy.facts
    rows = data.draw(st.lists(any_ticket(facts), min_size=1, max_size=8))
    now = data.draw(
        st.one_of(
            st.none(),
            any_instant(),
            st.lists(st.one_of(st.none(), any_instant()), min_size=len(rows), max_size=len(rows)),
        )
    )

    compare(decider, rows, now)


@pytest.mark.parametrize("size", [0, 1, 7, 1000])
def test_blocks_do_not_show(shipped: Bundle, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    version = shipped.versions[-1]
    chance = np.random.default_rng(7)
    rows = [
        {
            "channel": str(chance.choice(["email", "telephone", "carrier pigeon"])),
            "impact": str(chance.choice(["high", "low"])),
            "received_at": TURNING_DAYS[4] + timedelta(minutes=int(chance.integers(100_000))),
        }
        for _ in range(size)
    ]
    whole = ColumnDecider(decider_of(version)).decide(fact_columns(rows, version.policy.facts), TURNING_DAYS[5])
    monkeypatch.setattr("engine.columns.decide.BLOCK", 7)
    parts = ColumnDecider(decider_of(version)).decide(fact_columns(rows, version.policy.facts), TURNING_DAYS[5])

    for one, other in ((whole.decisions, parts.decisions), (whole.outcomes, parts.outcomes), (whole.due, parts.due)):
        assert plain(one) == plain(other)
    assert [(one.wrong, one.rows.tolist()) for one in whole.refused] == [
        (one.wrong, one.rows.tolist()) for one in parts.refused
    ]


@pytest.mark.campaign
@settings(max_examples=1000 if LONG else 40, deadline=None, suppress_health_check=list(HealthCheck))
@given(files=st.one_of(policies(), timed_policies()), data=st.data())
def test_so_is_a_column_by_any_policy(files: dict[str, str], data: st.DataObject) -> None:
    with patch("engine.version.build.table_problems", lambda *_: []):
        version = build(files)
    rows = data.draw(st.lists(any_ticket(version.policy.facts), min_size=1, max_size=5))
    open_ = undecided(version, version.plans["all"].facts, 30, data.draw(st.integers(0, 99)))
    rows += [{**row, "at": TURNING_DAYS[4]} if "at" in version.policy.facts else row for row in open_]

    compare(ColumnDecider(decider_of(version), ["all"]), rows, None)


def test_what_is_not_decided_is_told_apart_by_what_it_can_become() -> None:
    """The same open outcomes lead to different due times: by facts of the table, and by a shared fact."""
    level = rules(
        "level",
        ["far", "mood"],
        ["v0", "v1", "v2"],
        {
            "near": "v0",
            "mid yes": "v0",
            "mid no": "v1",
            "far yes": "v0",
            "far no": "v2",
            "unknown yes": "v0",
            "unknown no": "v0",
        },
    )
    level["rules"][0]["when"] = {"far": "near", "mood": "yes"}
    level["rules"].append({"id": "level.last", "when": {"far": "near", "mood": "no"}, "then": {"level": "v1"}})
    side = rules("side", ["far"], ["v0", "v1", "v2"], {"near": "v0", "mid": "v2", "far": "v2"})
    version = desk(
        level,
        side,
        [({"side": "v0", "level": "v2"}, "3"), ({"level": "v0"}, "1"), ({"level": "v1"}, "1"), ({"level": "v2"}, "2")],
    )
    rows = [
        {"far": far, "mood": mood, "at": TURNING_DAYS[4]}
        for far in (None, "near", "mid", "far")
        for mood in (None, "yes", "no")
    ]

    for ordered in (rows, rows[::-1]):
        compare(
            ColumnDecider(decider_of(version)),
            [{name: value for name, value in row.items() if value is not None} for row in ordered],
            None,
        )


def test_so_are_tickets_of_the_guide_that_leave_much_open(shipped: Bundle) -> None:
    version = shipped.versions[-1]
    rows = undecided(version, version.plans["response"].facts, SAMPLE, 11)

    compare(
        ColumnDecider(decider_of(version), ["response"]),
        [{**row, "received_at": TURNING_DAYS[4]} for row in rows],
        None,
    )


@pytest.mark.parametrize(
    "files",
    [customers(200, amounts=True), prerequisites(40), chain(30), thresholds(50), web(6)],
    ids=["customers", "prerequisites", "chain", "thresholds", "web"],
)
def test_so_are_tickets_of_policies_that_grow(files: dict[str, str]) -> None:
    """Also where columns are missing, and where lists are met that were not met before."""
    version = build_unchecked(files)
    decider, facts = ColumnDecider(decider_of(version)), version.plans["all"].facts
    for seed, names in enumerate((facts, facts[::2])):
        compare(decider, undecided(version, names, 8, seed), None)
        compare(decider, undecided(version, names, 8, seed, share=0.9), None)
    compare(decider, undecided(version, facts, 8, 3, share=1.0), None)


def test_so_is_a_ticket_of_any_of_thousands_of_customers() -> None:
    version = build_unchecked(customers(5000, amounts=True))
    rows = [{"customer": f"c{at}", "priority": "p1", "plan": "v1"} for at in (0, 17, 4999)]

    compare(ColumnDecider(decider_of(version)), [*rows, {"vip": True}], None)


def rules(name: str, facts: Sequence[str], values_: Sequence[str], given_: Mapping[str, str]) -> dict[str, Any]:
    """Write a table: words of its facts, in order, to a value."""
    written = [
        {"id": f"{name}.{at}", "when": dict(zip(facts, words.split(), strict=False)), "then": {name: value}}
        for at, (words, value) in enumerate(given_.items())
    ]
    return {"about": "a test", "hit": "first", "produces": [name], "rules": written, "values": list(values_)}


def desk(level: dict[str, Any], side: dict[str, Any], times: Sequence[tuple[dict[str, str], str]]) -> Version:
    """Build a desk of two tables and a deadline that reads both."""

    def choice(words: Sequence[str]) -> dict[str, Any]:
        return {"type": "choice", "about": "a test", "values": [{"value": word, "about": "a test"} for word in words]}

    facts = {
        "far": choice(["near", "mid", "far"]),
        "mood": {"type": "boolean", "about": "a test"},
        "at": {"type": "instant", "about": "a test"},
    }
    outcomes = {
        "level": choice(level.pop("values")),
        "side": choice(side.pop("values")),
        "due": {"type": "instant", "about": "a test"},
    }
    due = [
        {"id": f"due.{at}", "when": when, "then": {"unit": "hours", "calendar": "clock", "amount": hours}}
        for at, (when, hours) in enumerate(times)
    ]
    concern = {
        "kind": "policy",
        "about": "a test",
        "source": "a test",
        "tables": {"levels": level, "sides": side},
        "decision": {"name": "all", "about": "a test", "answers": ["level", "side", "due"]},
        "calendars": {"clock": {"about": "a test", "always": "yes", "zone": "UTC"}},
        "deadlines": {
            "due": {
                "about": "a test",
                "from": "at",
                "when_past": "passed",
                "holds": {"extend": "no"},
                "hit": "first",
                "rules": due,
            }
        },
    }
    files = {
        "manifest.yaml": MANIFEST,
        "vocabulary.yaml": {"kind": "vocabulary", "facts": facts, "outcomes": outcomes},
        "all.yaml": concern,
    }
    with patch("engine.version.build.table_problems", lambda *_: []):
        return build({path: json.dumps(content) for path, content in files.items()})


def test_a_row_that_cannot_be_read_is_marked_and_not_decided(shipped: Bundle) -> None:
    columns: dict[str, SentColumn] = {
        "impact": words_of(["high", "hihg", "high", None]),
        "urgency": words_of(["high", "low", "high", "low"]),
        "affected_percent": Numbers(np.array([1, 2, 101, 4.0])),
        "colour": words_of([None, None, "red", None]),
    }
    made = ColumnDecider(decider_of(shipped.versions[-1]), ["priority"]).decide(columns)

    assert made.decisions["priority"].tolist() == [DECIDED, REFUSED, REFUSED, UNDECIDED]
    assert [made.outcomes["priority"].value(row) for row in range(4)] == ["P1", None, None, None]
    assert [(one.wrong.fact, one.rows.tolist()) for one in made.refused] == [
        ("affected_percent", [2]),
        ("colour", [2]),
        ("impact", [1]),
    ]
    assert made.refused[2].wrong.help == "did you mean `high`?"


def test_each_distinct_value_is_read_once(shipped: Bundle) -> None:
    version = shipped.versions[-1]
    with patch.object(type(version.reader), "read", autospec=True, side_effect=type(version.reader).read) as read:
        ColumnDecider(decider_of(version), ["priority"]).decide(
            {"impact": Words(np.arange(100_000) % 3, ("high", "low", "1"))}
        )

    assert read.call_count == 3


def test_what_is_missing_is_asked_for_the_row_that_somebody_looks_at(shipped: Bundle) -> None:
    columns: dict[str, SentColumn] = {
        "impact": words_of(["high", "low"]),
        "urgency": words_of([None, "low"]),
        "channel": words_of(["telephone", None]),
    }
    made = ColumnDecider(decider_of(shipped.versions[-1]), ["priority"]).decide(columns)

    assert made.decisions["priority"].tolist() == [UNDECIDED, DECIDED]
    assert decide(shipped.versions[-1], "priority", facts_of(columns, 0)).possible == ("P1", "P2", "P3", "P4", "P5")


def test_columns_are_of_one_length_and_codes_stand_for_values(shipped: Bundle) -> None:
    decider = ColumnDecider(decider_of(shipped.versions[-1]))

    with pytest.raises(ValueError, match="expected columns of one length, got lengths 1, 2"):
        decider.decide({"impact": words_of(["high"]), "urgency": words_of(["high", "low"])})
    with pytest.raises(ValueError, match="the column `impact` has a code without a value"):
        decider.decide({"impact": Words(np.array([0, 1]), ("high",))})
    with pytest.raises(UnknownDecision, match="prioriti"):
        ColumnDecider(decider_of(shipped.versions[-1]), ["prioriti"])


def test_a_row_whose_time_was_never_set_is_refused_like_a_single_ticket(shipped: Bundle) -> None:
    version = shipped.versions[-1]
    micros = np.array([0, to_micros(datetime(2026, 1, 23, tzinfo=UTC)), 0], np.int64)
    received = Instants(micros, np.array([True, True, False]))
    found = ColumnDecider(decider_of(version), ["response"]).decide(
        {"received_at": received, "assigned_priority": words_of(["P1"] * 3), "plan": words_of(["partner"] * 3)}
    )

    assert [(one.wrong.fact, one.rows.tolist()) for one in found.refused] == [("received_at", [0])]
    assert "a zero timestamp: was it set?" in found.refused[0].wrong.message
    assert found.due["response_due"].levels.tolist() == [REFUSED, DECIDED, UNDECIDED]
    for now in (datetime(1970, 1, 1, tzinfo=UTC), Instants(np.zeros(3, np.int64))):
        with pytest.raises(ValueError, match="`now` is 1970-01-01T00:00:00Z"):
            ColumnDecider(decider_of(version), ["response"]).decide({"received_at": received}, now)


@pytest.mark.parametrize("year", [1970, 2026, 2200])
def test_the_turns_of_a_roster_are_those_of_single_instants(shipped: Bundle, year: int) -> None:
    roster = next(iter(shipped.versions[-1].policy.rosters.values()))
    turns = [turn for entry in roster.entries for turn in zone(entry.zone).transitions]
    begin = to_micros(datetime(year, 1, 1, tzinfo=UTC))
    chance = np.random.default_rng(year)
    hours = begin + np.arange(0, 365 * 24, 7) * 3_600_000_000
    near = [
        turn + int(chance.integers(-30, 30)) * 3_600_000_000
        for turn in turns
        if 0 <= turn - begin < 365 * 86_400_000_000
    ]
    instants = np.array([*hours[:800], *near, *(hours[:200] // 3_600_000_000 * 3_600_000_000 - 1)], np.int64).clip(
        min=0
    )
    column = RosterColumn(roster)
    codes = np.concatenate([column.at(instants[:5]), column.at(instants[5:])])

    assert [column.scale.value(code) for code in codes] == [
        duty(roster, to_datetime(at)).now.value for at in instants.tolist()
    ]


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 4), st.integers(0, 10**9), st.integers(0, 10**11)), max_size=20), max_size=5
    )
)
def test_a_combination_has_one_number_whenever_it_is_met(blocks: list[list[tuple[int, int, int]]]) -> None:
    combinations, met = Combinations([5, 10**9 + 1, 10**11 + 1]), {}
    for rows in blocks:
        new: list[tuple[int, int, int]] = []
        parts = [np.array([row[at] for row in rows], np.int64) for at in range(3)]
        numbers = combinations.numbers(parts, len(rows), lambda at, rows=rows, new=new: new.append(rows[at]))
        met |= {row: len(met) + at for at, row in enumerate(new)}
        assert numbers.tolist() == [met[row] for row in rows]


def test_sparse_and_dense_numbers_are_alike() -> None:
    keys = np.array([5, 3, 5, 9, 3, 0])
    assert [Numbering(size).numbers(keys).tolist() for size in (10, MAX_KEY)] == [[2, 1, 2, 3, 1, 0]] * 2


# What is compared


def compare(decider: ColumnDecider, rows: Sequence[Row], now: Any) -> None:
    """Compare columns with the served decisions in every row, and what they refuse with what is refused there."""
    version = decider.version
    columns = fact_columns(rows, version.policy.facts)
    made = decider.decide(columns, instant_column(now) if isinstance(now, list) else now)
    refused = {
        row: sorted((one.wrong.fact, one.wrong.message) for one in made.refused if row in one.rows)
        for row in range(len(rows))
    }
    for at, facts in enumerate(rows):
        moment = Moment(now[at] if isinstance(now, list) else now)
        for name in made.decisions:
            try:
                answer = decide(version, name, facts, moment)
            except WrongRequest as error:
                same_refusal(made, at, error, refused[at])
                continue
            assert refused[at] == []
            assert version.reader.read(facts_of(columns, at)) == version.reader.read(facts)
            assert made.decisions[name][at] == LEVELS[answer.status], (name, facts)
            same_outcomes(made, at, answer)


def same_refusal(made: ColumnDecisions, at: int, error: WrongRequest, refused: list[tuple[str, str]]) -> None:
    assert refused == sorted((one.fact, one.message) for one in error.wrong)
    assert {int(level[at]) for level in made.decisions.values()} == {REFUSED}
    assert all(outcome.value(at) is None and outcome.levels[at] == REFUSED for outcome in made.outcomes.values())
    assert all(
        (due.levels[at], due.due[at], due.states[at]) == (REFUSED, NOWHERE, NO_STATE) for due in made.due.values()
    )


def same_outcomes(made: ColumnDecisions, at: int, answer: Answer) -> None:
    standing = {due.name: due.standing.state for due in answer.dues if due.standing}
    for outcome in answer.outcomes:
        if outcome.name in made.due:
            due = made.due[outcome.name]
            state = STATES.index(standing[outcome.name]) if outcome.name in standing else NO_STATE
            when = to_micros(outcome.value) if isinstance(outcome.value, datetime) else NOWHERE
            assert (due.levels[at], due.due[at], due.states[at]) == (LEVELS[outcome.status], when, state), (
                outcome,
                state,
            )
        else:
            column = made.outcomes[outcome.name]
            assert (column.levels[at], column.value(at)) == (LEVELS[outcome.status], outcome.value), outcome


def plain(named: Mapping[str, Any]) -> dict[str, Any]:
    def lists(one: Any) -> Any:
        if isinstance(one, np.ndarray):
            return one.tolist()
        return [lists(getattr(one, part)) for part in ("codes", "levels", "due", "states") if hasattr(one, part)]

    return {name: lists(one) for name, one in named.items()}


def undecided(version: Version, names: Sequence[str], count: int, seed: int, *, share: float = 0.5) -> list[Row]:
    """Draw tickets of which a share of the facts is sent."""
    chance, odd = random.Random(seed), {"blank": " ", "unlisted": "something else"}
    numeric = [name for name in names if version.policy.facts[name].type is not FactType.INSTANT]
    rows = [
        {name: chance.choice(version.atoms[name].samples) for name in numeric if chance.random() < share}
        for _ in range(count)
    ]
    return [{name: odd.get(value, value) for name, value in row.items()} for row in rows]
