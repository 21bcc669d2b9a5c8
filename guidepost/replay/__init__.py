"""Past tickets decided again, and the report on them.

The classes of a replay are in :mod:`engine.replay.nouns`.

Modules::

    report      the content of a report on a replay, for every format
    run         a source of past tickets and a replayer -> a replay
    spark       the same replay on Spark
    text        the sentences of a report, for every format
    verify_log  the records of a log, decided again under their own versions
"""
