"""Why an outcome is not another one: the fewest facts of a ticket that would have to be otherwise.

Modules::

    changes  the fewest facts of a ticket that would have to be otherwise for another outcome, and what they could be
    ranges   atoms of a number, written as people write ranges
    wanted   what somebody would have liked a decision to be
"""

from __future__ import annotations

from engine.whynot.changes import MAX_ALTERNATIVES, Alternative, FactChange, WhyNot, why_not
from engine.whynot.wanted import UnknownWanted, Wanted, read_wanted

__all__ = [
    "MAX_ALTERNATIVES",
    "Alternative",
    "FactChange",
    "UnknownWanted",
    "Wanted",
    "WhyNot",
    "read_wanted",
    "why_not",
]
