"""What every form of a difference shows: the difference itself, the matrices of both versions, and the budget it broke."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.diff import (
    Budget,
    Diff,
    DiffRegion,
    Excess,
    MatrixDiff,
    Wording,
    check_budget,
    citations,
    compare,
    excesses,
    matrices,
)
from engine.diff.wording import CITATION
from engine.diff.words import ticket_text
from engine.version.version import Version

SHOWN: Final = 8
"""How many regions of an outcome are shown unless all are asked for."""

NO_BUDGET: Final = Budget()


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffReport:
    """A difference to show. ``names`` are what the two versions were called by who asked."""

    diff: Diff
    matrices: tuple[MatrixDiff, ...]
    names: tuple[str, str]
    excesses: tuple[Excess, ...] = ()

    @property
    def title(self) -> str:
        """Return which versions these are; drafts of one version have the same number."""
        one, other = self.diff.before, self.diff.after
        if one.name != other.name:
            return f"{one.name} {one.version} → {other.name} {other.version}"
        return (
            f"{other.name} {other.version}"
            if one.version == other.version
            else f"{other.name}: {one.version} → {other.version}"
        )

    @property
    def wording(self) -> tuple[Wording, ...]:
        """What the text says differently, but for changed citations."""
        return tuple(one for one in self.diff.wording if one.what != CITATION)

    @property
    def citations(self) -> dict[tuple[str, str], tuple[Wording, ...]]:
        """What cites another heading than before, by both headings."""
        return citations(self.diff.wording)

    @property
    def changed_matrices(self) -> tuple[MatrixDiff, ...]:
        """The matrices in which a cell changed."""
        return tuple(one for one in self.matrices if one.changed)


def make_diff_report(before: Version, after: Version, names: tuple[str, str], budget: Budget = NO_BUDGET) -> DiffReport:
    """Compare two versions for a report, and hold the difference against a budget.

    Raises PolicyErrors if they cannot be laid over each other, and NotABudget if the budget names what neither has.
    """
    check_budget(budget, before.policy, after.policy)
    diff = compare(before, after)
    return DiffReport(
        diff=diff, matrices=matrices(before.policy, after.policy), names=names, excesses=excesses(diff, budget)
    )


def command(decision: str, region: DiffRegion) -> str:
    """Return the command line that decides the example of a region."""
    return f"guidepost eval {decision} {ticket_text(region.example) if region.example else ''}".rstrip()
