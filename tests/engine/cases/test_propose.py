"""Proposed cases: they load, they pass, they cover all that can be covered, and they say what they pin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings

from engine.cases import Case, load_cases, run_case
from engine.cases.cases_yaml import cases_text
from engine.cases.coverage import AnswerTrace, Coverage, coverage_of, trace
from engine.cases.propose import Proposal, plain, propose
from engine.cases.rule_tickets import RuleTickets
from engine.model.answer import DeadlineState
from engine.version.build import build
from engine.version.bundle import Bundle
from engine.version.version import Version
from guidepost.policies.sources.folder import read_folder, version_folders
from tests.support import growth
from tests.support.deciders import decide, decider_of
from tests.support.desks import GOOD
from tests.support.every_ticket import CAME_AT, build_unchecked, every_ticket, is_small
from tests.support.paths import ROOT
from tests.support.strategies import policies, timed_policies


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Cases with what they cover."""

    cases: tuple[Case, ...]
    touched: tuple[AnswerTrace, ...]
    coverage: Coverage
    failed: tuple[str, ...]


def suite(version: Version, cases: Iterable[Case]) -> Suite:
    listed = tuple(cases)
    results = [run_case(decider_of(version), case) for case in listed]
    touched = trace(version, results)
    return Suite(
        cases=listed,
        touched=touched,
        coverage=coverage_of(version, touched),
        failed=tuple(str(result) for result in results if not result.passed),
    )


def added(version: Version, before: Suite, *, everything: bool = False) -> tuple[tuple[Proposal, ...], Suite]:
    """Return what is proposed beside these cases, and both together, as they are read from YAML."""
    proposals = propose(version, before.cases, before.touched, everything=everything)
    read = load_cases({"cases/proposed.yaml": cases_text(map(plain, proposals))}, version.policy) if proposals else ()
    return proposals, suite(version, (*before.cases, *read))


def rules_that_can_be_hit(version: Version) -> set[str]:
    """Return the rules that some answer rests on, by asking for every ticket."""
    instants = {name: CAME_AT for name, fact in version.policy.facts.items() if fact.type == "instant"}
    return {
        rule.id
        for facts in every_ticket(version)
        for more in ({}, instants)
        for rule in decide(version, "all", {**facts, **more}).rules
    }


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies())
def test_proposals_cover_every_rule_that_can_be_hit_and_pass(files: dict[str, str]) -> None:
    version = build_unchecked(files)
    _, after = added(version, suite(version, ()))
    hit = {rule.id for one in after.coverage.tables for rule in one.rules if rule.cases}

    assert after.failed == ()
    assert rules_that_can_be_hit(version) <= hit


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(timed_policies())
def test_so_they_do_where_there_are_deadlines(files: dict[str, str]) -> None:
    version = build_unchecked(files)
    _, after = added(version, suite(version, ()))
    can = rules_that_can_be_hit(version)
    hit = {rule.id for one in after.coverage.tables for rule in one.rules if rule.cases}
    counted = {rule.id for one in after.coverage.tables for rule in one.rules}

    assert after.failed == ()
    assert can & counted <= hit or not is_small(version)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(timed_policies())
def test_once_they_are_added_nothing_more_is_proposed(files: dict[str, str]) -> None:
    version = build_unchecked(files)
    _, after = added(version, suite(version, ()))

    assert propose(version, after.cases, after.touched) == ()


def test_for_the_shipped_version_they_pass_and_cover_every_rule(shipped: Bundle) -> None:
    version = shipped.versions[-1]
    proposals, after = added(version, suite(version, ()), everything=True)

    assert after.failed == ()
    assert after.coverage.missed == ()
    assert len({proposal.name for proposal in proposals}) == len(proposals)


def test_the_cases_of_the_shipped_versions_cover_every_rule(shipped: Bundle) -> None:
    for folder in version_folders(ROOT / "policies"):
        version = next(
            version
            for version in shipped.versions
            if version.policy.manifest.place.file.startswith(f"{folder.root}/manifest")
        )
        found = suite(version, load_cases(read_folder(folder), version.policy, folder.root))

        assert found.coverage.missed == ()


@pytest.fixture(scope="module")
def workshop() -> Version:
    return build(GOOD)


def test_each_case_is_named_after_what_it_pins(workshop: Version) -> None:
    names = [proposal.name for proposal in propose(workshop, (), ())]

    assert "Rule turn.broken.courier gives queue now" in names
    assert "With brake_wear 80, on the 80 of brakes.gone, safety is safe" in names
    assert "With brake_wear 81, just above the 80 of brakes.gone, safety is unsafe" in names
    assert any(name.startswith("With gears 6, just below the 7 of besides.gears") for name in names)
    assert any(name.startswith("south has the turn at ") for name in names)


def test_every_threshold_has_a_case_on_it_and_one_on_each_side(workshop: Version) -> None:
    sent = {proposal.facts.get("brake_wear") for proposal in propose(workshop, (), (), everything=True)}

    assert {"79", "80", "81"} <= sent


def test_a_threshold_at_the_end_of_what_a_fact_can_be_has_one_side() -> None:
    version = build({**GOOD, "queue.yaml": GOOD["queue.yaml"].replace("> 80", "> 0").replace("<= 80", "0")})
    sent = {proposal.facts.get("brake_wear") for proposal in propose(version, (), (), everything=True)} - {None}

    assert all(float(value) >= 0 for value in sent if value)
    assert {"0", "1"} <= sent


def test_a_deadline_has_cases_before_at_and_after_its_end(workshop: Version) -> None:
    found = [proposal for proposal in propose(workshop, (), ()) if proposal.states]
    ready = [(proposal.states["ready_by"], proposal.now) for proposal in found if "ready_by" in proposal.states]
    due = next(proposal.answer["ready_by"].value for proposal in found if "ready_by" in proposal.states)

    assert [state for state, _ in ready] == [DeadlineState.AT_RISK, DeadlineState.AT_RISK, DeadlineState.BREACHED]
    assert ready[1][1] == due
    assert [now.timestamp() - ready[1][1].timestamp() for _, now in ready] == [-1, 0, 1]


def test_no_fact_is_sent_that_the_rule_does_not_need(workshop: Version) -> None:
    proposals = {
        proposal.rules[0]: proposal for proposal in propose(workshop, (), ()) if proposal.name.startswith("Rule ")
    }

    assert proposals["turn.broken.courier"].facts == {"damage": "broken", "rider": "courier"}
    assert proposals["shelf.chain"].facts == {"part": "chain"}


def test_only_what_is_not_covered_is_proposed_unless_everything_is_asked_for(workshop: Version) -> None:
    text = "kind: cases\ncases:\n  - {name: a bike, decision: queue, facts: {damage: broken, rider: courier}, expect: {queue: now}}\n"
    before = suite(workshop, load_cases({"cases/a.yaml": text}, workshop.policy))
    only, everything = (
        [proposal.name for proposal in propose(workshop, before.cases, before.touched, everything=wide)]
        for wide in (False, True)
    )

    assert "Rule turn.broken.courier gives queue now" not in only
    assert "Rule turn.broken.other gives queue today" in only
    assert "Rule turn.broken.courier gives queue now" in everything


def test_a_name_that_is_taken_is_not_taken_again(workshop: Version) -> None:
    name = "Rule turn.broken.courier gives queue now"
    text = f"kind: cases\ncases:\n  - {{name: {name}, decision: queue, facts: {{damage: worn, rider: other}}, expect: {{queue: later}}}}\n"
    before = suite(workshop, load_cases({"cases/a.yaml": text}, workshop.policy))

    assert f"{name} (2)" in [proposal.name for proposal in propose(workshop, before.cases, before.touched)]


def test_the_same_version_always_gives_the_same_proposals(workshop: Version) -> None:
    one, other = (cases_text(map(plain, propose(build(GOOD), (), ()))) for _ in range(2))

    assert one == other == cases_text(map(plain, propose(workshop, (), ())))


# ---- Of policies that grow


def test_each_of_40_steps_has_a_case_with_the_facts_of_the_other_steps() -> None:
    proposals = propose(build_unchecked(growth.prerequisites(40)), (), ())

    assert [proposal.rules for proposal in proposals] == [(f"r{at}",) for at in range(40)]
    assert [[fact for fact, value in one.facts.items() if value == "yes"] for one in proposals[:2]] == [
        ["f00"],
        ["f01"],
    ]


def test_a_rule_at_the_far_end_of_a_chain_of_30_tables_has_a_case() -> None:
    version = build_unchecked(growth.chain(30))
    tickets = RuleTickets(version)
    near, far = tickets.rule("t29", 3), tickets.rule("t00", 2)

    assert near is not None
    assert "r29.b" in [rule.id for rule in decide(version, "all", near.facts).rules]
    assert far is not None
    assert "r0.2" in [rule.id for rule in decide(version, "all", far.facts).rules]
    assert len(far.facts) <= 31


def test_each_of_5000_customers_has_a_case_of_one_fact() -> None:
    proposals = propose(build_unchecked(growth.customers(5_000, amounts=True)), (), ())
    rows = [dict(one.facts) for one in proposals if one.rules[0].startswith("e")]

    assert rows == [{"customer": f"c{at}"} for at in range(5_000)]
