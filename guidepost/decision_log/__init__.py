"""The decision log: every answer is recorded before it leaves, as far as the chosen durability promises.

Modules::

    append          records in, committed in one transaction as the next entries of a chain
    bulk_insert     rows into a table, many in one statement
    call_metadata   who calls, under which request id, about which ticket
    certificate     A decision certificate
    database        A database URL in, an engine out whose commits are on disk when they return
    default_key     the key that signs a server's heads where no setting names one
    events          what happens to a decision log, for whoever measures it
    export_jsonl    entries as JSON lines, as they are exported, and back
    export_parquet  the log as Parquet
    find_version    which version decided: the digest of a record in, the files of the version that has it out
    migrations      how the log's database came to be what it is, step by step (Alembic)
    paging          pages of a search: a filter and a token in, records and the token of the next page out
    patience        how the time limits around a decision log fit together
    purge           the beginning of chains removed, as far back as somebody says, with a note behind which what is
                    left can be verified
    recorder        what the handlers call
    settings        what a server is told about its decision log, and what it is if nobody says anything
    signed_heads    what is signed of the log
    sql_filter      A filter in, a query out by which the database leaves out what cannot pass it
    store           where the log is kept: records in, committed entries out
    tables          the tables of the log
    transaction     A transaction on the driver's own connection
    verify          A log, or a whole export of one, verified
    writability     whether a decision log can be written now
    writer          one thread that commits records, many at once
"""
