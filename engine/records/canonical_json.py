"""The canonical text of a record, joined from parts: what answers have in common is cached.

The text of an answer without instants is cached whole. Answers with instants differ in their id, their due times and
the outcomes that are instants: the text between these is cached. The text is that of
:class:`~engine.records.record.Record`, which documents it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, Final, NamedTuple, Self, cast

from engine.cache import Cache
from engine.decide.answer_times_json import iso
from engine.model.answer import Answer, VersionRef
from engine.records.record import (
    FORMAT,
    Record,
    Recordable,
    RecordedDecision,
    RecordKind,
    canonical,
    plain_decided,
    recorded_decision,
)

MAX_KEPT: Final = 1_500
"""The most cached texts: to write one takes longer than to decide."""


class RecordText(NamedTuple):
    """A record as text, with the fields by which it is found."""

    id: str
    received: str
    caller: str
    request_id: str
    ticket: str
    version: VersionRef
    text: str


@dataclass(frozen=True, slots=True)
class DatedTemplate:
    """The text of answers that differ in instants only.

    It has the start, the text before each outcome that is an instant with the position of that outcome, and the end.
    """

    start: str
    outcomes: tuple[tuple[str, int], ...]
    end: str

    @classmethod
    def of(cls, made: RecordedDecision, instants: Collection[str]) -> Self:
        """Build the template of a decision; ``instants`` names the outcomes that are instants."""
        start = canonical({"assumptions": made.assumptions, "decision": made.decision})[:-1] + ',"dues":['
        parts: list[tuple[str, int]] = []
        part = ',"outcomes":['
        for number, one in enumerate(made.outcomes):
            part += f'{"," if number else ""}{{"name":{quoted(one.name)},"status":{quoted(one.status)},"value":'
            if one.name in instants:
                parts.append((part, number))
                part = ""
            else:
                part += canonical(one.value)
            part += "}"
        return cls(start, tuple(parts), f"{part}],{canonical({'rules': made.rules, 'status': made.status})[1:]}")

    def text(self, answer: Answer) -> str:
        """Return the text of an answer that differs in instants only."""
        dues, outcomes, at, written = "", "", None, ""
        for due in answer.dues:
            at, written = due.due, _instant(due.due)
            dues += f'{"," if dues else ""}{{"due":{written},"name":{quoted(due.name)}}}'
        for part, place in self.outcomes:
            value = cast("datetime", answer.outcomes[place].value)
            # Most often it is the instant of a deadline, which is already written.
            outcomes += part + (written if value is at else _instant(value))
        return f'{self.start}{dues}],"id":{quoted(answer.id)}{outcomes}{self.end}'


class CanonicalWriter:
    """Writes the text of answers.

    ``hidden`` are masked facts, as for :func:`~engine.records.record.recorded_decision`.
    """

    def __init__(self, hidden: Iterable[str] = (), kept: int = MAX_KEPT) -> None:
        self._hidden = frozenset(hidden)
        self._kept: Cache[str, str] = Cache(kept)
        self._dated: Cache[str, DatedTemplate] = Cache(kept)
        self._versions: Cache[VersionRef, str] = Cache(kept)
        self._orders: Cache[tuple[str, ...], tuple[tuple[str, str], ...]] = Cache(kept)

    def answer(self, answer: Answer) -> str:
        """Return the text of an answer.

        An answer with unlisted values, or whose instants affect other parts, seldom repeats, and is not cached.
        """
        if answer.unlisted or (answer.has_instants and answer.undated_id is None):
            return self._whole(answer)
        if answer.undated_id is None:
            return self._kept.get(answer.id) or self._kept.put(answer.id, self._whole(answer))
        dated = self._dated.get(answer.undated_id)
        if dated is None:
            instants = {one.name for one in answer.outcomes if isinstance(one.value, datetime)}
            dated = self._dated.put(
                answer.undated_id, DatedTemplate.of(recorded_decision(answer, self._hidden), instants)
            )
        return dated.text(answer)

    def record(
        self,
        *,
        record_id: str,
        received: str,
        caller: str,
        request_id: str,
        ticket: str,
        kind: RecordKind,
        facts: Mapping[str, Any],
        now: str,
        pauses: tuple[tuple[str, str | None], ...],
        version: VersionRef,
        answers: Iterable[Answer],
    ) -> RecordText:
        """Return the text of a triage or a decision; the arguments are those of a record, but facts may be instants."""
        named = self._versions.get(version)
        if named is None:
            named = self._versions.put(
                version, canonical({"digest": version.digest, "name": version.name, "version": version.version})
            )
        text = (
            f'{{"caller":{quoted(caller)},"decisions":[{",".join([self.answer(one) for one in answers])}],"facts":{{{self._facts(facts)}}},"format":{FORMAT},'
            f'"id":{quoted(record_id)},"kind":{quoted(kind)},"now":{quoted(now)},"pauses":{canonical(pauses) if pauses else "[]"},'
            f'"received":{quoted(received)},"request_id":{quoted(request_id)},"ticket":{quoted(ticket)},"version":{named}}}'
        )
        return RecordText(
            id=record_id,
            received=received,
            caller=caller,
            request_id=request_id,
            ticket=ticket,
            version=version,
            text=text,
        )

    def _facts(self, facts: Mapping[str, Any]) -> str:
        """Write facts, sorted; callers send the same ones again and again, and most are words."""
        sent = tuple(facts)
        order = self._orders.get(sent) or self._orders.put(
            sent, tuple([(name, f"{quoted(name)}:") for name in sorted(sent)])
        )
        return ",".join(
            [start + (quoted(value) if type(value := facts[name]) is str else _fact(value)) for name, start in order]
        )

    def _whole(self, answer: Answer) -> str:
        return canonical(plain_decided(recorded_decision(answer, self._hidden)))


def whole(record: Recordable) -> Record:
    """Return the canonical text of a whole record."""
    return record if isinstance(record, Record) else Record.read(record.text)


def _fact(value: object) -> str:
    return _instant(value) if isinstance(value, datetime) else canonical(value)


def _instant(at: datetime | None) -> str:
    return "null" if at is None else f'"{iso(at)}"'
