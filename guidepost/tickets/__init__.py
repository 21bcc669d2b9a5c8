"""Past tickets: files of other systems, and the decision log, as chunks of columns that a replay takes.

``open_tickets("tickets.parquet", version, mapping)`` gives a :class:`TicketSource`, whose ``batches()`` are :class:`Batch`
values: a chunk of tickets, and the rows that cannot be read.

Modules::

    column_names        names of columns held against what there is
    csv                 CSV, also as gzip: the separator by the first line, every cell as text
    dictionary          A column of words in, a dictionary-encoded column out
    from_decision_log   the decision log as a source
    jsonl               JSON lines, also as gzip: one object a line
    map_column          one rule of a mapping and a batch of foreign rows in, one column out, with the rows that
                        cannot be read
    map_value           what one value of a foreign column means: as a fact, or as an outcome that was recorded
    mapper              A mapping, a vocabulary and a batch of foreign rows in
    mapping             the nouns of a mapping
    mapping_file        A mapping file in, a ColumnMapping out, or every problem at once
    one_row_per_ticket  of several rows of one ticket, the first or the last
    open                what people write for a source of tickets, and the source it names
    parquet             parquet: one file or many, read row group by row group, with words kept once
    record_chunks       records of the decision log in, chunks of tickets out
    rejected_rows       the file of what could not be read
    sample              the first rows of a file, column by column, as far as a draft of a mapping looks at them
    similarity          how much a column looks like a fact
    suggest             A source and a version in, the draft of a mapping file out
    ticket_ids          the names of tickets as numbers
    timestamps          A column of times as another system writes them in, instants out
    types               the nouns
"""

from __future__ import annotations

from guidepost.tickets.mapper import Mapper, Vocabulary
from guidepost.tickets.mapping import ColumnMapping, MappingErrors
from guidepost.tickets.mapping_file import mapping_of, read_mapping
from guidepost.tickets.open import open_tickets
from guidepost.tickets.rejected_rows import RejectedRowsWriter, write_rejected_rows
from guidepost.tickets.suggest import suggest_mapping
from guidepost.tickets.types import SIZE, Batch, TicketsError, TicketSource

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
