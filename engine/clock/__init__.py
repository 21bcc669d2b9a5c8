"""The business clock: when something is due, and why. Values in, values out; the present time is never asked for.

An interval belongs to the day on which it starts, also the part after midnight; intervals are half open, so that an instant
of closing is not open. A local time that is skipped when clocks are turned means the instant later by the gap, one that
comes twice means the first; an interval that is skipped altogether does not happen. Budgets used up exactly at closing are
due at closing. Outside the span of a list of holidays nothing is sure, and nothing is assumed.

Modules::

    always         a place that never closes
    calendar       the nouns of the business clock: hours, one-off dates, breaks, holidays
    clock          arithmetic with business time
    columns        the same arithmetic for columns of tickets
    localtime      instants as local time of a zone
    opening_times  when a calendar is open, as columns of instants
    openings       the openings of a calendar, in order
    stretches      the time up to a deadline, in stretches that counted and stretches that did not
    zone           time zones, from the pinned tz database
"""
