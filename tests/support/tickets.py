"""What tests of past tickets share: a vocabulary without a tabulated version, foreign rows, and the tickets that come of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from engine.columns.sent import facts_of
from engine.model.vocabulary import Fact, FactType, Value
from guidepost.tickets import Batch, ColumnMapping, Mapper, TicketSource, Vocabulary, mapping_of


def _choice(name: str, *values: str, open_: bool = False, aliases: Mapping[str, tuple[str, ...]] | None = None) -> Fact:
    return Fact(
        name,
        FactType.CHOICE,
        values=tuple(Value(value, aliases=(aliases or {}).get(value, ())) for value in values),
        open=open_,
    )


FACTS = {
    fact.name: fact
    for fact in (
        _choice("size", "large", "middle", "small"),
        _choice("way", "phone", "letter", aliases={"phone": ("call",)}),
        _choice("shop", "north", "south", open_=True),
        Fact("vip", FactType.BOOLEAN),
        Fact("share", FactType.NUMBER, minimum=0, maximum=100, unit="%"),
        Fact("items", FactType.INTEGER, minimum=0),
        Fact("story", FactType.TEXT),
        Fact("came_at", FactType.INSTANT),
        Fact("left_at", FactType.INSTANT),
    )
}
OUTCOMES = {
    fact.name: fact
    for fact in (
        _choice("queue", "fast", "slow"),
        Fact("free", FactType.BOOLEAN),
        Fact("minutes", FactType.NUMBER),
        Fact("tongues", FactType.LIST),
        Fact("answer_due", FactType.INSTANT),
    )
}
COUNTER = Vocabulary(FACTS, OUTCOMES, ("answer_due",), "came_at")
"""A desk that no policy knows."""


def mapped(text: str, vocabulary: Vocabulary = COUNTER) -> ColumnMapping:
    """Read a mapping."""
    return mapping_of("map.yaml", text, vocabulary)


def read(text: str, rows: Mapping[str, Any] | pa.RecordBatch, first: int = 1) -> Batch:
    """Read foreign rows by the text of a mapping."""
    batch = rows if isinstance(rows, pa.RecordBatch) else pa.RecordBatch.from_pydict(dict(rows))
    return Mapper(mapped(text), COUNTER).batch(batch, first)


def tickets(batches: Iterable[Batch]) -> list[dict[str, Any]]:
    """Return the facts of all tickets, with ``row`` and ``name``."""
    found = []
    for batch in batches:
        chunk = batch.chunk
        for at in range(chunk.size):
            name = chunk.names.sent(at) if chunk.names else None
            found.append({"row": int(chunk.rows[at]), "name": name, **facts_of(chunk.facts, at)})
    return found


def facts(batch: Batch) -> list[dict[str, Any]]:
    """Return the facts of the tickets of a batch."""
    return [facts_of(batch.chunk.facts, at) for at in range(batch.chunk.size)]


def all_unread(source: TicketSource) -> list[Any]:
    """Return the rows of a source that cannot be read."""
    return [one for batch in source.batches() for one in batch.unread]


def written(path: Path, content: str | bytes) -> str:
    """Write a file; give its name as people write it."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)
