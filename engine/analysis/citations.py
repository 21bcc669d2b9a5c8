"""Missing citations, assumptions and open questions of a policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Final

from engine.model.policy import Policy, Table
from engine.model.problem_codes import CODES
from engine.model.problems import Place, Problem, Related
from engine.tables.check import rule_at
from engine.tables.local_table import LocalTable

NO_SOURCE: Final = ("", "none")
"""The value of `source` for no source."""


def citation_findings(policy: Policy, cases: Mapping[str, LocalTable]) -> Iterator[Problem]:
    """Yield missing citations, assumptions and open questions; ``cases`` are of all tables, deadlines included."""
    for table in policy.all_tables:
        yield from _of_table(table, cases[table.name])
    for what, name, source, assumption, place in _others(policy):
        if assumption:
            yield _assumed(place, what, name, assumption)
        elif source in NO_SOURCE:
            yield _missing(place, what, name)
    where = {rule.id: rule.place for table in policy.all_tables for rule in table.all_rules}
    told = {*where, *(name for _, name, _, _, _ in _others(policy))}
    for one in policy.assumptions:
        if one.id not in told:
            yield _assumed(one.place, "policy", one.id, one.reason)
    where |= {
        name: one.place
        for named in (policy.tables, policy.deadlines, policy.rosters, policy.calendars, policy.elapsed)
        for name, one in named.items()
    }
    for question in policy.questions:
        also = tuple(Related(where[name], f"`{name}` follows the reading") for name in question.rules if name in where)
        yield Problem(
            place=question.place,
            code="question",
            message=f"`{question.id}`: {question.question}; read as: {question.reading}",
            help=CODES["question"].help,
            witness=(),
            also=also,
        )
        if question.source in NO_SOURCE:
            yield _missing(question.place, "question", question.id)


def _others(policy: Policy) -> Iterator[tuple[str, str, str, str, Place]]:
    """Yield the other parts with citations: kind, name, source, assumption and place."""
    for roster in policy.rosters.values():
        yield "roster", roster.name, roster.source, roster.assumption, roster.place
    for calendar in policy.calendars.values():
        yield "calendar", calendar.name, calendar.source, calendar.assumption, calendar.place
    for elapsed in policy.elapsed.values():
        yield "elapsed time", elapsed.fact, elapsed.source, elapsed.assumption, elapsed.place
    for name, deadline in policy.deadlines.items():
        for part, assumption in (
            ("at_risk", deadline.at_risk.assumption if deadline.at_risk else ""),
            ("holds", deadline.holds.assumption),
        ):
            if assumption:
                yield "deadline", f"{name}.{part}", "", assumption, deadline.place
    notice = policy.manifest.notice
    if notice is not None:
        yield "manifest", "notice", notice.source, notice.assumption, policy.manifest.place


def _of_table(table: Table, local: LocalTable) -> Iterator[Problem]:
    rules = list(enumerate(table.all_rules))
    bare = [rule for _, rule in rules if rule.source in NO_SOURCE and not rule.assumption]
    if table.source in NO_SOURCE and bare and len(bare) == len(rules):
        yield _missing(table.place, "table", table.name)
    else:
        yield from (_missing(rule.place, "rule", rule.id) for rule in bare)
    assumed = sorted((rule.assumption, at) for at, rule in rules if rule.assumption)
    for reason, group in groupby(assumed, key=lambda pair: pair[0]):
        first, *more = [at for _, at in group]
        one = rule_at(table, first)
        also = tuple(
            Related(rule_at(table, at).place, f"`{rule_at(table, at).id}` makes the same assumption") for at in more
        )
        yield Problem(
            place=one.place,
            code="assumption",
            message=f"the rule `{one.id}`{f' (and {len(more)} more)' if more else ''} assumes: {reason}",
            help=CODES["assumption"].help,
            witness=local.witness(local.counting(first)),
            also=also,
        )


def _missing(place: Place, what: str, name: str) -> Problem:
    return Problem(
        place=place,
        code="missing-citation",
        message=f"the {what} `{name}` has neither a source nor an assumption",
        help=CODES["missing-citation"].help,
    )


def _assumed(place: Place, what: str, name: str, reason: str) -> Problem:
    return Problem(
        place=place,
        code="assumption",
        message=f"the {what} assumes (`{name}`): {reason}"
        if what == "policy"
        else f"the {what} `{name}` assumes: {reason}",
        help=CODES["assumption"].help,
    )
