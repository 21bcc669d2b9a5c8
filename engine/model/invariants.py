"""Invariants as data: four forms over conditions on facts and outcomes, and the orders of their values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from engine.model.conditions import Condition
from engine.model.problems import Place
from engine.model.vocabulary import DECIDED, NOT_COVERED, UNDECIDED

INVARIANTS: Final = "invariants.yaml"
"""The file, in the folder of a version, that holds its invariants."""

STATES: Final = (DECIDED, UNDECIDED, NOT_COVERED)
"""The states of an outcome, which a condition may name as well as its values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A condition on one fact or outcome.

    On an outcome it may name states, and holds if one of them or ``condition`` does.
    """

    name: str
    condition: Condition | None
    states: frozenset[str]
    text: str


Tests = tuple[Test, ...]
"""Conditions that hold together."""


@dataclass(frozen=True, slots=True)
class Never:
    """In no case do all of these hold."""

    tests: Tests


@dataclass(frozen=True, slots=True)
class Always:
    """In every case all of these hold."""

    tests: Tests


@dataclass(frozen=True, slots=True)
class Implies:
    """In every case in which all of ``when`` hold, all of ``then`` hold."""

    when: Tests
    then: Tests


@dataclass(frozen=True, slots=True)
class Order:
    """The values of a fact or an outcome from the lowest to the highest; without values, numbers by their size."""

    name: str
    values: tuple[str, ...]


class Way(StrEnum):
    """The direction in which raising something must not move the outcomes."""

    NEVER_LOWERS = "never_lowers"
    NEVER_RAISES = "never_raises"


@dataclass(frozen=True, slots=True)
class Monotone:
    """Raising one of these facts (or this one outcome) never lowers, or never raises, some outcomes.

    Of several outcomes, the first that differs decides.
    """

    raised: tuple[Order, ...]
    way: Way
    outcomes: tuple[Order, ...]


Claim = Never | Always | Implies | Monotone
"""One of the four forms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """A sentence about every case, in words and as a claim that can be proved."""

    id: str
    about: str
    source: str
    claim: Claim
    place: Place

    @property
    def form(self) -> str:
        """How it is written: never, always, implies or monotone."""
        return type(self.claim).__name__.lower()


@dataclass(frozen=True, slots=True)
class DecidedTicket:
    """A ticket, and its values of the outcomes that the invariant names."""

    facts: tuple[tuple[str, str], ...]
    outcomes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Counterexample:
    """One ticket that breaks an invariant, or two of which the second is the raised one."""

    tickets: tuple[DecidedTicket, ...]
    raised: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvariantResult:
    """The result of proving an invariant: the number of cases, and a counterexample if it fails.

    A case is a combination of facts that makes a difference to what the invariant names. ``too_large`` has the limit of
    nodes that the proof reached, with the facts that cause it; then nothing is proved.
    """

    invariant: Invariant
    cases: int
    counterexample: Counterexample | None = None
    too_large: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is proved."""
        return self.counterexample is None and not self.too_large
