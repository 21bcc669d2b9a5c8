"""Benchmarks of a triage in process: facts in, all decisions of a new ticket with rules and assumptions out."""

from __future__ import annotations

import json
import statistics
from datetime import timedelta
from pathlib import Path
from typing import Final

from benchmarks.measure import Row, each, in_turns, per_call, percentile, ratio
from benchmarks.tickets import START, Facts, draw
from engine.decide.decider import Decider
from engine.request.moment import Moment
from engine.version.build import build
from engine.version.version import Version
from guidepost.policies.sources.folder import read_folder, version_folders

POLICIES: Final = Path(__file__).resolve().parent.parent / "policies"

HOT: Final = 200
"""Distinct tickets of the hot mix."""

HOT_ROUNDS: Final = 41
"""How often they are asked; many short rounds, as shared machines have slow and quick spells of a second or so."""

STREAM: Final = 20_000
"""Tickets of the mixed stream."""

COLD_ROUNDS: Final = 3
"""How often a version is built anew to be asked for the first time."""

GOAL: Final = 10.0

INSTANTS: Final = frozenset({"received_at"})
NOW: Final = Moment(START + timedelta(days=1))


def rows() -> list[Row]:
    """Measure it."""
    return [*_hot(Decider(_version())), *_stream()]


def _hot(decider: Decider) -> list[Row]:
    """Time a few repeated tickets, without their instants and with due times."""
    dated = draw(decider.version, HOT, seed=1) * 10
    tickets = [{name: value for name, value in facts.items() if name not in INSTANTS} for facts in dated]
    taken = [each(decider.triage, tickets) for _ in range(HOT_ROUNDS + 1)][1:]
    due = [each(lambda facts: decider.triage(facts, NOW), dated) for _ in range(HOT_ROUNDS + 1)][1:]
    turns = in_turns(
        {
            "all": lambda: per_call(decider.triage, tickets),
            "read": lambda: per_call(decider.version.reader.read, tickets),
            "json": lambda: per_call(lambda facts: json.dumps(facts, default=str), tickets),
        }
    )
    group = f"triage, {HOT} tickets over and over"
    return [
        Row(group=group, what="median", value=_middle(taken, 0.5), unit="µs", goal=GOAL),
        Row(
            group=group,
            what="median, in the quietest round",
            value=min(percentile(one, 0.5) for one in taken),
            unit="µs",
        ),
        Row(group=group, what="99 %", value=_middle(taken, 0.99), unit="µs"),
        Row(
            group=group,
            what="with due times, how they stand and who has the turn: median",
            value=_middle(due, 0.5),
            unit="µs",
        ),
        Row(
            group=group,
            what="with due times, how they stand and who has the turn: 99 %",
            value=_middle(due, 0.99),
            unit="µs",
        ),
        Row(group=group, what="in a loop, mean", value=statistics.median(turns["all"]), unit="µs"),
        Row(group=group, what="of which reading the facts, mean", value=statistics.median(turns["read"]), unit="µs"),
        Row(
            group=group,
            what="against writing the same facts as JSON (json.dumps)",
            value=ratio(turns["json"], turns["all"]),
            unit="x",
        ),
    ]


def _stream() -> list[Row]:
    """Time a stream of new tickets with a new decider, and the same stream again."""
    anew, seen, again = [], [], []
    for _ in range(COLD_ROUNDS):
        decider = Decider(_version())
        tickets = draw(decider.version, STREAM, seed=2)
        first, others = _told_apart(decider, tickets)
        anew.append(first)
        seen.append(others)
        again.append(each(lambda facts, decider=decider: decider.triage(facts, NOW), tickets))
    group = f"triage with due times, a stream of {STREAM:,} tickets"
    return [
        Row(group=group, what="the second time: median", value=_middle(again, 0.5), unit="µs"),
        Row(group=group, what="the second time: 99 %", value=_middle(again, 0.99), unit="µs"),
        Row(
            group=group,
            what="from a cold start: all tickets, median",
            value=_middle([one + other for one, other in zip(anew, seen, strict=True)], 0.5),
            unit="µs",
        ),
        Row(
            group=group,
            what="from a cold start: all tickets, mean",
            value=statistics.median(sum(one + other) / STREAM / 1000 for one, other in zip(anew, seen, strict=True)),
            unit="µs",
        ),
        Row(
            group=group,
            what="from a cold start: tickets with an answer not given before",
            value=100 * len(anew[0]) / STREAM,
            unit="%",
        ),
        Row(group=group, what="from a cold start: these, median", value=_middle(anew, 0.5), unit="µs"),
        Row(group=group, what="from a cold start: these, 99 %", value=_middle(anew, 0.99), unit="µs"),
        Row(group=group, what="from a cold start: the others, median", value=_middle(seen, 0.5), unit="µs"),
    ]


def _told_apart(decider: Decider, tickets: list[Facts]) -> tuple[list[int], list[int]]:
    """Time each ticket, and separate those that compute an answer from those that only look answers up."""
    first, again = [], []
    known = 0
    for ticket in tickets:
        taken = each(lambda facts: decider.triage(facts, NOW), (ticket,))[0]
        now = decider.cached_answers
        (first if now > known else again).append(taken)
        known = now
    return first, again


def _version() -> Version:
    """Return a new decider of the version in force, with empty caches."""
    folder = version_folders(POLICIES)[0]
    return build(read_folder(folder), folder.root)


def _middle(rounds: list[list[int]], share: float) -> float:
    return statistics.median(percentile(taken, share) for taken in rounds)
