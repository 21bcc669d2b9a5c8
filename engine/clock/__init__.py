"""The business clock: when something is due, and why. Values in, values out; the present time is never asked for.

From the nouns to the answers::

    calendar    the nouns: when a place is open, and which of its days are holidays
    zone        instant         <-> local time      (from the pinned tz database)
    openings    Calendar         -> Openings        (every opening, in order; a look-up is a bisect)
    clock       Calendar         -> Clock           (add, add_days, count, count_days, openings and closings, holds)
    stretches   Clock, instants  -> Stretches       (what counted, and what did not and why)
    columns     Clock, columns   -> columns         (the same answers for a million tickets)

An interval belongs to the day on which it starts, also the part after midnight; intervals are half open, so that an instant
of closing is not open. A local time that is skipped when clocks are turned means the instant later by the gap, one that
comes twice means the first; an interval that is skipped altogether does not happen. Budgets used up exactly at closing are
due at closing. Outside the span of a list of holidays nothing is sure, and nothing is assumed.
"""
