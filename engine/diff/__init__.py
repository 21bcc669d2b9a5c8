"""The difference of two versions, read off their cells: complete, and said in few words.

The way of a difference, one module a step::

    compare     two Versions            -> Diff          (all of the below)
    joint       a fact of both          -> one scale     (every value that either can tell apart)
    cells       two tables              -> Laid          (the change in every situation of both)
    cover       mask                    -> boxes         (few, and together exactly the mask)
    outcome     Laid                    -> OutcomeDiff   (regions in words of facts, each with an example)
    timed       deadlines, rosters      -> OutcomeDiff   (rules over what they read, calendars, what they follow)
    requests    vocabularies            -> what may be sent, and is read, differently
    parts       a Policy                -> named parts with what they say
    wording     two Policies            -> what the text says differently
    matrices    two Policies            -> the written matrices beside each other
    words       all of it               -> sentences, the same on every surface
    budget      Diff                    -> what it does beyond what it may

``nouns`` has the values that these make. A situation is a cell of the space of both versions.
"""

from engine.diff.budget import (
    Budget,
    Excess,
    Forbidden,
    Limit,
    NotABudget,
    check_budget,
    excesses,
    read_forbidden,
    read_limit,
)
from engine.diff.compare import compare
from engine.diff.matrices import MatrixDiff, matrices
from engine.diff.nouns import Change, DecisionDiff, Diff, Edit, Kind, OutcomeDiff, Region, State, Values, Wording
from engine.diff.wording import citations

__all__ = [
    "Budget",
    "Change",
    "DecisionDiff",
    "Diff",
    "Edit",
    "Excess",
    "Forbidden",
    "Kind",
    "Limit",
    "MatrixDiff",
    "NotABudget",
    "OutcomeDiff",
    "Region",
    "State",
    "Values",
    "Wording",
    "check_budget",
    "citations",
    "compare",
    "excesses",
    "matrices",
    "read_forbidden",
    "read_limit",
]
