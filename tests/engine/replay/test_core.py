"""Replaying: the tally of past tickets equals the counts of plain loops, for any chunks, and its words are true."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.clock.zone import to_micros
from engine.columns.fact_columns import Instants, Words, facts_of, words_of
from engine.diff.budget import Budget, NotABudget, check_budget, read_forbidden, read_limit
from engine.diff.nouns import Change, OutcomeState, StateKind
from engine.model.answer import UnknownDecision
from engine.replay import Replayer, Tally
from engine.replay.budget import excesses
from engine.replay.due_shifts import EDGES
from engine.replay.nouns import Chunk, OutcomeColumn, RecordedDecisions, RejectedRow, Replay
from engine.request.moment import Moment
from engine.version.build import build
from engine.version.bundle import Bundle
from engine.version.version import Version
from guidepost.policies.sources.folder import VersionFolder, read_folder
from tests.support.campaign import LONG
from tests.support.columns import TURNING_DAYS, any_ticket, fact_columns, instant_column
from tests.support.deciders import decide
from tests.support.paths import ROOT
from tests.support.replay_oracle import Count, Past, against_record, decided, has, replayed, wanted, within
from tests.support.strategies import policies, timed_policies

START: Final = datetime(2026, 1, 23, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def old(shipped: Bundle) -> Version:
    return shipped.versions[0]


@pytest.fixture(scope="module")
def new(shipped: Bundle) -> Version:
    return shipped.versions[-1]


@pytest.fixture(scope="module")
def low_low(new: Version) -> Version:
    """The guide with one cell of its matrix changed."""
    files = read_folder(VersionFolder(ROOT / "policies", "policies"))
    row = next(line for line in files["priority.yaml"].splitlines() if line.strip().startswith("low:"))
    files["priority.yaml"] = files["priority.yaml"].replace(row, row.replace("P5", "P4"))
    assert "P5" in row
    with patch("engine.version.build.table_problems", lambda *_: []):
        return build(files, "policies")


@pytest.fixture(scope="module")
def hospital() -> Version:
    return build(read_folder(VersionFolder(ROOT / "examples" / "hospital", "hospital")))


def drawn(version: Version, count: int, seed: int) -> list[Past]:
    """Draw tickets with about half of the facts, here and there one that is wrong, a moment and a hold."""
    chance, odd, rows = random.Random(seed), {"blank": " ", "given": "some words"}, []
    for _ in range(count):
        facts: dict[str, Any] = {}
        for name, fact in version.policy.facts.items():
            if chance.random() < 0.4:
                value = chance.choice(version.atoms[name].samples)
                facts[name] = (
                    START + timedelta(hours=chance.randrange(3000))
                    if fact.type == "instant"
                    else odd.get(value, value)
                    if fact.type == "text"
                    else value
                )
        if chance.random() < 0.05:
            facts[chance.choice(list(version.policy.facts))] = "no such value"
        begun = START + timedelta(hours=chance.randrange(200))
        rows.append(
            Past(
                facts=facts,
                now=START + timedelta(days=chance.randrange(40)) if chance.random() < 0.8 else None,
                holds=((begun, begun + timedelta(hours=30)),) if chance.random() < 0.1 else (),
            )
        )
    return rows


def chunk_of(past: Sequence[Past], version: Version, first: int = 1, digest: str | None = None) -> Chunk:
    """Put tickets into columns."""
    recorded = None if digest is None else recorded_of(past, digest)
    return Chunk(
        size=len(past),
        facts=fact_columns([one.facts for one in past], version.policy.facts),
        rows=np.arange(first, first + len(past)),
        now=instant_column([one.now for one in past]),
        names=words_of([f"T{first + at}" for at in range(len(past))]),
        holds={at: one.holds for at, one in enumerate(past) if one.holds},
        recorded=recorded,
    )


def recorded_of(past: Sequence[Past], digest: str) -> RecordedDecisions:
    outcomes, due, dated = {}, {}, {}
    for name in dict.fromkeys(name for one in past for name in one.outcomes):
        listed = list(
            dict.fromkeys((repr(one.outcomes[name]), one.outcomes[name]) for one in past if name in one.outcomes)
        )
        places = {text: at for at, (text, _) in enumerate(listed)}
        outcomes[name] = OutcomeColumn(
            np.array([places[repr(one.outcomes[name])] if name in one.outcomes else -1 for one in past]),
            tuple(state for _, state in listed),
        )
    for name in dict.fromkeys(name for one in past for name in one.dues):
        said = [one.dues.get(name) for one in past]
        due[name] = Instants(
            np.array([to_micros(at) if at else 0 for at in said]), np.array([at is not None for at in said])
        )
        dated[name] = np.array([name in one.dues for one in past])
    return RecordedDecisions(outcomes=outcomes, due=due, dated=dated, digest=digest)


def as_recorded(past: Sequence[Past], version: Version, share: float = 1.0) -> list[Past]:
    """Record how a version decides tickets (those that it can read), or some of it."""
    chance, found = random.Random(len(past)), []
    names = has(version, wanted([version]))
    for one in past:
        made = decided(version, names, one, [])
        if not isinstance(made, str):
            outcomes = {name: state for name, state in made[0].items() if chance.random() < share}
            found.append(
                replace(
                    one, outcomes=outcomes, dues={name: at for name, at in made[1].items() if chance.random() < share}
                )
            )
    return found


def same_counts(tally: Tally, count: Count) -> None:
    """Compare a tally with what plain loops count."""
    assert (tally.tickets, tally.changed) == (count.tickets, count.changed)
    assert {
        name: {(one.before, one.after): n for one, n in found.matrix.items()} for name, found in tally.outcomes.items()
    } == count.matrix
    for name, one in tally.deadlines.items():
        moved = [move for move in count.moves.get(name, []) if move]
        stretches = [
            sum((low is None or low <= move) and (high is None or move < high) for move in moved)
            for low, high in zip([None, *EDGES], [*EDGES, None], strict=True)
        ]
        assert (one.tickets, one.both, one.appear, one.vanish) == (
            count.compared[name],
            len(count.moves.get(name, [])),
            count.appear[name],
            count.vanish[name],
        )
        assert list(one.shifts) == stretches
        assert timedelta(microseconds=one.total) == sum(moved, timedelta())
        assert (one.least, one.most) == (
            (min(moved) // timedelta(microseconds=1), max(moved) // timedelta(microseconds=1))
            if moved
            else (None, None)
        )
    assert set(tally.deadlines) == set(count.compared)


# What is counted


@pytest.mark.parametrize("seed", range(40) if LONG else [1])
def test_the_tally_of_two_versions_is_what_plain_loops_count(old: Version, new: Version, seed: int) -> None:
    past = drawn(old, 40, seed) + drawn(new, 40, seed + 100)
    for before, after in ((old, new), (new, old)):
        tally, unread = Replayer(after, before).replay(chunk_of(past, new))
        count = replayed(past, after, before)
        same_counts(tally, count)
        assert [(one.row, one.field) for one in unread] == count.unread
        assert count.unread


@pytest.mark.parametrize("digest", ["", "own", "another"])
def test_so_is_the_tally_beside_what_is_recorded(old: Version, new: Version, digest: str) -> None:
    past = [
        *as_recorded(drawn(old, 60, 5), old, share=0.7),
        Past(facts={"impact": "worst"}, outcomes={"priority": OutcomeState(StateKind.DECIDED, "P1")}),
    ]
    said = {"": "", "own": new.digest, "another": old.digest}[digest]
    tally, unread = Replayer(new).replay(chunk_of(past, new, digest=said))
    count = against_record(past, new, said)

    same_counts(tally, count)
    assert [(one.row, one.field) for one in unread] == count.unread
    assert bool(count.unread) == (digest == "")
    assert tally.versions == ({said: tally.tickets} if said else {})


def test_so_is_that_of_another_desk(hospital: Version) -> None:
    past = drawn(hospital, 80, 3)
    same_counts(Replayer(hospital, hospital).replay(chunk_of(past, hospital))[0], replayed(past, hospital, hospital))


@pytest.mark.campaign
@settings(max_examples=400 if LONG else 12, deadline=None, suppress_health_check=list(HealthCheck))
@given(files=st.lists(st.one_of(policies(), timed_policies()), min_size=2, max_size=2), data=st.data())
def test_so_is_that_of_any_two_policies(files: list[dict[str, str]], data: st.DataObject) -> None:
    with patch("engine.version.build.table_problems", lambda *_: []):
        before, after = map(build, files)
    rows = data.draw(
        st.lists(st.one_of(any_ticket(before.policy.facts), any_ticket(after.policy.facts)), min_size=1, max_size=12)
    )
    past = [Past(facts=row, now=TURNING_DAYS[4]) for row in rows]
    replayer = Replayer(after, before)
    tally, unread = replayer.replay(chunk_of(past, after))
    count = replayed(past, after, before)

    same_counts(tally, count)
    assert [one.row for one in unread] == [row for row, _ in count.unread]
    whole(replayer.summary(tally, {}, len(past)))


def test_what_was_on_hold_is_due_later_where_the_policy_says_so(new: Version) -> None:
    files = read_folder(VersionFolder(ROOT / "policies", "policies"))
    files["sla.yaml"] = files["sla.yaml"].replace("extend: no", "extend: yes")
    with patch("engine.version.build.table_problems", lambda *_: []):
        extending = build(files, "policies")
    facts = {"assigned_priority": "P3", "plan": "partner", "country": "AU", "received_at": START}
    past = [
        Past(facts=facts, now=START + timedelta(days=9), holds=((START, START + timedelta(days=4)),)),
        Past(facts=facts, now=START + timedelta(days=9)),
    ]
    tally, _ = Replayer(extending, new).replay(chunk_of(past, new))

    same_counts(tally, replayed(past, extending, new))
    assert (tally.deadlines["response_due"].both, sum(tally.deadlines["response_due"].shifts)) == (2, 1)


def test_a_hold_after_the_answer_moves_no_due_time_of_a_past_ticket(new: Version) -> None:
    files = read_folder(VersionFolder(ROOT / "policies", "policies"))
    files["sla.yaml"] = files["sla.yaml"].replace("extend: no", "extend: yes")
    with patch("engine.version.build.table_problems", lambda *_: []):
        extending = build(files, "policies")
    facts = {
        "assigned_priority": "P3",
        "plan": "partner",
        "country": "AU",
        "received_at": START,
        "responded_at": START + timedelta(hours=1),
    }
    later = START + timedelta(hours=2)
    past = [
        Past(facts=facts, now=START + timedelta(days=9), holds=((later, end),))
        for end in (START + timedelta(days=4), None)
    ]
    tally, _ = Replayer(extending, new).replay(chunk_of(past, new))

    same_counts(tally, replayed(past, extending, new))
    assert (tally.deadlines["response_due"].both, sum(tally.deadlines["response_due"].shifts)) == (2, 0)


def test_without_either_side_what_is_decided_now_is_counted(new: Version) -> None:
    past = drawn(new, 40, 9)
    replayer = Replayer(new)
    tally, unread = replayer.replay(chunk_of(past, new))
    replay = replayer.summary(tally, {"x": len(unread)}, len(past))
    priorities = [
        made[0]["priority"] for one in past if not isinstance(made := decided(new, ["priority"], one, []), str)
    ]

    assert (replay.changed, replay.before, replay.recorded, replay.equal) == (0, {}, False, False)
    matrix = next(one.matrix for one in replay.outcomes if one.name == "priority")
    assert {change.after: count for change, count in matrix.items()} == {
        state: priorities.count(state) for state in priorities
    }
    assert all(change.before == change.after for change in matrix)


def test_groups_count_tickets_by_the_value_as_the_version_reads_it(old: Version, new: Version) -> None:
    past = [
        Past(facts={"channel": word, "impact": "low", "urgency": "low"})
        for word in ("email", "Phone", "telephone", "other")
    ] + [Past(facts={"stage": "triage"})]
    replayer = Replayer(new, old, by=("channel", "affected_percent"))
    replay = replayer.summary(replayer.replay(chunk_of(past, new))[0], {}, 5)
    count = replayed(past, new, old)

    assert {one.value: one.tickets for one in replay.groups["channel"]} == {
        "email": 1,
        "telephone": 2,
        "other": 1,
        "": 1,
    }
    for group in replay.groups["channel"]:
        rows = {
            row
            for row, one in enumerate(past, start=1)
            if str(one.facts.get("channel", "")).replace("Phone", "telephone") == group.value
        }
        assert dict(group.outcomes) == {
            name: len(rows & set(changed))
            for name, changed in count.changes.items()
            if rows & set(changed) and name not in replay.alike
        }
    assert [one.value for one in replay.groups["affected_percent"]] == [""]


# However it is cut


@settings(max_examples=100 if LONG else 4, deadline=None, suppress_health_check=list(HealthCheck))
@given(cuts=st.sets(st.integers(1, 59), max_size=4), data=st.data())
def test_cutting_and_the_order_of_adding_change_nothing(
    old: Version, new: Version, cuts: set[int], data: st.DataObject
) -> None:
    past = drawn(old, 60, 21)
    replayer = Replayer(new, old, by=("channel", "country"))
    whole_ = replayer.replay(chunk_of(past, new))[0]
    edges = [0, *sorted(cuts), len(past)]
    parts = [replayer.replay(chunk_of(past[low:high], new, low + 1))[0] for low, high in pairwise(edges)]
    left = Tally()
    for one in data.draw(st.permutations(parts)):
        left = left.merge(Tally.read(json.loads(json.dumps(one.plain()))))
    half = len(parts) // 2
    grouped = added(parts[:half]).merge(added(parts[half:]))

    assert left == whole_ == grouped
    assert whole_.changed
    assert replayer.summary(left, {}, 60) == replayer.summary(whole_, {}, 60)


def test_so_it_is_where_more_situations_are_met_than_are_kept(old: Version, new: Version) -> None:
    past = drawn(new, 150, 4)
    with (
        patch("engine.replay.count.MAX_CELLS", 7),
        patch("engine.replay.tally.MAX_CELLS", 7),
        patch("engine.replay.count.MAX_SPOTS", 3),
        patch("engine.replay.tally.MAX_SPOTS", 3),
    ):
        replayer = Replayer(new, old)
        few = replayer.replay(chunk_of(past, new))[0]
        parts = [replayer.replay(chunk_of(past[at : at + 40], new, at + 1))[0] for at in range(0, len(past), 40)]
        assert added(parts) == added(parts[::-1]) == few
    many = Replayer(new, old).replay(chunk_of(past, new))[0]
    assert {len(one.cells) for one in few.outcomes.values()} <= set(range(8))
    for name, one in few.outcomes.items():
        assert one.cells.items() <= many.outcomes[name].cells.items()
        assert one.matrix == many.outcomes[name].matrix
    replay = replayer.summary(few, {}, len(past))
    assert any(one.elsewhere for one in replay.outcomes)
    whole(replay)


def test_the_sum_of_nothing_is_nothing(new: Version) -> None:
    empty = Replayer(new, by=("channel",)).replay(Chunk(size=0, facts={}, rows=np.empty(0, np.int64)))[0]
    assert (empty.tickets, empty.changed, empty.groups) == (0, 0, {"channel": {}})
    assert Tally().merge(Tally()) == Tally()


def test_tickets_of_which_nothing_was_sent_are_tickets(new: Version) -> None:
    tally, unread = Replayer(new).replay(Chunk(size=3, facts={}, rows=np.arange(1, 4)))
    assert (tally.tickets, unread) == (3, ())
    assert {one.after.kind for one in tally.outcomes["priority"].matrix} == {StateKind.UNDECIDED}


def added(parts: Sequence[Tally]) -> Tally:
    found = Tally()
    for one in parts:
        found = found.merge(one)
    return found


# Its words


def whole(replay: Replay) -> None:
    """Hold a replay against itself: what its parts say together is what it says."""
    for one in replay.outcomes:
        assert one.tickets == sum(one.matrix.values())
        assert one.changed == sum(
            count
            for change, count in one.matrix.items()
            if (change.before.kind, change.before.value) != (change.after.kind, change.after.value)
        )
        assert all(region.changed == sum(region.changes.values()) <= region.tickets for region in one.regions)
        assert one.changed <= sum(region.changed for region in one.regions) + one.elsewhere


@pytest.mark.parametrize("seed", range(20) if LONG else [3])
def test_the_regions_of_an_outcome_hold_every_ticket_that_changes_and_count_right(
    old: Version, new: Version, seed: int
) -> None:
    past = [
        replace(one, now=None, holds=())
        for one in [*drawn(old, 60, seed), *drawn(new, 60, seed)]
        if not isinstance(decided(new, [], one, []), str)
    ]
    replayer = Replayer(new, old)
    replay = replayer.summary(replayer.replay(chunk_of(past, new))[0], {}, len(past))
    count, written = replayed(past, new, old), [as_written(ticket, new, old) for ticket in past]
    assert sum(bool(one.changed) for one in replay.outcomes) > 10
    for one in replay.outcomes:
        changed = set(count.changes.get(one.name, []))
        held: set[int] = set()
        for region in one.regions:
            there = {row for row, facts in enumerate(written, start=1) if within(region.when, facts)}
            assert (region.tickets, region.changed) == (len(there), len(there & changed)), (one.name, region.when)
            assert {example.row for example in region.examples} <= there & changed
            held |= there & changed
        assert held == changed, one.name
        assert one.elsewhere == 0


def as_written(ticket: Past, *versions: Version) -> dict[str, str | float]:
    """Return the facts of a ticket as the first version writes them, or the next if only that has a word for it."""
    found: dict[str, str | float] = {}
    for version in versions:
        atoms = version.reader.read(
            {name: value for name, value in ticket.facts.items() if name in version.policy.facts}
        ).atoms
        for name, slot in version.reader.slots.items():
            if atoms[slot] and found.get(name, "unlisted") == "unlisted":
                sample = version.atoms[name].samples[atoms[slot] - 1]
                found[name] = sample if isinstance(sample, str) else float(ticket.facts[name])
    return found


def test_a_version_with_one_changed_cell_changes_exactly_its_tickets(new: Version, low_low: Version) -> None:
    words = ("high", "medium", "low")
    past = [
        Past(facts={"impact": impact, "urgency": urgency, "channel": "email", "stage": "triage"})
        for impact in words
        for urgency in words
        for _ in range(3)
    ]
    replayer = Replayer(low_low, new)
    replay = replayer.summary(replayer.replay(chunk_of(past, new))[0], {}, len(past))
    priority = next(one for one in replay.outcomes if one.name == "matrix_priority")
    [region] = priority.regions

    assert (replay.tickets, replay.changed, priority.changed) == (27, 3, 3)
    assert {change: count for change, count in priority.matrix.items() if change.before != change.after} == {
        Change(OutcomeState(StateKind.DECIDED, "P5"), OutcomeState(StateKind.DECIDED, "P4")): 3
    }
    assert [(values.fact, values.words) for values in region.when] == [("impact", ("low",)), ("urgency", ("low",))]
    assert (region.tickets, region.changed, [one.row for one in region.examples]) == (3, 3, [25])


def test_an_example_decided_by_hand_shows_its_change(old: Version, new: Version) -> None:
    past = drawn(new, 120, 8)
    replayer = Replayer(new, old)
    replay = replayer.summary(replayer.replay(chunk_of(past, new))[0], {}, len(past))
    shown = 0
    for one in replay.outcomes:
        for change, examples in one.examples.items():
            for example in examples:
                now = datetime.fromisoformat(example.now) if example.now else None
                ticket = Past(facts=dict(example.facts), now=now)
                sides = [
                    decided(version, [one.name], ticket, list(other.policy.facts))
                    for version, other in ((old, new), (new, old))
                ]
                states = [
                    OutcomeState(StateKind.REFUSED)
                    if isinstance(side, str)
                    else side[0].get(one.name, OutcomeState(StateKind.ABSENT))
                    for side in sides
                ]
                kinds = [
                    OutcomeState(StateKind.ABSENT) if not has(version, [one.name]) else state
                    for version, state in zip((old, new), states, strict=True)
                ]
                assert kinds == [change.before, change.after], (one.name, example)
                assert example.name == f"T{example.row}"
                shown += 1
    assert shown > 30


def test_examples_are_the_first_tickets_of_the_source(new: Version, low_low: Version) -> None:
    low = {"impact": "low", "urgency": "low"}
    past = [
        Past(facts={"impact": "high", "urgency": "low"}),
        *(Past(facts={**low, "channel": word}) for word in ("email", "email", "portal", "email", "other", "telephone")),
    ]
    replayer = Replayer(low_low, new)
    parts = [replayer.replay(chunk_of(past[at : at + 2], new, at + 1))[0] for at in (4, 6, 0, 2)]
    replay = replayer.summary(added(parts), {}, 7)

    assert [
        [one.row for one in found]
        for found in next(one for one in replay.outcomes if one.name == "matrix_priority").examples.values()
    ] == [[2]]
    priority = next(one for one in replay.outcomes if one.name == "priority")
    assert [one.row for found in priority.examples.values() for one in found] == [2, 6], (
        "the first of each situation: whether it comes by telephone makes one"
    )


# The proof that a log and its policies belong together


@pytest.mark.parametrize("which", ["old", "new", "hospital"])
def test_what_is_recorded_under_the_very_version_comes_out_equal(request: pytest.FixtureRequest, which: str) -> None:
    version: Version = request.getfixturevalue(which)
    past = as_recorded(drawn(version, 60, 13), version)
    replayer = Replayer(version)
    tally, unread = replayer.replay(chunk_of(past, version, digest=version.digest))
    replay = replayer.summary(tally, {}, len(past))

    assert (replay.equal, replay.recorded, unread) == (True, True, ())
    assert replay.before == {version.digest: len(past)}
    assert {one.name for one in replay.outcomes} | {one.name for one in replay.deadlines} == set(
        has(version, wanted([version]))
    )


def test_and_what_was_altered_does_not(new: Version) -> None:
    past = as_recorded(drawn(new, 60, 17), new)
    at = next(at for at, one in enumerate(past) if one.outcomes["priority"] == OutcomeState(StateKind.DECIDED, "P3"))
    past[at] = replace(past[at], outcomes={**past[at].outcomes, "priority": OutcomeState(StateKind.DECIDED, "P1")})
    due = next(at for at, one in enumerate(past) if one.dues["response_due"] is not None)
    past[due] = replace(
        past[due], dues={**past[due].dues, "response_due": past[due].dues["response_due"] + timedelta(microseconds=1)}
    )
    replayer = Replayer(new)
    replay = replayer.summary(replayer.replay(chunk_of(past, new, digest=new.digest))[0], {}, len(past))

    assert replay.changed == len({at, due})
    assert [(one.name, one.changed) for one in replay.outcomes if one.changed] == [("priority", 1)]
    [move] = [one for one in replay.deadlines if one.changed]
    assert (move.earlier, move.most_earlier, [one.row for one in move.examples]) == (
        1,
        timedelta(microseconds=-1),
        [due + 1],
    )


def test_what_is_recorded_is_decided_again_whatever_decision_it_is_of(new: Version) -> None:
    answer = decide(new, "escalation", {"level": "critical"} if "level" in new.policy.facts else {}, Moment())
    states = {
        one.name: OutcomeState(StateKind(one.status.value), one.value)
        for one in answer.outcomes
        if one.name not in new.policy.deadlines
    }
    past = [Past(facts={"level": "critical"} if "level" in new.policy.facts else {}, outcomes=states)]
    tally, _ = Replayer(new).replay(chunk_of(past, new, digest=new.digest))

    assert set(tally.outcomes) == set(states)
    assert (tally.tickets, tally.changed) == (1, 0)
    assert (
        set(Replayer(new, decisions=["priority"]).replay(chunk_of(past, new, digest=new.digest))[0].outcomes) == set()
    )


def test_an_outcome_that_the_version_does_not_have_is_no_more(old: Version, new: Version) -> None:
    past = [
        Past(
            facts={},
            outcomes={
                "weather": OutcomeState(StateKind.DECIDED, "fine"),
                "priority": OutcomeState(StateKind.UNDECIDED),
            },
            dues={"tea": START},
        )
    ]
    tally, _ = Replayer(new).replay(chunk_of(past, new, digest="x"))

    assert dict(tally.outcomes["weather"].matrix) == {
        Change(OutcomeState(StateKind.DECIDED, "fine"), OutcomeState(StateKind.ABSENT)): 1
    }
    assert (tally.deadlines["tea"].vanish, tally.changed) == (1, 1)
    assert dict(tally.outcomes["priority"].matrix) == {
        Change(OutcomeState(StateKind.UNDECIDED), OutcomeState(StateKind.UNDECIDED)): 1
    }


# What cannot be read


def test_a_row_that_nobody_can_read_is_given_once_with_what_is_wrong_and_is_in_no_number(
    old: Version, new: Version
) -> None:
    past = [Past(facts={"impact": "hihg", "urgency": "nope"}), Past(facts={"impact": "high", "urgency": "high"})]
    for replayer in (Replayer(new), Replayer(new, old)):
        tally, unread = replayer.replay(chunk_of(past, new))
        assert unread == (RejectedRow(row=1, name="T1", field="impact", message="unknown impact `hihg`"),)
        assert tally.tickets == 1
        assert sum(tally.outcomes["priority"].cells.values()) == 1


def test_a_value_that_one_version_refuses_is_a_change_of_state(new: Version) -> None:
    files = read_folder(VersionFolder(ROOT / "policies", "policies"))
    vocabulary = files["vocabulary.yaml"]
    files["vocabulary.yaml"] = vocabulary.replace(
        'unit: "%", minimum: 0, maximum: 100', 'unit: "%", minimum: 0, maximum: 90', 1
    )
    narrow = build(files, "policies")
    past = [
        Past(facts={"affected_percent": percent, "impact": "high", "urgency": "high", "service": "exchange_online"})
        for percent in (95.0, 85.0, 101.0)
    ]
    for before, after in ((new, narrow), (narrow, new)):
        replayer = Replayer(after, before)
        tally, unread = replayer.replay(chunk_of(past, new))
        same_counts(tally, replayed(past, after, before))
        [priority] = [one for one in replayer.summary(tally, {}, 3).outcomes if one.name == "priority"]
        assert ([one.row for one in unread], tally.tickets, tally.changed, priority.elsewhere) == ([3], 2, 1, 0)
        assert {state.kind for change in priority.regions[0].changes for state in (change.before, change.after)} == {
            StateKind.REFUSED,
            StateKind.DECIDED,
        }
        assert [values.fact for region in priority.regions for values in region.when] == ["affected_percent"]


def test_a_fact_that_one_version_does_not_know_is_not_sent_there(old: Version, new: Version) -> None:
    only = sorted(set(new.policy.facts) ^ set(old.policy.facts))
    name = only[0] if only else "colour"
    value = (new if name in new.policy.facts else old).atoms[name].samples[0] if only else "red"
    tally, unread = Replayer(new, old).replay(chunk_of([Past(facts={name: value})], new))

    assert (tally.tickets, len(unread)) == ((1, 0) if only else (0, 1))


# Budgets


def test_a_budget_is_of_tickets_and_of_each_outcome_and_deadline(new: Version, low_low: Version) -> None:
    rows = [{"impact": "low", "urgency": "low"}] * 2 + [{"impact": "high", "urgency": "high"}] * 98
    past = [
        Past(
            facts={
                **row,
                "stage": "triage",
                "channel": "email",
                "plan": "partner",
                "country": "AU",
                "received_at": START,
            }
        )
        for row in rows
    ]
    replayer = Replayer(low_low, new)
    replay = replayer.summary(replayer.replay(chunk_of(past, new))[0], {}, 100)

    assert excesses(replay, Budget(read_limit("2%"))) == ()
    over = excesses(replay, Budget(read_limit("1")))
    assert over[0].message == "`priority` changes in 2 of 100 tickets (2%); the limit is 1"
    assert over[0].example.startswith("channel=email country=AU impact=low")
    assert "`response_due` changes in 2 of 100 tickets (2%); the limit is 1" in {one.message for one in over}
    forbidden = excesses(
        replay,
        Budget(
            None,
            (
                read_forbidden("priority: P5 -> *"),
                read_forbidden("priority: P4 -> *"),
                read_forbidden("response_due: * -> *"),
            ),
        ),
    )
    assert [one.message for one in forbidden] == [
        "`priority` changes P5 -> P4 in 2 tickets",
        "`response_due` moves in 2 of 100 tickets (2%)",
    ]
    assert forbidden[0].region == "urgency=low", "no other ticket matches"


def test_a_forbidden_change_is_held_against_one_version_alone(new: Version) -> None:
    check_budget(Budget(None, (read_forbidden("priority: P1 -> *"),)), new.policy)
    with pytest.raises(NotABudget, match="`priority` is never `P9`"):
        check_budget(Budget(None, (read_forbidden("priority: P9 -> *"),)), new.policy)


# Wrong use


def test_decisions_and_facts_that_no_version_has_are_refused(old: Version, new: Version) -> None:
    with pytest.raises(UnknownDecision, match="prioriti"):
        Replayer(new, old, decisions=["prioriti"])
    with pytest.raises(ValueError, match="unknown fact `chanel`; did you mean `channel`"):
        Replayer(new, by=("chanel",))


def test_names_and_facts_of_an_example_are_texts(new: Version, low_low: Version) -> None:
    facts = {
        "impact": words_of(["low"]),
        "urgency": words_of(["low"]),
        "received_at": Instants(np.array([to_micros(START)])),
    }
    chunk = Chunk(size=1, facts=facts, rows=np.array([7]), now=START, names=Words(np.array([0]), ("INC7",)))
    assert facts_of(facts, 0)["received_at"] == START
    [example] = Replayer(low_low, new).replay(chunk)[0].outcomes["priority"].spots.values()
    assert (example.row, example.name, dict(example.facts), example.now) == (
        7,
        "INC7",
        {"impact": "low", "urgency": "low", "received_at": "2026-01-23T04:00:00Z"},
        "2026-01-23T04:00:00Z",
    )
