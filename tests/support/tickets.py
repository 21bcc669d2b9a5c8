"""A vocabulary without a version, rows of other systems, and the tickets that a mapping reads from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from engine.columns.fact_columns import facts_of
from engine.model.vocabulary import Fact, FactType, Value
from guidepost.past_tickets import Batch, ColumnMapping, Mapper, TicketSource, Vocabulary, mapping_of


def _choice(name: str, *values: str, open_: bool = False, aliases: Mapping[str, tuple[str, ...]] | None = None) -> Fact:
    return Fact(
        name=name,
        type=FactType.CHOICE,
        values=tuple(Value(value=value, aliases=(aliases or {}).get(value, ())) for value in values),
        open=open_,
    )


FACTS = {
    fact.name: fact
    for fact in (
        _choice("size", "large", "middle", "small"),
        _choice("way", "phone", "letter", aliases={"phone": ("call",)}),
        _choice("shop", "north", "south", open_=True),
        Fact(name="vip", type=FactType.BOOLEAN),
        Fact(name="share", type=FactType.NUMBER, minimum=0, maximum=100, unit="%"),
        Fact(name="items", type=FactType.INTEGER, minimum=0),
        Fact(name="story", type=FactType.TEXT),
        Fact(name="came_at", type=FactType.INSTANT),
        Fact(name="left_at", type=FactType.INSTANT),
    )
}
OUTCOMES = {
    fact.name: fact
    for fact in (
        _choice("queue", "fast", "slow"),
        Fact(name="free", type=FactType.BOOLEAN),
        Fact(name="minutes", type=FactType.NUMBER),
        Fact(name="tongues", type=FactType.LIST),
        Fact(name="answer_due", type=FactType.INSTANT),
    )
}
COUNTER = Vocabulary(facts=FACTS, outcomes=OUTCOMES, deadlines=("answer_due",), received="came_at")
"""The vocabulary of a desk without a policy."""


def read_mapping_text(text: str, vocabulary: Vocabulary = COUNTER) -> ColumnMapping:
    """Read a mapping."""
    return mapping_of("map.yaml", text, vocabulary)


def map_rows(text: str, rows: Mapping[str, Any] | pa.RecordBatch, first: int = 1) -> Batch:
    """Read rows of another system by the text of a mapping."""
    batch = rows if isinstance(rows, pa.RecordBatch) else pa.RecordBatch.from_pydict(dict(rows))
    return Mapper(read_mapping_text(text), COUNTER).batch(batch, first)


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


def rejected_rows(source: TicketSource) -> list[Any]:
    """Return the rows of a source that cannot be read."""
    return [one for batch in source.batches() for one in batch.rejected]


def write_file(path: Path, content: str | bytes) -> str:
    """Write a file; return its path as text."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)
