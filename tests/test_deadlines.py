"""Deadlines of tickets: which time they have, when it is over, how it stands, and what moves it.

The schedule of a deadline is compared with plain loops over its rules; the instants with arithmetic done by hand.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.answer import Answer, Due, State, Status, WrongRequest
from engine.bundle import Bundle
from engine.change import reschedule
from engine.clock.stretches import Kind
from engine.decide import NO_MOMENT, decide, triage
from engine.explain import Explainer
from engine.load import load
from engine.moment import Moment, read_moment
from engine.policy import Policy
from engine.record import plain, to_json
from engine.schedule import Scheduler
from engine.settle import Flat
from engine.ticket import TicketReader
from engine.timing import NOTHING, Measure, Target
from engine.version import Layout, Version, build, lay_out, scheduler_for
from service.store import VersionFolder, build_bundle, read_folder
from tests.conftest import ROOT
from tests.oracle import Facts, Oracle
from tests.strategies import timed_policies
from tests.test_oracle import LONG

FRIDAY: Final = "2026-01-23T15:00:00+11:00"
"""A Friday in Sydney; the Monday after it is Australia Day."""

SAMPLE: Final = 5000 if LONG else 300


@pytest.fixture
def guide(shipped: Bundle) -> Version:
    """The shipped version 2.0.0."""
    return shipped.versions[-1]


@pytest.fixture(scope="module")
def lenient() -> Version:
    """The guide, but holds put the response off."""
    files = read_folder(VersionFolder(ROOT / "policies", "policies"))
    files["sla.yaml"] = files["sla.yaml"].replace("holds: {extend: no", "holds: {extend: yes", 1)
    return build(files, "policies")


def due_of(answer: Answer, name: str = "response_due") -> Due:
    """Give how a deadline came to its instant."""
    return next(due for due in answer.dues if due.name == name)


def at(text: str) -> datetime:
    """Read an instant."""
    return datetime.fromisoformat(text).astimezone(UTC)


class TestWhatADeadlineGoesBy:
    """The target: how much time, by which calendar, where."""

    def test_an_undecided_target_names_every_instant_that_is_still_possible_and_no_other(self, guide: Version) -> None:
        answer = decide(guide, "response", {"assigned_priority": "P3", "country": "PH", "received_at": "2026-05-16T10:00:00+08:00"})

        outcome = answer["response_due"]
        assert (Status.UNDECIDED, ("plan", "requester")) == (outcome.status, outcome.missing)
        assert (at("2026-05-19T00:00:00+08:00"), at("2026-05-19T07:00:00+08:00"), None) == outcome.possible

    def test_amount_and_unit_of_one_table_are_taken_together(self, guide: Version) -> None:
        """An unknown priority leaves 1 and 4 hours and 1 and 2 business days possible, and never 4 business days."""
        scheduler = guide.plans["response"].schedulers[0]

        schedule = scheduler.schedule(guide.reader.read({"plan": "partner", "country": "AU"}).atoms)

        assert {(1, "hours"), (4, "hours"), (1, "business_days"), (2, "business_days"), None} == {
            target and (target.amount, target.unit.value) for target in schedule.possible
        }

    def test_a_region_is_not_asked_for_where_the_hours_run_around_the_clock(self, guide: Version) -> None:
        answer = decide(guide, "response", {"assigned_priority": "P1", "plan": "partner", "country": "XX", "received_at": FRIDAY})

        assert at("2026-01-23T16:00:00+11:00") == answer["response_due"].value

    def test_without_its_region_a_calendar_that_needs_one_gives_no_instant(self, guide: Version) -> None:
        facts = {"assigned_priority": "P3", "plan": "partner", "country": "XX", "received_at": FRIDAY}

        assert Status.NOT_COVERED is decide(guide, "response", {**facts, "region": "XX-1"})["response_due"].status
        assert (Status.UNDECIDED, ("region",)) == (decide(guide, "response", facts)["response_due"].status, decide(guide, "response", facts)["response_due"].missing)

    def test_days_around_the_clock_begin_where_the_region_says(self) -> None:
        """So without it they cannot be counted, though the calendar is always open."""
        files = read_folder(VersionFolder(ROOT / "policies", "policies"))
        files["sla.yaml"] = files["sla.yaml"].replace("rule: roll_then_clock, calendar: business_days", "rule: roll_then_clock, calendar: around_the_clock")
        version = build(files, "policies")
        facts = {"assigned_priority": "P3", "plan": "partner", "received_at": FRIDAY}

        assert at("2026-01-24T15:00:00+11:00") == decide(version, "response", {**facts, "country": "AU"})["response_due"].value
        assert Status.NOT_COVERED is decide(version, "response", {**facts, "country": "XX", "region": "XX-1"})["response_due"].status

    def test_a_deadline_without_its_beginning_asks_for_it(self, guide: Version) -> None:
        answer = decide(guide, "response", {"assigned_priority": "P3", "plan": "partner"})

        assert (Status.UNDECIDED, ("received_at",)) == (answer["response_due"].status, answer["response_due"].missing)

    def test_it_rests_on_its_rule_on_what_that_reads_and_on_the_calendar(self, guide: Version) -> None:
        answer = decide(guide, "response", {"assigned_priority": "P3", "plan": "partner", "country": "AU", "received_at": FRIDAY})

        rules = {rule.id for rule in answer["response_due"].rules}
        assert {"response_due.days", "response.p3", "hours.all", "business_region.au", "business_days"} <= rules
        assert {"response_due.days", "business_days"} <= {rule.id for rule in answer.assumptions}

    @pytest.mark.parametrize("name", ["1.0.0", "2.0.0", "hospital"])
    def test_every_schedule_is_what_plain_loops_over_the_rules_give(self, shipped: Bundle, name: str) -> None:
        desks = {version.ref.version: version for version in shipped.versions}
        version = desks.get(name) or build_bundle(ROOT / "examples" / name).versions[0]
        chance = random.Random(7)
        for scheduler in {id(one): one for plan in version.plans.values() for one in plan.schedulers}.values():
            loops = Loops(version.policy, Layout(version.atoms, version.grids, version.flats, version.producer), scheduler)
            for _ in range(SAMPLE):
                facts = loops.draw(chance)
                schedule = scheduler.schedule(version.reader.read(facts).atoms)
                said = set(schedule.possible) if schedule.status is Status.UNDECIDED else {schedule.target}
                assert loops.targets(dict(facts)) == said, facts
                if schedule.status is Status.UNDECIDED:
                    assert set(schedule.missing) <= set(scheduler.depends) - set(facts)
                    assert all(loops.matters(dict(facts), fact) for fact in schedule.missing), (facts, schedule.missing)


    @pytest.mark.campaign
    @settings(max_examples=2000 if LONG else 60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(timed_policies(), st.integers())
    def test_so_is_every_schedule_of_random_policies(self, files: dict[str, str], seed: int) -> None:
        policy = load(files)
        layout = lay_out(policy)
        reader = TicketReader(policy.facts, layout.atoms)
        scheduler = scheduler_for("due", policy, layout, reader, Explainer(policy, layout.flats, layout.producer, layout.atoms))
        loops = Loops(policy, layout, scheduler)
        tickets = list(itertools.product(*([None, *loops.values.get(name, [])] for name in scheduler.depends)))
        for values in random.Random(seed).sample(tickets, min(len(tickets), 60)):
            facts = dict(zip(scheduler.depends, values, strict=True))
            atoms = [layout.atoms[name].of(facts.get(name)) for name in sorted(policy.facts)]
            schedule = scheduler.schedule(atoms)
            said = set(schedule.possible) if schedule.status is Status.UNDECIDED else {schedule.target}
            # Where no region counts, the loops stop before they know it, and the schedule may know it.
            assert counting(policy, loops.targets(facts)) == counting(policy, said), facts


def counting(policy: Policy, targets: set[Target | None]) -> set[Target | None]:
    """Give targets with a region only where it counts."""
    return {one if one is None or policy.calendars[one.calendar].needs_region(one.unit) else replace(one, region="") for one in targets}


class Loops:
    """The schedules of one deadline in plain loops: walk the rules; try every value of every missing fact that is open."""

    def __init__(self, policy: Policy, layout: Layout, scheduler: Scheduler) -> None:
        self.policy, self.scheduler = policy, scheduler
        flats: list[Flat] = [layout.flats[layout.producer[name]] for name in scheduler.looks]
        self.values: dict[str, list[str | float]] = {}
        for flat in flats:
            for axis in flat.axes:
                atoms = layout.atoms[axis.fact]
                self.values[axis.fact] = list(atoms.samples) if len(atoms.samples) < 12 else [atoms.samples[member - 1] for member in axis.members[1:]]
        self.values |= {name: list(layout.atoms[name].samples) for name in scheduler.facts}
        self.oracle = Oracle(policy, self.values)
        self.met: dict[tuple[object, ...], set[Target | None]] = {}

    def draw(self, chance: random.Random) -> dict[str, Any]:
        """Draw a ticket in which few facts are missing, or it would take for ever."""
        facts = {name: chance.choice(values) for name, values in self.values.items()}
        for name in chance.sample(sorted(facts), min(len(facts), chance.choice((0, 1, 2, 3)))):
            del facts[name]
        return {name: "elsewhere" if value == "unlisted" else value for name, value in facts.items()}

    def targets(self, facts: Facts) -> set[Target | None]:
        """Give every target that these facts, and those that may still come, lead to."""
        facts = {name: "unlisted" if value == "elsewhere" else value for name, value in facts.items()}
        key = tuple(facts.get(name) for name in self.scheduler.depends)
        if key not in self.met:
            self.met[key] = self._targets({name: facts.get(name) for name in self.scheduler.depends})
        return self.met[key]

    def matters(self, facts: Facts, fact: str) -> bool:
        """Tell whether a missing fact can change the target, now or once others are known."""
        before = [self.targets({**facts, fact: value}) for value in self.values[fact]]
        return any(one != before[0] for one in before) or any(len(one) > 1 for one in before)

    def _targets(self, facts: Facts) -> set[Target | None]:
        deadline, policy = self.scheduler.deadline, self.policy
        known, opened = {}, {}
        for name in (*self.scheduler.looks, *self.scheduler.facts):
            if name in self.scheduler.facts:
                known[name], opened[name] = facts.get(name), {name} if facts.get(name) is None else set()
                continue
            table = self.oracle.maker[name]
            found = self.oracle.possible(table, facts)[name]
            known[name] = next(iter(found)) if len(found) == 1 else None
            opened[name] = set(self.oracle.open_facts(table, facts)) if len(found) > 1 else set()
        words = {name: ("yes" if value else "no") if isinstance(value, bool) else value for name, value in known.items()}
        rule = next((rule for rule in deadline.table.rules if all(one.holds(words[one.fact]) for one in rule.when)), None)
        claimed = {one.fact for one in rule.when if one.unknown} if rule else set()
        measure = rule.then[deadline.name] if rule else NOTHING
        assert isinstance(measure, Measure)
        needed = set(deadline.table.reads) - claimed
        if measure != NOTHING:
            needed |= {deadline.amount} if measure.amount is None else set()
            needed |= {deadline.region} if policy.calendars[measure.calendar].needs_region(measure.unit) else set()
        missing = {fact for name in needed for fact in opened[name]}
        if missing:
            return set().union(*(self.targets({**facts, fact: value}) for fact in missing for value in self.values[fact]))
        return {self._target(policy, measure, known)}

    def _target(self, policy: Policy, measure: Measure, known: Mapping[str, Any]) -> Target | None:
        deadline = self.scheduler.deadline
        if measure == NOTHING:
            return None
        amount = known[deadline.amount] if measure.amount is None else measure.amount
        region = known[deadline.region] if deadline.region else None
        if amount is None or (region is None and policy.calendars[measure.calendar].needs_region(measure.unit)):
            return None
        return Target(amount, measure.unit, measure.rule, measure.calendar, region or "")


class TestHowItStands:
    """Met, running, at risk, breached or passed; and how much time is used and left."""

    P3: Final = {"assigned_priority": "P3", "plan": "partner", "country": "AU", "received_at": FRIDAY}

    def standing(self, guide: Version, now: str, **more: object) -> tuple[State, timedelta, timedelta, timedelta]:
        """Tell how the response stands at an instant: its state, and the time used, left and late."""
        found = due_of(decide(guide, "response", {**self.P3, **more}, read_moment(now))).standing
        assert found is not None
        return found.state, found.used, found.left, found.late

    def test_business_time_only_is_used(self, guide: Version) -> None:
        """Nine hours of Friday; nothing at the weekend and on the holiday."""
        nine, fifteen, nothing = timedelta(hours=9), timedelta(hours=15), timedelta()

        assert (State.RUNNING, nine, fifteen, nothing) == self.standing(guide, "2026-01-24T00:00:00+11:00")
        assert (State.RUNNING, nine, fifteen, nothing) == self.standing(guide, "2026-01-27T00:00:00+11:00")

    def test_it_is_at_risk_from_the_threshold_of_the_policy_on(self, guide: Version) -> None:
        """A quarter of 24 hours of business time: from six hours before the end."""
        assert State.RUNNING is self.standing(guide, "2026-01-27T08:59:59+11:00")[0]
        assert State.AT_RISK is self.standing(guide, "2026-01-27T09:00:00+11:00")[0]
        found = due_of(decide(guide, "response", self.P3, read_moment("2026-01-24T00:00:00Z"))).standing
        assert found is not None
        assert at("2026-01-27T09:00:00+11:00") == found.at_risk_from

    def test_late_is_strictly_after_the_due_time(self, guide: Version) -> None:
        assert State.AT_RISK is self.standing(guide, "2026-01-27T15:00:00+11:00")[0]
        state, _, left, late = self.standing(guide, "2026-01-27T15:00:01+11:00")
        assert (State.BREACHED, timedelta(), timedelta(seconds=1)) == (state, left, late)

    def test_it_is_met_by_a_response_in_time_whatever_time_it_is(self, guide: Version) -> None:
        assert State.MET is self.standing(guide, "2027-01-01T00:00:00Z", responded_at="2026-01-27T15:00:00+11:00")[0]
        assert State.BREACHED is self.standing(guide, "2027-01-01T00:00:00Z", responded_at="2026-01-27T15:00:00.000001+11:00")[0]

    def test_nothing_is_used_before_it_begins(self, guide: Version) -> None:
        assert (State.RUNNING, timedelta(), timedelta(hours=24), timedelta()) == self.standing(guide, "2026-01-01T00:00:00Z")

    def test_without_now_and_without_a_response_it_does_not_say_how_it_stands(self, guide: Version) -> None:
        assert due_of(decide(guide, "response", self.P3)).standing is None

    def test_a_period_that_is_no_promise_is_passed_and_not_breached(self, guide: Version) -> None:
        facts = {"case_state": "closed", "closed_at": FRIDAY, "country": "AU"}

        found = due_of(decide(guide, "lifecycle", facts, read_moment("2026-03-01T00:00:00Z")), "reopen_until").standing

        assert found is not None
        assert State.PASSED is found.state

    def test_an_assumed_threshold_is_named_where_it_counts(self, guide: Version) -> None:
        at_risk = decide(guide, "response", self.P3, read_moment("2026-01-27T09:00:00+11:00"))
        running = decide(guide, "response", self.P3, read_moment("2026-01-27T08:00:00+11:00"))

        assert "response_due.at_risk" in {rule.id for rule in at_risk.assumptions}
        assert "response_due.at_risk" not in {rule.id for rule in running.assumptions}


class TestHolds:
    """Holds put a deadline off where the policy says so."""

    NIGHT: Final = (("2026-01-23T20:00:00+11:00", "2026-01-23T22:00:00+11:00"),)

    def test_where_the_policy_names_none_they_are_told_to_change_nothing(self, guide: Version) -> None:
        answer = decide(guide, "response", TestHowItStands.P3, read_moment(None, self.NIGHT))

        assert (False, timedelta()) == (due_of(answer).extended, due_of(answer).held)
        assert at("2026-01-27T15:00:00+11:00") == due_of(answer).due
        assert "response_due.holds" in {rule.id for rule in answer.assumptions}

    def test_they_put_the_deadline_off_by_their_business_time(self, lenient: Version) -> None:
        answer = decide(lenient, "response", TestHowItStands.P3, read_moment(None, self.NIGHT))

        assert at("2026-01-27T17:00:00+11:00") == due_of(answer).due
        assert (True, timedelta(hours=2)) == (due_of(answer).extended, due_of(answer).held)
        assert [Kind.OPEN, Kind.HOLD, Kind.OPEN, Kind.CLOSED, Kind.HOLIDAY, Kind.OPEN] == [one.kind for one in due_of(answer).stretches]

    def test_those_outside_of_business_time_and_those_after_the_deadline_put_nothing_off(self, lenient: Version) -> None:
        weekend = ("2026-01-24T10:00:00+11:00", "2026-01-26T10:00:00+11:00")
        later = ("2026-01-27T15:00:00+11:00", "2026-01-28T15:00:00+11:00")

        assert at("2026-01-27T15:00:00+11:00") == due_of(decide(lenient, "response", TestHowItStands.P3, read_moment(None, (weekend, later)))).due

    def test_a_hold_in_the_time_that_another_has_added_counts_too(self, lenient: Version) -> None:
        later = ("2026-01-27T16:00:00+11:00", "2026-01-27T16:30:00+11:00")

        assert at("2026-01-27T17:30:00+11:00") == due_of(decide(lenient, "response", TestHowItStands.P3, read_moment(None, (*self.NIGHT, later)))).due

    def test_overlapping_holds_count_once(self, lenient: Version) -> None:
        again = ("2026-01-23T21:00:00+11:00", "2026-01-23T21:30:00+11:00")

        assert at("2026-01-27T17:00:00+11:00") == due_of(decide(lenient, "response", TestHowItStands.P3, read_moment(None, (*self.NIGHT, again)))).due

    def test_a_hold_that_goes_on_counts_as_far_as_it_has_come(self, lenient: Version) -> None:
        ongoing = ((self.NIGHT[0][0], None),)

        assert at("2026-01-27T16:00:00+11:00") == due_of(decide(lenient, "response", TestHowItStands.P3, read_moment("2026-01-23T21:00:00+11:00", ongoing))).due

    def test_time_on_hold_is_not_used(self, lenient: Version) -> None:
        found = due_of(decide(lenient, "response", TestHowItStands.P3, read_moment("2026-01-23T23:00:00+11:00", self.NIGHT))).standing

        assert found is not None
        assert (timedelta(hours=6), timedelta(hours=18)) == (found.used, found.left)

    def test_everything_wrong_with_them_is_said_at_once(self) -> None:
        with pytest.raises(WrongRequest) as caught:
            read_moment(None, ((FRIDAY, None), (None, FRIDAY), (FRIDAY, "2026-01-23"), ("2026-01-23T15:00:00Z", "2026-01-23T14:00:00Z")))

        assert ["pauses[0].to", "pauses[1].from", "pauses[2].to", "pauses[3].to"] == [wrong.fact for wrong in caught.value.wrong]


class TestTimeThatHasPassed:
    """Facts that follow from an instant and from now."""

    CLOSED: Final = {"case_state": "closed", "reopen_requested": "yes", "closed_at": FRIDAY, "country": "AU"}

    @pytest.mark.parametrize(
        ("now", "days", "action"),
        [
            (FRIDAY, 0, "reopen"),
            ("2026-01-23T15:00:01+11:00", 1, "reopen"),
            ("2026-02-02T15:00:00+11:00", 5, "reopen"),
            ("2026-02-02T15:00:01+11:00", 6, "new_case"),
        ],
    )
    def test_a_case_can_be_reopened_up_to_the_instant_that_is_named(self, guide: Version, now: str, days: int, action: str) -> None:
        answer = decide(guide, "lifecycle", self.CLOSED, read_moment(now))

        assert at("2026-02-02T15:00:00+11:00") == answer["reopen_until"].value
        assert [("business_days_since_closure", days)] == [(one.fact, one.value) for one in answer.passed]
        assert action == answer["case_action"].value

    @pytest.mark.parametrize(("now", "action"), [("2026-01-29T14:59:59+11:00", "wait_for_response"), ("2026-01-29T15:00:00+11:00", "close_automatically")])
    def test_a_case_closes_by_itself_at_the_instant_that_is_named(self, guide: Version, now: str, action: str) -> None:
        facts = {"case_state": "resolved", "responded_since_resolution": "no", "resolved_at": FRIDAY, "country": "AU"}

        answer = decide(guide, "lifecycle", facts, read_moment(now))

        assert at("2026-01-29T15:00:00+11:00") == answer["auto_close_due"].value
        assert action == answer["case_action"].value

    def test_what_is_sent_wins_over_what_would_follow(self, guide: Version) -> None:
        answer = decide(guide, "lifecycle", {**self.CLOSED, "business_days_since_closure": 6}, read_moment(FRIDAY))

        assert ((), "new_case") == (answer.passed, answer["case_action"].value)

    def test_without_now_nothing_follows(self, guide: Version) -> None:
        answer = decide(guide, "lifecycle", self.CLOSED)

        assert (Status.UNDECIDED, ("business_days_since_closure",)) == (answer.status, answer.missing)

    def test_beyond_the_known_holidays_nothing_follows(self, guide: Version) -> None:
        answer = decide(guide, "lifecycle", {**self.CLOSED, "closed_at": "2031-01-06T15:00:00+11:00"}, read_moment("2031-01-08T15:00:00+11:00"))

        (passed,) = answer.passed
        assert (Status.UNDECIDED, None) == (answer.status, passed.value)
        assert passed.uncertain is not None
        assert "AU-NSW" == passed.uncertain.holidays

    def test_what_follows_rests_on_its_calendar_and_its_region(self, guide: Version) -> None:
        answer = decide(guide, "lifecycle", self.CLOSED, read_moment(FRIDAY))

        assert {"business_days_since_closure", "business_days", "business_region.au"} <= {rule.id for rule in answer.rules}
        assert "business_days" in {rule.id for rule in answer.assumptions}


class TestBeyondTheKnownHolidays:
    """A computation that leaves the dates of the list says so, and assumes nothing."""

    def test_it_names_the_list_and_the_earliest_instant(self, guide: Version) -> None:
        answer = decide(guide, "response", {**TestHowItStands.P3, "received_at": "2028-12-29T15:00:00+11:00"})

        due = due_of(answer)
        assert (Status.UNDECIDED, None) == (answer["response_due"].status, due.due)
        assert due.uncertain is not None
        assert ("AU-NSW", at("2029-01-01T15:00:00+11:00")) == (due.uncertain.holidays, due.uncertain.not_before)

    def test_how_late_it_is_is_not_known_there_either(self, guide: Version) -> None:
        """That it is late is."""
        facts = {**TestHowItStands.P3, "received_at": "2028-12-20T15:00:00+11:00"}

        found = due_of(decide(guide, "response", facts, read_moment("2029-02-01T00:00:00Z"))).standing

        assert found is not None
        assert (State.BREACHED, None, timedelta(), None) == (found.state, found.used, found.left, found.late)
        assert plain(decide(guide, "response", facts, read_moment("2029-02-01T00:00:00Z")))["deadlines"][0]["standing"]["late"] is None

    def test_hours_around_the_clock_need_no_list(self, guide: Version) -> None:
        answer = decide(guide, "response", {**TestHowItStands.P3, "assigned_priority": "P1", "received_at": "2150-12-29T15:00:00+11:00"})

        assert at("2150-12-29T16:00:00+11:00") == answer["response_due"].value

    def test_a_holiday_that_nobody_has_confirmed_is_named(self, guide: Version) -> None:
        facts = {"assigned_priority": "P3", "plan": "partner", "country": "ID", "received_at": "2027-03-08T15:00:00+07:00"}

        assert due_of(decide(guide, "response", facts)).estimated


class TestAChangeOfFacts:
    """Old and new due times, from the same beginning, with the reason."""

    def test_a_change_of_priority_counts_again_from_receipt(self, guide: Version) -> None:
        change = reschedule(guide, {**TestHowItStands.P3, "assigned_priority": "P2"}, {"assigned_priority": "P3"})

        (moved,) = change.deadlines
        assert moved.before is not None
        assert moved.after is not None
        assert (at("2026-01-27T15:00:00+11:00"), at("2026-01-23T19:00:00+11:00")) == (moved.before.due, moved.after.due)
        assert {"target_priority", "response_amount", "response_unit", "response_target", "desk_priority"} >= {one.after.name for one in change.because}
        assert ("P3", "P2") == next((one.before.value, one.after.value) for one in change.because if one.after.name == "target_priority")

    def test_triage_ends_the_default_of_the_channel(self, guide: Version) -> None:
        """The P2 of the arrival becomes a P4; the time for triage no longer runs."""
        facts = {"channel": "portal", "plan": "partner", "country": "AU", "received_at": FRIDAY, "stage": "triage", "impact": "medium", "urgency": "low"}

        change = reschedule(guide, facts, {"stage": "arrival", "impact": None, "urgency": None})

        assert {"response_due": (True, True), "triage_due": (True, False)} == {one.name: (one.before is not None, one.after is not None) for one in change.deadlines}
        assert all(one.moved for one in change.deadlines)

    def test_what_moves_nothing_has_no_reason(self, guide: Version) -> None:
        change = reschedule(guide, TestHowItStands.P3, {"language": "ja"})

        assert ([False], ()) == ([one.moved for one in change.deadlines], change.because)

    def test_what_is_wrong_before_is_told_apart_from_what_is_wrong_now(self, guide: Version) -> None:
        with pytest.raises(WrongRequest) as caught:
            reschedule(guide, {"assigned_priority": "P2"}, {"assigned_priority": "P9"})

        assert ["before.assigned_priority"] == [wrong.fact for wrong in caught.value.wrong]


class TestTheRecord:
    """The same facts, version and instant always give the same bytes; other instants never the same id."""

    def test_two_tickets_that_differ_in_an_instant_have_other_ids(self, guide: Version) -> None:
        one = decide(guide, "response", TestHowItStands.P3)
        other = decide(guide, "response", {**TestHowItStands.P3, "received_at": "2026-01-23T15:00:00.000001+11:00"})
        later = decide(guide, "response", TestHowItStands.P3, read_moment("2026-01-24T00:00:00Z"))

        assert len({one.id, other.id, later.id}) == 3

    def test_the_same_instant_by_another_offset_gives_the_same_bytes(self, guide: Version) -> None:
        one = decide(guide, "response", TestHowItStands.P3)
        other = decide(guide, "response", {**TestHowItStands.P3, "received_at": "2026-01-23T04:00:00Z"})

        assert to_json(one) == to_json(other)

    def test_a_fresh_version_gives_the_same_bytes_as_one_that_has_answered_before(self, guide: Version) -> None:
        moment = read_moment("2026-01-27T09:00:00+11:00", TestHolds.NIGHT)
        facts = {**TestHowItStands.P3, "channel": "email", "stage": "arrival"}
        for plan in guide.plans.values():
            plan.seen.clear()

        first = [to_json(answer) for answer in triage(guide, facts, moment)]

        assert first == [to_json(answer) for answer in triage(guide, facts, moment)]
        assert first == [to_json(decide(guide, answer.decision, facts, moment)) for answer in triage(guide, facts, moment)]

    def test_an_answer_without_its_instants_is_the_one_that_is_kept(self, guide: Version) -> None:
        """What is kept for tickets without instants, and for those with them, is never mixed up."""
        without = {name: value for name, value in TestHowItStands.P3.items() if name != "received_at"}

        before = plain(decide(guide, "response", without))
        dated = decide(guide, "response", TestHowItStands.P3)

        assert before == plain(decide(guide, "response", without))
        assert dated.undated not in {"", before["id"], dated.id}

    def test_no_moment_is_a_moment_of_which_nothing_is_known(self) -> None:
        assert Moment() == NO_MOMENT == read_moment()
