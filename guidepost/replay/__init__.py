"""Past tickets decided again: run, and written for those who read what came of it.

The nouns are those of :mod:`engine.replay.nouns`.

Modules::

    report      what every form of a replay shows
    run         A source of past tickets and a replayer in, a replay out
    spark       the same replay on Spark
    text        A replay in words: the same ones on every surface
    verify_log  whether a log and the policies belong together
"""
