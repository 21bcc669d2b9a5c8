"""Past tickets: files of other systems, and the decision log, as chunks of columns that a replay takes.

``open_tickets("tickets.parquet", version, mapping)`` gives a :class:`TicketSource`, whose ``batches()`` are :class:`Batch`
values: a chunk of tickets, and the rows that cannot be read. One module a step::

    nouns       Batch, TicketSource, TicketsError
    mapping     the nouns of a mapping file
    reading     YAML text                -> ColumnMapping, or MappingErrors
    lookup      values, a translation    -> codes (each value once)
    meaning     a rule of a mapping      -> the translation
    instants    written times            -> instants
    columns     a rule, foreign rows     -> one column, and what is wrong with it
    mapper      ColumnMapping, rows      -> Batch
    identity    names of tickets         -> numbers
    repeated    all rows                 -> one row of each ticket
    naming      names of columns         -> a mapping by equal names
    parquet, delimited, lines            -> rows of files
    logged, records                      -> records of the decision log
    opening     what people write        -> one of these
    suggest     columns and values       -> a draft of a mapping file
    rejects     rows that cannot be read -> a file
"""

from __future__ import annotations

from guidepost.tickets.mapper import Mapper, Vocabulary
from guidepost.tickets.mapping import ColumnMapping, MappingErrors
from guidepost.tickets.mapping_file import mapping_of, read_mapping
from guidepost.tickets.open import open_tickets
from guidepost.tickets.rejected_rows import UnreadWriter, write_unread
from guidepost.tickets.suggest import suggest_mapping
from guidepost.tickets.types import SIZE, Batch, TicketsError, TicketSource

__all__ = [
    "SIZE",
    "Batch",
    "ColumnMapping",
    "Mapper",
    "MappingErrors",
    "TicketSource",
    "TicketsError",
    "UnreadWriter",
    "Vocabulary",
    "mapping_of",
    "open_tickets",
    "read_mapping",
    "suggest_mapping",
    "write_unread",
]
