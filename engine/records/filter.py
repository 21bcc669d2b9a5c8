"""A filter of records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.decide.answer_json import written
from engine.records.record import Record, instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """The conditions on a record; "" and None mean no condition.

    ``version`` is its number or the beginning of its digest, ``outcome`` a name, or a name and a value as
    ``NAME=VALUE``;
    ``since`` counts and ``until`` does not.
    """

    ticket: str = ""
    request_id: str = ""
    caller: str = ""
    version: str = ""
    rule: str = ""
    outcome: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def passes(self, record: Record) -> bool:
        """Return whether a record matches."""
        at = instant(record.received)
        return (
            (not self.ticket or record.ticket == self.ticket)
            and (not self.request_id or record.request_id == self.request_id)
            and (not self.caller or record.caller == self.caller)
            and (
                not self.version
                or record.version.version == self.version
                or record.version.digest.startswith(self.version)
            )
            and (self.since is None or at >= self.since)
            and (self.until is None or at < self.until)
            and (not self.rule or any(self.rule in decided.rules for decided in record.decisions))
            and (not self.outcome or self._has_outcome(record))
        )

    def _has_outcome(self, record: Record) -> bool:
        name, given, value = self.outcome.partition("=")
        found = [one for decided in record.decisions for one in decided.outcomes if one.name == name]
        if not given:
            return bool(found)
        return any(value in ((one.status, "") if one.value is None else (_text(one.value),)) for one in found)


def _text(value: object) -> str:
    """Write a recorded value as a policy does."""
    return written(tuple(value) if isinstance(value, list) else value)  # type: ignore[arg-type]
