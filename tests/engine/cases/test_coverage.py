"""What cases cover: which rules and cells count, held against plain loops over every ticket."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from engine.cases import load_cases, run_case
from engine.cases.cells import Cell
from engine.cases.coverage import (
    MOST_MISSED,
    AnswerTrace,
    Coverage,
    TableCoverage,
    TableKind,
    Tracer,
    coverage_of,
    percent,
    trace,
)
from engine.decide.decider import NO_MOMENT
from engine.tables.partition import partitions
from engine.version.bundle import Bundle
from engine.version.version import Version
from tests.oracle import Oracle
from tests.support import growth
from tests.support.deciders import decide, decider_of
from tests.support.desks import GOOD
from tests.support.every_ticket import CAME_AT, build_unchecked, every_ticket, is_small
from tests.support.strategies import policies, timed_policies


def touch(version: Version, facts: dict[str, str]) -> AnswerTrace:
    answer = decide(version, "all", facts)
    return Tracer(version).touched("all", facts, NO_MOMENT, answer)


def of_cases(text: str, files: dict[str, str] = GOOD) -> Coverage:
    """Return what cases cover of the bicycle workshop."""
    version = build_unchecked(files)
    cases = load_cases({"cases/some.yaml": f"kind: cases\ncases:\n{text}"}, version.policy)
    return coverage_of(version, trace(version, (run_case(decider_of(version), case) for case in cases)))


def table(coverage: Coverage, name: str) -> TableCoverage:
    return next(one for one in coverage.tables if one.name == name)


class TestTheWorkshop:
    def test_a_case_covers_the_rules_that_its_answer_rests_on(self) -> None:
        found = of_cases("  - {name: a bike, decision: queue, facts: {damage: broken, rider: courier, brake_wear: 90}}")

        assert [rule.id for one in found.tables for rule in one.rules if rule.cases] == [
            "turn.broken.courier",
            "brakes.gone",
            "welcome.otherwise",
        ]

    def test_each_rule_counts_its_cases(self) -> None:
        found = of_cases(
            "  - {name: one, decision: queue, facts: {damage: broken, rider: courier}}\n  - {name: other, decision: queue, facts: {damage: broken, rider: other}}"
        )

        assert {rule.id: rule.cases for rule in table(found, "welcome").rules} == {"welcome.otherwise": 2}

    def test_a_case_covers_one_cell_of_every_table_behind_its_decision_and_of_no_other(self) -> None:
        found = of_cases("  - {name: a bike, decision: queue, facts: {damage: broken}, status: undecided}")

        assert {one.name: (one.hit, one.cells) for one in found.tables if one.hit} == {
            "turn": (1, 12),
            "brakes": (1, 3),
            "welcome": (1, 1),
        }

    def test_a_rule_that_is_still_open_is_not_covered(self) -> None:
        found = of_cases("  - {name: a bike, decision: queue, facts: {damage: broken}, status: undecided}")

        assert table(found, "turn").rules_hit == 0

    def test_a_case_that_is_refused_covers_nothing(self) -> None:
        found = of_cases("  - {name: a bike, decision: queue, facts: {damage: brokn}, refused: [damage]}")

        assert (found.rules[0], found.cells[0]) == (0, 0)

    def test_a_case_that_fails_covers_what_its_answer_rests_on(self) -> None:
        right = of_cases(
            "  - {name: a bike, decision: queue, facts: {damage: broken, rider: courier}, expect: {queue: now}}"
        )
        wrong = of_cases(
            "  - {name: a bike, decision: queue, facts: {damage: broken, rider: courier}, expect: {queue: later}}"
        )

        assert right == wrong

    def test_a_deadline_is_looked_at_once_its_instant_is_sent(self) -> None:
        facts = "damage: broken, rider: courier"
        without = of_cases(f"  - {{name: a bike, decision: pickup, facts: {{{facts}}}}}")
        with_it = of_cases(f'  - {{name: a bike, decision: pickup, facts: {{{facts}, came_at: "{CAME_AT}"}}}}')

        assert (table(without, "ready_by").hit, table(with_it, "ready_by").hit) == (0, 1)
        assert [rule.id for rule in table(with_it, "ready_by").rules if rule.cases] == ["ready_by.courier"]

    def test_a_roster_has_a_cell_for_each_entry(self) -> None:
        found = of_cases(f'  - {{name: a chain, decision: part, facts: {{part: chain, came_at: "{CAME_AT}"}}}}')

        assert (table(found, "benches").kind, table(found, "benches").hit, table(found, "benches").cells) == (
            TableKind.ROSTER,
            1,
            2,
        )

    def test_tables_stand_in_the_order_of_the_files(self) -> None:
        places = [
            one.place for one in of_cases("  - {name: a bike, decision: queue, facts: {}, status: undecided}").tables
        ]

        assert places == sorted(places)

    def test_a_table_behind_no_decision_does_not_count(self) -> None:
        unused = GOOD["vocabulary.yaml"] + "  spare: {type: text, about: what nobody asks for}\n"
        tables = "  spares:\n    about: what nobody asks for\n    produces: spare\n    otherwise: {then: {spare: nothing}}\nquestions:"
        files = {**GOOD, "vocabulary.yaml": unused, "queue.yaml": GOOD["queue.yaml"].replace("questions:", tables)}
        found = of_cases("  - {name: a bike, decision: queue, facts: {}, status: undecided}", files)

        assert "spares" not in {one.name for one in found.tables}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies())
def test_all_tickets_together_look_at_every_cell_that_counts_and_at_no_other(files: dict[str, str]) -> None:
    version = build_unchecked(files)
    tickets = list(every_ticket(version, 10**9 if is_small(version) else 1500))
    found = coverage_of(version, [touch(version, facts) for facts in tickets])
    for one in found.tables:
        reachable = by_loops(version, one.name, tickets)

        assert one.hit == len(reachable), one.name
        assert one.cells == one.hit or not is_small(version), one.name
        assert len(one.missed) == min((one.cells or 0) - one.hit, MOST_MISSED), one.name


def by_loops(version: Version, name: str, tickets: list[dict[str, str]]) -> set[tuple[int, ...]]:
    """Return the cells of a table that tickets fall in, by the meaning of the language in plain loops."""
    own = partitions([version.policy.tables[name]], version.atoms)
    values: dict[str, Any] = {fact: atoms.samples for fact, atoms in version.atoms.items()}
    oracle = Oracle(version.policy, values)
    found = set()
    for ticket in tickets:
        read = version.reader.read(ticket)
        facts = {
            fact: values[fact][read.atoms[slot] - 1] if read.atoms[slot] else None
            for fact, slot in version.reader.slots.items()
        }
        found.add(tuple(own[name].class_of[version.atoms[name].of(oracle._known(name, dict(facts)))] for name in own))
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(timed_policies())
def test_the_cells_of_a_deadline_that_count_are_those_that_tickets_reach(files: dict[str, str]) -> None:
    version = build_unchecked(files)
    cells = Tracer(version).cells("due")
    looked = {cells.of(classes_of(version, facts))[0] for facts in every_ticket(version)}
    counting = set(cells.missed(()))

    assert cells.count == len(counting)
    assert looked == counting if is_small(version) else looked <= counting


def classes_of(version: Version, facts: dict[str, str]) -> dict[str, int]:
    atoms, class_of = version.reader.read(facts).atoms, Tracer(version).reading.class_of
    return {fact: classes[atoms[version.reader.slots[fact]]] for fact, classes in class_of.items()}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(timed_policies())
def test_the_ticket_for_a_cell_falls_in_it_and_no_shorter_one_does(files: dict[str, str]) -> None:
    version = build_unchecked(files)
    tracer = Tracer(version)
    fewest: dict[tuple[str, Cell], int] = {}
    for facts in every_ticket(version):
        classes = classes_of(version, facts)
        for name in ("due", *version.policy.tables):
            for cell in tracer.cells(name).of(classes):
                fewest[name, cell] = min(len(facts), fewest.get((name, cell), len(facts)))
    for (name, cell), fewest_facts in fewest.items():
        found = tracer.cells(name).ticket(cell)
        assert found is not None
        classes = {fact: class_of[found.get(fact, 0)] for fact, class_of in tracer.reading.class_of.items()}

        assert cell in tracer.cells(name).of(classes)
        assert len(found) == fewest_facts or not is_small(version)


@pytest.mark.parametrize("name", ["1.0.0", "2.0.0"])
def test_the_cells_of_every_table_of_the_shipped_versions_are_counted(shipped: Bundle, name: str) -> None:
    version = next(version for version in shipped.versions if version.ref.version == name)
    found = coverage_of(version, [])

    assert found.rules[0] == 0
    assert all(one.cells for one in found.tables)
    assert found.rules[1] == sum(len(one.all_rules) for one in version.policy.all_tables) + len(version.policy.rosters)


def test_a_share_of_nothing_is_everything() -> None:
    assert percent(0, 0) == 100


# ---- Of policies that grow


def test_a_list_of_40_steps_is_counted_step_by_step() -> None:
    version = build_unchecked(growth.prerequisites(40))
    yes, some = {f"f{at:02}": "yes" for at in range(40)}, {"f00": "no", "f01": "yes"}
    (found,) = coverage_of(version, [touch(version, facts) for facts in (yes, some)]).tables

    # Each step has three cells: its fact is not sent, no or yes.
    assert (found.hit, found.cells, found.rules_hit) == (40 + 38 + 1, 120, 40)
    assert found.missed[:2] == ((0, (0,)), (1, (0,)))


@pytest.mark.parametrize(
    ("files", "cells"),
    [
        (growth.chain(30), 4 + 29 * 4 * 3 * 4),
        (growth.customers(5_000, amounts=True), 5_001 + 7 * 6 * 3 * 3),
    ],
)
def test_the_cells_of_wide_policies_are_counted_exactly(files: dict[str, str], cells: int) -> None:
    version = build_unchecked(files)
    found = coverage_of(version, [touch(version, {})])

    assert found.cells == (len(found.tables), cells)


def test_a_table_of_too_many_combinations_is_not_counted() -> None:
    facts = {f"f{at:02}": growth.boolean() for at in range(14)}
    rules = [{"id": f"r{at}", "when": {fact: "yes"}, "then": {"out": f"v{at % 2}"}} for at, fact in enumerate(facts)]
    table = {"hit": "first", "about": "x", "produces": "out", "rules": rules, "otherwise": {"then": {"out": "v0"}}}
    version = build_unchecked(growth.files(facts, {"out": growth.choice(2)}, {"t": table}, ["out"]))
    (found,) = coverage_of(version, [touch(version, {"f00": "yes"})]).tables

    assert (found.hit, found.cells, found.missed) == (1, None, ())
