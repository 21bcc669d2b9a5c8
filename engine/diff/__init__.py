"""The difference of two versions, computed from their diagrams: complete, and described in few words.

``nouns`` has the values that the other modules return. A situation is a combination of facts that either version
distinguishes.

Modules::

    box_cover    regions of an array as few boxes
    budget       limits on how much may change, and forbidden changes
    causes       the changed tables behind each outcome that changes
    compare      two versions -> their difference
    deadlines    differences of due times and rosters
    joint_facts  the facts of two versions on one scale
    joint_space  two versions in one store of diagrams
    list_items   lists of two versions, compared item by item
    matrices     the matrices of two versions side by side
    nouns        the nouns of a difference between two versions
    outcome      one outcome of two versions compared
    own_change   what the changed rules of one table change by themselves
    parts        a policy as named parts with their text and meaning
    picture      where an outcome changes, as regions
    read_states  the states of what a table reads, and its rules over them
    regions      the cells that a change distinguishes, and its ways
    requests     differences in what callers may send
    same_parts   parts of two versions that are the same part
    states       the states of an outcome in two versions, and changes between them
    summary      what a difference says first: the changed tables, then what follows
    wording      differences of the text of two versions
    words        a difference in words, the same in every output
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
