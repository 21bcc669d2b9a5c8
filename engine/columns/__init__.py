"""Deciding many tickets at once: columns of facts in, columns of outcomes out, the same answers as one by one.

What an answer says beyond its outcomes (rules, what is missing, what is still possible) is asked of
:func:`engine.decide.decider.Decider.decide` for the one row that somebody looks at; ``facts_of`` gives that row back as it was sent.
Tickets with pauses go that way too.

Modules::

    decide    A version and columns of facts in, columns of outcomes out
    due       due times as columns
    follow    facts that follow from the time that has passed, as columns
    keys      combinations of columns, numbered as they are first met, so that what depends on one is worked out once
    lookup    outcomes of tables as columns: the cell of every row, and what stands there
    read      columns of facts in, atoms out
    roster    who has the turn, as a column
    schedule  which target each row goes by
    sent      columns of facts as callers send them
"""
