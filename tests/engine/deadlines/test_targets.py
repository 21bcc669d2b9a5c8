"""Which time a deadline has: its schedule is compared with plain loops over its rules."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.deadlines.schedule import DeadlinePlan, Scheduler
from engine.load import load
from engine.model.answer import Status
from engine.model.policy import Policy
from engine.model.targets import NOTHING, Measure, Target
from engine.request.ticket import TicketReader
from engine.tables.chain import Chains
from engine.tables.explain import Explainer
from engine.version.build import PolicyTables, build, deadline_plan, draw_policy
from engine.version.bundle import Bundle
from engine.version.version import Version
from guidepost.policies.sources.folder import VersionFolder, build_bundle, read_folder
from tests.oracle import Facts, Oracle
from tests.support.campaign import LONG
from tests.support.deciders import decide, decider_of
from tests.support.instants import FRIDAY, at
from tests.support.paths import ROOT
from tests.support.policy_tables import policy_tables
from tests.support.strategies import timed_policies

SAMPLE: Final = 5000 if LONG else 300


class TestWhatADeadlineGoesBy:
    """The target: how much time, by which calendar, where."""

    def test_an_undecided_target_names_every_instant_that_is_still_possible_and_no_other(self, guide: Version) -> None:
        answer = decide(
            guide, "response", {"assigned_priority": "P3", "country": "PH", "received_at": "2026-05-16T10:00:00+08:00"}
        )

        outcome = answer["response_due"]
        assert (Status.UNDECIDED, ("plan", "requester")) == (outcome.status, outcome.missing)
        assert (at("2026-05-19T00:00:00+08:00"), at("2026-05-19T07:00:00+08:00"), None) == outcome.possible

    def test_amount_and_unit_of_one_table_are_taken_together(self, guide: Version) -> None:
        """An unknown priority leaves 1 and 4 hours and 1 and 2 business days possible, and never 4 business days."""
        scheduler = decider_of(guide).scheduler("response_due")

        schedule = scheduler.schedule(guide.reader.read({"plan": "partner", "country": "AU"}).atoms)

        assert {(1, "hours"), (4, "hours"), (1, "business_days"), (2, "business_days"), None} == {
            target and (target.amount, target.unit.value) for target in schedule.possible
        }

    def test_a_region_is_not_asked_for_where_the_hours_run_around_the_clock(self, guide: Version) -> None:
        answer = decide(
            guide, "response", {"assigned_priority": "P1", "plan": "partner", "country": "XX", "received_at": FRIDAY}
        )

        assert at("2026-01-23T16:00:00+11:00") == answer["response_due"].value

    def test_without_its_region_a_calendar_that_needs_one_gives_no_instant(self, guide: Version) -> None:
        facts = {"assigned_priority": "P3", "plan": "partner", "country": "XX", "received_at": FRIDAY}

        assert Status.NOT_COVERED is decide(guide, "response", {**facts, "region": "XX-1"})["response_due"].status
        assert (Status.UNDECIDED, ("region",)) == (
            decide(guide, "response", facts)["response_due"].status,
            decide(guide, "response", facts)["response_due"].missing,
        )

    def test_days_around_the_clock_begin_where_the_region_says(self) -> None:
        """So without it they cannot be counted, though the calendar is always open."""
        files = read_folder(VersionFolder(ROOT / "policies", "policies"))
        files["sla.yaml"] = files["sla.yaml"].replace(
            "rule: roll_then_clock, calendar: business_days", "rule: roll_then_clock, calendar: around_the_clock"
        )
        version = build(files, "policies")
        facts = {"assigned_priority": "P3", "plan": "partner", "received_at": FRIDAY}

        assert (
            at("2026-01-24T15:00:00+11:00")
            == decide(version, "response", {**facts, "country": "AU"})["response_due"].value
        )
        assert (
            Status.NOT_COVERED
            is decide(version, "response", {**facts, "country": "XX", "region": "XX-1"})["response_due"].status
        )

    def test_a_deadline_without_its_beginning_asks_for_it(self, guide: Version) -> None:
        answer = decide(guide, "response", {"assigned_priority": "P3", "plan": "partner"})

        assert (Status.UNDECIDED, ("received_at",)) == (answer["response_due"].status, answer["response_due"].missing)

    def test_it_rests_on_its_rule_on_what_that_reads_and_on_the_calendar(self, guide: Version) -> None:
        answer = decide(
            guide, "response", {"assigned_priority": "P3", "plan": "partner", "country": "AU", "received_at": FRIDAY}
        )

        rules = {rule.id for rule in answer["response_due"].rules}
        assert {"response_due.days", "response.p3", "hours.all", "business_region.au", "business_days"} <= rules
        assert {"response_due.days", "business_days"} <= {rule.id for rule in answer.assumptions}

    @pytest.mark.parametrize("name", ["1.0.0", "2.0.0", "hospital"])
    def test_every_schedule_is_what_plain_loops_over_the_rules_give(self, shipped: Bundle, name: str) -> None:
        desks = {version.ref.version: version for version in shipped.versions}
        version = desks.get(name) or build_bundle(ROOT / "examples" / name).versions[0]
        chance = random.Random(7)
        names = dict.fromkeys(one.deadline.name for plan in version.plans.values() for one in plan.deadlines)
        for scheduler in map(decider_of(version).scheduler, names):
            loops = Loops(
                version.policy,
                policy_tables(version),
                scheduler.plan,
            )
            for _ in range(SAMPLE):
                facts = loops.draw(chance)
                schedule = scheduler.schedule(version.reader.read(facts).atoms)
                said = set(schedule.possible) if schedule.status is Status.UNDECIDED else {schedule.target}
                assert loops.targets(dict(facts)) == said, facts
                if schedule.status is Status.UNDECIDED:
                    assert set(schedule.missing) <= set(scheduler.plan.depends) - set(facts)
                    assert all(loops.matters(dict(facts), fact) for fact in schedule.missing), (facts, schedule.missing)

    @pytest.mark.campaign
    @settings(max_examples=2000 if LONG else 60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(timed_policies(), st.integers())
    def test_so_is_every_schedule_of_random_policies(self, files: dict[str, str], seed: int) -> None:
        policy = load(files)
        tables = draw_policy(policy)
        reader = TicketReader(policy.facts, tables.atoms)
        plan = deadline_plan("due", policy, tables, reader)
        explainer = Explainer(policy, tables.diagrams, tables.producer, tables.atoms, reader.slots)
        scheduler = Scheduler(plan, explainer)
        loops = Loops(policy, tables, plan)
        tickets = list(itertools.product(*([None, *loops.values.get(name, [])] for name in plan.depends)))
        for values in random.Random(seed).sample(tickets, min(len(tickets), 60)):
            facts = dict(zip(plan.depends, values, strict=True))
            atoms = [tables.atoms[name].of(facts.get(name)) for name in sorted(policy.facts)]
            schedule = scheduler.schedule(atoms)
            said = set(schedule.possible) if schedule.status is Status.UNDECIDED else {schedule.target}
            # Where no region counts, the loops stop before they know it, and the schedule may know it.
            assert counting(policy, loops.targets(facts)) == counting(policy, said), facts


def counting(policy: Policy, targets: set[Target | None]) -> set[Target | None]:
    """Return targets with a region only where it counts."""
    return {
        one if one is None or policy.calendars[one.calendar].needs_region(one.unit) else replace(one, region="")
        for one in targets
    }


class Loops:
    """The schedules of one deadline in plain loops over the rules and the values of missing facts."""

    def __init__(self, policy: Policy, tables: PolicyTables, plan: DeadlinePlan) -> None:
        self.policy, self.plan = policy, plan
        chains, parts = Chains(tables.diagrams), tables.diagrams.parts
        self.values: dict[str, list[str | float]] = {}
        for name in plan.reads:
            for fact, first_alike in chains.of(tables.producer[name]).first_alike.items():
                atoms = tables.atoms[fact]
                classes = sorted({one for one in first_alike if one})
                self.values[fact] = (
                    list(atoms.samples)
                    if len(atoms.samples) < 12
                    else [atoms.samples[parts[fact].members[one] - 1] for one in classes]
                )
        self.facts = tuple(name for name in plan.deadline.goes_by if name not in plan.reads)
        self.values |= {name: list(tables.atoms[name].samples) for name in self.facts}
        self.oracle = Oracle(policy, self.values)
        self.met: dict[tuple[object, ...], set[Target | None]] = {}

    def draw(self, chance: random.Random) -> dict[str, Any]:
        """Draw a ticket in which few facts are missing, or it would take for ever."""
        facts = {name: chance.choice(values) for name, values in self.values.items()}
        for name in chance.sample(sorted(facts), min(len(facts), chance.choice((0, 1, 2, 3)))):
            del facts[name]
        return {name: "elsewhere" if value == "unlisted" else value for name, value in facts.items()}

    def targets(self, facts: Facts) -> set[Target | None]:
        """Return every target that these facts, and those that may still come, lead to."""
        facts = {name: "unlisted" if value == "elsewhere" else value for name, value in facts.items()}
        key = tuple(facts.get(name) for name in self.plan.depends)
        if key not in self.met:
            self.met[key] = self._targets({name: facts.get(name) for name in self.plan.depends})
        return self.met[key]

    def matters(self, facts: Facts, fact: str) -> bool:
        """Return whether a missing fact can change the target, now or once others are known."""
        before = [self.targets({**facts, fact: value}) for value in self.values[fact]]
        return any(one != before[0] for one in before) or any(len(one) > 1 for one in before)

    def _targets(self, facts: Facts) -> set[Target | None]:
        deadline, policy = self.plan.deadline, self.policy
        known, opened = {}, {}
        for name in (*self.plan.reads, *self.facts):
            if name in self.facts:
                known[name], opened[name] = facts.get(name), {name} if facts.get(name) is None else set()
                continue
            table = self.oracle.maker[name]
            found = self.oracle.possible(table, facts)[name]
            known[name] = next(iter(found)) if len(found) == 1 else None
            opened[name] = set(self.oracle.open_facts(table, facts)) if len(found) > 1 else set()
        words = {
            name: ("yes" if value else "no") if isinstance(value, bool) else value for name, value in known.items()
        }
        rule = next(
            (rule for rule in deadline.table.rules if all(one.holds(words[one.fact]) for one in rule.when)), None
        )
        claimed = {one.fact for one in rule.when if one.unknown} if rule else set()
        measure = rule.then[deadline.name] if rule else NOTHING
        assert isinstance(measure, Measure)
        needed = set(deadline.table.reads) - claimed
        if measure != NOTHING:
            needed |= {deadline.amount} if measure.amount is None else set()
            needed |= {deadline.region} if policy.calendars[measure.calendar].needs_region(measure.unit) else set()
        missing = {fact for name in needed for fact in opened[name]}
        if missing:
            return set().union(
                *(self.targets({**facts, fact: value}) for fact in missing for value in self.values[fact])
            )
        return {self._target(policy, measure, known)}

    def _target(self, policy: Policy, measure: Measure, known: Mapping[str, Any]) -> Target | None:
        deadline = self.plan.deadline
        if measure == NOTHING:
            return None
        amount = known[deadline.amount] if measure.amount is None else measure.amount
        region = known[deadline.region] if deadline.region else None
        if amount is None or (region is None and policy.calendars[measure.calendar].needs_region(measure.unit)):
            return None
        return Target(
            amount=amount, unit=measure.unit, rule=measure.rule, calendar=measure.calendar, region=region or ""
        )
