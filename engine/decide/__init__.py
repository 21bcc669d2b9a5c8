"""A version and a ticket in, an answer out.

Modules::

    answer_json        an answer as plain data: the same facts, version and instant always give the same bytes
    answer_times_json  the instants of an answer as plain data: deadlines, turns, and what has passed
    assemble           the outcomes of a decision in, its answer out
    decide             A version and the facts of a ticket in, an answer out: a look-up
    fill_deadlines     the instants of a ticket: who has the turn, what is due when
    reschedule         the facts of a ticket before and after a change in, how its deadlines move and why out
"""
