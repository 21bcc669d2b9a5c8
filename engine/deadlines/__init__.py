"""When something is due: targets, business time, rosters.

Modules::

    clocks    the business clocks of a policy
    due       a target and an instant -> a due time, and its state
    elapsed   elapsed time as a fact
    roster    who is on duty at an instant, until when, and who is next
    schedule  the target of a deadline for a ticket
"""
