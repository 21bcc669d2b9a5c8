"""Callers, by their keys, certificates and subjects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from guidepost.server.auth.roles import Caller


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a caller: its hash, and when it expires."""

    caller: Caller
    sha256: str
    expires: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """All callers by their credentials: ids of keys, names in certificates, and subjects of tokens."""

    keys: Mapping[str, Key] = field(default_factory=dict)
    certificates: Mapping[str, Caller] = field(default_factory=dict)
    subjects: Mapping[str, Caller] = field(default_factory=dict)
    names: tuple[str, ...] = ()


def expired_keys(callers: Callers, now: datetime) -> list[str]:
    """Return a message for each key that has expired at an instant, in the order of the file.

    >>> from datetime import UTC
    >>> key = Key(Caller("portal", frozenset()), "", datetime(2025, 7, 1, tzinfo=UTC))
    >>> expired_keys(Callers(keys={"5f0c9a3b1d2e": key}), datetime(2025, 7, 1, tzinfo=UTC))
    ['the key 5f0c9a3b1d2e of `portal`: expired on 2025-07-01']
    """
    return [
        f"the key {id_} of `{key.caller.name}`: expired on {key.expires:%Y-%m-%d}"
        for id_, key in callers.keys.items()
        if key.expires is not None and key.expires <= now
    ]
