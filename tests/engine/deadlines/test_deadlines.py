"""Deadlines of tickets: due times, states, and what moves them, against instants computed manually."""

from __future__ import annotations

import pickle
from datetime import timedelta
from typing import Final

import pytest

from engine.clock.stretches import StretchKind
from engine.decide.answer_json import plain, to_json
from engine.decide.decider import NO_MOMENT
from engine.model.answer import Answer, DeadlineState, Due, Status, WrongRequest
from engine.request.moment import Moment, read_moment
from engine.version.build import build
from engine.version.version import Version
from guidepost.policies.sources.folder import VersionFolder, read_folder
from tests.support.deciders import decide, reschedule, triage
from tests.support.instants import FRIDAY, at
from tests.support.paths import ROOT


@pytest.fixture(scope="module")
def lenient() -> Version:
    """The guide, but holds put the response off."""
    files = read_folder(VersionFolder(ROOT / "policies", "policies"))
    files["sla.yaml"] = files["sla.yaml"].replace("holds: {extend: no", "holds: {extend: yes", 1)
    return build(files, "policies")


@pytest.fixture(scope="module")
def around_the_clock() -> Version:
    """The guide, but its response days are those of a calendar that is always open."""
    files = read_folder(VersionFolder(ROOT / "policies", "policies"))
    days = "unit: business_days, rule: roll_then_clock, calendar: business_days"
    assert days in files["sla.yaml"]
    files["sla.yaml"] = files["sla.yaml"].replace(
        days, "unit: business_days, rule: roll_then_clock, calendar: around_the_clock"
    )
    return build(files, "policies")


def due_of(answer: Answer, name: str = "response_due") -> Due:
    """Return how a deadline came to its instant."""
    return next(due for due in answer.dues if due.name == name)


class TestHowItStands:
    """Met, running, at risk, breached or passed; and how much time is used and left."""

    P3: Final = {"assigned_priority": "P3", "plan": "partner", "country": "AU", "received_at": FRIDAY}

    def standing(
        self, guide: Version, now: str, **more: object
    ) -> tuple[DeadlineState, timedelta, timedelta, timedelta]:
        """Return the state of the response at an instant, and the time used, left and late."""
        found = due_of(decide(guide, "response", {**self.P3, **more}, read_moment(now))).standing
        assert found is not None
        return found.state, found.used, found.left, found.late

    def test_business_time_only_is_used(self, guide: Version) -> None:
        """Nine hours of Friday; nothing at the weekend and on the holiday."""
        nine, fifteen, nothing = timedelta(hours=9), timedelta(hours=15), timedelta()

        assert (DeadlineState.RUNNING, nine, fifteen, nothing) == self.standing(guide, "2026-01-24T00:00:00+11:00")
        assert (DeadlineState.RUNNING, nine, fifteen, nothing) == self.standing(guide, "2026-01-27T00:00:00+11:00")

    def test_it_is_at_risk_from_the_threshold_of_the_policy_on(self, guide: Version) -> None:
        """A quarter of 24 hours of business time: from six hours before the end."""
        assert DeadlineState.RUNNING is self.standing(guide, "2026-01-27T08:59:59+11:00")[0]
        assert DeadlineState.AT_RISK is self.standing(guide, "2026-01-27T09:00:00+11:00")[0]
        found = due_of(decide(guide, "response", self.P3, read_moment("2026-01-24T00:00:00Z"))).standing
        assert found is not None
        assert at("2026-01-27T09:00:00+11:00") == found.at_risk_from

    def test_late_is_strictly_after_the_due_time(self, guide: Version) -> None:
        assert DeadlineState.AT_RISK is self.standing(guide, "2026-01-27T15:00:00+11:00")[0]
        state, _, left, late = self.standing(guide, "2026-01-27T15:00:01+11:00")
        assert (DeadlineState.BREACHED, timedelta(), timedelta(seconds=1)) == (state, left, late)

    def test_it_is_met_by_a_response_in_time_whatever_time_it_is(self, guide: Version) -> None:
        assert (
            DeadlineState.MET
            is self.standing(guide, "2027-01-01T00:00:00Z", responded_at="2026-01-27T15:00:00+11:00")[0]
        )
        assert (
            DeadlineState.BREACHED
            is self.standing(guide, "2027-01-01T00:00:00Z", responded_at="2026-01-27T15:00:00.000001+11:00")[0]
        )

    def test_nothing_is_used_before_it_begins(self, guide: Version) -> None:
        assert (DeadlineState.RUNNING, timedelta(), timedelta(hours=24), timedelta()) == self.standing(
            guide, "2026-01-01T00:00:00Z"
        )

    def test_without_now_and_without_a_response_it_does_not_say_how_it_stands(self, guide: Version) -> None:
        assert due_of(decide(guide, "response", self.P3)).standing is None

    def test_a_period_that_is_no_promise_is_passed_and_not_breached(self, guide: Version) -> None:
        facts = {"case_state": "closed", "closed_at": FRIDAY, "country": "AU"}

        found = due_of(decide(guide, "lifecycle", facts, read_moment("2026-03-01T00:00:00Z")), "reopen_until").standing

        assert found is not None
        assert DeadlineState.PASSED is found.state

    def test_an_assumed_threshold_is_named_where_it_counts(self, guide: Version) -> None:
        at_risk = decide(guide, "response", self.P3, read_moment("2026-01-27T09:00:00+11:00"))
        running = decide(guide, "response", self.P3, read_moment("2026-01-27T08:00:00+11:00"))

        assert "response_due.at_risk" in {rule.id for rule in at_risk.assumptions}
        assert "response_due.at_risk" not in {rule.id for rule in running.assumptions}


class TestHolds:
    """Holds extend a deadline if its policy extends it."""

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
        assert [
            StretchKind.OPEN,
            StretchKind.HOLD,
            StretchKind.OPEN,
            StretchKind.CLOSED,
            StretchKind.HOLIDAY,
            StretchKind.OPEN,
        ] == [one.kind for one in due_of(answer).stretches]

    def test_those_outside_of_business_time_and_those_after_the_deadline_put_nothing_off(
        self, lenient: Version
    ) -> None:
        weekend = ("2026-01-24T10:00:00+11:00", "2026-01-26T10:00:00+11:00")
        later = ("2026-01-27T15:00:00+11:00", "2026-01-28T15:00:00+11:00")

        assert (
            at("2026-01-27T15:00:00+11:00")
            == due_of(decide(lenient, "response", TestHowItStands.P3, read_moment(None, (weekend, later)))).due
        )

    def test_a_hold_in_the_time_that_another_has_added_counts_too(self, lenient: Version) -> None:
        later = ("2026-01-27T16:00:00+11:00", "2026-01-27T16:30:00+11:00")

        assert (
            at("2026-01-27T17:30:00+11:00")
            == due_of(decide(lenient, "response", TestHowItStands.P3, read_moment(None, (*self.NIGHT, later)))).due
        )

    def test_overlapping_holds_count_once(self, lenient: Version) -> None:
        again = ("2026-01-23T21:00:00+11:00", "2026-01-23T21:30:00+11:00")

        assert (
            at("2026-01-27T17:00:00+11:00")
            == due_of(decide(lenient, "response", TestHowItStands.P3, read_moment(None, (*self.NIGHT, again)))).due
        )

    def test_a_hold_that_goes_on_counts_as_far_as_it_has_come(self, lenient: Version) -> None:
        ongoing = ((self.NIGHT[0][0], None),)

        assert (
            at("2026-01-27T16:00:00+11:00")
            == due_of(
                decide(lenient, "response", TestHowItStands.P3, read_moment("2026-01-23T21:00:00+11:00", ongoing))
            ).due
        )

    def test_time_on_hold_is_not_used(self, lenient: Version) -> None:
        found = due_of(
            decide(lenient, "response", TestHowItStands.P3, read_moment("2026-01-23T23:00:00+11:00", self.NIGHT))
        ).standing

        assert found is not None
        assert (timedelta(hours=6), timedelta(hours=18)) == (found.used, found.left)

    @pytest.mark.parametrize("end", ["2026-01-27T12:00:00+11:00", None])
    def test_a_hold_that_begins_after_the_deadline_was_met_changes_nothing(
        self, lenient: Version, end: str | None
    ) -> None:
        """However long it lasts, and whenever somebody asks."""
        facts = {**TestHowItStands.P3, "responded_at": "2026-01-23T16:00:00+11:00"}
        unheld = due_of(decide(lenient, "response", facts, read_moment("2026-01-30T00:00:00Z")))

        for now in ("2026-01-27T12:00:00+11:00", "2026-01-30T12:00:00+11:00", "2027-01-30T12:00:00+11:00"):
            found = due_of(decide(lenient, "response", facts, read_moment(now, (("2026-01-23T17:00:00+11:00", end),))))
            assert (at("2026-01-27T15:00:00+11:00"), timedelta(), DeadlineState.MET) == (
                found.due,
                found.held,
                found.standing and found.standing.state,
            )
            assert (unheld.standing, unheld.stretches) == (found.standing, found.stretches)

    @pytest.mark.parametrize("end", ["2026-01-23T18:00:00+11:00", "2026-03-01T00:00:00+11:00", None])
    def test_a_hold_during_which_it_was_met_counts_up_to_that_instant(self, lenient: Version, end: str | None) -> None:
        facts = {**TestHowItStands.P3, "responded_at": "2026-01-23T17:00:00+11:00"}

        found = due_of(
            decide(
                lenient, "response", facts, read_moment("2026-02-01T00:00:00Z", (("2026-01-23T16:00:00+11:00", end),))
            )
        )

        assert (at("2026-01-27T16:00:00+11:00"), timedelta(hours=1)) == (found.due, found.held)

    def test_of_a_late_answer_the_holds_between_due_time_and_answer_count_and_those_after_it_do_not(
        self, lenient: Version
    ) -> None:
        facts = {**TestHowItStands.P3, "responded_at": "2026-01-28T10:00:00+11:00"}
        early = ("2026-01-27T14:00:00+11:00", "2026-01-27T15:30:00+11:00")

        found = due_of(
            decide(
                lenient,
                "response",
                facts,
                read_moment("2026-02-01T00:00:00Z", (early, ("2026-01-28T11:00:00+11:00", None))),
            )
        )

        assert (at("2026-01-27T16:30:00+11:00"), timedelta(minutes=90)) == (found.due, found.held)
        assert found.standing is not None
        assert DeadlineState.BREACHED is found.standing.state

    def test_a_change_of_facts_counts_no_hold_after_the_deadline_was_met_on_either_side(self, lenient: Version) -> None:
        facts = {**TestHowItStands.P3, "responded_at": "2026-01-23T16:00:00+11:00"}
        moment = read_moment("2026-02-01T00:00:00Z", (("2026-01-23T17:00:00+11:00", None),))

        (moved,) = reschedule(lenient, facts, {"assigned_priority": "P2"}, moment).deadlines
        assert moved.before is not None
        assert moved.after is not None
        assert (at("2026-01-23T19:00:00+11:00"), at("2026-01-27T15:00:00+11:00")) == (moved.before.due, moved.after.due)

        (answered,) = reschedule(lenient, facts, {"responded_at": None}, moment).deadlines
        assert answered.before is not None
        assert answered.before.due is not None
        assert answered.before.due > at("2026-02-01T00:00:00Z"), "before the answer, the hold still went on"

    def test_what_is_still_possible_is_put_off_as_well(self, lenient: Version) -> None:
        """So a fact, once it is known, never makes an instant possible that was not."""
        open_facts = {name: value for name, value in TestHowItStands.P3.items() if name != "assigned_priority"}
        moment = read_moment(None, self.NIGHT)

        possible = decide(lenient, "response", open_facts, moment)["response_due"].possible

        assert len(possible) > 1
        assert {
            decide(lenient, "response", {**open_facts, "assigned_priority": one}, moment)["response_due"].value
            for one in ("P1", "P2", "P3", "P4")
        } <= set(possible)

    def test_everything_wrong_with_them_is_said_at_once(self) -> None:
        with pytest.raises(WrongRequest) as caught:
            read_moment(
                None,
                (
                    (FRIDAY, None),
                    (None, FRIDAY),
                    (FRIDAY, "2026-01-23"),
                    ("2026-01-23T15:00:00Z", "2026-01-23T14:00:00Z"),
                ),
            )

        assert ["pauses[0].to", "pauses[1].from", "pauses[2].to", "pauses[3].to"] == [
            wrong.fact for wrong in caught.value.wrong
        ]


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
    def test_a_case_can_be_reopened_up_to_the_instant_that_is_named(
        self, guide: Version, now: str, days: int, action: str
    ) -> None:
        answer = decide(guide, "lifecycle", self.CLOSED, read_moment(now))

        assert at("2026-02-02T15:00:00+11:00") == answer["reopen_until"].value
        assert [("business_days_since_closure", days)] == [(one.fact, one.value) for one in answer.passed]
        assert action == answer["case_action"].value

    @pytest.mark.parametrize(
        ("now", "action"),
        [("2026-01-29T14:59:59+11:00", "wait_for_response"), ("2026-01-29T15:00:00+11:00", "close_automatically")],
    )
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
        answer = decide(
            guide,
            "lifecycle",
            {**self.CLOSED, "closed_at": "2031-01-06T15:00:00+11:00"},
            read_moment("2031-01-08T15:00:00+11:00"),
        )

        (passed,) = answer.passed
        assert (Status.UNDECIDED, None) == (answer.status, passed.value)
        assert passed.uncertain is not None
        assert "AU-NSW" == passed.uncertain.holidays

    def test_what_follows_rests_on_its_calendar_and_its_region(self, guide: Version) -> None:
        answer = decide(guide, "lifecycle", self.CLOSED, read_moment(FRIDAY))

        assert {"business_days_since_closure", "business_days", "business_region.au"} <= {
            rule.id for rule in answer.rules
        }
        assert "business_days" in {rule.id for rule in answer.assumptions}


class TestCalendarDays:
    """By a calendar that is always open, business days are dates, and are called days."""

    def test_they_keep_to_the_clock_on_the_wall_and_pass_weekends_and_holidays(self, around_the_clock: Version) -> None:
        found = due_of(decide(around_the_clock, "response", TestHowItStands.P3))

        assert at("2026-01-24T15:00:00+11:00") == found.due

    def test_the_answer_and_its_record_call_them_days(self, around_the_clock: Version, guide: Version) -> None:
        made = plain(
            decide(around_the_clock, "response", TestHowItStands.P3, read_moment("2026-01-24T03:00:00+11:00"))
        )["deadlines"][0]

        assert (1, "days", "roll_then_clock") == (made["amount"], made["unit"], made["rule"])
        assert 0.5 == made["standing"]["left"]["amount"]
        assert "business_days" == plain(decide(guide, "response", TestHowItStands.P3))["deadlines"][0]["unit"]


class TestBeyondTheKnownHolidays:
    """A computation that leaves the dates of the list is reported as uncertain, and assumes nothing."""

    def test_it_names_the_list_and_the_earliest_instant(self, guide: Version) -> None:
        answer = decide(guide, "response", {**TestHowItStands.P3, "received_at": "2028-12-29T15:00:00+11:00"})

        due = due_of(answer)
        assert (Status.UNDECIDED, None) == (answer["response_due"].status, due.due)
        assert due.uncertain is not None
        assert ("AU-NSW", at("2029-01-01T15:00:00+11:00")) == (due.uncertain.holidays, due.uncertain.not_before)

    def test_of_how_late_it_is_only_the_least_is_known(self, guide: Version) -> None:
        """The time that passed while holidays are known: the rest of 2028, with Christmas and Boxing Day."""
        facts = {**TestHowItStands.P3, "received_at": "2028-12-20T15:00:00+11:00"}

        found = due_of(decide(guide, "response", facts, read_moment("2029-02-01T00:00:00Z"))).standing

        assert found is not None
        assert (DeadlineState.BREACHED, None, timedelta(), None) == (found.state, found.used, found.left, found.late)
        # Thursday 21 December from 15:00, then Friday, Wednesday to Friday: nine hours and four days.
        assert timedelta(hours=9 + 4 * 24) == found.late_at_least
        standing = plain(decide(guide, "response", facts, read_moment("2029-02-01T00:00:00Z")))["deadlines"][0][
            "standing"
        ]
        assert (standing["late"], standing["late_at_least"]["seconds"]) == (None, 105 * 3600)

    def test_where_the_holidays_are_known_there_is_no_least(self, guide: Version) -> None:
        standing = plain(decide(guide, "response", TestHowItStands.P3, read_moment("2026-02-01T00:00:00Z")))[
            "deadlines"
        ][0]["standing"]

        assert standing["late"] is not None
        assert "late_at_least" not in standing

    def test_holds_are_not_counted_as_late_there_either(self, lenient: Version) -> None:
        facts = {**TestHowItStands.P3, "received_at": "2028-12-20T15:00:00+11:00"}
        held = (("2028-12-22T00:00:00+11:00", "2028-12-23T00:00:00+11:00"),)

        found = due_of(decide(lenient, "response", facts, read_moment("2029-02-01T00:00:00Z", held))).standing

        assert found is not None
        assert timedelta(hours=9 + 3 * 24) == found.late_at_least

    def test_hours_around_the_clock_need_no_list(self, guide: Version) -> None:
        answer = decide(
            guide,
            "response",
            {**TestHowItStands.P3, "assigned_priority": "P1", "received_at": "2150-12-29T15:00:00+11:00"},
        )

        assert at("2150-12-29T16:00:00+11:00") == answer["response_due"].value

    def test_a_holiday_that_nobody_has_confirmed_is_named(self, guide: Version) -> None:
        facts = {
            "assigned_priority": "P3",
            "plan": "partner",
            "country": "ID",
            "received_at": "2027-03-08T15:00:00+07:00",
        }

        assert due_of(decide(guide, "response", facts)).estimated


class TestAChangeOfFacts:
    """Old and new due times, from the same beginning, with the reason."""

    def test_a_change_of_priority_counts_again_from_receipt(self, guide: Version) -> None:
        change = reschedule(guide, {**TestHowItStands.P3, "assigned_priority": "P2"}, {"assigned_priority": "P3"})

        (moved,) = change.deadlines
        assert moved.before is not None
        assert moved.after is not None
        assert (at("2026-01-27T15:00:00+11:00"), at("2026-01-23T19:00:00+11:00")) == (moved.before.due, moved.after.due)
        assert {"target_priority", "response_amount", "response_unit", "response_target", "desk_priority"} >= {
            one.after.name for one in change.because
        }
        assert ("P3", "P2") == next(
            (one.before.value, one.after.value) for one in change.because if one.after.name == "target_priority"
        )

    def test_triage_ends_the_default_of_the_channel(self, guide: Version) -> None:
        """The P2 of the arrival becomes a P4; the time for triage no longer runs."""
        facts = {
            "channel": "portal",
            "plan": "partner",
            "country": "AU",
            "received_at": FRIDAY,
            "stage": "triage",
            "impact": "medium",
            "urgency": "low",
        }

        change = reschedule(guide, facts, {"stage": "arrival", "impact": None, "urgency": None})

        assert {"response_due": (True, True), "triage_due": (True, False)} == {
            one.name: (one.before is not None, one.after is not None) for one in change.deadlines
        }
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
        fresh = pickle.loads(pickle.dumps(guide))

        first = [to_json(answer) for answer in triage(fresh, facts, moment)]

        assert first == [to_json(answer) for answer in triage(guide, facts, moment)]
        assert first == [
            to_json(decide(guide, answer.decision, facts, moment)) for answer in triage(guide, facts, moment)
        ]

    def test_an_answer_without_its_instants_is_the_one_that_is_kept(self, guide: Version) -> None:
        """What is kept for tickets without instants, and for those with them, is never mixed up."""
        without = {name: value for name, value in TestHowItStands.P3.items() if name != "received_at"}

        before = plain(decide(guide, "response", without))
        dated = decide(guide, "response", TestHowItStands.P3)

        assert before == plain(decide(guide, "response", without))
        assert dated.undated_id not in {None, before["id"], dated.id}

    def test_no_moment_is_a_moment_of_which_nothing_is_known(self) -> None:
        assert Moment() == NO_MOMENT == read_moment()
