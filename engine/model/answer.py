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
    """How far a question is answered. Only these three; none of them is an error."""

    DECIDED = "decided"
    UNDECIDED = "undecided"
    NOT_COVERED = "not_covered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """A rule that fired, with where it stands, the heading it comes from, and what it assumes (or "")."""

    id: str
    table: str
    place: Place
    source: str
    assumption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One outcome of a decision.

    ``value`` is there only if the status is decided; ``possible`` lists the values still possible otherwise
    (``None`` among them: not covered), and ``missing`` the facts that are not known and could change it.
    ``text`` is the display name of a choice's value, if it has one.
    """

    name: str
    status: Status
    value: Literal | None
    text: str
    possible: tuple[Literal | None, ...]
    missing: tuple[str, ...]
    rules: tuple[Fired, ...]


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A fact that was sent with a value its open list does not have, and the nearest entries of the list."""

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
    """How a deadline stands."""

    MET = "met"
    RUNNING = "running"
    AT_RISK = "at_risk"
    BREACHED = "breached"
    PASSED = "passed"


class Standing(NamedTuple):
    """How a deadline stands at an instant, and how much business time is used and left of it, or late.

    ``at`` is the instant it was met, where it was; ``at_risk_from`` is the instant from which it is at risk. ``used`` and
    ``late`` are None where the holidays are not known as far as ``at``; then ``late_at_least`` is what passed while they are.
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
    """A computation that leaves the dates which a holiday list covers; ``not_before`` is when it is due at the earliest."""

    holidays: str
    first: date
    last: date
    not_before: datetime | None


class Due(NamedTuple):
    """How a deadline came to its instant: from when on, how much time by which calendar, what counted and what did not.

    ``due`` is None, and ``uncertain`` says why, where the holidays are not known far enough. ``extended`` tells whether
    the holds that were sent put it off by ``held`` of business time (None: none were sent). ``estimated`` names
    the holidays on the way whose dates nobody has confirmed.
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
    """Who has the turn at an instant, whether that is within their own daytime, and who is next."""

    outcome: str
    at: datetime
    daytime: bool
    now: Shift
    next: Shift


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A number fact that was not sent and follows from the time that has passed.

    ``value`` is None, and ``uncertain`` says why, where the holidays are not known far enough. ``rules`` are what it
    rests on: the policy's own words on it, the calendar, and what gives the region.
    """

    fact: str
    value: float | None
    unit: str
    since: str
    until: datetime
    calendar: str
    rules: tuple[Fired, ...]
    uncertain: Uncertain | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to one decision.

    ``outcomes`` holds the answering outcomes first (``answers`` of them), then those reported beside. ``missing``,
    ``possible`` and ``ask_next`` speak of the answering outcomes; ``possible`` is the list of the first one that is
    undecided. ``rules`` and ``assumptions`` gather what all outcomes rest on, without doubles, in order of file and line.
    ``dues`` tells how each outcome that is an instant came to it, ``duties`` who has the turn when, and ``passed``
    which facts were worked out from instants. ``has_instants`` is whether it has any of these; ``undated_id`` is then
    the id of the answer that is the same but for its instants, or None if there is no such answer.
    """

    id: str
    decision: str
    status: Status
    outcomes: tuple[Outcome, ...]
    answers: int
    missing: tuple[str, ...]
    possible: tuple[Literal | None, ...]
    ask_next: str
    rules: tuple[Fired, ...]
    assumptions: tuple[Fired, ...]
    unlisted: tuple[Unlisted, ...]
    version: VersionRef
    dues: tuple[Due, ...] = ()
    duties: tuple[Duty, ...] = ()
    passed: tuple[Passed, ...] = ()
    has_instants: bool = False
    undated_id: str | None = None

    def __getitem__(self, outcome: str) -> Outcome:
        """Return the outcome of this name."""
        for candidate in self.outcomes:
            if candidate.name == outcome:
                return candidate
        raise KeyError(outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongFact:
    """A fact in a request that cannot be read: which, what was sent, why, and what would be allowed."""

    fact: str
    sent: str
    message: str
    allowed: tuple[str, ...] = ()
    help: str = ""


class WrongRequest(Exception):
    """A request is wrong; holds every wrong fact, sorted by name."""

    def __init__(self, wrong: tuple[WrongFact, ...]) -> None:
        self.wrong = tuple(sorted(wrong, key=lambda fact: fact.fact))
        super().__init__("; ".join(f"{fact.fact}: {fact.message}" for fact in self.wrong))


class UnknownVersion(LookupError):
    """No version answers to the name, digest or instant asked for; holds those that are known."""

    def __init__(self, asked: str, known: tuple[VersionRef, ...]) -> None:
        self.asked, self.known = asked, known
        names = ", ".join(f"{ref.version} ({ref.digest[:12]})" for ref in known) or "none"
        what = "unknown" if asked.startswith("`") else "no"
        super().__init__(f"{what} policy version {asked}; known: {names}")


class UnknownDecision(LookupError):
    """The version does not make the decision asked for; holds those that it makes."""

    def __init__(self, asked: str, known: tuple[str, ...]) -> None:
        self.asked, self.known = asked, known
        super().__init__(f"unknown decision `{asked}`; this version decides: {', '.join(known)}")
