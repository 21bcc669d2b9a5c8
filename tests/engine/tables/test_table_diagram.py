"""Diagrams mean what plain loops mean, also where no table of cells could be made; and they have a limit."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from engine.load import load
from engine.model.policy import Policy
from engine.model.problems import PolicyErrors
from engine.tables.atoms import all_atoms
from engine.tables.node_limit import MOST_NODES_A_TABLE
from engine.tables.table_diagram import PolicyDiagrams, draw_tables
from engine.version.build import build
from tests.oracle import Oracle
from tests.support.deciders import decide
from tests.support.growth import Files, boolean, chain, customers, files, prerequisites, tangle, thresholds, web


def drawn(policy: Policy, most: int = MOST_NODES_A_TABLE) -> PolicyDiagrams:
    return draw_tables(list(policy.tables.values()), policy.outcomes, all_atoms(policy), most=most)


def listed(value: Any) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else value


@pytest.mark.parametrize(
    ("files", "most"),
    [
        (lambda: prerequisites(20), 200),
        (lambda: chain(30), 40_000),
        (lambda: customers(200, amounts=True), 1_000),
        (lambda: thresholds(50), 1_500),
    ],
    ids=["20 prerequisites", "a chain of 30 tables", "200 customers", "50 thresholds"],
)
def test_what_no_table_of_cells_could_hold_means_what_plain_loops_mean(files: Callable[[], Files], most: int) -> None:
    policy = load(files())
    atoms = all_atoms(policy)
    diagrams = drawn(policy)
    chance = random.Random(7)
    values = {name: one.samples for name, one in atoms.items() if name in policy.facts}
    oracle = Oracle(policy, values)
    most_missing = (
        1 if any(len(samples) > 1_000 or policy.facts[name].numeric for name, samples in values.items()) else 2
    )
    for _ in range(40):
        # All but a few facts are known: plain loops try every value of those that are missing.
        missing = set(chance.sample(sorted(values), most_missing))
        sent = {name: None if name in missing else chance.choice(samples) for name, samples in values.items()}
        classes = {
            name: diagrams.parts[name].class_of[atoms[name].of(value)]
            for name, value in sent.items()
            if name in diagrams.parts
        }
        for table in policy.tables.values():
            possible = oracle.possible(table, sent)
            one = diagrams.tables[table.name]
            for name, node in one.possible.items():
                domain = (*one.domain[name], None)
                codes = listed(diagrams.store.value_at(node, classes))
                assert {domain[code] for code in codes} == possible[name]
            for name, items in one.items.items():
                for part in items:
                    texts = {text for each in part.lists for text in each}
                    codes = listed(diagrams.store.value_at(part.possible, classes))
                    wanted = {tuple(text for text in each if text in texts) for each in possible[name]}  # type: ignore[union-attr]
                    assert {part.lists[code] for code in codes} == wanted

    assert len(diagrams.store) < most


def test_a_table_that_takes_too_many_nodes_names_the_facts_that_are_remembered_together() -> None:
    with pytest.raises(PolicyErrors) as error:
        drawn(load(web(9)), most=20_000)

    [problem] = error.value.problems
    assert re.fullmatch(
        r"the table `grades` takes more than the limit of 20,000 nodes: "
        r"(`f\d\d`, )+`f\d\d` and `f\d\d` have to be remembered together until `f\d\d` is read",
        problem.message,
    )


@pytest.mark.parametrize(
    ("desk", "count", "most"),
    [(web, 9, 20_000), (web, 12, 20_000), (tangle, 14, 20_000)],
    ids=["web 9", "web 12", "tangle"],
)
def test_giving_these_facts_an_outcome_of_their_own_helps(desk: Callable[..., Files], count: int, most: int) -> None:
    with pytest.raises(PolicyErrors) as error:
        drawn(load(desk(count)), most=most)
    [problem] = error.value.problems
    named = re.findall(r"`(f\d\d)`", problem.message.partition(" to be remembered")[0])

    assert problem.help.startswith("let a table of its own reduce some of these facts to one outcome")
    assert len(drawn(load(desk(count, summed=tuple(named))), most=most).store) < most


def test_a_table_of_too_many_results_is_refused_by_them() -> None:
    with pytest.raises(PolicyErrors) as error:
        drawn(load(customers(40, amounts=True)), most=20)

    assert [problem.message for problem in error.value.problems] == [
        "the table `contracts` takes more than the limit of 20 nodes: it has too many different results"
    ]


def test_the_nodes_that_drawing_took_are_known_of_every_table() -> None:
    diagrams = drawn(load(chain(3)))

    assert list(diagrams.sizes) == ["t00", "t01", "t02"]
    assert all(0 < size.nodes < len(diagrams.store) and size.widest for size in diagrams.sizes.values())


def test_the_limit_is_reached_by_the_same_policies_on_every_machine() -> None:
    """Nodes are counted, and not seconds or bytes: the same policy makes the same nodes in the same order."""
    first, second = (drawn(load(web(6))).store for _ in range(2))

    assert len(first) == len(second)
    assert [first.children(node) for node in range(len(first))] == [
        second.children(node) for node in range(len(second))
    ]


def far_apart() -> Files:
    """Forty steps, of which the last rule gives the one that an early rule gives."""
    made = prerequisites(40)
    concern = json.loads(made["all.yaml"])
    concern["tables"]["t"]["rules"][39]["then"]["steps"] = ["step 7"]
    return made | {"all.yaml": json.dumps(concern)}


def test_a_list_in_which_rules_far_apart_give_one_item_names_these_rules() -> None:
    with pytest.raises(PolicyErrors) as refused:
        drawn(load(far_apart()), most=20_000)

    (problem,) = refused.value.problems
    assert "the rules `r7` and `r39` both give `step 7`" in problem.message
    assert "next to each other" in problem.help


def test_putting_these_rules_next_to_each_other_helps() -> None:
    made = far_apart()
    concern = json.loads(made["all.yaml"])
    rules = concern["tables"]["t"]["rules"]
    rules.insert(8, rules.pop(39))
    diagrams = drawn(load(made | {"all.yaml": json.dumps(concern)}), most=20_000)

    assert len(diagrams.store) < 200


def test_a_rule_that_gives_no_item_can_fire_and_claims_what_others_read() -> None:
    facts = {"a": boolean(), "b": boolean()}
    rules = [
        {"id": "given", "when": {"a": "yes"}, "then": {"steps": ["x"]}},
        {"id": "silent", "when": {"b": ["yes", "unknown"]}, "then": {"steps": []}},
    ]
    tables = {"t": {"hit": "collect", "about": "x", "produces": "steps", "rules": rules}}
    version = build(files(facts, {"steps": {"type": "list", "about": "x"}}, tables, ["steps"]))

    assert decide(version, "all", {"a": True})["steps"].value == ("x",)
    assert decide(version, "all", {}).missing == ("a",)
