"""The decision log's core: what is recorded of a decision, how records are chained, and how a chain is verified.

Values in, values out: instants, random bytes and keys come from the shell, and so do the records that are verified.

- ``identity``: instant, random bytes -> UUIDv7
- ``masking``: facts as sent -> facts as they may be recorded (and what a replay takes for them)
- ``record``: answers -> Record -> canonical text, and back
- ``chain``: text, head -> Entry (writer, sequence, previous hash, own hash) and the next head
- ``tree``: many hashes -> one root, and a short path for each
- ``verify``: entries, heads -> every break of a chain, by name
- ``again``: record, version -> the decisions made again, and where they differ
- ``select``: record, filter -> whether it is asked for
"""
