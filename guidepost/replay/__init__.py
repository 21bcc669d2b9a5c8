"""Past tickets decided again: run, and written for those who read what came of it.

One module a step, and one a form::

    run         batches of tickets, a version  -> Replay           (on this machine; with its progress)
    spark       files, a version               -> Replay           (the same on Spark)
    proof       batches of a decision log      -> Proof            (each decided again under its own version)
    report      a Replay and what is asked of it -> Report
    words       what all forms say alike
    terminal, markdown, html, plain            Report -> tables, the summary of a pull request, a page, data
    proof_pages Proof  -> the same forms

The nouns are those of :mod:`engine.replay.nouns`.
"""
