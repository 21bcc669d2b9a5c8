"""The nouns of an answer: status, outcomes, the rules that fired, and what is still missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from engine.clock.stretches import Stretch
from engine.model.policy import Literal
from engine.model.problems import Place
from engine.model.targets import Target


class Status(StrEnum):
    """Whether an outcome or a decision is decided. None of the three is an error."""

    DECIDED = "decided"
    UNDECIDED = "undecided"
    NOT_COVERED = "not_covered"


@dataclass(frozen=True, slots=True, kw_only=True)
class FiredRule:
    """A rule that fired, with its place, the heading that it cites, and its assumption (or "")."""

    id: str
    table: str
    place: Place
    source: str
    assumption: str


@dataclass(frozen=True, slots=True)
class PossibleItems:
    """What is possible of an undecided list, item by item: in every list, in some, and in none. In file order."""

    always: tuple[str, ...]
    open: tuple[str, ...]
    never: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One outcome of a decision. ``value`` is set only if the status is decided.

    If not, ``possible`` lists the values that are still possible (``None``: not covered), and ``missing`` the unknown
    facts that could change it. ``text`` is the display name of the value of a choice, if it has one. Of a list that a
    table collects, ``items`` tells item by item what is possible, and ``possible`` is empty.
    """

    name: str
    status: Status
    value: Literal | None
    text: str
    possible: tuple[Literal | None, ...]
    missing: tuple[str, ...]
    rules: tuple[FiredRule, ...]
    items: PossibleItems | None = None


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A fact sent with a value that is missing from its open list, and the nearest entries of the list."""

    fact: str
    sent: str
    nearest: tuple[tuple[str, str], ...]
    """Pairs of value and display name, best first."""


@dataclass(frozen=True, slots=True)
class VersionRef:
    """Which policy version answered."""

    name: str
    version: str
    digest: str


class DeadlineState(StrEnum):
    """The state of a deadline."""

    MET = "met"
    RUNNING = "running"
    AT_RISK = "at_risk"
    BREACHED = "breached"
    PASSED = "passed"


class Standing(NamedTuple):
    """The state of a deadline at an instant, with the business time used, left, or late.

    ``at`` is the instant at which it was met, if it was; ``at_risk_from`` is the instant from which it is at risk.
    ``used`` and ``late`` are None if the holidays up to ``at`` are unknown; then ``late_at_least`` is the time up to
    the last known one.
    """

    state: DeadlineState
    at: datetime
    used: timedelta | None
    left: timedelta
    late: timedelta | None
    total: timedelta
    at_risk_from: datetime | None
    late_at_least: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertain:
    """A computation that leaves the dates that a holiday list covers.

    ``not_before`` is the earliest possible due time.
    """

    holidays: str
    first: date
    last: date
    not_before: datetime | None


class Due(NamedTuple):
    """A due time with its explanation: the start, the amount, the calendar, and the stretches that counted.

    ``due`` is None, and ``uncertain`` has the reason, if the holidays are not known far enough. ``extended`` is true if
    the holds that were sent extend it, by ``held`` of business time (None: none were sent). ``estimated`` lists the
    holidays on the way whose dates are not confirmed.
    """

    name: str
    starts: datetime
    due: datetime | None
    target: Target
    calendar: str
    zone: str
    tzdb: str
    stretches: tuple[Stretch, ...]
    estimated: tuple[str, ...]
    extended: bool | None
    held: timedelta
    standing: Standing | None
    uncertain: Uncertain | None


class Shift(NamedTuple):
    """The daytime of one entry of a roster, in its own zone."""

    value: str
    name: str
    zone: str
    begins: datetime
    ends: datetime


class Duty(NamedTuple):
    """The place on duty at an instant, whether it is daytime there, and the place that follows."""

    outcome: str
    at: datetime
    daytime: bool
    now: Shift
    next: Shift


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A number fact that was not sent and follows from the elapsed time.

    ``value`` is None, and ``uncertain`` has the reason, if the holidays are not known far enough. ``rules`` are its
    sources: the declaration in the policy, the calendar, and the rules that select the region.
    """

    fact: str
    value: float | None
    unit: str
    since: str
    until: datetime
    calendar: str
    rules: tuple[FiredRule, ...]
    uncertain: Uncertain | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to one decision.

    ``outcomes`` holds the answering outcomes first (``answers`` of them), then those reported beside. ``missing``,
    ``possible`` and ``ask_next`` are about the answering outcomes; ``possible`` is that of the first one that is
    undecided, whose ``items`` are not repeated. ``rules`` and ``assumptions`` list those behind all outcomes, without
    duplicates, by file and line. ``dues`` explains each outcome that is an instant, ``duties`` each outcome of a
    roster, and ``passed`` the facts derived from instants. ``has_instants`` is true if there are any of these;
    ``undated_id`` is then the id of the answer that is the same but for its instants, or None if there is no such
    answer.
    """

    id: str
    decision: str
    status: Status
    outcomes: tuple[Outcome, ...]
    answers: int
    missing: tuple[str, ...]
    possible: tuple[Literal | None, ...]
    ask_next: str
    rules: tuple[FiredRule, ...]
    assumptions: tuple[FiredRule, ...]
    unlisted: tuple[Unlisted, ...]
    version: VersionRef
    dues: tuple[Due, ...] = ()
    duties: tuple[Duty, ...] = ()
    passed: tuple[Passed, ...] = ()
    has_instants: bool = False
    undated_id: str | None = None

    @property
    def first_undecided(self) -> Outcome | None:
        """The first answering outcome that is undecided."""
        return next((one for one in self.outcomes[: self.answers] if one.status is Status.UNDECIDED), None)

    def __getitem__(self, outcome: str) -> Outcome:
        """Return the outcome of this name."""
        for candidate in self.outcomes:
            if candidate.name == outcome:
                return candidate
        raise KeyError(outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongFact:
    """A fact of a request that cannot be read: its name, what was sent, the reason, and what is allowed."""

    fact: str
    sent: str
    message: str
    allowed: tuple[str, ...] = ()
    help: str = ""


class WrongRequest(Exception):
    """A request is wrong; ``wrong`` are all wrong facts, sorted by name."""

    def __init__(self, wrong: tuple[WrongFact, ...]) -> None:
        self.wrong = tuple(sorted(wrong, key=lambda fact: fact.fact))
        super().__init__("; ".join(f"{fact.fact}: {fact.message}" for fact in self.wrong))


class UnknownVersion(LookupError):
    """No version has the number, digest or instant asked for; ``known`` are those that exist."""

    def __init__(self, asked: str, known: tuple[VersionRef, ...]) -> None:
        self.asked, self.known = asked, known
        names = ", ".join(f"{ref.version} ({ref.digest[:12]})" for ref in known) or "none"
        what = "unknown" if asked.startswith("`") else "no"
        super().__init__(f"{what} policy version {asked}; known: {names}")


class UnknownDecision(LookupError):
    """The version does not make the decision asked for; ``known`` are those that it makes."""

    def __init__(self, asked: str, known: tuple[str, ...]) -> None:
        self.asked, self.known = asked, known
        super().__init__(f"unknown decision `{asked}`; this version decides: {', '.join(known)}")
