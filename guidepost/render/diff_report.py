"""The report of a difference in every format: the difference, the matrices of both versions, and exceeded limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.diff import (
    Budget,
    Diff,
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
from engine.model.quoting import shell_word
from engine.version.version import Version

SHOWN: Final = 8
"""How many regions of an outcome are shown without --all."""

NO_BUDGET: Final = Budget()


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffReport:
    """A difference to write; ``names`` are the specs of the two versions.

    ``options`` are those with which ``guidepost eval`` decides under the later version.
    """

    diff: Diff
    matrices: tuple[MatrixDiff, ...]
    names: tuple[str, str]
    excesses: tuple[Excess, ...] = ()
    options: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The names of both versions; drafts of one version have the same number."""
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
        """The changes of the text, except changed citations."""
        return tuple(one for one in self.diff.wording if one.what != CITATION)

    @property
    def citations(self) -> dict[tuple[str, str], tuple[Wording, ...]]:
        """The changed citations, by the headings before and after."""
        return citations(self.diff.wording)

    @property
    def changed_matrices(self) -> tuple[MatrixDiff, ...]:
        """The matrices in which a cell changed."""
        return tuple(one for one in self.matrices if one.changed)

    def command(self, decision: str, ticket: Mapping[str, str]) -> str:
        """Return the command that decides a ticket under the later version."""
        words = ["guidepost", "eval", decision, *([ticket_text(ticket)] if ticket else [])]
        return " ".join([*words, *map(shell_word, self.options)])


def make_diff_report(
    before: Version,
    after: Version,
    names: tuple[str, str],
    *,
    budget: Budget = NO_BUDGET,
    options: tuple[str, ...] = (),
) -> DiffReport:
    """Compare two versions, and compare the difference with a budget.

    Raises PolicyErrors if the versions cannot be compared, and NotABudget if the budget uses unknown names.
    """
    check_budget(budget, before.policy, after.policy)
    diff = compare(before, after)
    return DiffReport(
        diff=diff,
        matrices=matrices(before.policy, after.policy),
        names=names,
        excesses=excesses(diff, budget),
        options=options,
    )
