"""Pages of records that pass a filter, with a token for the next page."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from itertools import islice
from typing import Final
from uuid import UUID

from engine.records.chain import Entry
from engine.records.filter import Filter
from engine.records.record import Record
from guidepost.decision_log.store import Store

_MARK: Final = 8


class InvalidPageToken(ValueError):
    """A page token is malformed, or belongs to another filter."""


@dataclass(frozen=True, slots=True)
class Page:
    """Records in the order of receipt, and the token of the next page; "" on the last page."""

    records: tuple[tuple[Entry, Record], ...]
    next_token: str


def page(store: Store, asked: Filter, limit: int, token: str = "") -> Page:
    """Return a page of at most ``limit`` records; raises InvalidPageToken.

    Records that are written meanwhile are on later pages, and none is listed twice.
    """
    after = _read(token, asked) if token else ""
    found = tuple(islice(store.search(asked, after), limit + 1))
    shown = found[:limit]
    return Page(shown, _token(shown[-1][1].id, asked) if len(found) > limit else "")


def _token(last: str, asked: Filter) -> str:
    return base64.urlsafe_b64encode(UUID(last).bytes + _mark(asked)).decode().rstrip("=")


def _read(token: str, asked: Filter) -> str:
    try:
        content = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        content = b""
    if len(content) != 16 + _MARK:
        raise InvalidPageToken("expected the token that the page before contains")
    if content[16:] != _mark(asked):
        raise InvalidPageToken("expected a page token for the same filter, got one for another filter")
    return str(UUID(bytes=content[:16]))


def _mark(asked: Filter) -> bytes:
    return hashlib.sha256(repr(asked).encode()).digest()[:_MARK]
