"""The business clock: when something is due, and why. Values in, values out; the present time is never asked for.

An interval belongs to the day on which it starts, also the part after midnight; intervals are half open, so that an instant
of closing is not open. A local time that is skipped when clocks are turned means the instant later by the gap, one that
comes twice means the first; an interval that is skipped altogether does not happen. Budgets used up exactly at closing are
due at closing. Outside the span of a list of holidays nothing is sure, and nothing is assumed.

Modules::

    always     A place that never closes
    calendar   the nouns of the business clock: when a place is open, and which of its days are holidays
    clock      the business clock
    columns    the clock over columns of tickets
    layout     A calendar worked out
    localtime  instants by the clock on the wall of a zone
    openings   the openings of a calendar, in order, so that every question is a bisect
    stretches  why something is due when it is
    zone       time zones, from the pinned tz database
"""
