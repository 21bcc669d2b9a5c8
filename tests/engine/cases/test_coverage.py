"""What cases cover: which rules and cells count, held against plain loops over every ticket."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from engine.cases import load_cases, run_case
from engine.cases.coverage import AnswerTrace, Coverage, TableCoverage, TableKind, Tracer, coverage_of, percent, trace
from engine.cases.deadline_cells import reached_cells
from engine.decide.decider import NO_MOMENT
from engine.version.bundle import Bundle
from engine.version.version import Version, build
from tests.oracle import Oracle
from tests.support.deciders import decide, decider_of
from tests.support.desks import GOOD
from tests.support.every_ticket import CAME_AT, build_unchecked, every_ticket, is_small
from tests.support.strategies import policies, timed_policies


def touch(version: Version, facts: dict[str, str]) -> AnswerTrace:
    answer = decide(version, "all", facts)
    return Tracer(version).touched("all", facts, NO_MOMENT, answer)


def of_cases(text: str, files: dict[str, str] = GOOD) -> Coverage:
    """Return what cases cover of the bicycle workshop."""
    version = build(files)
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
        assert not one.missed or not is_small(version), one.name


def by_loops(version: Version, name: str, tickets: list[dict[str, str]]) -> set[tuple[int, ...]]:
    """Return the cells of a table's own grid that tickets fall in, by the meaning of the language in plain loops."""
    values: dict[str, Any] = {fact: atoms.samples for fact, atoms in version.atoms.items()}
    oracle = Oracle(version.policy, values)
    found = set()
    for ticket in tickets:
        read = version.reader.read(ticket)
        facts = {
            fact: values[fact][read.atoms[slot] - 1] if read.atoms[slot] else None
            for fact, slot in version.reader.slots.items()
        }
        known = [(axis, oracle._known(axis.fact, dict(facts))) for axis in version.grids[name].axes]
        found.add(tuple(int(axis.class_of[version.atoms[axis.fact].of(value)]) for axis, value in known))
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(timed_policies())
def test_the_cells_of_a_deadline_that_count_are_those_that_tickets_reach(files: dict[str, str]) -> None:
    version = build_unchecked(files)
    reached = reached_cells(version, "due")
    tracer = Tracer(version)
    looked = {tracer._deadline_cell("due", version.reader.read(facts).atoms) for facts in every_ticket(version)}
    assert reached is not None
    counting = {one.cell for one in reached}

    assert looked == counting if is_small(version) else looked <= counting


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(timed_policies())
def test_the_ticket_for_a_cell_of_a_deadline_falls_in_it(files: dict[str, str]) -> None:
    version = build_unchecked(files)
    tracer = Tracer(version)
    for one in reached_cells(version, "due") or ():
        atoms = [one.sent.get(name, 0) for name in sorted(version.policy.facts)]

        assert tracer._deadline_cell("due", atoms) == one.cell


@pytest.mark.parametrize("name", ["1.0.0", "2.0.0"])
def test_the_cells_of_every_table_of_the_shipped_versions_are_counted(shipped: Bundle, name: str) -> None:
    version = next(version for version in shipped.versions if version.ref.version == name)
    found = coverage_of(version, [])

    assert found.rules[0] == 0
    assert all(one.cells for one in found.tables)
    assert found.rules[1] == sum(len(one.all_rules) for one in version.policy.all_tables) + len(version.policy.rosters)


def test_a_share_of_nothing_is_everything() -> None:
    assert percent(0, 0) == 100
