"""A replay over batches counts every row once, and the verification of a log finds every record that differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.columns.fact_columns import Instants, Numbers, facts_of, words_of
from engine.diff import OutcomeState, StateKind
from engine.replay import Replayer
from engine.replay.nouns import Chunk, OutcomeColumn, RecordedDecisions, RejectedRow
from engine.replay.rows import rows_of
from engine.version.build import build
from engine.version.version import Version
from guidepost.past_tickets import SIZE, Batch
from guidepost.replay.run import FIRST, KINDS, OTHER, RejectedRows, limit_batches, replay_source, usual_groups
from guidepost.replay.verify_log import verify_log
from tests.support.deciders import decide
from tests.support.desks import GOOD


@pytest.fixture(scope="module")
def workshop() -> Version:
    return build(GOOD)


@dataclass(slots=True, kw_only=True)
class Source:
    """Batches that a test writes."""

    made: list[Batch]
    name: str = "written batches"
    rows: int | None = None
    notes: list[str] = field(default_factory=list)

    def batches(self, size: int = SIZE) -> Iterator[Batch]:
        assert size > 0
        yield from self.made


def values(version: Version) -> tuple[str, ...]:
    return tuple(value.value for value in version.policy.facts["damage"].values)


def chunk_of(version: Version, numbers: list[int]) -> Chunk:
    """Return a chunk whose tickets follow from their numbers."""
    known = values(version)
    damage = words_of([known[number % len(known)] for number in numbers])
    return Chunk(
        size=len(numbers),
        facts={"damage": damage},
        rows=np.array(numbers, np.int64),
        now=None,
        names=words_of([f"T-{number}" for number in numbers]),
    )


def unread_of(number: int, message: str = "wrong") -> RejectedRow:
    return RejectedRow(row=number, name=f"T-{number}", field="damage", message=message, content="content")


def cut(version: Version, kinds: list[bool], sizes: list[int]) -> Source:
    """Return rows as batches of these sizes, in turn; a row is a ticket or cannot be read."""
    rows, made, at = list(enumerate(kinds, 1)), [], 0
    while rows:
        some, rows = rows[: sizes[at % len(sizes)]], rows[sizes[at % len(sizes)] :]
        made.append(
            Batch(
                chunk=chunk_of(version, [number for number, read in some if read]),
                rejected=tuple(unread_of(number) for number, read in some if not read),
            )
        )
        at += 1
    return Source(made=made)


@given(
    st.lists(st.booleans(), min_size=8, max_size=30),
    st.lists(st.integers(1, 12), min_size=1, max_size=4),
    st.integers(1, 12),
)
@example([True] * 10, [4], 6)
@settings(max_examples=30, deadline=None)
def test_the_first_rows_are_the_same_however_a_source_is_cut(
    workshop: Version, kinds: list[bool], sizes: list[int], limit: int
) -> None:
    seen = [
        row
        for batch in limit_batches(cut(workshop, kinds, sizes), limit)
        for row in (*batch.chunk.rows.tolist(), *(one.row for one in batch.rejected))
    ]

    assert sorted(seen) == list(range(1, min(limit, len(kinds)) + 1))


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.lists(st.integers(1, 12), min_size=1, max_size=4))
@settings(max_examples=15, deadline=None)
def test_a_replay_is_the_same_however_a_source_is_cut_and_every_row_is_in_it(
    workshop: Version, kinds: list[bool], sizes: list[int]
) -> None:
    told: list[RejectedRow] = []
    progress: list[int] = []
    rejected = RejectedRows(write=told.extend)
    replayer = Replayer(workshop, None, usual_groups(workshop))

    found = replay_source(cut(workshop, kinds, sizes), replayer, rejected, lambda rows, _: progress.append(rows))

    assert (found.rows, found.tickets, sum(found.unread.values())) == (len(kinds), sum(kinds), len(kinds) - sum(kinds))
    assert (sum(progress), len(told)) == (len(kinds), rejected.rows)
    assert found == replay_source(cut(workshop, kinds, [100]), replayer, RejectedRows(write=list), lambda *_: None)


def test_a_value_that_the_version_refuses_is_kept_with_the_row_it_stands_in(workshop: Version) -> None:
    batch = Batch(
        chunk=replace(chunk_of(workshop, [1, 2]), facts={"damage": words_of(["worn", "eaten"])}),
        content=lambda row: f"row {row}",
    )
    told: list[RejectedRow] = []

    found = replay_source(Source(made=[batch]), Replayer(workshop), RejectedRows(write=told.extend), lambda *_: None)

    assert (found.rows, found.tickets) == (2, 1)
    assert [(one.row, one.name, one.field, one.content) for one in told] == [(2, "T-2", "damage", "row 2")]


def test_what_is_wrong_with_rows_is_counted_by_kind_up_to_a_number_of_kinds() -> None:
    told: list[RejectedRow] = []
    rejected = RejectedRows(write=told.extend)

    rejected.add(unread_of(number, f"wrong {number % (KINDS + 20)}") for number in range(3 * (KINDS + 20)))

    assert (rejected.rows, len(told), len(rejected.first)) == (360, 360, FIRST)
    assert len(rejected.counted()) == KINDS + 1
    assert list(rejected.counted().items())[-1] == (OTHER, 60)


def test_some_rows_of_a_chunk_are_those_rows_with_all_that_belongs_to_them() -> None:
    start = datetime(2026, 1, 23, tzinfo=UTC)
    times = Instants(np.arange(4, dtype=np.int64), np.array([True, False, True, True]))
    chunk = Chunk(
        size=4,
        facts={"a": words_of(["x", None, "y", "x"]), "b": Numbers(np.arange(4.0)), "c": times},
        rows=np.array([3, 5, 7, 9]),
        now=times,
        names=words_of(["T", "U", None, "W"]),
        holds={1: ((start, None),), 3: ((start, start + timedelta(hours=1)),)},
        recorded=RecordedDecisions(
            outcomes={
                "o": OutcomeColumn(
                    np.array([0, -1, 1, 0]), (OutcomeState(StateKind.DECIDED, "p"), OutcomeState(StateKind.UNDECIDED))
                )
            },
            due={"d": times},
            dated={"d": np.array([True, True, False, True])},
            digest="digest",
        ),
    )

    part = rows_of(chunk, np.array([1, 3]))

    assert [facts_of(part.facts, row) for row in range(2)] == [facts_of(chunk.facts, row) for row in (1, 3)]
    assert (part.size, part.rows.tolist(), part.holds) == (2, [5, 9], {0: chunk.holds[1], 1: chunk.holds[3]})
    assert part.names is not None
    assert [part.names.sent(row) for row in range(2)] == ["U", "W"]
    assert isinstance(part.now, Instants)
    assert [part.now.sent(row) for row in range(2)] == [None, times.sent(3)]
    assert part.recorded is not None
    assert (
        part.recorded.outcomes["o"].codes.tolist(),
        part.recorded.due["d"].micros.tolist(),
        part.recorded.dated["d"].tolist(),
    ) == ([-1, 0], [1, 3], [True, True])


@given(st.sets(st.integers(0, 59)), st.integers(1, 60), st.integers(1, 25))
@settings(max_examples=20, deadline=None)
def test_a_proof_names_exactly_the_records_that_differ_in_their_order_up_to_a_number(
    workshop: Version, altered: set[int], size: int, most: int
) -> None:
    batches = [
        Batch(chunk=_recorded(workshop, list(range(start, min(start + size, 60))), altered))
        for start in range(0, 60, size)
    ]

    found = verify_log(
        Source(made=batches), {workshop.digest: workshop}.get, RejectedRows(write=list), lambda *_: None, most=most
    )

    assert (found.records, found.differing, found.ok) == (60, len(altered), not altered)
    assert [one.row for one in found.mismatches] == sorted(altered)[:most]
    assert all(set(one.outcomes) == {"queue"} for one in found.mismatches)


def _recorded(version: Version, numbers: list[int], altered: set[int]) -> Chunk:
    """Return tickets as they were recorded, some of them with another queue."""
    chunk = chunk_of(version, numbers)
    states = [decide(version, "queue", facts_of(chunk.facts, row))["queue"] for row in range(chunk.size)]
    domain = (
        *(OutcomeState(StateKind.DECIDED, value) for value in ("today", "later")),
        OutcomeState(StateKind.UNDECIDED),
        OutcomeState(StateKind.DECIDED, "elsewhere"),
    )
    kept = [
        next(at for at, state in enumerate(domain) if (state.value, state.kind.value) == (one.value, one.status.value))
        for one in states
    ]
    codes = np.array([3 if number in altered else code for number, code in zip(numbers, kept, strict=True)])
    return replace(
        chunk, recorded=RecordedDecisions(outcomes={"queue": OutcomeColumn(codes, domain)}, digest=version.digest)
    )


def test_records_under_a_version_that_is_not_there_make_a_proof_incomplete(workshop: Version) -> None:
    chunk = _recorded(workshop, [1, 2], set())
    assert chunk.recorded is not None
    other = replace(chunk, recorded=replace(chunk.recorded, digest="another"))

    found = verify_log(
        Source(made=[Batch(chunk=chunk), Batch(chunk=other)]),
        {workshop.digest: workshop}.get,
        RejectedRows(write=list),
        lambda *_: None,
    )

    assert ([one.records for one in found.missing], found.differing, found.ok) == ([2], 0, False)


def test_a_proof_of_no_record_or_with_one_that_cannot_be_read_is_not_whole(workshop: Version) -> None:
    nothing = verify_log(Source(made=[]), {}.get, RejectedRows(write=list), lambda *_: None)
    broken = verify_log(
        Source(made=[Batch(chunk=_recorded(workshop, [1], set()), rejected=(unread_of(2),))]),
        {workshop.digest: workshop}.get,
        RejectedRows(write=list),
        lambda *_: None,
    )

    assert not nothing.ok
    assert not broken.ok
