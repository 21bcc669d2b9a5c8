"""The decision log: records of answers in SQLite or PostgreSQL, written before the answers leave unless set otherwise.

Modules::

    settings         how decisions are recorded, and the defaults
    recorder         records answers, and returns when they may leave
    call_metadata    caller, request id and ticket id of a call
    commit_thread    the thread that commits records, many at once
    writability      whether the log can be written now
    time_limits      the time limits of waiting for the log
    events           what a recorder reports to metrics
    store            reads and writes the log of one database
    append           commits records as the next entries of a chain
    bulk_insert      inserts many rows with one statement
    transaction      transactions on the driver's own connection
    database_tables  the tables of the database
    database         a database URL -> an engine with up-to-date tables
    log_error        why a log or its key cannot be used
    migrations       the versions of the tables (Alembic)
    sql_filter       a filter -> a query
    paging           a filter and a page token -> a page of records
    find_version     the digest in a record -> the files of its version
    signed_heads     signatures of heads and of purges
    default_key      the key that signs heads if no setting names one
    verify           verifies a log or an export
    certificate      decision certificates, made and checked
    purge            removes old entries, and leaves a note
    export_jsonl     entries as JSON lines
    export_parquet   entries as Parquet
"""
