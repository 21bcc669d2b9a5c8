"""The nouns of an answer: status, outcomes, the rules that fired, and what is still missing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.policy import Literal
from engine.problems import Place


class Status(StrEnum):
    """How far a question is answered. Only these three; none of them is an error."""

    DECIDED = "decided"
    UNDECIDED = "undecided"
    NOT_COVERED = "not_covered"


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule that fired, with where it stands, the heading it comes from, and what it assumes (or "")."""

    id: str
    table: str
    place: Place
    source: str
    assumption: str


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one decision.

    ``outcomes`` holds the answering outcomes first (``answers`` of them), then those reported beside. ``missing``,
    ``possible`` and ``ask_next`` speak of the answering outcomes; ``possible`` is the list of the first one that is
    undecided. ``rules`` and ``assumptions`` gather what all outcomes rest on, without doubles, in order of file and line.
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

    def __getitem__(self, outcome: str) -> Outcome:
        """Give the outcome of this name."""
        for candidate in self.outcomes:
            if candidate.name == outcome:
                return candidate
        raise KeyError(outcome)


@dataclass(frozen=True, slots=True)
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
        super().__init__(f"no policy version {asked}; known: {names}")


class UnknownDecision(LookupError):
    """The version does not make the decision asked for; holds those that it makes."""

    def __init__(self, asked: str, known: tuple[str, ...]) -> None:
        self.asked, self.known = asked, known
        super().__init__(f"no decision `{asked}`; this version decides: {', '.join(known)}")
