"""Deciding many tickets at once: columns of facts in, columns of outcomes out, the same answers as one by one.

The way of a column, one module a step::

    sent        what a file holds    -> columns of facts as callers send them
    read        columns              -> Block           (an atom of each fact for each row; what is refused, and why)
    follow      Block, now           -> Block           (facts that follow from the time that has passed)
    look        Block                -> outcome columns (strided look-ups in the tables of a version)
    keys        columns of numbers   -> one number for each combination, worked out once
    schedule    Block                -> which target each row goes by
    due         targets, instants    -> due times, and how they stand
    roster      instants             -> who has the turn
    decide      columns              -> Decided         (all of the above, block by block)

What an answer says beyond its outcomes (rules, what is missing, what is still possible) is asked of
:func:`engine.decide.decide.decide` for the one row that somebody looks at; ``facts_of`` gives that row back as it was sent.
Tickets with pauses go that way too.
"""
