"""Tickets by the value of one fact, with the number of those that change."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.clock.zone import Column
from engine.columns.fact_columns import Mask
from engine.columns.read import Atomic
from engine.diff.joint_facts import joint_fact
from engine.diff.nouns import StateKind
from engine.model.conditions import interval_text
from engine.replay.space import Read
from engine.replay.tally import GroupTally
from engine.version.version import Version


class Grouping:
    """Groups tickets by a fact as the version under trial reads it, or else as the one before does."""

    def __init__(self, fact: str, after: Version, before: Version | None) -> None:
        self.fact = fact
        self.labels: list[str] = ["", StateKind.REFUSED.value]
        self._after = self._codes(after)
        self._before = None if before is None else self._codes(before)

    def _codes(self, version: Version) -> Atomic | None:
        """Return the label of each atom; the last is that of a rejected value."""
        if self.fact not in version.atoms:
            return None
        names = [""] * (len(version.atoms[self.fact].samples) + 1) + [StateKind.REFUSED.value]
        for value in joint_fact(self.fact, version, version).values:
            names[value.after] = interval_text(value.span) if value.span is not None else value.word
        self.labels += [name for name in dict.fromkeys(names) if name not in self.labels]
        return np.array([self.labels.index(name) for name in names], np.intp)

    def of(self, before: Read | None, after: Read) -> Atomic:
        """Return the label of each row."""
        found = None if self._after is None else self._after.take(after.atoms[self.fact], mode="clip")
        if before is None or self._before is None:
            return found if found is not None else np.zeros(0, np.intp)
        other = self._before.take(before.atoms[self.fact], mode="clip")
        return other if found is None else np.where(found == 1, other, found)


def count_group(
    one: Grouping,
    reads: tuple[Read | None, Read],
    kept: Column | None,
    marks: tuple[Mask, Mask],
    changed: Mapping[str, Column],
) -> Mapping[str, GroupTally]:
    """Count by the value of a fact the rows, the marked rows, and those in which each outcome changes.

    ``marks`` are the rows that differ, and those in which only a text for every ticket changes.
    """
    labels, width = one.of(*reads), len(one.labels)
    tickets = np.bincount(labels if kept is None else labels[kept], minlength=width)
    changing, texts = (np.bincount(labels[mark], minlength=width) for mark in marks)
    by_name = {name: np.bincount(labels[rows], minlength=width) for name, rows in changed.items() if len(rows)}
    return {
        one.labels[at]: GroupTally(
            tickets=int(tickets[at]),
            changed=int(changing[at]),
            changes={name: int(counts[at]) for name, counts in by_name.items() if counts[at]},
            texts=int(texts[at]),
        )
        for at in np.flatnonzero(tickets).tolist()
    }
