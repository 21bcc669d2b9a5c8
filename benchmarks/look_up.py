"""How long one triage takes in process: facts in, all decisions of a new ticket out, with rules, places and assumptions."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Final

from benchmarks.measure import ROUNDS, Row, each, in_turns, per_call, percentile
from benchmarks.tickets import Facts, draw
from engine.decide import triage
from engine.version import Version
from service.store import build_bundle

POLICIES: Final = Path(__file__).resolve().parent.parent / "policies"

HOT: Final = 200
"""Distinct tickets of the hot mix."""

STREAM: Final = 20_000
"""Tickets of the mixed stream."""

GOAL: Final = 10.0


def rows() -> list[Row]:
    """Measure it."""
    version = build_bundle(POLICIES).versions[-1]
    return [*_hot(version), *_stream(version)]


def _hot(version: Version) -> list[Row]:
    """The same few tickets again and again."""
    tickets = draw(version, HOT, seed=1) * 50
    taken = [each(lambda facts: triage(version, facts), tickets) for _ in range(ROUNDS + 1)][1:]
    turns = in_turns({
        "all": lambda: per_call(lambda facts: triage(version, facts), tickets),
        "read": lambda: per_call(version.reader.read, tickets),
    })
    group = f"triage, {HOT} tickets over and over"
    return [
        Row(group, "median", _middle(taken, 0.5), "µs", GOAL),
        Row(group, "99 %", _middle(taken, 0.99), "µs"),
        Row(group, "in a loop, mean", statistics.median(turns["all"]), "µs"),
        Row(group, "of which reading the facts, mean", statistics.median(turns["read"]), "µs"),
    ]


def _stream(version: Version) -> list[Row]:
    """A stream of new tickets: first to a version that has seen none, then the same stream once more."""
    tickets = draw(version, STREAM, seed=2)
    anew, seen, share = [], [], 0.0
    for _ in range(3):
        _forget(version)
        first, again = _told_apart(version, tickets)
        share = len(first) / len(tickets)
        anew.append(first)
        seen.append(again)
    whole = [each(lambda facts: triage(version, facts), tickets) for _ in range(3)]
    group = f"triage, a stream of {STREAM:,} tickets"
    return [
        Row(group, "all of it seen before: median", _middle(whole, 0.5), "µs", GOAL),
        Row(group, "all of it seen before: 99 %", _middle(whole, 0.99), "µs"),
        Row(group, "from the start: share with a decision that is new", 100 * share, "%"),
        Row(group, "from the start: nothing new, median", _middle(seen, 0.5), "µs"),
        Row(group, "from the start: something new, median", _middle(anew, 0.5), "µs"),
        Row(group, "from the start: something new, 99 %", _middle(anew, 0.99), "µs"),
    ]


def _told_apart(version: Version, tickets: list[Facts]) -> tuple[list[int], list[int]]:
    """Time each ticket; tell those for which an answer had to be put together from those that only look answers up."""
    first, again = [], []
    known = 0
    for ticket in tickets:
        taken = each(lambda facts: triage(version, facts), (ticket,))[0]
        now = sum(len(plan.seen) for plan in version.triage)
        (first if now > known else again).append(taken)
        known = now
    return first, again


def _forget(version: Version) -> None:
    for plan in version.triage:
        plan.seen.clear()
    version.duty.clear()


def _middle(rounds: list[list[int]], share: float) -> float:
    return statistics.median(percentile(taken, share) for taken in rounds)
