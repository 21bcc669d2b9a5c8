"""Why an outcome is not another one: the smallest change of facts that would lead to it.

Modules::

    changes  the smallest changes of a ticket that lead to another outcome
    nearest  a diagram and a ticket -> the nearest cases in which it is true
    ranges   atoms of a number -> ranges as text
    wanted   the wanted outcome of a decision
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
