"""The text of a record, joined from cached parts, is its canonical text, however often and in any order of answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.decide.answer_times_json import iso
from engine.model.answer import Answer
from engine.records.canonical_json import CanonicalWriter, whole
from engine.records.masking import Masking
from engine.records.record import Record, RecordKind, instant, plain_pauses, recorded_decision
from engine.request.moment import Moment, read_moment
from engine.version.build import build
from engine.version.version import Version
from tests.support.deciders import decide, triage
from tests.support.desks import GOOD
from tests.support.servers import COUNTER

NOON = datetime(2026, 6, 5, 12, tzinfo=UTC)
WORKSHOP = build(GOOD)
DESKS = (WORKSHOP, build(COUNTER))
INSTANTS = st.sampled_from(
    [NOON, NOON + timedelta(microseconds=7), NOON - timedelta(days=40), datetime(2031, 1, 1, tzinfo=UTC)]
)
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "damage": st.sampled_from(["broken", "worn", "none", "dead"]),
        "rider": st.sampled_from(["courier", "other"]),
        "part": st.sampled_from(["é", '"quoted"', "chain"]),
        "brake_wear": st.sampled_from([0, 90.5, 100]),
        "guarantee": st.booleans(),
        "note": st.text(max_size=5),
        "came_at": INSTANTS,
        "called_at": INSTANTS,
        "stand": st.sampled_from(["oslo", "hobart"]),
    },
)
SIZES = st.fixed_dictionaries(
    {},
    optional={
        "size": st.integers(0, 50),
        "vip": st.booleans(),
        "colour": st.sampled_from(["red", "rde", "Ruby red", "\x00"]),
        "impact": st.sampled_from(["1", "2"]),
        "weight": st.floats(0, 9),
    },
)
MOMENTS = st.builds(lambda now, hold: read_moment(now, [(NOON, None)] if hold else []), INSTANTS, st.booleans())

MASKINGS = (Masking(), Masking(b"k" * 32, frozenset({"note"}), frozenset({"part", "colour"})))
KEPT = [CanonicalWriter(masking.more, kept=5) for masking in MASKINGS]
"""Kept over all examples, as a server does, and soon full."""


def both(
    texts: CanonicalWriter,
    masking: Masking,
    version: Version,
    facts: Mapping[str, Any],
    moment: Moment,
    answers: tuple[Answer, ...],
    kind: RecordKind = RecordKind.TRIAGE,
) -> tuple[str, Record]:
    """Return the text of a record as a server joins it, and the record, whose text is written whole."""
    known, pauses = version.policy.facts, plain_pauses(moment.holds)
    recorded = masking.facts(facts, known)
    sent = {**facts, **masking.masked(facts, known, masking.hidden(known))}
    at, now = iso(NOON), iso(moment.now or NOON)
    made = Record(
        id="id",
        received=at,
        caller='a "caller"',
        request_id="r-1",
        ticket="INC \\ 7",
        kind=kind,
        facts=recorded,
        now=now,
        pauses=pauses,
        version=version.ref,
        decisions=tuple(recorded_decision(one, masking.more) for one in answers),
    )
    text = texts.record(
        record_id="id",
        received=at,
        caller='a "caller"',
        request_id="r-1",
        ticket="INC \\ 7",
        kind=kind,
        facts=sent,
        now=now,
        pauses=pauses,
        version=version.ref,
        answers=answers,
    )
    return text.text, made


@settings(deadline=None)
@given(st.sampled_from([0, 1]), st.sampled_from([0, 1]), FACTS, SIZES, MOMENTS)
def test_a_joined_text_is_the_canonical_one(
    which: int, desk: int, facts: dict[str, Any], sizes: dict[str, Any], moment: Moment
) -> None:
    version, sent = DESKS[desk], (facts, sizes)[desk]
    answers = tuple(decide(version, name, sent, moment) for name in version.plans)

    for texts in (KEPT[which], CanonicalWriter(MASKINGS[which].more)):
        joined, made = both(texts, MASKINGS[which], version, sent, moment, answers)
        assert joined == made.text
    assert Record.read(joined).text == joined


def test_answers_that_differ_in_instants_only_share_all_but_these() -> None:
    texts = CanonicalWriter()
    asked = [Moment(NOON + timedelta(minutes=number)) for number in range(3)]
    for moment in asked:
        facts = {"damage": "broken", "rider": "other", "came_at": moment.now, "stand": "oslo", "brake_wear": 90}
        joined, made = both(
            texts, Masking(), WORKSHOP, facts, moment, (decide(WORKSHOP, "pickup", facts, moment),), RecordKind.DECIDE
        )
        assert joined == made.text
        assert instant(str(made.decisions[0].dues[0].due)) > NOON

    assert (len(texts._dated), len(texts._kept)) == (1, 0)


def test_what_holds_words_of_the_caller_is_not_kept() -> None:
    texts = CanonicalWriter()
    given = triage(WORKSHOP, {"part": "my own part"})
    for answer in given:
        texts.answer(answer)

    assert all(texts._kept.get(answer.id) is None for answer in given if answer.unlisted)
    assert len(texts._kept) == len([answer for answer in given if not answer.unlisted])


def test_a_record_is_whole_whether_it_was_written_or_not() -> None:
    texts = CanonicalWriter()
    answers = triage(WORKSHOP, {"damage": "worn"})
    made = Record(
        id="id",
        received="r",
        caller="",
        request_id="",
        ticket="",
        kind=RecordKind.TRIAGE,
        facts={},
        now="n",
        pauses=(),
        version=WORKSHOP.ref,
        decisions=tuple(recorded_decision(one) for one in answers),
    )

    text = texts.record(
        record_id="id",
        received="r",
        caller="",
        request_id="",
        ticket="",
        kind=RecordKind.TRIAGE,
        facts={},
        now="n",
        pauses=(),
        version=WORKSHOP.ref,
        answers=answers,
    )

    assert whole(text) == whole(Record.read(made.text))
    assert whole(made) is made


def test_a_record_without_a_change_says_nothing_of_one() -> None:
    assert (
        "change"
        not in Record(
            id="id",
            received="r",
            caller="",
            request_id="",
            ticket="",
            kind=RecordKind.TRIAGE,
            facts={},
            now="n",
            pauses=(),
            version=WORKSHOP.ref,
            decisions=(),
        ).text
    )
