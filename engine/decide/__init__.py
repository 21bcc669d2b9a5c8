"""A version and a ticket -> an answer.

Modules::

    answer_json        an answer as plain data, in a fixed order
    answer_times_json  the instants of an answer as plain data: deadlines, duties and elapsed times
    assemble           the outcomes of a decision -> its answer
    decider            a version ready to answer, with all its caches
    fill_deadlines     the deadlines and duties of a ticket, added to a cached answer
    live_decision      one decision of a decider
    outcomes           the outcomes of rosters and deadlines, without exact instants
    reschedule         how the deadlines of a ticket move when its facts change
"""
