"""Why an outcome is not another one: the fewest facts of a ticket that would have to be otherwise.

One module a step::

    wanted    version, a few words   -> Wanted      (an outcome, and the codes of it that are wanted)
    changes   ticket, Wanted         -> WhyNot      (the nearest cells that have it, as a few alternatives)
    ranges    atoms of a number      -> ranges, as people write them
"""

from __future__ import annotations

from engine.whynot.changes import MAX_ALTERNATIVES, Alternative, Change, WhyNot, why_not
from engine.whynot.wanted import UnknownWanted, Wanted, read_wanted

__all__ = ["MAX_ALTERNATIVES", "Alternative", "Change", "UnknownWanted", "Wanted", "WhyNot", "read_wanted", "why_not"]
