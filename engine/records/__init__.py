"""The core of the decision log: records of decisions, hash chains of records, and their verification.

Values in, values out: the shell supplies instants, random bytes, keys, and the records to verify.

Modules::

    canonical_json  the canonical text of a record, joined from cached parts
    chain           the chain of a writer
    filter          a filter of records
    identity        the id of a record
    masking         replaces texts of callers by tokens before they are recorded
    merkle          the tree over the hashes of entries (RFC 6962)
    record          the record of a call, and its canonical text
    reproduce       decides a recorded call again, and compares it with the record
    verify          checks that chains are complete and unaltered
"""
