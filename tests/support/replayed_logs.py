"""Decision logs made of real decisions, as a server would record them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from engine.decide.answer_times_json import iso
from engine.records.masking import Masking
from engine.records.record import Record, RecordKind, recorded_decision
from engine.request.moment import Moment
from engine.version.version import Version
from tests.support.deciders import triage
from tests.support.records import START, record


def records(version: Version, tickets: Sequence[Mapping[str, object]], first: int = 1) -> list[Record]:
    """Decide tickets as new ones, a second apart, and give what is recorded of it."""
    return [
        _record(number, version, facts, START + timedelta(seconds=number))
        for number, facts in enumerate(tickets, first)
    ]


def _record(number: int, version: Version, facts: Mapping[str, object], now: datetime) -> Record:
    answers = triage(version, facts, Moment(now, ()))
    return record(
        number,
        version=version.ref,
        kind=RecordKind.TRIAGE,
        facts=Masking().facts(facts, version.policy.facts),
        now=iso(now),
        decisions=tuple(map(recorded_decision, answers)),
    )
