"""The names of columns: a mapping made of equal names, and columns that are missing or unused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from engine.model.did_you_mean import did_you_mean
from engine.model.vocabulary import folded
from guidepost.past_tickets.mapper import Vocabulary
from guidepost.past_tickets.mapping import ColumnMapping, FromColumn
from guidepost.past_tickets.types import TicketsError

TICKET_COLUMNS: Final = ("ticket", "ticket_id", "number", "id", "key", "issue_key")
"""The usual names of the column with the ids of tickets; without a mapping, the first that a source has."""

NOW_COLUMN: Final = "now"

_SHOWN: Final = 12


def mapping_by_names(columns: Sequence[str], vocabulary: Vocabulary, name: str) -> tuple[ColumnMapping, list[str]]:
    """Map each column to the fact of the same name, and return the mapping with notes on the columns that are left out.

    Case, spaces, `_` and `-` do not count. Raises TicketsError if no column has the name of a fact.
    """
    known = {folded(fact): fact for fact in vocabulary.facts}
    facts: dict[str, FromColumn] = {}
    for column in columns:
        fact = known.get(folded(column))
        if fact and (fact not in facts or column == fact):
            facts[fact] = FromColumn(columns=(column,))
    if not facts:
        raise TicketsError(
            f"no column of {name} has the name of a fact; it has {_listed(columns)}",
            "map the columns to facts with --mapping FILE; `guidepost replay suggest-mapping FILE` drafts one",
        )
    free = {folded(column): column for column in columns if folded(column) not in known}
    ticket = next((free[folded(one)] for one in TICKET_COLUMNS if folded(one) in free), "")
    now = free.get(NOW_COLUMN)
    mapping = ColumnMapping(facts=facts, ticket=ticket, now=FromColumn(columns=(now,)) if now else None)
    read = set(mapping.columns)
    left = [column for column in columns if column not in read]
    return mapping, [f"left out, since no fact has the name: {_listed(left)}"] if left else []


def require_columns(mapping: ColumnMapping, columns: Sequence[str], name: str) -> None:
    """Raise TicketsError if a mapping reads columns that a source does not have."""
    lacking = [column for column in mapping.columns if column not in columns]
    if lacking:
        what = f"the column{'s' if len(lacking) > 1 else ''} {_listed(lacking)}"
        raise TicketsError(
            f"{name} does not have {what}, which the mapping{f' {mapping.name}' if mapping.name else ''} reads",
            did_you_mean(lacking[0], columns),
        )


def unique_names(names: Iterable[str]) -> list[str]:
    """Return names of columns, with a number after a repeated name, and in place of an empty one.

    >>> unique_names(["Key", "Label", "Label", ""])
    ['Key', 'Label', 'Label (2)', 'column 4']
    """
    found: dict[str, None] = {}
    for at, written in enumerate(names, 1):
        name = written.strip() or f"column {at}"
        number, one = 1, name
        while one in found:
            number += 1
            one = f"{name} ({number})"
        found[one] = None
    return list(found)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
