"""Budgets: limits on how much may change between two versions, and forbidden changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from engine.diff.nouns import Change, Diff, DiffRegion, OutcomeDiff
from engine.diff.words import (
    STATES,
    change_text,
    decision_text,
    region_text,
    share_text,
    state_text,
    ticket_text,
    wording_text,
)
from engine.model.did_you_mean import did_you_mean
from engine.model.policy import Policy
from engine.model.vocabulary import Fact, FactType

ANY: Final = "*"

_LISTED: Final = (FactType.CHOICE, FactType.BOOLEAN)
"""Types of outcome with a known set of values."""

_LIMIT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(%?)")
_FORBIDDEN: Final = re.compile(r"\s*([a-z][a-z0-9_]*|\*)\s*:\s*(.+?)\s*->\s*(.+?)\s*")


class NotABudget(Exception):
    """The text of a limit or a forbidden change cannot be read."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The most situations (or tickets) of an outcome that may change: a number, or a share of them."""

    amount: float
    is_share: bool

    def __str__(self) -> str:
        return f"{self.amount * 100:g}%" if self.is_share else f"{self.amount:g}"

    def allows(self, changed: int, of: int) -> bool:
        """Return whether a count, of a total, is within the limit."""
        return changed <= (self.amount * of if self.is_share else self.amount)


@dataclass(frozen=True, slots=True)
class ForbiddenChange:
    """A change of an outcome that must not happen: from a value to a value, either of which may be any (``*``)."""

    outcome: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.outcome}: {self.before} -> {self.after}"

    def forbids(self, name: str, change: Change) -> bool:
        """Return whether it forbids a change of an outcome."""
        return all(
            said in (ANY, found)
            for said, found in (
                (self.outcome, name),
                (self.before, state_text(change.before)),
                (self.after, state_text(change.after)),
            )
        )

    def forbids_all(self, name: str) -> bool:
        """Return whether it forbids any change at all of what has this name."""
        return self.before == self.after == ANY and self.outcome in (ANY, name)


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits and forbidden changes. A budget is false if it has none."""

    limit: Limit | None = None
    forbidden: tuple[ForbiddenChange, ...] = ()

    def __bool__(self) -> bool:
        return self.limit is not None or bool(self.forbidden)


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """One limit that a difference exceeds, or one forbidden change that it makes."""

    rule: str
    message: str
    region: str = ""
    example: str = ""


def read_limit(text: str) -> Limit:
    """Read a limit such as ``2%`` or ``100``; raises NotABudget.

    >>> str(read_limit("2%")), str(read_limit("100"))
    ('2%', '100')
    """
    found = _LIMIT.fullmatch(text.strip())
    if found is None:
        raise NotABudget(f"expected a number such as 100 or a share such as 2%, got `{text}`")
    return Limit(float(found[1]) / 100 if found[2] else float(found[1]), bool(found[2]))


def read_forbidden(text: str) -> ForbiddenChange:
    """Read a forbidden change such as ``priority: P1 -> *``; raises NotABudget.

    >>> read_forbidden("priority: P1->*")
    ForbiddenChange(outcome='priority', before='P1', after='*')
    """
    found = _FORBIDDEN.fullmatch(text)
    if found is None:
        raise NotABudget(
            f"expected `outcome: value -> value`, with * for any value, got `{text}`; undecided and not_covered are also values"
        )
    return ForbiddenChange(
        found[1], *(end.replace("_", " ") if end == "not_covered" else end for end in (found[2], found[3]))
    )


def check_budget(budget: Budget, *policies: Policy) -> None:
    """Raise NotABudget if a forbidden change names an outcome or a value that neither policy has.

    It could never match.
    """
    outcomes = {name: one for policy in policies for name, one in policy.outcomes.items()}
    for rule in budget.forbidden:
        if rule.outcome not in (ANY, *outcomes):
            raise NotABudget(
                f"`{rule}` can never match: unknown outcome `{rule.outcome}`; {did_you_mean(rule.outcome, outcomes)}"
            )
        named = [one for policy in policies for name, one in policy.outcomes.items() if rule.outcome in (ANY, name)]
        if any(one.type not in _LISTED for one in named):
            continue
        known = {word for one in named for word in _words(one)}
        for end in (rule.before, rule.after):
            if end not in (ANY, *STATES, *known):
                raise NotABudget(
                    f"`{rule}` can never match: `{rule.outcome}` is never `{end}`; {did_you_mean(end, known)}"
                )


def _words(outcome: Fact) -> tuple[str, ...]:
    return ("yes", "no") if outcome.type is FactType.BOOLEAN else tuple(value.value for value in outcome.values)


def excesses(diff: Diff, budget: Budget) -> tuple[Excess, ...]:
    """Return every excess of a difference over a budget.

    Changes that cannot be counted in situations (calendars, rosters, changes through another outcome, how requests are
    read) exceed a limit of 0, and match a forbidden change from any value to any value.
    """
    found = [*_over(diff.outcomes, budget.limit), *_forbidden(diff.outcomes, budget.forbidden)]
    uncounted = list(_uncounted(diff))
    if budget.limit is not None and not budget.limit.amount:
        found += [Excess(rule=f"at most {budget.limit}", message=said) for _, said in uncounted]
    for rule in budget.forbidden:
        found += [Excess(rule=f"never {rule}", message=said) for name, said in uncounted if rule.forbids_all(name)]
    return tuple(found)


def _uncounted(diff: Diff) -> Iterator[tuple[str, str]]:
    """Yield changes that are not counted in situations: the outcome ("" for none), and a description."""
    for one in diff.outcomes:
        parts = [f"follows `{follows.outcome}`" for follows in one.follows]
        if parts or one.terms:
            yield one.name, f"`{one.name}`: {'; '.join([*parts, *one.terms])}"
    for decision in diff.changed_decisions:
        if said := decision_text(decision):
            yield "", f"`{decision.name}`: {said}"
    yield from (("", f"requests: {wording_text(one)}") for one in diff.requests)


def _over(outcomes: Iterable[OutcomeDiff], limit: Limit | None) -> Iterator[Excess]:
    for one in outcomes:
        if limit is not None and not limit.allows(one.changed, one.situations):
            yield Excess(
                rule=f"at most {limit}",
                message=f"`{one.name}` changes in {share_text(one.changed, one.situations, _situations(one.situations))}; the limit is {limit}",
            )


def _forbidden(outcomes: Iterable[OutcomeDiff], forbidden: tuple[ForbiddenChange, ...]) -> Iterator[Excess]:
    for rule in forbidden:
        for one in outcomes:
            for change, situations in one.changes.items():
                if rule.forbids(one.name, change):
                    region = _first(one.regions, change)
                    yield Excess(
                        rule=f"never {rule}",
                        message=f"`{one.name}` changes {change_text(change)} in {situations:,} {_situations(situations)}",
                        region=region_text(region) if region else "",
                        example=ticket_text(region.example) if region else "",
                    )


def _situations(number: int) -> str:
    return "situation" if number == 1 else "situations"


def _first(regions: Iterable[DiffRegion], change: Change) -> DiffRegion | None:
    return next((region for region in regions if change in region.changes), None)
