"""When something is due: targets, business time, rosters.

Modules::

    clocks    the business clocks of a policy
    due       A target and an instant in, a due time out, with all that it rests on
    elapsed   time that has passed, as a fact
    roster    who is in their own daytime at an instant, until when, and who is next
    schedule  what a deadline goes by for a ticket
"""
