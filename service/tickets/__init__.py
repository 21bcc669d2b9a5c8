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

from service.tickets.mapper import Mapper, Vocabulary
from service.tickets.mapping import ColumnMapping, MappingErrors
from service.tickets.nouns import SIZE, Batch, TicketsError, TicketSource
from service.tickets.opening import open_tickets
from service.tickets.reading import mapping_of, read_mapping
from service.tickets.rejects import UnreadWriter, write_unread
from service.tickets.suggest import suggest_mapping

__all__ = [
    "SIZE", "Batch", "ColumnMapping", "Mapper", "MappingErrors", "TicketSource", "TicketsError", "UnreadWriter", "Vocabulary", "mapping_of", "open_tickets", "read_mapping",
    "suggest_mapping", "write_unread",
]
