"""The chain of the decision log: changed, removed, inserted and reordered entries are found."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.clock.zone import EPOCH
from engine.decide.answer_times_json import iso
from engine.records.chain import Entry, Head, Purge, beginning, following
from engine.records.filter import Filter
from engine.records.identity import uuid7
from engine.records.masking import Masking, replayable, unmaskable
from engine.records.merkle import CoveredRange, Tree, climb, path, root
from engine.records.record import Record, canonical, instant, recorded_decision
from engine.records.verify import Break, Tampering, verify
from engine.request.moment import Moment
from tests.support.deciders import decide, triage
from tests.support.records import START, chain, follow, record
from tests.support.servers import NOW, counter_bundle, shipped_bundle

chains = st.lists(st.text(max_size=5), min_size=1, max_size=8).map(chain)
"""Chains of a few entries, equal texts among them."""


def named(breaks: tuple[Break, ...], kind: Tampering) -> set[int]:
    """Return the numbers of the entries with breaks of a kind."""
    return {number for one in breaks if one.kind is kind for number in range(one.sequence, one.last + 1)}


# ---- Whole chains


@given(chains)
def test_a_chain_that_nobody_touched_is_whole(made: tuple[list[Entry], Head]) -> None:
    entries, head = made

    found = verify(entries, [head], [head])

    assert (found.breaks, found.entries, found.heads) == ((), len(entries), (head,))


@given(chains, st.lists(st.text(max_size=5), min_size=1, max_size=5), st.randoms())
def test_chains_of_several_writers_may_be_mixed(made: tuple[list[Entry], Head], bodies: list[str], chance: Any) -> None:
    other, end = chain(bodies, "other")
    mixed = sorted([*made[0], *other], key=lambda entry: (entry.sequence + chance.random() * 0.5, entry.writer))

    assert verify(mixed, ends=[made[1], end]).breaks == ()


def test_the_chains_of_two_writers_are_not_interchangeable() -> None:
    mine, _ = chain(["a", "b"])

    assert named(verify([replace(entry, writer="other") for entry in mine]).breaks, Tampering.CHANGED) == {1, 2}


# ---- Breaks


@given(chains, st.data())
def test_any_change_of_an_entry_is_found(made: tuple[list[Entry], Head], data: st.DataObject) -> None:
    entries, head = made
    at = data.draw(st.integers(0, len(entries) - 1))
    part = data.draw(st.sampled_from(["writer", "sequence", "previous", "hash", "body"]))
    new = data.draw(
        st.integers(-2, 12)
        if part == "sequence"
        else st.text(max_size=6).filter(lambda text: text != "main" or part != "writer")
    )
    altered = replace(entries[at], **{part: new})
    if altered == entries[at]:
        return
    entries[at] = altered

    breaks = verify(entries, ends=[head]).breaks

    assert altered.sequence in named(breaks, Tampering.CHANGED)


def test_a_changed_number_is_the_only_break() -> None:
    entries, head = chain(["a", "b", "c", "d"])
    entries[1] = replace(entries[1], sequence=9)

    assert [(one.kind, one.sequence) for one in verify(entries, ends=[head]).breaks] == [
        (Tampering.REMOVED, 2),
        (Tampering.CHANGED, 9),
    ]


@given(chains, st.data())
def test_a_removed_entry_is_found(made: tuple[list[Entry], Head], data: st.DataObject) -> None:
    entries, head = made
    gone = entries.pop(data.draw(st.integers(0, len(entries) - 1)))

    breaks = verify(entries, ends=[head]).breaks

    assert named(breaks, Tampering.REMOVED) == {gone.sequence}
    assert {one.kind for one in breaks} == {Tampering.REMOVED}


@given(chains, st.data())
def test_an_inserted_entry_is_found_even_if_its_hash_is_right(
    made: tuple[list[Entry], Head], data: st.DataObject
) -> None:
    entries, head = made
    before = data.draw(st.sampled_from([*entries, None]))
    previous = Head("main", data.draw(st.integers(0, len(entries))), before.hash if before else "made up")
    forged, _ = follow(previous, data.draw(st.text(max_size=5)))
    entries.insert(data.draw(st.integers(0, len(entries))), forged)

    breaks = verify(entries, ends=[head]).breaks

    assert forged.sequence in named(breaks, Tampering.INSERTED)


@given(chains, st.data())
def test_reordered_entries_are_found(made: tuple[list[Entry], Head], data: st.DataObject) -> None:
    entries, head = made
    if len(entries) < 2:
        return
    first, second = sorted(data.draw(st.lists(st.integers(0, len(entries) - 1), min_size=2, max_size=2, unique=True)))
    entries[first], entries[second] = entries[second], entries[first]

    breaks = verify(entries, ends=[head]).breaks

    assert first + 1 in named(breaks, Tampering.REORDERED)
    assert {one.kind for one in breaks} == {Tampering.REORDERED}


@given(chains, st.data())
def test_a_replaced_entry_with_a_right_hash_is_found(made: tuple[list[Entry], Head], data: st.DataObject) -> None:
    entries, head = made
    at = data.draw(st.integers(0, len(entries) - 1))
    entries[at], _ = follow(Head("main", at, entries[at].previous), entries[at].body + "!")

    assert named(verify(entries, [head]).breaks, Tampering.CHANGED) == {at + 1}


@given(chains, st.data())
def test_a_rewritten_chain_is_found_by_an_exported_head(made: tuple[list[Entry], Head], data: st.DataObject) -> None:
    entries, head = made
    at = data.draw(st.integers(0, len(entries) - 1))
    bodies = [entry.body + "!" * (number >= at) for number, entry in enumerate(entries)]
    forged, end = chain(bodies)

    assert verify(forged, ends=[end]).breaks == ()
    assert named(verify(forged, [head], [end]).breaks, Tampering.CHANGED) == {head.sequence}


@given(chains, st.integers(1, 8))
def test_a_cut_chain_is_found_by_an_exported_head(made: tuple[list[Entry], Head], cut: int) -> None:
    entries, head = made
    left = entries[:-cut]

    assert named(verify(left, [head]).breaks, Tampering.REMOVED) == set(range(len(left) + 1, head.sequence + 1))


def test_a_break_names_its_chain_and_entry() -> None:
    entries, _ = chain(["a", "b", "c", "d"])

    assert [str(one) for one in verify([entries[0], entries[3]]).breaks] == [
        "main: entries 2 to 3 removed: no entries with these numbers"
    ]


# ---- Trees

leaves = st.lists(st.text(max_size=3), min_size=1, max_size=40)


@given(leaves)
def test_every_leaf_of_a_tree_has_a_path_that_leads_to_its_root(made: list[str]) -> None:
    assert {climb(leaf, at, len(made), path(made, at)) for at, leaf in enumerate(made)} == {root(made)}


@given(leaves)
def test_a_tree_that_grows_leaf_by_leaf_has_the_root_of_all_of_them(made: list[str]) -> None:
    tree = Tree()
    for leaf in made:
        tree.add(leaf)

    assert (tree.size, tree.root) == (len(made), root(made))


@given(leaves, st.data())
def test_a_path_is_valid_for_one_leaf_one_place_and_one_size(made: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(made) - 1))
    right = path(made, at)
    bit = data.draw(st.integers(0, 64 * len(right) * 4 - 1)) if right else 0
    step, digit = divmod(bit // 4, 64)
    flipped = [
        f"{one[:digit]}{int(one[digit], 16) ^ 1 << bit % 4:x}{one[digit + 1 :]}" if number == step else one
        for number, one in enumerate(right)
    ]

    assert climb(made[at] + "!", at, len(made), right) != root(made)
    assert all(
        climb(made[at], other, len(made), right) != root(made)
        for other in range(-1, len(made) + 1)
        if other != at and (len(set(made)) == len(made))
    )
    assert not right or climb(made[at], at, len(made), flipped) != root(made)
    assert climb(made[at], at, len(made), (*right, "00" * 32)) == ""


def test_a_leaf_cannot_pass_for_a_node_nor_a_root_for_a_leaf() -> None:
    # The tree of RFC 6962, spelled out: a leaf begins with the byte 0, a node with the byte 1.
    one, two = (hashlib.sha256(b"\x00" + leaf).digest() for leaf in (b"a", b"b"))

    assert root(["a", "b"]) == hashlib.sha256(b"\x01" + one + two).hexdigest()
    assert climb("a", 0, 1, ()) == one.hex()


@given(chains, st.data())
def test_the_root_of_a_head_is_compared_with_the_entries(made: tuple[list[Entry], Head], data: st.DataObject) -> None:
    entries, head = made
    since = data.draw(st.integers(0, len(entries) - 1))
    last = data.draw(st.integers(since + 1, len(entries)))
    right = CoveredRange(
        writer="main", since=since, last=last, root=root([entry.hash for entry in entries[since:last]])
    )

    assert verify(entries, ends=[head], trees=[right, right]).breaks == ()
    wrong = verify(entries, ends=[head], trees=[right, replace(right, root="0" * 64)])
    assert [(one.kind, one.sequence, one.last) for one in wrong.breaks] == [(Tampering.CHANGED, since + 1, last)]


# ---- Purges


@given(chains, st.data())
def test_a_chain_is_whole_after_the_note_of_a_purge(made: tuple[list[Entry], Head], data: st.DataObject) -> None:
    entries, head = made
    at = data.draw(st.integers(1, len(entries)))
    note = Purge(writer="main", sequence=at, hash=entries[at - 1].hash, before="", purged="", by="")
    heads = [Head("main", entry.sequence, entry.hash) for entry in entries]

    found = verify([note, *entries[at:]], heads, [head])

    assert (found.breaks, found.entries, found.heads) == ((), len(entries) - at, (head,))
    assert found.unheld == tuple(heads[: at - 1])


@given(chains, st.data())
def test_a_note_that_does_not_match_the_chain_is_found(made: tuple[list[Entry], Head], data: st.DataObject) -> None:
    entries, head = made
    at = data.draw(st.integers(1, len(entries)))
    note = Purge(writer="main", sequence=at, hash=entries[at - 1].hash, before="", purged="", by="")

    assert named(verify([replace(note, hash="f" * 64), *entries[at:]], [head], [head]).breaks, Tampering.CHANGED) == {
        min(at + 1, len(entries))
    }
    assert named(verify([note, *entries[at - 1 :]], ends=[head]).breaks, Tampering.INSERTED) == {at}
    if at < len(entries):
        assert named(verify([note, *entries[at + 1 :]], ends=[head]).breaks, Tampering.REMOVED) == {at + 1}


def test_a_note_after_its_entries_is_ignored() -> None:
    entries, head = chain(["a", "b", "c"])

    assert named(
        verify(
            [*entries[1:], Purge(writer="main", sequence=1, hash=entries[0].hash, before="", purged="", by="")],
            ends=[head],
        ).breaks,
        Tampering.REMOVED,
    ) == {1}


# ---- Records


@given(
    st.lists(st.one_of(st.text(max_size=50), st.integers(2040, 6200).map("é".__mul__)), max_size=4),
    st.text(min_size=1, max_size=5),
)
def test_the_hash_of_an_entry_is_that_of_its_parts_one_after_the_other(bodies: list[str], writer: str) -> None:
    entries, last = chain(bodies, writer)

    name = writer.encode(errors="surrogatepass")
    for entry in entries:
        start = f"{len(name)}:".encode() + name + f" {entry.sequence} {entry.previous}\n".encode()
        assert (
            entry.hash
            == hashlib.sha256(
                b"guidepost decision log entry, format 1\n" + start + entry.body.encode(errors="surrogatepass")
            ).hexdigest()
        )
    assert list(following(beginning(writer), bodies)) == [entry.hash for entry in entries]
    assert last.hash == (entries[-1].hash if entries else beginning(writer).hash)


MANILA = ZoneInfo("Asia/Manila")


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(0)), timezone(timedelta(hours=11)), MANILA])))
@example(datetime(1936, 11, 1, 0, 30, tzinfo=MANILA))
@example(datetime(1937, 1, 15, 23, 30, tzinfo=MANILA))
def test_an_instant_is_written_as_the_standard_library_does_and_z_for_utc(at: datetime) -> None:
    assert iso(at) == at.isoformat().replace("+00:00", "Z")
    # As instants: for Python, a time that a clock skipped or showed twice is not equal to a time of another zone.
    assert instant(iso(at)) - EPOCH == at - EPOCH


@given(st.binary(min_size=10, max_size=10))
def test_an_id_has_version_7_and_its_millisecond(random: bytes) -> None:
    made = UUID(uuid7(NOW, random))

    assert (made.version, made.variant, made.int >> 80) == (7, "specified in RFC 4122", NOW.timestamp() * 1000)
    assert uuid7(NOW, bytes(10)) <= str(made) <= uuid7(NOW, b"\xff" * 10)


def test_ids_sort_by_their_instant() -> None:
    early, late = uuid7(NOW, b"\xff" * 10), uuid7(NOW + timedelta(milliseconds=1), bytes(10))

    assert early < late
    assert (UUID(early).version, UUID(early).variant) == (7, "specified in RFC 4122")
    assert UUID(late).int >> 80 == (NOW + timedelta(milliseconds=1)).timestamp() * 1000
    with pytest.raises(ValueError, match="10 random bytes"):
        uuid7(NOW, b"")


@given(
    st.dictionaries(
        st.text(max_size=4),
        st.one_of(st.text(max_size=4), st.booleans(), st.floats(allow_nan=False, allow_infinity=False)),
        max_size=4,
    ),
    st.text(max_size=5),
)
def test_a_record_is_read_back_as_it_was_and_has_one_text(facts: dict[str, Any], ticket: str) -> None:
    made = record(1, facts=facts, ticket=ticket, pauses=(("a", None), ("b", "c")))

    assert Record.read(made.text) == made
    assert Record.read(made.text).text == made.text
    assert replace(made, facts=dict(reversed(facts.items()))).text == made.text


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 2}', '{"format": 1, "id": "x"}'])
def test_a_text_that_is_not_a_record_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match=r"record|JSON|Expecting"):
        Record.read(text)


def test_a_record_of_a_triage_holds_outcomes_rules_assumptions_and_due_times() -> None:
    version = shipped_bundle().versions[-1]
    facts = {"assigned_priority": "P3", "plan": "partner", "country": "AU", "received_at": "2026-01-23T15:00+11:00"}
    answers = triage(version, facts, Moment(NOW))
    response = next(recorded_decision(answer) for answer in answers if answer.decision == "response")

    assert [(due.name, due.due) for due in response.dues] == [("response_due", "2026-01-27T04:00:00Z")]
    assert ("response_due", "decided", "2026-01-27T04:00:00Z") in [
        (one.name, one.status, one.value) for one in response.outcomes
    ]
    assert set(response.assumptions) <= set(response.rules) != set()
    assert Record.read(
        record(1, decisions=tuple(recorded_decision(answer) for answer in answers)).text
    ).decisions == tuple(recorded_decision(answer) for answer in answers)


# ---- Privacy

KEYED = Masking(b"k" * 32)


def test_texts_are_masked_by_default() -> None:
    known = shipped_bundle().versions[-1].policy.facts
    sent = {"contact_email": "ann@example.org", "explanation": " ", "impact": "high", "country": None}

    assert Masking().facts(sent, known) == {
        "contact_email": {"masked": "given"},
        "explanation": {"masked": "blank"},
        "impact": "high",
    }
    assert "ann" not in canonical(KEYED.facts(sent, known))
    assert Masking(clear=frozenset({"contact_email"})).facts(sent, known)["contact_email"] == "ann@example.org"


def test_equal_texts_have_equal_tokens_under_one_key_and_others_under_another() -> None:
    assert KEYED.token("ann@example.org") == KEYED.token("ann@example.org") != KEYED.token("bob@example.org")
    assert Masking(b"l" * 32).token("ann@example.org") != KEYED.token("ann@example.org")


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["contact_email", "explanation", "reason", "troubleshooting_steps", "service", "impact"]),
        st.sampled_from(["", " ", "x", "words of mine"]),
    )
)
def test_masked_facts_decide_the_same(sent: dict[str, str]) -> None:
    version = shipped_bundle().versions[-1]
    if "impact" in sent:
        sent["impact"] = "high"
    if not sent.get("service", "x").strip():
        del sent["service"]
    masking = replace(KEYED, more=frozenset({"service"}))
    masked = json.loads(canonical(masking.facts(sent, version.policy.facts)))

    def shown(facts: dict[str, Any]) -> list[Any]:
        return [replace(recorded_decision(answer), id="") for answer in triage(version, facts)]

    assert shown(replayable(masked)) == shown(sent)
    assert "words of mine" not in canonical(masked)


def test_an_id_made_of_masked_words_is_not_recorded() -> None:
    answer = decide(counter_bundle().versions[0], "gift", {"colour": "my own words"})

    assert (recorded_decision(answer).id, recorded_decision(answer, ["colour"]).id) == (answer.id, "")


def test_only_facts_that_a_replay_can_do_without_can_be_masked() -> None:
    assert unmaskable(
        ["service", "explanation", "impact", "affected_percent", "nonsense"], [shipped_bundle().versions[-1].policy]
    ) == ["affected_percent", "impact", "nonsense"]


# ---- Filters


@pytest.mark.parametrize(
    ("asked", "passes"),
    [
        (Filter(), True),
        (Filter(ticket="T-1"), True),
        (Filter(ticket="T-2"), False),
        (Filter(caller="desk"), True),
        (Filter(caller="x"), False),
        (Filter(request_id="r"), True),
        (Filter(request_id="x"), False),
        (Filter(version="7.0.0"), True),
        (Filter(version="ab"), True),
        (Filter(version="7"), False),
        (Filter(rule="queues.vip"), True),
        (Filter(rule="queues"), False),
        (Filter(outcome="queue"), True),
        (Filter(outcome="queue=fast"), True),
        (Filter(outcome="queue=slow"), False),
        (Filter(outcome="wait=fast"), False),
        (Filter(since=START), True),
        (Filter(until=START), False),
        (Filter(since=datetime(2026, 1, 23, 4, 0, 2, tzinfo=UTC)), False),
        (Filter(until=datetime(2026, 1, 23, 4, 0, 1, tzinfo=UTC)), False),
    ],
)
def test_a_record_passes_a_filter_if_it_matches_every_field(asked: Filter, passes: bool) -> None:
    assert asked.passes(record(1, request_id="r")) is passes
