"""Queries for filters: the database leaves out most entries that do not pass, and the filter then checks the rest.

Rules and outcomes with their values are searched in the text of the record, which is canonical JSON.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, or_, select

from engine.records.filter import Filter
from engine.records.identity import RANDOM, uuid7
from guidepost.decision_log.database_tables import entries

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FLAGS: Final = {"yes": "true", "no": "false"}


def filtered_entries(asked: Filter) -> Select[Any]:
    """Return a query for all entries that pass a filter, and few others."""
    found = select(entries)
    for column, value in (
        (entries.c.ticket, asked.ticket),
        (entries.c.request_id, asked.request_id),
        (entries.c.caller, asked.caller),
    ):
        if value:
            found = found.where(column == value)
    # An id begins with the millisecond of receipt. Instants as text do not sort, since some have no fraction.
    if asked.since is not None and asked.since >= _EPOCH:
        found = found.where(entries.c.id >= uuid7(asked.since, bytes(RANDOM)))
    if asked.until is not None:
        found = found.where(entries.c.id <= uuid7(max(asked.until, _EPOCH), b"\xff" * RANDOM))
    if asked.version:
        found = found.where(
            or_(entries.c.version == asked.version, entries.c.digest.startswith(asked.version, autoescape=True))
        )
    if asked.rule:
        found = found.where(_has(json.dumps(asked.rule)))
    if asked.outcome:
        found = found.where(or_(*(_has(text) for text in outcome_texts(asked.outcome))))
    return found


def outcome_texts(outcome: str) -> list[str]:
    """Return texts of which a record contains one if it has the outcome of a filter.

    >>> outcome_texts("priority")
    ['"name":"priority"']
    >>> outcome_texts("priority=P1")[:2]
    ['"name":"priority","status":"P1"', '"name":"priority","status":"decided","value":"P1"']
    """
    name, given, value = outcome.partition("=")
    start = f'"name":{json.dumps(name)}'
    if not given or not value:
        return [start]
    decided = f'{start},"status":"decided","value":'
    # A list is in brackets; a number has more than one notation.
    texts = [f'{start},"status":{json.dumps(value)}', f"{decided}{json.dumps(value)}", f"{decided}["]
    if value in _FLAGS:
        texts.append(f"{decided}{_FLAGS[value]}")
    with suppress(ValueError):
        float(value)
        texts += [f"{decided}{first}" for first in "-0123456789"]
    return texts


def _has(text: str) -> ColumnElement[bool]:
    return entries.c.body.contains(text, autoescape=True)
