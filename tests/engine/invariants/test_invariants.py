"""Invariants: their meaning, that each shipped one can fail, and the message of a failure."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import engine.version.build
from engine.invariants.case_space import names
from engine.invariants.prove import prove_invariants
from engine.load import load
from engine.load.conditions import parse_condition
from engine.load.yaml_tree import plain, read
from engine.model.answer import Status, VersionRef
from engine.model.conditions import Condition
from engine.model.invariants import Invariant, InvariantResult
from engine.model.policy import Decision, Policy, Rule, Table
from engine.model.problems import Place, PolicyErrors
from engine.model.vocabulary import FactType
from engine.tables.atoms import all_atoms
from engine.tables.table_diagram import draw_tables
from engine.version.build import build, draw_policy, invariant_results, version_of_policy
from engine.version.bundle import Bundle
from engine.version.version import Version
from guidepost.cli.app import app
from guidepost.policies.sources.folder import VersionFolder, read_folder
from tests.support import growth
from tests.support.deciders import decide
from tests.support.invariant_oracle import SAMPLES, Case, broken, every_case
from tests.support.paths import ROOT
from tests.support.strategies import dense_policies, invariants, policies, values_of

# ---- What they mean


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_an_invariant_is_proved_exactly_where_plain_loops_find_no_counterexample(data: st.DataObject) -> None:
    files = data.draw(policies())
    facts = json.loads(files["vocabulary.yaml"])["facts"]
    assume(
        math.prod(1 + (len(SAMPLES) if fact["type"] == "number" else len(values_of(fact))) for fact in facts.values())
        <= 250
    )
    compare(files, data)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_so_it_is_where_nearly_every_case_is_decided(data: st.DataObject) -> None:
    compare(data.draw(dense_policies()), data)


def compare(files: dict[str, str], data: st.DataObject) -> None:
    """Draw invariants over a policy; hold their proofs, and the tickets that break them, against plain loops."""
    vocabulary = json.loads(files["vocabulary.yaml"])
    drawn = data.draw(invariants(vocabulary))
    policy = load({**files, "invariants.yaml": json.dumps({"kind": "invariants", "invariants": drawn})})
    cases = every_case(policy, vocabulary)
    for invariant, proof in zip(drawn, proofs_of(policy), strict=True):
        found = broken(invariant, cases)

        assert proof.holds == (not found)
        if proof.counterexample is not None:
            shown = tuple(dict(ticket.facts) for ticket in proof.counterexample.tickets)
            tickets = [tuple(sent(case) for case in together) for together in found]
            assert any(alike(shown, together) for together in tickets)
            assert size(shown) == min(map(size, tickets))


def proofs_of(policy: Policy) -> tuple[InvariantResult, ...]:
    return invariant_results(policy, draw_policy(policy))


def sent(case: dict[str, Any]) -> dict[str, str]:
    return {
        name: f"{value:g}" if isinstance(value, (int, float)) else value
        for name, value in case["facts"].items()
        if value is not None
    }


def size(tickets: tuple[dict[str, str], ...]) -> int:
    return sum(map(len, tickets))


def alike(shown: tuple[dict[str, str], ...], found: tuple[dict[str, str], ...]) -> bool:
    """Return whether tickets have the same facts, with numbers between the same thresholds."""
    return all(
        one.keys() == other.keys() and all(between(one[name]) == between(other[name]) for name in one)
        for one, other in zip(shown, found, strict=True)
    )


def between(value: str) -> object:
    try:
        number = float(value)
    except ValueError:
        return value
    return [(number > cut, number == cut) for cut in (2, 3, 4, 5, 7, 8, 9)]


# ---- Each shipped one can fail

Change = tuple[str, dict[str, str], dict[str, Any]]
"""A rule, the conditions that it gets, and what it then gives; what is not named stays."""

GUIDE: Final[dict[str, Change]] = {
    "worse-never-less-urgent": ("matrix.high.low", {}, {"matrix_priority": "P5"}),
    "harder-hit-never-less-urgent": ("severity.extreme-with-workaround", {}, {"severity_priority": "P4"}),
    "more-users-never-less-severe": ("severity.high-more-users", {}, {"severity_priority": "P3"}),
    "workaround-never-more-severe": ("severity.medium-no-workaround", {}, {"severity_priority": "P4"}),
    "users-alone-decide-nothing": (
        "severity.critical",
        {"business_impact": "[extreme, unknown]", "workaround": "[none, unknown]"},
        {},
    ),
    "written-arrival-is-p2": ("priority.arrival", {}, {"priority": "P3"}),
    "calls-have-no-default": ("priority.not-assessed-yet", {"channel": "[telephone, email, portal]"}, {}),
    "questions-are-p5": ("priority.by-kind", {}, {"priority": "P4"}),
    "more-urgent-never-waits-longer": ("response.p2", {}, {"response_amount": 0.5}),
    "other-channel-has-no-sla": ("service_level.other-channel", {}, {"sla_applies": True}),
    "sla-only-by-accepted-channels": ("accepted.listed", {}, {"channel_accepted": False}),
    "no-plan-no-sla": ("service_level.not-entitled", {}, {"sla_applies": True}),
    "written-arrival-is-triaged-in-4-hours": ("triage_time.arrival", {}, {"triage_within_hours": 8}),
    "urgent-is-called": ("advice.urgent-not-a-call", {}, {"channel_advice": "stay"}),
    "every-country-has-a-number": ("numbers.MY", {}, {"telephone_numbers": ()}),
    "in-scope-is-free": ("catalogue.prism.faq", {}, {"listed_charged": True}),
    "charged-is-out-of-scope": ("catalogue.deployment_advice", {}, {"listed_goes_to": "other_program"}),
    "consulting-is-never-in-scope": ("scope.by-kind", {}, {"scope": "in_scope"}),
    "always-a-language": ("languages.not-asked", {"language": "unlisted"}, {}),
    "only-english-is-guaranteed": ("languages.fil", {}, {"language_guaranteed": True}),
    "valid-only-with-every-prerequisite": ("prerequisites.all-hold", {"reason": "[given, unknown]"}, {}),
    "valid-with-nothing-left-to-ask": ("checklist.team", {"contact_team": "[partner, provider, customer]"}, {}),
    "own-channel-of-microsoft": ("own_channel.yes", {"service": "partner_center"}, {}),
    "review-has-a-ground": ("grounds.slow", {}, {"review_grounds": ()}),
    "complete-means-nothing-missing": ("missing.steps", {"troubleshooting_steps": "[given, blank, unknown]"}, {}),
    "never-closed-too-early": ("life.wait", {}, {"case_action": "close_automatically"}),
    "never-reopened-too-late": ("life.new-case", {}, {"case_action": "reopen"}),
}
NEW_IN_2: Final = ("written-arrival-is-p2", "calls-have-no-default", "written-arrival-is-triaged-in-4-hours")
CHANGES: Final[dict[str, dict[str, Change]]] = {
    "policies": GUIDE,
    "policies/past/1.0.0": {name: change for name, change in GUIDE.items() if name not in NEW_IN_2},
    "examples/hospital": {
        "worse-never-later": ("scales.1.1", {}, {"scale_grade": "5"}),
        "worse-grade-never-waits-longer": ("attendance.2", {}, {"attend_within": 5}),
        "more-beds-never-fewer-calls": ("beds.many", {}, {"bed_manager": False}),
        "danger-is-grade-1": ("grades.danger", {}, {"grade": "2"}),
        "warm-fridge-is-grade-2-at-least": ("grades.medicines", {}, {"grade": "3"}),
        "warm-medicines-never-usable": ("warmth.some", {}, {"medicines": "usable"}),
        "hot-work-is-permitted": ("permits.hot-work", {}, {"permits": ()}),
        "devices-not-by-own-staff": ("works.bed", {}, {"recharged": True}),
    },
    "examples/low-low-p4": {
        "worse-never-less-urgent": ("matrix.high.high", {}, {"matrix_priority": "P4"}),
        "low-low-is-p4": ("matrix.low.low", {}, {"matrix_priority": "P3"}),
    },
}


@pytest.mark.parametrize(
    ("folder", "name"), [(folder, name) for folder, changes in CHANGES.items() for name in changes]
)
def test_every_shipped_invariant_fails_when_a_rule_breaks_it_and_its_ticket_shows_so(
    folder: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken policy need not be a good one otherwise: values that it no longer gives are of no interest here."""
    monkeypatch.setattr(engine.version.build, "table_problems", lambda *_: [])
    policy, written = shipped_policy(folder)
    invariant = next(one for one in policy.invariants if one.id == name)
    part = changed(only(policy, invariant), *CHANGES[folder][name])
    version = version_of_policy(replace(part, invariants=()), VersionRef("changed", "1.0.0", ""))

    (proof,) = prove_invariants(part, version.diagrams, version.atoms)

    assert proof.counterexample is not None
    cases = [decided(version, dict(ticket.facts), invariant) for ticket in proof.counterexample.tickets]
    assert broken(written[name], cases) == [tuple(cases)]


@pytest.mark.parametrize("folder", CHANGES)
def test_for_every_shipped_invariant_there_is_a_change_that_breaks_it(folder: str) -> None:
    assert [one.id for one in shipped_policy(folder)[0].invariants] == list(CHANGES[folder])


def test_the_shipped_versions_have_their_invariants_proved(shipped: Bundle) -> None:
    assert {version.ref.version: len(version.invariants) for version in shipped.versions} == {"1.0.0": 24, "2.0.0": 27}
    assert all(proof.holds for version in shipped.versions for proof in version.invariants)


@cache
def shipped_policy(folder: str) -> tuple[Policy, dict[str, Any]]:
    """Return a shipped policy, and its invariants as they are written."""
    files = read_folder(VersionFolder(ROOT / folder, folder))
    tree, _ = read("", files["invariants.yaml"])
    assert tree is not None
    return load(files, folder), {one["id"]: one for one in plain(tree)["invariants"]}


def only(policy: Policy, invariant: Invariant) -> Policy:
    """Keep what an invariant depends on: the tables behind it, and one decision that asks for what it names."""
    maker = {name: table for table in policy.tables.values() for name in table.produces}
    wanted = [name for name in dict.fromkeys(names(invariant)) if name in maker]
    needed: set[str] = set()
    for table in (maker[name] for name in wanted):
        needed |= chain(table, maker)
    return replace(
        policy,
        invariants=(invariant,),
        tables={name: table for name, table in policy.tables.items() if name in needed},
        decisions={
            "asked": Decision(name="asked", about="", owner="", answers=tuple(wanted), beside=(), place=Place(file=""))
        },
        manifest=replace(policy.manifest, triage=("asked",)),
        rosters={},
        deadlines={},
        elapsed={},
    )


def chain(table: Table, maker: Mapping[str, Table]) -> set[str]:
    return {table.name}.union(*(chain(maker[name], maker) for name in table.reads if name in maker))


def changed(policy: Policy, rule_id: str, when: dict[str, str], then: dict[str, Any]) -> Policy:
    """Change one rule of a policy."""
    table = next(table for table in policy.tables.values() if any(rule.id == rule_id for rule in table.rules))
    rules = tuple(_rule(policy, rule, when, then) if rule.id == rule_id else rule for rule in table.rules)
    return replace(policy, tables={**policy.tables, table.name: replace(table, rules=rules)})


def _rule(policy: Policy, rule: Rule, when: dict[str, str], then: dict[str, Any]) -> Rule:
    kept = [condition for condition in rule.when if condition.fact not in when]
    return replace(
        rule, when=(*kept, *(_condition(policy, fact, said) for fact, said in when.items())), then={**rule.then, **then}
    )


def _condition(policy: Policy, fact: str, said: str) -> Condition:
    node, _ = read("", said)
    assert node is not None
    condition = parse_condition(policy.named(fact), node, [])
    assert condition is not None
    return condition


def decided(version: Version, ticket: dict[str, str], invariant: Invariant) -> Case:
    """Decide a ticket as any caller would, and return it with its outcomes."""
    facts = {name: _fact(version.policy, name, ticket.get(name)) for name in version.policy.facts}
    answer = decide(version, "asked", {name: _sent(version.policy, name, value) for name, value in ticket.items()})
    outcomes = {
        one.name: (one.status.value, one.value if one.status is Status.DECIDED else None) for one in answer.outcomes
    }
    assert set(names(invariant)) <= {*facts, *outcomes}
    return {"facts": facts, **facts, **outcomes}


def _fact(policy: Policy, name: str, text: str | None) -> str | float | None:
    return float(text) if text is not None and policy.facts[name].numeric else text


def _sent(policy: Policy, name: str, text: str) -> str:
    """Return a text that is given or blank, and a value that is not listed, as a caller sends it."""
    if policy.facts[name].type is FactType.TEXT:
        return {"given": "some text", "blank": " "}[text]
    return "none of these" if text == "unlisted" else text


# ---- Of policies that grow


def results_of(files: dict[str, str], *claims: dict[str, Any]) -> tuple[InvariantResult, ...]:
    listed = [{"id": f"i{at}", "about": "x", **claim} for at, claim in enumerate(claims)]
    policy = load({**files, "invariants.yaml": json.dumps({"kind": "invariants", "invariants": listed})})
    atoms = all_atoms(policy)
    return prove_invariants(policy, draw_tables(list(policy.tables.values()), policy.outcomes, atoms), atoms)


def facts_shown(proof: InvariantResult) -> list[dict[str, str]]:
    return [dict(ticket.facts) for ticket in proof.counterexample.tickets] if proof.counterexample else []


def test_an_invariant_is_proved_over_5000_customers_with_amounts_of_their_own() -> None:
    in_order = [f"c{at}" for at in range(5_000)]
    promised, swapped, longer, vip = results_of(
        growth.customers(5_000, amounts=True),
        {"monotone": {"raise": {"customer": in_order}, "never_lowers": {"hours": "by_size"}}},
        {
            "monotone": {
                "raise": {"customer": [*in_order[:-2], "c4999", "c4998"]},
                "never_lowers": {"hours": "by_size"},
            }
        },
        {"monotone": {"raise": {"hours": "by_size"}, "never_raises": {"days": "by_size"}}},
        {"implies": {"if": {"vip": "yes", "plan": "v1"}, "then": {"target": "99"}}},
    )

    assert promised.holds
    assert facts_shown(swapped) == [{"customer": "c4999"}, {"customer": "c4998"}]
    assert facts_shown(longer) == [{"customer": "c0"}, {"customer": "c1"}]
    assert vip.holds


def test_an_invariant_is_proved_over_a_list_of_40_steps() -> None:
    given, blank, never = results_of(
        growth.prerequisites(40),
        {"implies": {"if": {"f07": "yes", "steps": "decided"}, "then": {"steps": "given"}}},
        {"implies": {"if": {"steps": "blank"}, "then": {"f07": "no"}}},
        {"never": {"f00": "yes", "f39": "yes", "steps": "given"}},
    )

    assert given.holds
    assert given.cases == 3**40
    assert blank.holds
    (ticket,) = never.counterexample.tickets if never.counterexample else ()
    assert dict(ticket.facts) == {f"f{at:02}": "yes" if at in (0, 39) else "no" for at in range(40)}
    assert ticket.outcomes == (("steps", "step 0, step 39"),)


def test_an_invariant_is_proved_over_a_chain_of_30_tables() -> None:
    order = ["v0", "v1", "v2"]
    kept, lowered = results_of(
        growth.chain(30),
        {"implies": {"if": {"a29": "v2", "o28": "v2"}, "then": {"o29": "v2"}}},
        {"monotone": {"raise": {"o28": order}, "never_lowers": {"o29": order}}},
    )

    assert kept.holds
    assert facts_shown(lowered) == [
        {"a28": "v0", "a29": "v1", "b28": "v0", "b29": "v1"},
        {"a28": "v1", "a29": "v0", "b28": "v1", "b29": "v0"},
    ]


# ---- Where they are proved, and the messages


def test_a_version_whose_invariant_fails_is_not_built() -> None:
    files = read_folder(VersionFolder(ROOT / "examples/hospital", "hospital"))
    files["attendance.yaml"] = files["attendance.yaml"].replace("attend_within: 60", "attend_within: 5")

    with pytest.raises(PolicyErrors) as caught:
        build(files, "hospital")

    (problem,) = caught.value.problems
    assert (problem.code, problem.place.file) == ("invariant", "hospital/invariants.yaml")
    assert problem.witness


def test_invariants_decide_nothing_and_are_no_part_of_the_digest() -> None:
    files = read_folder(VersionFolder(ROOT / "examples/low-low-p4", "low-low"))
    without = {path: text for path, text in files.items() if path != "invariants.yaml"}

    assert len(build(files).invariants) == 2
    assert build(without).invariants == ()
    assert build(files).digest == build(without).digest


def test_what_is_wrong_with_an_invariant_is_told_together_with_what_is_wrong_with_a_table() -> None:
    files = read_folder(VersionFolder(ROOT / "examples/hospital", "hospital"))
    files["grade.yaml"] = files["grade.yaml"].replace("danger: yes}\n        then", "dangr: yes}\n        then")
    files["invariants.yaml"] = files["invariants.yaml"].replace("{hazard: [gas", "{hazzard: [gas")

    with pytest.raises(PolicyErrors) as caught:
        load(files)

    assert [(problem.place.file, problem.code) for problem in caught.value.problems] == [
        ("grade.yaml", "unknown-fact"),
        ("invariants.yaml", "unknown-fact"),
    ]


def test_proving_the_version_in_force_takes_less_than_a_second(shipped: Bundle) -> None:
    version = shipped.versions[-1]
    began = time.process_time()

    prove_invariants(version.policy, version.diagrams, version.atoms)

    assert time.process_time() - began < 1


def test_a_table_says_of_every_invariant_what_it_says_and_that_it_is_proved(
    golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    shown = CliRunner().invoke(app, ["prove", "examples/hospital"])

    assert shown.exit_code == 0
    golden("cli/prove.txt", shown.stdout)


def test_one_that_fails_is_shown_with_its_tickets(
    golden: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "examples/hospital", tmp_path / "hospital")
    changed = tmp_path / "hospital/attendance.yaml"
    changed.write_text(
        changed.read_text(encoding="utf-8").replace("attend_within: 60", "attend_within: 5"), encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)

    shown = CliRunner().invoke(app, ["prove", "hospital"])
    as_json = CliRunner().invoke(app, ["prove", "hospital", "-o", "json"])

    assert shown.exit_code == as_json.exit_code == 3
    golden("cli/prove-fails.txt", shown.stdout)
    failed = [one for one in json.loads(as_json.stdout)[0]["invariants"] if not one["proved"]]
    assert [(one["id"], [set(ticket["outcomes"]) for ticket in one["counterexample"]]) for one in failed] == [
        ("worse-grade-never-waits-longer", [{"grade", "attend_unit", "attend_within"}] * 2),
    ]


def test_a_policy_that_is_wrong_otherwise_is_not_proved(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples/low-low-p4", tmp_path / "desk")
    (tmp_path / "desk/priority.yaml").write_text("kind: policy\n", encoding="utf-8")

    shown = CliRunner().invoke(app, ["prove", str(tmp_path / "desk")])

    assert shown.exit_code == 3
    assert "[missing-key]" in shown.stderr
