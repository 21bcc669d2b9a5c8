"""The business clock: when something is due, and why. No function here reads the present time.

- An interval belongs to the day on which it starts, even the part after midnight.
- Intervals are half open: a place is not open at the instant at which it closes.
- A local time that is skipped when clocks change means the instant later by the gap. A repeated local time means the
  first of the two instants. An interval that is skipped as a whole does not occur.
- Time that is used up exactly at closing is due at closing.
- Outside the span of a list of holidays nothing is certain, and nothing is assumed.

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
