"""Past tickets from files of other systems and from the decision log, as chunks of columns for a replay.

``open_tickets("tickets.parquet", version, mapping)`` returns a :class:`TicketSource`. Its ``batches()`` yields
:class:`Batch` values, each a chunk of tickets with the rows that cannot be read.

Modules::

    column_names        a mapping made of equal names; columns that are missing or unused
    csv                 tickets in CSV files
    dictionary          columns of words, each distinct value translated once
    from_decision_log   tickets in a decision log or an export of one
    jsonl               tickets in files of JSON lines
    map_column          a rule of a mapping and a batch of rows -> a column, and the rows that cannot be read
    map_value           a value of a column -> a fact, or a recorded outcome
    mapper              a mapping, a vocabulary and a batch of rows -> a chunk of tickets
    mapping             the classes of a mapping
    mapping_file        a mapping file -> a ColumnMapping, or every problem
    one_row_per_ticket  the first or the last of several rows of a ticket
    open                the name of a source -> the source
    parquet             tickets in Parquet files
    record_chunks       records of a decision log -> chunks of tickets
    rejected_rows       the file of the rows that cannot be read
    sample              the first rows of a file, column by column
    similarity          how similar a column is to a fact
    suggest             a source and a version -> a draft of a mapping file
    ticket_ids          the names of tickets as 64-bit hashes
    timestamps          a column of times -> instants
    types               the classes of a source
"""

from __future__ import annotations

from guidepost.past_tickets.mapper import Mapper, Vocabulary
from guidepost.past_tickets.mapping import ColumnMapping, MappingErrors
from guidepost.past_tickets.mapping_file import mapping_of, read_mapping
from guidepost.past_tickets.open import open_tickets
from guidepost.past_tickets.rejected_rows import RejectedRowsWriter, write_rejected_rows
from guidepost.past_tickets.suggest import suggest_mapping
from guidepost.past_tickets.types import SIZE, Batch, TicketsError, TicketSource

__all__ = [
    "SIZE",
    "Batch",
    "ColumnMapping",
    "Mapper",
    "MappingErrors",
    "RejectedRowsWriter",
    "TicketSource",
    "TicketsError",
    "Vocabulary",
    "mapping_of",
    "open_tickets",
    "read_mapping",
    "suggest_mapping",
    "write_rejected_rows",
]
