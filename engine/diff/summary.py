"""What a difference says first, in its owner's words: the changed tables by what they read, then what follows.

A table that gives several outcomes has one line for all that change under the same conditions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from engine.diff.nouns import Change, Diff, OutcomeDiff, StateKind, TableDiff, TableRegion, Values
from engine.diff.words import change_text, listed_text, mostly_text, percent, when_texts
from engine.model.problems import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLine:
    """Situations in which a table's own change leads to changes of its outcomes.

    ``decision`` is one that shows what follows for the ticket ``example``, "" if none does.
    """

    table: str
    when: tuple[Values, ...]
    changes: tuple[tuple[str, Change], ...]
    situations: int
    of: int
    example: Mapping[str, str]
    decision: str

    @property
    def where(self) -> str:
        """Its conditions as text."""
        return ", ".join(when_texts(self.when))

    @property
    def change(self) -> str:
        """Its changes as text, each with its outcome."""
        return "; ".join(f"{outcome} {change_text(change)}" for outcome, change in self.changes)

    @property
    def share(self) -> str:
        """Its share of the situations of the table, as text."""
        return percent(self.situations, self.of)

    @property
    def text(self) -> str:
        """All of it on one line, without the table."""
        return f"{self.where}: {self.change}, {self.share} of situations"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedTable:
    """A table whose own rules change its outcomes; ``others`` notes situations that no line names, "" for none."""

    name: str
    lines: tuple[TableLine, ...]
    others: str
    place: Place | None


def changed_tables(diff: Diff) -> tuple[ChangedTable, ...]:
    """Return the changed tables with their lines, in the order of the difference."""
    found: dict[str, list[TableDiff]] = {}
    for one in diff.tables:
        found.setdefault(one.table, []).append(one)
    return tuple(
        ChangedTable(name=name, lines=_lines(diff, parts), others=_others(diff, parts), place=parts[0].place)
        for name, parts in found.items()
    )


def _lines(diff: Diff, parts: list[TableDiff]) -> tuple[TableLine, ...]:
    alike: dict[tuple[object, ...], list[tuple[TableDiff, TableRegion]]] = {}
    for one in parts:
        for region in one.regions:
            alike.setdefault((region.when, region.situations, one.situations), []).append((one, region))
    return tuple(_line(diff, together) for together in alike.values())


def _line(diff: Diff, together: list[tuple[TableDiff, TableRegion]]) -> TableLine:
    one, region = together[0]
    return TableLine(
        table=one.table,
        when=region.when,
        changes=tuple((part.outcome, there.change) for part, there in together),
        situations=region.situations,
        of=one.situations,
        example=region.example,
        decision=_decision(diff, one),
    )


def _decision(diff: Diff, one: TableDiff) -> str:
    """Return a decision that shows what a table changes: the outcome itself, or one that depends on the table."""
    depend = {outcome.name for outcome in diff.outcomes if one.table in outcome.tables}
    now = [decision for decision in diff.decisions if not decision.only_before]
    shown = [decision.name for decision in now if one.outcome in decision.outcomes]
    follow = [decision.name for decision in now if depend & set(decision.outcomes)]
    return next(iter((*shown, *follow)), "")


def _others(diff: Diff, parts: list[TableDiff]) -> str:
    """Return the share of the situations that no line names; of several outcomes, of the one with most of them."""
    upto = "up to " if len(parts) > 1 else ""
    texts = []
    for how, count in (("in other ways", _in_other_ways), ("only in what is still possible", partial(_possible, diff))):
        most = max(parts, key=lambda one: count(one) / one.situations if one.situations else 0)
        if count(most):
            texts.append(f"{upto}{percent(count(most), most.situations)} of situations more {how}")
    return " and ".join(texts)


def _in_other_ways(one: TableDiff) -> int:
    return one.others - one.only_possible


def _possible(diff: Diff, one: TableDiff) -> int:
    """Return in how many situations that no line names only what is still possible differs.

    Rules without a value that they did not know may leave other outcomes possible; no ticket could show that, since it
    was rejected with this value. So it counts only if the outcome changes where it is undecided.
    """
    shown = next((outcome for outcome in diff.outcomes if outcome.name == one.outcome), None)
    ends = {state.kind for change in shown.changes for state in (change.before, change.after)} if shown else set()
    return 0 if StateKind.REFUSED in ends and StateKind.UNDECIDED not in ends else one.only_possible


def is_explained(one: OutcomeDiff) -> bool:
    """Return whether the changed tables are all that changes an outcome, so that its situations need not be named.

    They do not explain a rejected request, or an outcome that only one version has.
    """
    ends = {state.kind for change in one.changes for state in (change.before, change.after)}
    return not one.changes or (bool(one.tables) and not ends & {StateKind.REFUSED, StateKind.ABSENT})


def follows_text(one: OutcomeDiff) -> str:
    """Return the difference of an outcome in brief: its share of situations, and its most frequent change."""
    of = "combinations of what it depends on" if one.inputs else "situations"
    parts = [f"{percent(one.changed, one.situations)} of {of}, {mostly_text(one)}"] if one.changed else []
    parts += [f"follows {listed_text([follows.outcome for follows in one.follows])}"] if one.follows else []
    return "; ".join([*parts, *one.terms])


def shown_by(diff: Diff, outcome: str) -> tuple[str, ...]:
    """Return the decisions that show an outcome; those that the later version makes come first."""
    order = {one.name: one.only_before for one in diff.decisions}
    return tuple(sorted(diff.decisions_with(outcome), key=lambda name: order[name]))
