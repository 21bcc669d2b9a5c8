"""What `guidepost analyze` finds: each code by an example, findings on rules by plain loops over random policies."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings

from engine.analysis import analyse
from engine.analysis.rules import rule_findings, spare_rules
from engine.analysis.vocabulary import facts_with_effect, shown_outcomes
from engine.load import load
from engine.model.policy import HitPolicy, Policy, Table
from engine.model.problem_codes import CODES, Level
from engine.model.problems import PolicyErrors, Problem
from engine.tables.local_table import LocalTable
from engine.tables.reading import Reading
from engine.version.build import PolicyTables, draw_policy
from engine.version.bundle import Bundle
from engine.version.version import Version
from tests.oracle import Oracle
from tests.support import growth
from tests.support.analysis_oracle import TableOracle
from tests.support.campaign import LONG
from tests.support.command import run_command
from tests.support.paths import ROOT
from tests.support.strategies import policies
from tests.support.table_cases import TableCases

Rules = list[dict[str, Any]]


def choice(*words: str, **more: Any) -> dict[str, Any]:
    return {"type": "choice", "about": "x", "values": [{"value": word, "about": "x"} for word in words], **more}


FACTS: Final = {
    "mood": choice("good", "bad", "odd"),
    "age": {"type": "number", "about": "x", "minimum": "0", "maximum": "100"},
}
GOOD: Final = {"id": "t.good", "when": {"mood": "good"}, "then": {"out": "A"}}
BAD: Final = {"id": "t.bad", "when": {"mood": "bad"}, "then": {"out": "B"}}
ODD: Final = {"id": "t.odd", "when": {"mood": "odd"}, "then": {"out": "B"}}
OLD: Final = {"id": "t.old", "when": {"age": "> 50"}, "then": {"out": "A"}}
YOUNG: Final = {"id": "t.young", "when": {"age": "<= 50"}, "then": {"out": "B"}}


def desk(
    rules: Rules,
    *,
    facts: dict[str, Any] | None = None,
    outcomes: dict[str, Any] | None = None,
    hit: str = "first",
    answers: tuple[str, ...] = ("out",),
    files: dict[str, Any] | None = None,
    more: dict[str, Any] | None = None,
    **keys: Any,
) -> dict[str, str]:
    """Return the files of a desk with one table `t` that produces `out`.

    Only the facts that a rule reads are declared, unless facts are passed.
    """
    read = {name for rule in rules for name in rule["when"]}
    table = {"about": "x", "hit": hit, "produces": ["out"], "rules": rules, **keys}
    concern = {
        "kind": "policy",
        "about": "x",
        "source": "1",
        "tables": {"t": table},
        "decision": {"name": "all", "about": "x", "answers": list(answers)},
    }
    extra = more or {}
    concern |= {**extra, "tables": {"t": table, **extra.get("tables", {})}}
    return {
        name: json.dumps(one)
        for name, one in {
            "manifest.yaml": {
                "kind": "manifest",
                "name": "small",
                "version": "1.0.0",
                "effective_from": "2020-01-01T00:00:00Z",
                "source": "x",
                "owner": "x",
                "triage": ["all"],
            },
            "vocabulary.yaml": {
                "kind": "vocabulary",
                "facts": facts or {name: FACTS[name] for name in sorted(read)},
                "outcomes": {
                    "out": choice("A", "B") if hit != "collect" else {"type": "list", "about": "x"},
                    **(outcomes or {}),
                },
            },
            "all.yaml": concern,
            **(files or {}),
        }.items()
    }


def findings(files: dict[str, str]) -> tuple[Problem, ...]:
    policy = load(files)
    return analyse(policy, draw_policy(policy))


def said(files: dict[str, str], *codes: str) -> list[str]:
    """Return what is found, but the assumptions and questions unless they are asked for."""
    return [
        finding.message
        for finding in findings(files)
        if finding.code in codes or (not codes and finding.level is not Level.NOTE)
    ]


CLOCK: Final = {"always": "yes", "zone": "UTC", "about": "x", "source": "1"}
DUE: Final = {"about": "x", "from": "at", "when_past": "passed", "holds": {"extend": "no"}}
HOLIDAYS: Final = {
    "kind": "holidays",
    "name": "XX",
    "about": "x",
    "source": "x",
    "covers": {"from": "2025-01-01", "to": "2027-12-31"},
    "days": {
        "2026-01-01": {"name": "New Year", "status": "estimated"},
        "2026-05-01": {"name": "Labour Day", "status": "confirmed"},
    },
}
AT: Final = {"at": {"type": "instant", "about": "x"}}


def timed(
    *,
    calendars: dict[str, Any] | None = None,
    regions: dict[str, Any] | None = None,
    files: dict[str, Any] | None = None,
) -> dict[str, str]:
    """Return a desk with a deadline by the calendar `clock`."""
    deadline = {
        **DUE,
        "rules": [{"id": "due.all", "when": {}, "then": {"unit": "hours", "calendar": "clock", "amount": "1"}}],
    }
    more = {
        "calendars": {"clock": CLOCK, **(calendars or {})},
        "deadlines": {"due": deadline},
        **({"regions": regions} if regions else {}),
    }
    return desk(
        [GOOD, BAD, ODD],
        facts={"mood": FACTS["mood"], **AT},
        outcomes={"due": {"type": "instant", "about": "x"}},
        answers=("out", "due"),
        more=more,
        files=files,
    )


ROSTER: Final = {
    "about": "x",
    "at": "at",
    "open": ["08:00", "18:00"],
    "source": "1",
    "entries": [{"value": "here", "zone": "UTC", "name": "Here"}],
    "produces": "who",
}

EXAMPLES: Final[dict[str, tuple[dict[str, str], str]]] = {
    "redundant": (
        desk(
            [
                {**BAD, "id": "t.very-bad", "when": {"mood": "bad", "age": "> 50"}},
                GOOD,
                {**BAD, "when": {"mood": ["bad", "odd"]}},
            ],
            facts=FACTS,
        ),
        "the rule `t.very-bad` can be removed: `t.bad` has the same outcomes wherever it fires",
    ),
    "subsumed": (
        desk(
            [
                {**BAD, "id": "t.odd", "when": {"mood": "odd"}, "assumption": "why not"},
                GOOD,
                {**BAD, "when": {"mood": ["bad", "odd"]}},
            ]
        ),
        "`t.bad` has the outcomes of the rule `t.odd` in more cases; the two differ only in their citations",
    ),
    "conflict": (
        desk([GOOD, {**BAD, "when": {"mood": {"not": "unknown"}}}]),
        "`t.good` is an exception to `t.bad`: their outcomes differ, and the first one counts",
    ),
    "redundant-condition": (
        desk(
            [GOOD, BAD, ODD],
            answers=("out", "more"),
            outcomes={"more": choice("A", "B")},
            more={
                "tables": {
                    "u": {
                        "about": "x",
                        "produces": ["more"],
                        "rules": [
                            {"id": "u.a", "when": {"out": "A", "mood": "good"}, "then": {"more": "A"}},
                            {"id": "u.b", "when": {"out": "B"}, "then": {"more": "B"}},
                        ],
                    }
                }
            },
        ),
        "the rule `u.a` does not need the condition on `mood`: it is always good when the other conditions hold",
    ),
    "unused-fact": (desk([GOOD, BAD, ODD], facts=FACTS), "nothing reads the fact `age`"),
    "no-effect": (
        desk([GOOD, BAD, ODD, {**OLD, "when": {"mood": "odd", "age": "> 50"}, "then": {"out": "B"}}], facts=FACTS),
        "",
    ),
    "unread-outcome": (
        desk(
            [GOOD, BAD, ODD],
            outcomes={"more": {"type": "boolean", "about": "x"}},
            more={"tables": {"u": {"about": "x", "produces": ["more"], "otherwise": {"then": {"more": "yes"}}}}},
        ),
        "no decision lists the outcome `more`, and nothing reads it",
    ),
    "unused-value": (
        desk([GOOD, {**BAD, "when": {"mood": {"not": "good"}}}]),
        "no rule distinguishes `bad` and `odd` of the fact `mood`",
    ),
    "needless-threshold": (
        desk([OLD, {**YOUNG, "when": {"age": "[20..50]"}}, {**YOUNG, "id": "t.child", "when": {"age": "< 20"}}]),
        "`t` has a threshold for `age` at 20, with the same outcomes on both sides",
    ),
    "unused-calendar": (
        timed(calendars={"spare": {**CLOCK, "about": "spare"}}),
        "nothing uses the calendar `spare`",
    ),
    "unused-region": (
        timed(regions={"XX": {"zone": "UTC", "holidays": "none"}}),
        "no ticket can be in the region `XX`: no outcome that selects a region has this value",
    ),
    "unused-holidays": (
        timed(files={"holidays/XX.yaml": HOLIDAYS}),
        "no calendar and no region names the holiday list `XX`",
    ),
    "unused-roster": (
        desk(
            [GOOD, BAD, ODD],
            facts={"mood": FACTS["mood"], **AT},
            outcomes={"who": choice("here")},
            more={"rosters": {"people": ROSTER}},
        ),
        "no decision lists `who`, the outcome of the roster `people`",
    ),
    "estimated-holidays": (
        timed(regions={"XX": {"zone": "UTC", "holidays": "XX"}}, files={"holidays/XX.yaml": HOLIDAYS}),
        "the holiday of `XX` on 2026-01-01 is estimated",
    ),
    "lost-minute": (
        timed(
            calendars={
                "clock": {
                    "about": "x",
                    "zone": "UTC",
                    "holidays": "none",
                    "hours": {"mon-sun": "00:00-23:59"},
                    "source": "1",
                }
            }
        ),
        "the calendar `clock` closes at 23:59 on mon-sun: the minute up to 24:00 does not count",
    ),
    "missing-citation": (
        desk([GOOD, {**BAD, "source": "none"}, ODD]),
        "the rule `t.bad` has neither a source nor an assumption",
    ),
    "assumption": (desk([GOOD, {**BAD, "assumption": "nobody says"}, ODD]), "the rule `t.bad` assumes: nobody says"),
    "question": (
        desk(
            [GOOD, BAD, ODD],
            more={
                "questions": [
                    {
                        "id": "which",
                        "question": "two answers",
                        "reading": "the first",
                        "source": "1",
                        "rules": ["t.bad"],
                    }
                ]
            },
        ),
        "`which`: two answers; read as: the first",
    ),
}
EXAMPLES["no-effect"] = (
    desk(
        [
            GOOD,
            {**BAD, "when": {"mood": "bad", "age": "unknown"}},
            {**BAD, "id": "t.bad-old", "when": {"mood": "bad", "age": {"not": "unknown"}}},
            ODD,
        ],
        facts=FACTS,
    ),
    "the fact `age` is read, but never changes an outcome",
)
"""For each code of an analysis: a policy that shows it, and the message."""


# ---- Hours that leave out a minute


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            {"hours": {"mon-fri": ["08:00-11:59", "12:00-16:59"], "sat": "09:00-12:29"}},
            [
                "the calendar `clock` closes at 11:59 on mon-fri: the minute up to 12:00 does not count",
                "the calendar `clock` closes at 16:59 on mon-fri: the minute up to 17:00 does not count",
            ],
        ),
        (
            {"hours": {"mon": ["08:00-12:29", "12:30-17:00"]}},
            ["the calendar `clock` closes at 12:29 on mon: the minute up to 12:30 does not count"],
        ),
        (
            {"hours": {"mon-fri": "18:00-05:59"}},
            ["the calendar `clock` closes at 05:59 on mon-fri: the minute up to 06:00 does not count"],
        ),
        (
            {"hours": {"mon-fri": "08:00-24:00", "sat-sun": "00:01-24:00"}},
            ["the calendar `clock` opens at 00:01 on sat, sun: the minute from 00:00 does not count"],
        ),
        (
            {
                "hours": {"mon-fri": "08:00-17:00"},
                "dates": {"2026-12-24": "08:00-12:59"},
                "breaks": {"2026-12-23": "12:00-12:59"},
            },
            [
                "a break of the calendar `clock` ends at 12:59 on 2026-12-23: the minute up to 13:00 counts",
                "the calendar `clock` closes at 12:59 on 2026-12-24: the minute up to 13:00 does not count",
            ],
        ),
        ({"hours": {"mon-sun": "00:00-24:00"}}, []),
        ({"hours": {"mon-fri": ["08:00-12:00", "13:00-17:30"]}}, []),
    ],
)
def test_hours_that_leave_out_a_minute_are_noted(more: dict[str, Any], expected: list[str]) -> None:
    calendar = {"about": "x", "zone": "UTC", "holidays": "none", "source": "1", **more}

    assert said(timed(calendars={"clock": calendar}), "lost-minute") == expected


def test_a_roster_that_ends_its_day_at_23_59_is_noted() -> None:
    roster = {**ROSTER, "open": ["00:00", "23:59"]}
    files = desk(
        [GOOD, BAD, ODD],
        facts={"mood": FACTS["mood"], **AT},
        outcomes={"who": choice("here")},
        answers=("out", "who"),
        more={"rosters": {"people": roster}},
    )

    assert said(files, "lost-minute") == [
        "the roster `people` closes at 23:59: the minute up to 24:00 has no place that is open"
    ]


# ---- Each code by an example


@pytest.mark.parametrize("code", EXAMPLES)
def test_every_code_has_a_policy_that_shows_it(code: str) -> None:
    files, message = EXAMPLES[code]

    assert said(files, code) == [message]


def test_the_codes_are_those_of_the_check_and_those_with_an_example() -> None:
    assert {code for code, meaning in CODES.items() if meaning.level is not Level.ERROR} == set(EXAMPLES)


def test_the_codes_are_documented_as_they_are() -> None:
    page = (ROOT / "docs" / "analysis.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (\w+) \| (.+) \|$", page, re.MULTILINE)

    assert rows == [
        (code, meaning.level.value, meaning.about)
        for code, meaning in CODES.items()
        if meaning.level is not Level.ERROR
    ]


def test_a_sound_policy_gives_nothing() -> None:
    assert findings(desk([GOOD, BAD, ODD])) == ()


@pytest.mark.parametrize(("then", "how"), [("A", "the same"), ("B", "different")])
def test_an_overlap_says_whether_the_outcomes_differ_and_where_the_other_rule_stands(then: str, how: str) -> None:
    found = findings(desk([GOOD, {**GOOD, "id": "t.again", "then": {"out": then}}, BAD, ODD], hit="unique"))
    overlap = next(finding for finding in found if finding.code == "overlap")

    assert (
        overlap.message
        == f"the rules `t.good` and `t.again` both cover a case; `t` is unique; their outcomes are {how}"
    )
    assert (overlap.level, overlap.witness, [other.what for other in overlap.also]) == (
        Level.ERROR,
        (("mood", "good"),),
        ["`t.good` also covers it"],
    )


def test_what_the_check_refuses_is_found_together_with_everything_else() -> None:
    found = findings(desk([GOOD, {**GOOD, "id": "t.never"}, {**BAD, "source": "none"}], facts=FACTS))

    assert Counter(finding.code for finding in found) == Counter(
        {"gap": 1, "never-fires": 1, "missing-citation": 1, "unused-fact": 1}
    )
    assert [*found] == sorted(found)


def test_a_pair_of_rules_is_told_under_one_code_only() -> None:
    for again in (
        {**GOOD, "id": "t.again"},
        {**GOOD, "id": "t.again", "when": {"mood": ["good"], "age": "> 50"}},
        {**GOOD, "id": "t.again", "assumption": "x"},
    ):
        for rules in ([GOOD, again, BAD, ODD], [again, GOOD, BAD, ODD]):
            told = [
                finding.code
                for finding in findings(desk(rules, facts=FACTS))
                if finding.code in ("never-fires", "redundant", "subsumed")
            ]

            assert len(told) == 1


def test_a_rule_that_cites_something_else_is_not_redundant() -> None:
    special = {**BAD, "id": "t.very-bad", "when": {"mood": "bad", "age": "> 50"}}
    rest = {**BAD, "when": {"mood": ["bad", "odd"]}}

    assert len(said(desk([special, GOOD, rest], facts=FACTS), "redundant")) == 1
    for cited in ({"source": "2"}, {"assumption": "old people know"}):
        assert said(desk([{**special, **cited}, GOOD, rest], facts=FACTS), "redundant") == []


def test_a_rule_that_says_what_holds_while_a_fact_is_missing_is_not_redundant() -> None:
    early = {**BAD, "id": "t.early", "when": {"mood": "bad", "age": "unknown"}}

    assert (
        said(
            desk(
                [early, GOOD, ODD, {**OLD, "when": {"mood": "bad", "age": "> 50"}}, {**BAD, "when": {"mood": "bad"}}],
                facts=FACTS,
            )
        )
        == []
    )


def test_what_fires_while_something_is_open_does_not_keep_a_rule() -> None:
    known = {**BAD, "id": "t.known", "when": {"mood": ["bad", "odd"], "age": {"not": "unknown"}}}
    rest = {**GOOD, "id": "t.rest", "when": {}}

    assert said(desk([BAD, known, rest], facts=FACTS), "redundant") == [
        "the rule `t.bad` can be removed: `t.known` and `t.rest` have the same outcomes wherever it fires"
    ]


def test_a_rule_of_a_collect_table_is_redundant_if_it_adds_nothing_and_claims_what_others_claim() -> None:
    adds = {"id": "t.adds", "when": {"mood": ["bad", "unknown"]}, "then": {"out": "be kind"}}
    other = {"id": "t.other", "when": {"mood": ["odd", "unknown"]}, "then": {"out": []}}
    alone = {"id": "t.alone", "when": {"mood": "unknown"}, "then": {"out": []}}

    assert said(desk([adds, other], hit="collect"), "redundant") == [
        "the rule `t.other` adds nothing that other rules do not add"
    ]
    assert said(desk([{**adds, "when": {"mood": "bad"}}, alone], hit="collect"), "redundant") == []


def test_in_a_collect_table_the_same_item_added_twice_is_told_once() -> None:
    wide = {"id": "t.wide", "when": {"mood": ["bad", "odd"]}, "then": {"out": "be kind"}}
    narrow = {"id": "t.narrow", "when": {"mood": "bad"}, "then": {"out": "be kind"}}

    assert said(desk([wide, narrow], hit="collect"), "subsumed") == [
        "`t.wide` already adds everything that the rule `t.narrow` adds"
    ]
    assert said(desk([wide, {**wide, "id": "t.again"}], hit="collect"), "subsumed") == [
        "`t.wide` already adds everything that the rule `t.again` adds"
    ]


def test_values_that_an_outcome_copies_are_told_apart() -> None:
    copied = {"id": "t.copied", "when": {"mood": {"not": "unknown"}}, "then": {"out": {"same_as": "mood"}}}
    files = desk([copied])
    vocabulary = json.loads(files["vocabulary.yaml"])
    vocabulary["outcomes"]["out"] = choice("good", "bad", "odd")

    assert said({**files, "vocabulary.yaml": json.dumps(vocabulary)}) == []


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"not": "good"}, "no rule distinguishes `bad` and `odd` of the fact `mood`"),
        (["bad", "odd"], None),
        (["bad", "unlisted"], None),
    ],
)
def test_words_that_stand_together_in_a_list_are_used_and_those_behind_a_not_of_others_are_not(
    condition: object, message: str | None
) -> None:
    facts = (
        {"mood": choice("good", "bad", "odd", open="yes")}
        if condition == ["bad", "unlisted"]
        else {"mood": FACTS["mood"]}
    )
    told = said(
        desk([GOOD, {**BAD, "when": {"mood": condition}}], facts=facts, otherwise="not_covered"), "unused-value"
    )

    assert told == ([message] if message and message.endswith("`mood`") else [])


def test_a_listed_value_that_is_treated_like_one_that_is_not_listed_is_found() -> None:
    facts = {"mood": choice("good", "bad", "odd", open="yes")}

    assert said(desk([GOOD, BAD], facts=facts, otherwise="not_covered")) == [
        "no rule distinguishes `odd` of the fact `mood` from a value that is not listed"
    ]
    assert said(desk([GOOD, BAD, {**ODD, "when": {"mood": "unlisted"}}], facts=facts, otherwise="not_covered")) == []


def test_a_threshold_between_rules_that_cite_differently_is_not_needless() -> None:
    child = {**YOUNG, "id": "t.child", "when": {"age": "< 20"}, "assumption": "children too"}

    assert said(desk([OLD, {**YOUNG, "when": {"age": "[20..50]"}}, child]), "needless-threshold") == []


def test_the_reason_that_several_rules_of_a_table_share_is_told_once_with_all_their_places() -> None:
    (found,) = findings(desk([{**GOOD, "assumption": "nobody says"}, {**BAD, "assumption": "nobody says"}, ODD]))

    assert (found.message, found.witness) == (
        "the rule `t.good` (and 1 more) assumes: nobody says",
        (("mood", "good"),),
    )
    assert [other.what for other in found.also] == ["`t.bad` makes the same assumption"]


def test_problems_of_a_policy_that_cannot_be_read_are_findings_too() -> None:
    with pytest.raises(PolicyErrors) as error:
        load(desk([{**GOOD, "when": {"mood": "gud"}}, BAD, ODD]))
    (found,) = error.value.problems

    assert (found.code, found.level, found.place.file) == ("unknown-value", Level.ERROR, "all.yaml")


# ---- Random policies against plain loops


@settings(max_examples=200 if LONG else 15, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies())
def test_what_is_found_of_the_rules_of_random_policies_is_what_plain_loops_find(files: dict[str, str]) -> None:
    policy = load(files)
    tables = draw_policy(policy)
    reading = Reading(tables.diagrams, tables.atoms)
    for table in policy.tables.values():
        local, oracle = LocalTable(table, reading), TableOracle(policy, tables, table)
        found = [*rule_findings(local, spare_rules(local))]

        assert {table.rules[at].id for at in local.idle} == {rule.id for rule in oracle.idle()}
        assert {table.rules[at].id for at in spare_rules(local)} == set(oracle.spare())
        assert {_quoted(one)[:2] for one in found if one.code == "redundant-condition"} == set(
            oracle.needless_conditions()
        )
        if table.hit is HitPolicy.FIRST:
            assert {_quoted(one)[:2] for one in found if one.code == "conflict"} == set(oracle.conflicts())


@settings(max_examples=200 if LONG else 15, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies())
def test_leaving_all_redundant_rules_out_changes_no_answer(files: dict[str, str]) -> None:
    policy = _without_idle(load(files))
    tables = draw_policy(policy)
    reading = Reading(tables.diagrams, tables.atoms)
    spare = {name: spare_rules(LocalTable(table, reading)) for name, table in policy.tables.items()}
    slim = replace(policy, tables={name: _without(table, spare[name]) for name, table in policy.tables.items()})
    for table in policy.tables.values():
        values = TableCases(tables.diagrams, tables.atoms, table.name).values
        before, after = Oracle(policy, values), Oracle(slim, values)
        for seen in TableOracle(policy, tables, table).tickets:
            facts: Any = dict(seen.facts)
            known = {name: before._known(name, facts) for name in table.reads}

            assert known == {name: after._known(name, facts) for name in table.reads}
            assert before.possible(table, facts) == after.possible(slim.tables[table.name], facts)


@settings(max_examples=500 if LONG else 10, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies())
def test_a_fact_has_an_effect_if_two_tickets_that_differ_in_nothing_else_are_answered_otherwise(
    files: dict[str, str],
) -> None:
    policy = load(files)
    tables = draw_policy(policy)
    assert facts_with_effect(policy, tables.diagrams, {}) == {
        fact for fact in policy.facts if any(_differs(policy, tables, table, fact) for table in policy.tables.values())
    }


def _differs(policy: Policy, tables: PolicyTables, table: Table, fact: str) -> bool:
    """Go through all tickets, and compare those that differ in one fact only."""
    if not set(table.produces) & shown_outcomes(policy):
        return False
    oracle = TableOracle(policy, tables, table)
    answers: dict[tuple[object, ...], set[object]] = {}
    for seen in oracle.tickets:
        others = tuple(pair for pair in seen.facts if pair[0] != fact)
        possible = oracle.oracle.possible(table, dict(seen.facts))  # type: ignore[arg-type]
        answers.setdefault(others, set()).add(tuple(possible.values()))
    return any(len(found) > 1 for found in answers.values())


@settings(max_examples=500 if LONG else 10, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies())
def test_in_every_witness_the_rules_that_are_named_hold(files: dict[str, str]) -> None:
    policy = load(files)
    tables = draw_policy(policy)
    reading = Reading(tables.diagrams, tables.atoms)
    for table in policy.tables.values():
        rules = {rule.id: rule for rule in table.rules}
        oracle = TableOracle(policy, tables, table)
        local = LocalTable(table, reading)
        for found in rule_findings(local, spare_rules(local)):
            ticket = dict(found.witness)
            (seen,) = [
                one
                for one in oracle.tickets
                if {
                    name: tables.atoms[name].text(tables.atoms[name].of(value))
                    for name, value in one.facts
                    if value is not None
                }
                == ticket
            ]  # type: ignore[arg-type]
            held = [rules[word] for word in _quoted(found) if word in rules] if found.code == "conflict" else []
            if found.code == "conflict":
                assert len(held) == 2
                assert oracle.counting(seen, table.rules) == held[:1]
            assert all(one.holds(seen.known[one.fact]) for rule in held for one in rule.when)


def _quoted(finding: Problem) -> tuple[str, ...]:
    return tuple(finding.message.split("`")[1::2])


def _without_idle(policy: Policy) -> Policy:
    """Take out rules that count in no cell that tickets reach, until there are none: the check refuses them."""
    while True:
        tables = draw_policy(policy)
        reading = Reading(tables.diagrams, tables.atoms)
        idle = {name: _never_counts(LocalTable(table, reading)) for name, table in policy.tables.items()}
        if not any(idle.values()):
            return policy
        policy = replace(policy, tables={name: _without(table, idle[name]) for name, table in policy.tables.items()})


def _never_counts(local: LocalTable) -> set[int]:
    rules = range(len(local.table.rules))
    return {at for at in rules if local.both(local.counting(at), local.reached) == local.no}


def _without(table: Table, spare: Collection[int]) -> Table:
    return replace(table, rules=tuple(rule for at, rule in enumerate(table.rules) if at not in spare))


# ---- The shipped versions


def analysed(version: Version) -> tuple[Problem, ...]:
    return analyse(version.policy, draw_policy(version.policy))


@pytest.fixture(scope="module")
def shipped_findings(shipped: Bundle) -> dict[str, tuple[Problem, ...]]:
    return {version.ref.version: analysed(version) for version in shipped.versions}


def test_the_shipped_versions_are_without_error_and_what_is_to_be_improved_is_known(
    shipped_findings: dict[str, tuple[Problem, ...]],
) -> None:
    weighty = {
        name: [(one.code, *_quoted(one)) for one in found if one.level is not Level.NOTE]
        for name, found in shipped_findings.items()
    }

    assert weighty == {"1.0.0": [("unused-fact", "stage")], "2.0.0": []}


def test_every_assumption_and_question_of_the_shipped_versions_is_found(
    shipped: Bundle, shipped_findings: dict[str, tuple[Problem, ...]]
) -> None:
    for version in shipped.versions:
        found = shipped_findings[version.ref.version]
        told = " ".join(one.message for one in found if one.code == "assumption")

        assert [one.id for one in version.policy.assumptions if one.reason not in told] == []
        assert sum(one.code == "question" for one in found) == len(version.policy.questions)


def test_every_witness_of_an_assumption_of_a_shipped_rule_is_a_ticket_that_rests_on_it(
    shipped: Bundle, shipped_findings: dict[str, tuple[Problem, ...]]
) -> None:
    tried = 0
    for version in shipped.versions:
        tables = {rule.id: table for table in version.policy.tables.values() for rule in table.all_rules}
        for found in shipped_findings[version.ref.version]:
            rule = _quoted(found)[0]
            if (
                found.code != "assumption"
                or rule not in tables
                or version.policy.deadlines.keys() & {rule.partition(".")[0]}
            ):
                continue
            values = TableCases(version.diagrams, version.atoms, tables[rule].name).values
            oracle = Oracle(version.policy, values)
            sent = {
                name: version.atoms[name].samples[at - 1]
                for name, value in found.witness
                for at in [
                    version.reader.read({name: " " if value == "blank" else value}).atoms[version.reader.slots[name]]
                ]
            }
            facts: Any = {name: sent.get(name) for name in values}
            known = {name: oracle._known(name, facts) for name in tables[rule].reads}
            tried += 1

            assert rule in [one.id for one in oracle._counting(tables[rule], known)]
            assert oracle.open_facts(tables[rule], facts) == frozenset()
    assert tried > 60


# ---- Policies that grow


def test_a_list_of_40_steps_has_nothing_to_improve_but_the_step_that_another_rule_adds() -> None:
    files = growth.prerequisites(40)
    concern = json.loads(files["all.yaml"])
    rules = concern["tables"]["t"]["rules"]
    rules.insert(8, {"id": "again", "when": {"f07": "yes", "f08": "yes"}, "then": {"steps": ["step 7"]}})
    found = analysed_drawn({**files, "all.yaml": json.dumps(concern)})

    assert analysed_drawn(files) == ()
    assert [(one.code, one.message) for one in found] == [
        ("subsumed", "`r7` already adds everything that the rule `again` adds")
    ]


def test_conflicts_in_a_chain_of_30_tables_have_witnesses_of_the_whole_chain() -> None:
    found = analysed_drawn(growth.chain(30))
    last = next(one for one in found if one.code == "conflict" and "r29.2" in one.message)

    assert Counter(one.code for one in found)["conflict"] == 58
    assert last.message == "`r29.2` and `r29.b` overlap: their outcomes differ, and the first one counts"
    # The last table alone needs o28 = v2, which takes both facts of each table before; b settles a rule at once.
    assert {name for name, _ in last.witness} >= {"a29", "b29", "a28"}


def test_each_of_5000_customers_needs_its_row() -> None:
    found = analysed_drawn(growth.customers(5_000, amounts=True))

    assert {(one.code, _quoted(one)[0]) for one in found if one.code != "conflict"} == {("unused-value", "v0")}


def analysed_drawn(files: dict[str, str]) -> tuple[Problem, ...]:
    policy = load(files)
    return analyse(policy, draw_policy(policy))


# ---- The command


def run(*arguments: str) -> Any:
    return run_command("analyze", *arguments)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], Path]:
    """Write a policy into a folder that looks like a repository, and change to its top."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()

    def write(files: dict[str, str]) -> Path:
        shutil.rmtree(tmp_path / "policies", ignore_errors=True)
        for name, text in files.items():
            path = tmp_path / "policies" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path / "policies"

    return write


TROUBLED: Final = desk(
    [
        {**OLD, "id": "t.old-and-good", "when": {"mood": "good", "age": "> 50"}},
        {**GOOD, "when": {"mood": "good"}},
        {**GOOD, "id": "t.never"},
        {**BAD, "assumption": "nobody says"},
        {**BAD, "id": "t.rest", "when": {"mood": {"not": "unknown"}}},
    ],
    facts={**FACTS, "spare": {"type": "boolean", "about": "x"}},
    more={"questions": [{"id": "which", "question": "two answers", "reading": "the first", "source": "1"}]},
)


def test_what_the_command_says_is_grouped_and_counted(
    small: Callable[[dict[str, str]], Path], golden: Callable[[str, str], None]
) -> None:
    small({name: json.dumps(json.loads(text), indent=1) for name, text in TROUBLED.items()})
    result = run()

    assert result.exit_code == 3
    golden("analysis/analyze.txt", result.output)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 0),
        (("--fail-on", "warning"), 3),
        (("--fail-on", "never"), 0),
        (("--fail-on", "warning", "--code", "assumption"), 0),
    ],
)
def test_it_fails_by_the_level_that_is_asked_for(
    small: Callable[[dict[str, str]], Path], arguments: tuple[str, ...], code: int
) -> None:
    small(EXAMPLES["unused-fact"][0])

    assert run(*arguments).exit_code == code


def test_findings_are_chosen_by_level_and_by_code(small: Callable[[dict[str, str]], Path]) -> None:
    small(TROUBLED)

    def codes(*arguments: str) -> set[str]:
        plain = json.loads(run("-o", "json", *arguments).output)
        return {finding["code"] for finding in plain["versions"][0]["findings"]}

    assert codes("--level", "error") == {"never-fires"}
    assert codes("--level", "warning") == {"never-fires", "redundant", "unused-fact", "no-effect"}
    assert codes("--code", "question", "--code", "assumption") == {"question", "assumption"}
    assert codes() > {"never-fires", "redundant", "unused-fact", "question", "assumption", "conflict"}


def test_a_code_that_does_not_exist_is_refused_with_the_nearest(small: Callable[[dict[str, str]], Path]) -> None:
    small(TROUBLED)
    result = run("--code", "redundent")

    assert result.exit_code == 2
    assert "unknown code `redundent`; did you mean `redundant`?" in result.output


def test_past_versions_are_looked_at_when_asked_for(small: Callable[[dict[str, str]], Path]) -> None:
    folder = small(desk([GOOD, BAD, ODD]))
    past = {name: text.replace("1.0.0", "0.9.0") for name, text in EXAMPLES["unused-fact"][0].items()}
    for name, text in past.items():
        (folder / "past" / "0.9.0").mkdir(parents=True, exist_ok=True)
        (folder / "past" / "0.9.0" / name).write_text(text, encoding="utf-8")

    def folders(*arguments: str) -> list[tuple[str, int]]:
        return [
            (one["folder"], len(one["findings"]))
            for one in json.loads(run("-o", "json", *arguments).output)["versions"]
        ]

    assert folders() == [("policies", 0)]
    assert folders("--all") == [("policies", 0), ("policies/past/0.9.0", 1)]
    assert folders("--version", "0.9.0") == [("policies/past/0.9.0", 1)]
    assert run("--version", "0.8.0").exit_code == 2
