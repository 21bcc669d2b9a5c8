"""What it would take for another outcome: by every ticket of random policies, by deciding proposals, and as text."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from engine.load import load
from engine.model.answer import Status, UnknownDecision, WrongRequest
from engine.request.moment import Moment
from engine.request.ticket import TicketReader
from engine.tables.atoms import all_atoms
from engine.tables.lists import items_of
from engine.tables.table_diagram import TableDiagram, draw_tables
from engine.version.build import build
from engine.version.bundle import Bundle
from engine.version.version import Version
from engine.whynot import MAX_ALTERNATIVES, Alternative, UnknownWanted, Wanted, WhyNot, read_wanted, why_not
from guidepost.cli.app import app
from guidepost.cli.commands.eval_why_not import why_not_parts
from guidepost.render.console import Screen
from tests.oracle import Oracle
from tests.support import growth
from tests.support.campaign import LONG
from tests.support.deciders import decide
from tests.support.strategies import policies

Ticket = dict[str, Any]


@pytest.fixture(scope="module")
def version(shipped: Bundle) -> Version:
    return next(version for version in shipped.versions if version.ref.version == "2.0.0")


def ask(version: Version, decision: str, words: str, now: datetime | None = None, **facts: Any) -> WhyNot:
    return why_not(version, facts, read_wanted(version, decision, words), Moment(now))


def said(found: WhyNot) -> list[list[tuple[str, str, tuple[str, ...]]]]:
    return [[(change.fact, change.now, change.to) for change in alternative] for alternative in found.alternatives]


def changed(facts: Ticket, alternative: Alternative) -> Iterator[Ticket]:
    """Yield every ticket that an alternative proposes."""
    for values in itertools.product(*(change.samples for change in alternative)):
        yield {**facts, **dict(zip((change.fact for change in alternative), values, strict=True))}


# ---- What is proposed


def test_the_smallest_change_is_found(version: Version) -> None:
    assert said(ask(version, "priority", "P1", impact="low", urgency="high")) == [[("impact", "low", ("high",))]]


def test_a_number_is_given_as_the_range_that_would_do(version: Version) -> None:
    found = ask(version, "priority", "P1", business_impact="extreme", workaround="none", affected_percent=30)

    assert said(found) == [[("affected_percent", "30", ("> 50",))]]


def test_several_ways_of_as_few_changes_are_all_given(version: Version) -> None:
    found = ask(version, "priority", "P1", stage="arrival", channel="email", impact="high", urgency="high")

    assert found.changes == 1
    assert said(found) == [[("channel", "email", ("telephone", "other"))], [("stage", "arrival", ("triage",))]]


def test_a_fact_that_is_not_sent_may_be_sent(version: Version) -> None:
    found = ask(version, "priority", "P1")

    assert (found.current.status, found.changes) == (Status.UNDECIDED, 2)
    assert said(found) == [
        [("business_impact", "", ("extreme",)), ("workaround", "", ("none",))],
        [("impact", "", ("high",)), ("urgency", "", ("high",))],
    ]


def test_not_to_send_a_fact_is_proposed_only_where_nothing_else_does_with_as_few(version: Version) -> None:
    found = ask(version, "response", "target_priority=P5", assigned_priority="P1", impact="low", urgency="low")

    assert found.changes == 1
    assert ("assigned_priority", "P1", ("P5",)) in [alternative[0] for alternative in said(found)]
    kept = ask(version, "escalation", "unconfirmed=a reason for the escalation is given", reason="because")

    assert said(kept) == [[("reason", "given", ("",))]]
    assert next(changed({"reason": "because"}, kept.alternatives[0])) == {"reason": None}


def test_what_it_is_already_needs_no_change(version: Version) -> None:
    found = ask(version, "priority", "P3", impact="low", urgency="high")

    assert (found.already, found.changes, found.alternatives) == (True, 0, ())


def test_what_no_ticket_gets_is_said_with_what_can_be_got(version: Version) -> None:
    found = ask(version, "response", "response_amount=7", impact="low")

    assert (found.already, found.alternatives, found.attainable) == (False, (), (0.0, 1.0, 2.0, 4.0))
    assert ask(version, "priority", "not_covered", impact="low").attainable == ("P1", "P2", "P3", "P4", "P5")


def test_to_be_decided_and_not_to_be_covered_can_be_wanted(version: Version) -> None:
    assert said(ask(version, "priority", "decided", impact="low"))[-1] == [("urgency", "", ("high", "medium", "low"))]
    assert said(ask(version, "scope", "not_covered", service="configuration", request_type="incident")) == [
        [("service", "configuration", ("unlisted",))]
    ]


def test_a_list_is_wanted_by_one_of_its_items_and_empty_as_none(version: Version) -> None:
    found = ask(version, "channel", "telephone_numbers=+65 3138 2425", country="AU")

    assert said(found) == [[("country", "AU", ("SG",))]]
    assert said(ask(version, "escalation", "unmet=none", reason=" ")) == [[("reason", "blank", ("given",))]]


def test_a_value_that_was_sent_and_is_not_listed_is_named_as_sent(version: Version) -> None:
    assert said(ask(version, "coverage", "ja", language="th")) == [[("language", "th", ("ja",))]]


def test_a_fact_that_follows_from_an_instant_is_named_and_sent_otherwise(version: Version) -> None:
    now = datetime(2026, 1, 7, tzinfo=UTC)
    facts = {"case_state": "closed", "reopen_requested": True, "closed_at": "2026-01-05T00:00:00Z"}
    found = ask(version, "lifecycle", "new_case", now, **facts)

    assert said(found) == [[("business_days_since_closure", "2", ("> 5",))]]
    assert [(one.fact, one.since) for one in found.follows] == [("business_days_since_closure", "closed_at")]
    assert all(
        decide(version, "lifecycle", ticket, Moment(now))["case_action"].value == "new_case"
        for ticket in changed(facts, found.alternatives[0])
    )


@pytest.mark.parametrize(
    ("decision", "words", "facts"),
    [
        ("priority", "P1", {}),
        ("priority", "P4", {"impact": "high", "urgency": "high", "channel": "email", "stage": "arrival"}),
        ("priority", "basis=severity", {"impact": "high", "urgency": "high"}),
        ("priority", "decided", {"impact": "low"}),
        ("response", "target_priority=P2", {"impact": "low"}),
        ("response", "support_hours=12x5", {"requester": "partner"}),
        ("channel", "stay", {"impact": "high", "urgency": "high"}),
        ("escalation", "valid", {"service": "mpn", "subscription_source": "other"}),
        ("escalation", "may_be_declined", {"reason": " "}),
        ("scope", "in_scope", {"service": "configuration"}),
        ("coverage", "ja", {"language": "en"}),
    ],
)
def test_whatever_is_proposed_is_decided_as_wanted(version: Version, decision: str, words: str, facts: Ticket) -> None:
    wanted = read_wanted(version, decision, words)
    found = why_not(version, facts, wanted)
    before = decide(version, decision, facts)[wanted.outcome]
    tickets = [
        ticket for alternative in found.alternatives for ticket in itertools.islice(changed(facts, alternative), 200)
    ]

    assert found.alternatives
    assert found.current == before
    for ticket in tickets:
        outcome = decide(version, decision, ticket)[wanted.outcome]
        assert outcome.status is Status.DECIDED
        assert words.partition("=")[2] or words in (outcome.value, "decided")
        assert words.partition("=")[2] in ("", outcome.value)


# ---- Against every ticket


@settings(max_examples=300 if LONG else 15, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies(), st.data())
def test_no_smaller_change_exists_and_none_of_the_smallest_is_left_out(
    files: dict[str, str], data: st.DataObject
) -> None:
    version = drawn_version(files)
    policy, diagrams = version.policy, version.diagrams
    samples = {
        fact: [version.atoms[fact].samples[member - 1] for member in diagrams.parts[fact].members[1:]]
        for fact in sorted(diagrams.store.facts)
    }
    tickets = [
        dict(zip(samples, case, strict=True))
        for case in itertools.product(*([None, *listed] for listed in samples.values()))
    ]
    oracle = Oracle(policy, samples)
    start = {name: data.draw(st.sampled_from([None, *listed])) for name, listed in samples.items()}
    sent = {name: " " if value == "blank" else value for name, value in start.items()}
    for table in policy.tables.values():
        possible = [oracle.possible(table, dict(ticket)) for ticket in tickets]
        for name in table.produces:
            for wanted, right in every_wanted(diagrams.tables[table.name], name):
                true = [
                    ticket
                    for ticket, said in zip(tickets, possible, strict=True)
                    if len(said[name]) == 1 and right(next(iter(said[name])))
                ]
                found = why_not(version, sent, wanted)
                proposed = {
                    case_of(version, ticket)
                    for alternative in found.alternatives
                    for ticket in changed(sent, alternative)
                }

                assert found.already == (start in true)
                if not found.already:
                    least, near = smallest(true, start)
                    expected = {case_of(version, ticket) for ticket in near}
                    assert found.changes == least
                    assert proposed == expected if not found.more else proposed < expected


def drawn_version(files: dict[str, str]) -> Version:
    """Return what why-not needs of a version, of a policy that need not be a good one."""
    policy = load(files)
    atoms = all_atoms(policy)
    diagrams = draw_tables(list(policy.tables.values()), policy.outcomes, atoms)
    return cast(
        "Version",
        SimpleNamespace(
            policy=policy,
            atoms=atoms,
            diagrams=diagrams,
            producer={name: table.name for table in policy.tables.values() for name in table.produces},
            reader=TicketReader(policy.facts, atoms),
            elapsed=(),
            plans={},
            triage=(),
        ),
    )


def every_wanted(table: TableDiagram, name: str) -> Iterator[tuple[Wanted, Callable[[Any], bool]]]:
    """Yield everything that can be wanted of an outcome, each with whether a value is it."""
    if name in table.items:
        items = items_of(table.items[name])
        yield Wanted(name, "none", frozenset({len(items)})), lambda value: value == ()
        yield Wanted(name, "decided", frozenset(range(len(items) + 1))), lambda _: True
        for code, item in enumerate(items):
            yield Wanted(name, item, frozenset({code})), lambda value, item=item: item in value
        return
    yield Wanted(name, "decided", frozenset(range(len(table.domain[name])))), lambda value: value is not None
    for code, one in enumerate((*table.domain[name], None)):
        yield Wanted(name, str(one), frozenset({code})), lambda value, one=one: value == one


def smallest(true: list[Ticket], start: Ticket) -> tuple[int, list[Ticket]]:
    """Return the fewest changed facts, and the tickets that change so few, preferably without leaving one out."""
    steps = [(ticket, [fact for fact in start if ticket[fact] != start[fact]]) for ticket in true]
    least = min((len(facts) for _, facts in steps), default=0)
    near = [(ticket, facts) for ticket, facts in steps if len(facts) == least]
    kept = [ticket for ticket, facts in near if all(ticket[fact] is not None for fact in facts)]
    return least, kept or [ticket for ticket, _ in near]


def case_of(version: Version, ticket: Ticket) -> tuple[int, ...]:
    sent = {name: " " if value == "blank" else value for name, value in ticket.items()}
    atoms, parts = version.reader.read(sent).atoms, version.diagrams.parts
    return tuple(parts[fact].class_of[atoms[version.reader.slots[fact]]] for fact in version.diagrams.store.facts)


def test_alternatives_are_bounded_and_the_rest_is_counted() -> None:
    facts = {
        f"f{at}": {
            "type": "choice",
            "about": "x",
            "values": [{"value": f"v{value}", "about": "x"} for value in range(4)],
        }
        for at in range(2)
    }
    cells = [[("yes" if (row + column) % 4 in (1, 2) and row else "no") for column in range(4)] for row in range(4)]
    files = {
        "manifest.yaml": {
            "kind": "manifest",
            "name": "chess",
            "version": "1.0.0",
            "effective_from": "2020-01-01T00:00:00Z",
            "source": "x",
            "owner": "x",
            "triage": ["board"],
        },
        "vocabulary.yaml": {
            "kind": "vocabulary",
            "facts": facts,
            "outcomes": {"out": {"type": "boolean", "about": "x"}},
        },
        "all.yaml": {
            "kind": "policy",
            "about": "x",
            "source": "x",
            "decision": {"name": "board", "about": "x", "answers": ["out"]},
            "tables": {
                "board": {
                    "about": "x",
                    "produces": "out",
                    "matrix": {
                        "down": "f0",
                        "across": "f1",
                        "columns": [f"v{at}" for at in range(4)],
                        "rows": {f"v{at}": row for at, row in enumerate(cells)},
                    },
                }
            },
        },
    }
    board = build({name: json.dumps(one) for name, one in files.items()})
    found = ask(board, "board", "yes")
    tickets = {tuple(ticket.values()) for alternative in found.alternatives for ticket in changed({}, alternative)}

    assert len(found.alternatives) <= MAX_ALTERNATIVES
    assert len(tickets) + found.more == sum(row.count("yes") for row in cells)


# ---- Of policies that grow


def wanted_as(version: Version, name: str, *values: object) -> Wanted:
    table = version.diagrams.tables[version.producer[name]]
    domain = items_of(table.items[name]) if name in table.items else table.domain[name]
    return Wanted(name, str(values), frozenset(domain.index(value) for value in values))


def test_one_of_5000_customers_is_found() -> None:
    version = drawn_version(growth.customers(5_000, amounts=True))

    (alternative,) = said(why_not(version, {"customer": "c17"}, wanted_as(version, "hours", 4321)))
    assert alternative == [("customer", "c17", ("c4320",))]
    vip = why_not(version, {"customer": "c17", "priority": "p1"}, wanted_as(version, "target", 99))
    assert said(vip) == [[("plan", "", ("v1",)), ("vip", "", ("yes",))]]


def test_every_combination_of_40_steps_is_one_alternative() -> None:
    version = drawn_version(growth.prerequisites(40))
    steps = sorted(version.policy.facts)

    anything = why_not(version, {}, Wanted("steps", "decided", frozenset(range(41))))
    assert said(anything) == [[(step, "", ("no", "yes")) for step in steps]]
    nothing = why_not(version, dict.fromkeys(steps, "yes"), Wanted("steps", "none", frozenset({40})))
    assert said(nothing) == [[(step, "yes", ("no",)) for step in steps]]
    one = why_not(version, dict.fromkeys(steps, "no"), wanted_as(version, "steps", "step 7", "step 9"))
    assert said(one) == [[("f07", "no", ("yes",))], [("f09", "no", ("yes",))]]
    assert why_not(version, {}, Wanted("steps", "no such step", frozenset())).attainable == tuple(
        sorted(f"step {at}" for at in range(40))
    )


def test_a_chain_of_30_tables_is_followed_to_its_end() -> None:
    version = drawn_version(growth.chain(30))

    decided = why_not(version, {}, wanted_as(version, "o29", "v1"))
    assert (decided.current.status, decided.changes) == (Status.UNDECIDED, 2)
    ticket = next(changed({}, decided.alternatives[0]))
    assert why_not(version, ticket, wanted_as(version, "o29", "v1")).already


# ---- What can be asked


@pytest.mark.parametrize(
    ("decision", "words", "message"),
    [
        ("priority", "P9", "`priority` is never `P9`; known: P1, P2, P3, P4, P5, decided, not_covered"),
        ("escalation", "valit", "`escalation` is never `valit`; did you mean `valid`?"),
        ("priority", "bassis=matrix", "unknown outcome `bassis` of `priority`; did you mean `basis`?"),
        (
            "priority",
            "matrix",
            "no outcome of `priority` can be `matrix`; write `basis=matrix` or `assessed_basis=matrix`",
        ),
        (
            "response",
            "decided",
            "`decided` is a value of several outcomes of `response`; write `target_priority=decided` or `response_amount=decided` or `response_unit=decided`",
        ),
        (
            "response",
            "fast",
            "no outcome of `response` can be `fast`; write `outcome=value`, with one of target_priority, response_amount, response_unit",
        ),
        (
            "response",
            "response_amount=soon",
            "expected a number for `response_amount`, got `soon`; it can be 0, 1, 2, 4",
        ),
        (
            "response",
            "sla_applies=perhaps",
            "expected yes or no for `sla_applies`, got `perhaps`; known: decided, no, not_covered, yes",
        ),
        (
            "response",
            "response_due=2026-01-01",
            "why-not does not support instants, got `response_due`; ask about what it depends on, such as its target, in the decision that produces it",
        ),
        ("coverage", "centre=sydney", "`centre` depends on the time of day, and facts do not change that"),
    ],
)
def test_what_a_decision_cannot_be_is_refused_with_what_was_perhaps_meant(
    version: Version, decision: str, words: str, message: str
) -> None:
    with pytest.raises(UnknownWanted) as error:
        read_wanted(version, decision, words)

    assert str(error.value) == message


def test_a_value_may_be_written_by_its_name_and_a_bare_one_finds_its_outcome(version: Version) -> None:
    assert read_wanted(version, "priority", "priority 1").codes == read_wanted(version, "priority", "priority=P1").codes
    assert read_wanted(version, "response", "P1").outcome == "target_priority"
    assert read_wanted(version, "response", "4").outcome == "response_amount"


def test_an_unknown_decision_and_wrong_facts_are_refused_as_ever(version: Version) -> None:
    with pytest.raises(UnknownDecision):
        read_wanted(version, "prio", "P1")
    with pytest.raises(WrongRequest):
        ask(version, "priority", "P1", impact="hihg")


# ---- As people read it


HOSPITAL: Final = str(Path(__file__).resolve().parents[3] / "examples" / "hospital")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["eval", *arguments, "--policies", HOSPITAL])


CLOSED: Final = {"case_state": "closed", "reopen_requested": True, "closed_at": "2026-01-05T00:00:00Z"}


@pytest.mark.parametrize(
    ("name", "decision", "words", "facts"),
    [
        ("one", "priority", "P1", {"impact": "low", "urgency": "high"}),
        ("several", "priority", "decided", {"impact": "low"}),
        ("many", "escalation", "valid", {"service": "mpn", "subscription_source": "other"}),
        ("already", "scope", "out_of_scope", {"service": "mpn"}),
        ("impossible", "priority", "not_covered", {"impact": "low"}),
        ("follows", "lifecycle", "new_case", CLOSED),
    ],
)
def test_it_is_said_as_people_read_it(
    version: Version, golden: Callable[[str, str], None], name: str, decision: str, words: str, facts: Ticket
) -> None:
    shown = io.StringIO()
    found = ask(version, decision, words, datetime(2026, 1, 7, tzinfo=UTC), **facts)
    Screen(shown).show(*why_not_parts(found, version.policy))

    golden(f"why_not/{name}.txt", shown.getvalue())


def test_the_command_says_it_before_the_answer_and_with_its_rules() -> None:
    result = run("grade", "impact=1", "urgency=1", "--why-not", "2", "--explain")

    assert result.exit_code == 0
    assert result.stdout.startswith("why not grade 2? It is 1.\n  It would be 2 with one change:\n")
    assert "scales.1.1" in result.stdout


def test_it_is_plain_data_in_json() -> None:
    plain = json.loads(run("grade", "impact=1", "urgency=1", "--why-not", "5", "-o", "json").stdout)

    assert plain["why_not"]["alternatives"] == [
        [{"fact": "impact", "now": "1", "to": ["5"]}, {"fact": "urgency", "now": "1", "to": ["5"]}]
    ]
    assert (plain["status"], plain["why_not"]["now"], plain["why_not"]["possible"]) == (
        "decided",
        {"status": "decided", "value": "1"},
        True,
    )


def test_without_a_decision_it_is_asked_of_the_first_that_could_be_it() -> None:
    assert run("impact=1", "urgency=1", "--why-not", "2").stdout.startswith("why not grade 2? It is 1.\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--why-not nowhere impact=1", "error: --why-not nowhere: none of "),
        ("grade --why-not 9", "error: --why-not 9: `grade` is never `9`"),
    ],
)
def test_what_cannot_be_asked_ends_with_2(arguments: str, message: str) -> None:
    result = run(*arguments.split())

    assert result.exit_code == 2
    assert message in result.stderr
