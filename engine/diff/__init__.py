"""The difference of two versions, read off their cells: complete, and said in few words.

``nouns`` has the values that these make. A situation is a cell of the space of both versions.

Modules::

    budget    what a difference may not do: limits on how much changes, and changes that are forbidden
    cells     two tables laid over each other
    compare   two versions in, their difference out
    cover     regions of an array as few boxes
    joint     the facts of two versions on one scale
    matrices  the matrices of two versions beside each other, as they are written
    nouns     the nouns of a difference between two versions
    outcome   one outcome of two versions compared
    parts     A policy written down as named parts, each with what it says
    requests  what callers may send
    timed     what becomes of due times and rosters
    wording   what the text of two versions says differently
    words     A difference in words: the same ones on every surface
"""

from engine.diff.budget import (
    Budget,
    Excess,
    ForbiddenChange,
    Limit,
    NotABudget,
    check_budget,
    excesses,
    read_forbidden,
    read_limit,
)
from engine.diff.compare import compare
from engine.diff.matrices import MatrixDiff, matrices
from engine.diff.nouns import (
    Change,
    DecisionDiff,
    Diff,
    DiffRegion,
    Edit,
    OutcomeDiff,
    OutcomeState,
    StateKind,
    Values,
    Wording,
)
from engine.diff.wording import citations

__all__ = [
    "Budget",
    "Change",
    "DecisionDiff",
    "Diff",
    "DiffRegion",
    "Edit",
    "Excess",
    "ForbiddenChange",
    "Limit",
    "MatrixDiff",
    "NotABudget",
    "OutcomeDiff",
    "OutcomeState",
    "StateKind",
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
