"""A desk of 5,000 customers with amounts of their own, a VIP tier and 40 prerequisites does all that a small one does.

Its tables have more combinations of facts than there are atoms in a grain of sand: none of them is ever counted out.
"""

from __future__ import annotations

import json
from functools import cache

import pytest

from engine.decide.decider import Decider
from engine.diff import compare
from engine.model.answer import Status
from engine.model.invariants import InvariantResult
from engine.model.problems import PolicyErrors
from engine.version.build import build
from engine.version.version import Version
from engine.whynot import read_wanted, why_not
from guidepost.policies.sources.folder import read_folder, version_folders
from tests.support.growth import Files, customers, prerequisites, vip_tier
from tests.support.paths import POLICIES

CUSTOMERS = 5_000
STEPS = 40


def large_desk() -> Files:
    """Return the files of the desk."""
    desk, steps = customers(CUSTOMERS, amounts=True), prerequisites(STEPS)
    vocabulary, more = json.loads(desk["vocabulary.yaml"]), json.loads(steps["vocabulary.yaml"])
    vocabulary["facts"] |= more["facts"]
    vocabulary["outcomes"] |= more["outcomes"]
    concern = json.loads(desk["all.yaml"])
    concern["tables"] |= json.loads(steps["all.yaml"])["tables"]
    concern["decision"]["answers"].append("steps")
    invariants = {
        "kind": "invariants",
        "invariants": [
            {
                "id": "vip-first",
                "about": "a VIP on the first plan has the VIP target, whatever else is sent",
                "source": "x",
                "implies": {"if": {"vip": "yes", "plan": "v1"}, "then": {"target": "99"}},
            },
            {
                "id": "hours-sent",
                "about": "a customer that is known has hours",
                "source": "x",
                "never": {"customer": "c4711", "hours": "< 4712"},
            },
        ],
    }
    return desk | {
        "vocabulary.yaml": json.dumps(vocabulary),
        "all.yaml": json.dumps(concern),
        "invariants.yaml": json.dumps(invariants),
    }


@cache
def desk() -> Version:
    return build(large_desk())


@cache
def edited() -> Version:
    """Return the desk with one edited line: customer c4711 is promised 3 hours less."""
    files = large_desk()
    files["all.yaml"] = files["all.yaml"].replace('"hours": 4712,', '"hours": 4709,')
    files["invariants.yaml"] = files["invariants.yaml"].replace("< 4712", "< 4709")
    return build(files)


def test_it_loads_and_its_invariants_are_proved() -> None:
    results: tuple[InvariantResult, ...] = desk().invariants

    assert [(one.invariant.id, one.holds) for one in results] == [("vip-first", True), ("hours-sent", True)]


def test_an_edit_that_breaks_an_invariant_is_refused_with_a_ticket() -> None:
    files = large_desk()
    files["all.yaml"] = files["all.yaml"].replace('"hours": 4712,', '"hours": 4709,')

    with pytest.raises(PolicyErrors) as refused:
        build(files)
    (problem,) = refused.value.problems
    assert problem.code == "invariant"
    assert ("customer", "c4711") in problem.witness


def test_it_decides() -> None:
    decider = Decider(desk())
    answer = decider.decide(
        "all",
        {"customer": "c4711", "priority": "p2", "vip": False, "plan": "v0"}
        | {f"f{at:02}": at == 7 for at in range(STEPS)},
    )

    assert answer.status is Status.DECIDED
    assert (answer["hours"].value, answer["days"].value, answer["steps"].value) == (4712, 9711, ("step 7",))
    assert [rule.id for rule in answer["hours"].rules] == ["e4711"]


def test_it_explains_what_is_missing_and_what_to_ask_next() -> None:
    answer = Decider(desk()).decide("all", {"vip": True, "plan": "v1", "f03": True, "f04": False})
    steps = answer["steps"]

    assert answer["target"].value == 99
    assert answer["hours"].missing == ("customer",)
    assert steps.items is not None
    assert (steps.items.always, steps.items.never) == (("step 3",), ("step 4",))
    assert len(steps.items.open) == STEPS - 2
    assert answer.missing == ("customer", *(f"f{at:02}" for at in range(STEPS) if at not in (3, 4)))
    assert answer.ask_next == "customer"


def test_it_says_what_would_lead_to_another_outcome() -> None:
    facts = {"customer": "c1", "priority": "p2", "vip": False, "plan": "v1"}
    why = why_not(desk(), facts, read_wanted(desk(), "all", "target=99"))

    assert why.changes == 1
    assert [[(one.fact, one.to) for one in changed] for changed in why.alternatives] == [[("vip", ("yes",))]]


def test_one_edited_line_is_one_line_of_difference() -> None:
    found = compare(desk(), edited())

    (table,) = found.tables
    (region,) = table.regions
    assert (table.table, table.outcome) == ("contracts", "hours")
    assert [(one.fact, one.words) for one in region.when] == [("customer", ("c4711",))]
    assert (region.change.before.value, region.change.after.value) == (4712, 4709)
    assert (table.changed, table.others) == (2, 1)  # one more case has other hours possible, without a customer
    assert [one.name for one in found.outcomes] == ["hours"]


def test_a_vip_tier_and_a_target_of_one_plan_fit_into_the_shipped_policies() -> None:
    """With all combinations of facts laid out, the shipped response times alone were more than six million cells."""
    files = read_folder(version_folders(POLICIES)[0])
    decider = Decider(build(vip_tier(dict(files))))

    def hours(**facts: object) -> object:
        return decider.decide("response", facts)["response_amount"].value

    assert hours(assigned_priority="P2", plan="saas_24x7", vip_tier="none") == 2
    assert hours(assigned_priority="P2", plan="saas_12x5", vip_tier="none") == 4
    assert hours(assigned_priority="P2", plan="saas_12x5", vip_tier="gold") == 1
