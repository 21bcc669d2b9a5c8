"""The circuit breaker: when calls are admitted. No calls are made, and the tests set the clock."""

from __future__ import annotations

import math

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

from guidepost.client.circuit_breaker import Circuit, CircuitBreaker


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def opened(clock: Clock, failures: int = 3, pause: float = 1.0) -> CircuitBreaker:
    breaker = CircuitBreaker(failures, pause, clock)
    for _ in range(failures):
        breaker.unanswered(breaker.admit())
    assert breaker.state is Circuit.OPEN
    return breaker


def test_calls_are_made_until_several_in_a_row_have_no_answer(clock: Clock) -> None:
    breaker = CircuitBreaker(3, 1.0, clock)
    for ends in (breaker.unanswered, breaker.unanswered, breaker.answered, breaker.unanswered, breaker.unanswered):
        ends(breaker.admit())
    assert (Circuit.CLOSED, 2) == (breaker.state, breaker.failures)

    breaker.unanswered(breaker.admit())

    assert (Circuit.OPEN, 3, 0, 1.0) == (breaker.state, breaker.failures, breaker.admit(), breaker.left)


def test_a_state_equals_its_text(clock: Clock) -> None:
    state = opened(clock).state

    assert (state == "open", str(state), f"{state}") == (True, "open", "open")


def test_the_reason_is_forgotten_when_the_service_answers(clock: Clock) -> None:
    breaker = CircuitBreaker(1, 1.0, clock)
    breaker.unanswered(breaker.admit(), reason="no answer in 2 s")
    assert breaker.reason == "no answer in 2 s"

    clock.seconds += 1
    breaker.back()
    breaker.answered(breaker.admit())

    assert (str(breaker.state), breaker.reason) == ("closed", "")


def test_a_probe_that_is_answered_admits_one_call_and_time_alone_does_not(clock: Clock) -> None:
    breaker = opened(clock)
    clock.seconds += 1_000
    assert not breaker.admit()

    breaker.back()

    assert Circuit.HALF_OPEN is breaker.state
    assert breaker.admit()
    assert not breaker.admit()


def test_no_call_is_tried_before_the_pause_is_over(clock: Clock) -> None:
    breaker = opened(clock, pause=1.0)
    clock.seconds += 0.5
    breaker.back()
    assert (Circuit.OPEN, 0.5) == (breaker.state, breaker.left)

    clock.seconds += 0.5
    breaker.back()

    assert Circuit.HALF_OPEN is breaker.state


def test_a_service_may_ask_for_a_longer_pause(clock: Clock) -> None:
    breaker = CircuitBreaker(1, 1.0, clock)
    breaker.unanswered(breaker.admit(), 7.0)

    assert 7.0 == breaker.left


def test_the_call_that_is_tried_closes_the_circuit_or_opens_it_again(clock: Clock) -> None:
    for answered in (True, False):
        breaker = opened(clock)
        clock.seconds += 1
        breaker.back()
        ticket = breaker.admit()

        (breaker.answered if answered else breaker.unanswered)(ticket)

        assert (Circuit.CLOSED if answered else Circuit.OPEN) is breaker.state
        assert (0.0 if answered else 1.0) == breaker.left


def test_the_next_call_takes_the_place_of_a_cancelled_one(clock: Clock) -> None:
    breaker = opened(clock)
    clock.seconds += 1
    breaker.back()
    breaker.withdrawn(breaker.admit())

    assert breaker.admit()


def test_a_call_from_before_the_circuit_opened_does_not_end_the_trial(clock: Clock) -> None:
    breaker = CircuitBreaker(1, 1.0, clock)
    early, first = breaker.admit(), breaker.admit()
    breaker.unanswered(first)
    clock.seconds += 1
    breaker.back()
    breaker.admit()

    breaker.unanswered(early)

    assert Circuit.HALF_OPEN is breaker.state


def test_with_0_failures_the_circuit_stays_closed(clock: Clock) -> None:
    breaker = CircuitBreaker(0, 1.0, clock)
    for _ in range(100):
        breaker.unanswered(breaker.admit())

    assert Circuit.CLOSED is breaker.state


def test_invalid_settings_are_rejected() -> None:
    with pytest.raises(ValueError, match=r"expected 0 or more failures, got -1"):
        CircuitBreaker(failures=-1)
    with pytest.raises(ValueError, match=r"expected a pause of 0 seconds or more, got -0\.5"):
        CircuitBreaker(pause=-0.5)
    with pytest.raises(ValueError, match=r"expected a pause of 0 seconds or more, got nan"):
        CircuitBreaker(pause=math.nan)


class AnyOrder(RuleBasedStateMachine):
    """Calls, their ends, answered probes and time, in any order."""

    calls: Bundle[int] = Bundle("calls")

    @initialize(failures=st.integers(1, 4), pause=st.sampled_from([0.0, 0.5, 2.0]))
    def start(self, failures: int, pause: float) -> None:
        self.clock = Clock()
        self.limit, self.pause = failures, pause
        self.breaker = CircuitBreaker(failures, pause, self.clock)
        self.opened_at, self.tried = -math.inf, 0

    def _noting(self, before: Circuit) -> None:
        if before is not self.breaker.state:
            self.tried = 0
            if self.breaker.state is Circuit.OPEN:
                self.opened_at = self.clock.seconds

    @rule(target=calls)
    def begin(self) -> int:
        ticket, state = self.breaker.admit(), self.breaker.state
        match state:
            case Circuit.CLOSED:
                assert ticket
            case Circuit.OPEN:
                assert not ticket
            case Circuit.HALF_OPEN:
                assert bool(ticket) == (not self.tried)
                self.tried = ticket or self.tried
        return ticket

    @rule(ticket=consumes(calls))
    def answer(self, ticket: int) -> None:
        if ticket:
            before = self.breaker.state
            self.breaker.answered(ticket)
            self._noting(before)
            assert (Circuit.CLOSED, 0) == (self.breaker.state, self.breaker.failures)

    @rule(ticket=consumes(calls))
    def lose(self, ticket: int) -> None:
        if ticket:
            before, failures = self.breaker.state, self.breaker.failures
            self.breaker.unanswered(ticket)
            self._noting(before)
            if before is Circuit.CLOSED and self.breaker.state is Circuit.OPEN:
                assert failures + 1 == self.limit

    @rule(ticket=consumes(calls))
    def give_up(self, ticket: int) -> None:
        if ticket:
            before = self.breaker.state
            self.breaker.withdrawn(ticket)
            assert before is self.breaker.state
            if ticket == self.tried:
                self.tried = 0

    @rule()
    def hear(self) -> None:
        before = self.breaker.state
        self.breaker.back()
        self._noting(before)
        if before is Circuit.OPEN:
            over = self.clock.seconds >= self.opened_at + self.pause
            assert self.breaker.state is (Circuit.HALF_OPEN if over else Circuit.OPEN)

    @rule(seconds=st.sampled_from([0.1, 0.5, 2.0]))
    def passes(self, seconds: float) -> None:
        before = self.breaker.state
        self.clock.seconds += seconds
        assert before is self.breaker.state

    @precondition(lambda self: hasattr(self, "breaker"))
    @invariant()
    def a_closed_circuit_has_fewer_failures_than_open_it(self) -> None:
        if self.breaker.state is Circuit.CLOSED:
            assert self.breaker.failures < self.limit
        assert 0 <= self.breaker.left <= self.pause


TestAnyOrder = AnyOrder.TestCase
