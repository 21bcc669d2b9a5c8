"""What every form of a difference shows: the difference itself, the matrices of both versions, and the budget it broke."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from engine.diff import Diff, Excess, MatrixDiff, Wording, citations, compare, matrices
from engine.diff.wording import CITATION
from engine.version import Version

SHOWN: Final = 8
"""How many regions of an outcome are shown unless all are asked for."""


@dataclass(frozen=True, slots=True)
class Report:
    """A difference to show. ``names`` are what the two versions were called by who asked."""

    diff: Diff
    matrices: tuple[MatrixDiff, ...]
    names: tuple[str, str]
    excesses: tuple[Excess, ...] = ()

    @property
    def title(self) -> str:
        """Say which versions these are; drafts of one version have the same number."""
        one, other = self.diff.before, self.diff.after
        return f"{other.name} {other.version}" if one.version == other.version else f"{other.name}: {one.version} → {other.version}"

    @property
    def wording(self) -> tuple[Wording, ...]:
        """What the text says differently, but for changed citations."""
        return tuple(one for one in self.diff.wording if one.what != CITATION)

    @property
    def citations(self) -> dict[tuple[str, str], tuple[Wording, ...]]:
        """What cites another heading than before, by both headings."""
        return dict(citations(self.diff.wording).pairs)

    @property
    def changed_matrices(self) -> tuple[MatrixDiff, ...]:
        """The matrices in which a cell changed."""
        return tuple(one for one in self.matrices if one.changed)

    @property
    def decisions(self) -> Iterable[str]:
        """The decisions that come out the same in every situation."""
        changed = {one.name for one in self.diff.changed_decisions}
        return (one.name for one in self.diff.decisions if one.name not in changed)


def report(before: Version, after: Version, names: tuple[str, str]) -> Report:
    """Compare two versions for a report; raises PolicyErrors if they cannot be laid over each other."""
    return Report(compare(before, after), matrices(before.policy, after.policy), names)
