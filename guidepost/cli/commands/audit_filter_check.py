"""Names in a filter of the log that no version has: a typing error rather than a month without such records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from engine.model.answer import Status
from engine.model.did_you_mean import nearest
from engine.model.policy import Policy
from engine.model.vocabulary import Fact, FactType
from engine.records.filter import Filter

STATUSES: Final = tuple(status.value for status in Status)
"""What a filter accepts besides the values of an outcome."""


def unknown_names(records_filter: Filter, policies: Sequence[Policy]) -> list[str]:
    """Return a message for each rule and outcome of a filter that no version has; none without versions."""
    return [*_rule(records_filter.rule, policies), *_outcome(records_filter.outcome, policies)] if policies else []


def _rule(rule: str, policies: Iterable[Policy]) -> Iterator[str]:
    known = {name for policy in policies for name in _rules(policy)}
    if rule and rule not in known:
        yield f"no version here has a rule `{rule}`{_meant(rule, known)}"


def _rules(policy: Policy) -> Iterator[str]:
    """Yield the ids that answers list as rules: those of tables, rosters, calendars, elapsed times and deadlines."""
    for table in policy.all_tables:
        yield from (rule.id for rule in table.all_rules)
    for parts in (policy.rosters, policy.calendars, policy.elapsed, policy.deadlines):
        yield from parts
    for name in policy.deadlines:
        yield from (f"{name}.holds", f"{name}.at_risk")


def _outcome(asked: str, policies: Sequence[Policy]) -> Iterator[str]:
    name, given, value = asked.partition("=")
    if not asked:
        return
    having = [policy.outcomes[name] for policy in policies if name in policy.outcomes]
    if not having:
        yield f"no version here has an outcome `{name}`{_meant(name, (one for policy in policies for one in policy.outcomes))}"
    elif (
        given and value not in STATUSES and all(map(_listed, having)) and not any(value in one.words for one in having)
    ):
        known = [word for one in having for word in one.words]
        yield f"no version here has a value `{value}` of `{name}`{_meant(value, known)}"


def _listed(outcome: Fact) -> bool:
    """Return whether an outcome has a closed list of values."""
    return outcome.type is FactType.BOOLEAN or (outcome.type is FactType.CHOICE and not outcome.open)


def _meant(word: str, known: Iterable[str]) -> str:
    near = nearest(word, known, limit=1)
    return f" (did you mean `{near[0]}`?)" if near else ""
