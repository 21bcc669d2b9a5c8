"""How somebody is refused: he does not prove who he is, he may not do this, or what he asks for is not there."""

from __future__ import annotations


class Unproven(Exception):
    """A call does not prove who makes it; says how it could, and never what was wrong with a secret."""


class Forbidden(Exception):
    """Whoever calls may not do this: what, and what to do about it."""


class NoLog(Exception):
    """The server keeps no decision log."""


class UnknownRecord(LookupError):
    """There is no record with this id."""


class NotExplained(Exception):
    """A record cannot be explained or certified here; says why."""
