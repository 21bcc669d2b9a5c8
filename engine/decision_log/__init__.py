"""The decision log's core: what is recorded of a decision, how records are chained, and how a chain is verified.

Values in, values out: instants, random bytes and keys come from the shell, and so do the records that are verified.

Modules::

    canonical_json  the canonical text of a record, joined of parts
    chain           the chain of a writer
    filter          which records are asked for: a filter, and whether a record passes it
    identity        the id of a record
    masking         what of a request is not recorded
    merkle          the tree over the hashes of entries (as RFC 6962 makes it)
    record          what is recorded of a decision, and its canonical text
    reproduce       A recorded call decided again, under the version that decided it, and held against what is
                    recorded
    verify          whether chains are whole
"""
