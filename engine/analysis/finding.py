"""What an analysis finds, as values: a place, a code, a message, a help, a ticket that shows it, and the other places it is about."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from engine.model.problems import CODES, Place, Problem
from engine.tables.check import Witness


class Level(StrEnum):
    """How much a finding weighs: an error keeps the version from serving, a warning is worth a change, a note is worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def weight(self) -> int:
        """Return a number that goes up with the weight."""
        return (Level.NOTE, Level.WARNING, Level.ERROR).index(self)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a code stands for, how much it weighs, and what to do about it."""

    level: Level
    about: str
    help: str


_W, _N = Level.WARNING, Level.NOTE

FINDINGS: Final[dict[str, Kind]] = {
    **{
        code: Kind(Level.ERROR, about, "mend it as the message says; the version is not served before")
        for code, about in CODES.items()
    },
    "redundant": Kind(_W, "a rule that can be left out", "leave the rule out, or change what it gives"),
    "redundant-condition": Kind(
        _N, "a condition that always holds where the others of its rule do", "leave the condition out"
    ),
    "subsumed": Kind(_N, "a rule that gives what another gives in more cases", "see whether one of the two is enough"),
    "conflict": Kind(_N, "two rules of which only the order decides", "see that the order is meant"),
    "unused-fact": Kind(
        _W, "a fact that nothing reads", "take it out of the vocabulary, or add the rule that reads it"
    ),
    "no-effect": Kind(
        _W,
        "a fact that is read and changes no outcome",
        "take its conditions out, or let a rule give another outcome by it",
    ),
    "unread-outcome": Kind(
        _W,
        "an outcome that no decision shows and nothing reads",
        "name it in a decision, or take it out with what produces it",
    ),
    "unused-value": Kind(
        _W, "values that no rule tells apart", "add the rule that tells them apart, or keep one of them"
    ),
    "needless-threshold": Kind(_N, "a threshold on whose two sides the same comes out", "put the two sides together"),
    "unused-calendar": Kind(_W, "a calendar by which no time counts", "take it out, or name it in a deadline"),
    "unused-region": Kind(
        _W, "a region that no ticket can be in", "take it out, or add it to the outcome that gives the region"
    ),
    "unused-holidays": Kind(
        _W, "a holiday list that no calendar and no region names", "take the file out, or name the list"
    ),
    "unused-roster": Kind(_W, "a roster that no decision shows", "name its outcome in a decision, or take it out"),
    "estimated-holidays": Kind(
        _N,
        "holidays whose dates nobody has confirmed",
        "look the dates up as they are published, and write `status: confirmed`",
    ),
    "lost-minute": Kind(
        _N,
        "hours that leave out a minute, such as those that end at 23:59 or begin at 00:01",
        "write the end that the minute goes up to: hours do not count the minute that they end with, and a day ends at 24:00",
    ),
    "missing-citation": Kind(
        _W,
        "something that names neither the heading it comes from nor an assumption",
        "write its `source`, or the reason as `assumption`",
    ),
    "assumption": Kind(_N, "something that the source text does not say", "have the owner of the text confirm it"),
    "question": Kind(_N, "a contradiction in the source text", "have the owner of the text settle it"),
}
"""The closed list of codes: what can be wrong with a policy, and what an analysis can find beside."""


@dataclass(frozen=True, slots=True, order=True)
class Related:
    """Another place that a finding is about, and what stands there."""

    place: Place
    what: str


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Finding:
    """One thing that an analysis found.

    The witness is a ticket that shows it: fact name to value as a caller would send it. For the table of a deadline, where no
    ticket was found, it has the outcomes that this table reads.
    """

    place: Place
    code: str
    message: str
    help: str = ""
    witness: Witness = ()
    also: tuple[Related, ...] = ()

    def __post_init__(self) -> None:
        if self.code not in FINDINGS:
            raise ValueError(f"no such finding: {self.code}")

    @property
    def level(self) -> Level:
        """How much it weighs."""
        return FINDINGS[self.code].level

    def __str__(self) -> str:
        """Return the finding as people read it: one line, then the witness, the other places and the help.

        >>> print(Finding(place=Place(file="a.yaml", line=3, column=5), code="unused-fact", message="nothing reads `mood`", help="take it out"))
        a.yaml:3:5: nothing reads `mood` [unused-fact]
            help: take it out
        """
        lines = [f"{self.place}: {self.message} [{self.code}]"]
        if self.witness:
            lines.append("    witness: " + ", ".join(f"{fact}={value}" for fact, value in self.witness))
        lines += [f"    see {other.place}: {other.what}" for other in self.also]
        if self.help:
            lines.append(f"    help: {self.help}")
        return "\n".join(lines)

    def as_plain(self) -> dict[str, object]:
        """Return the finding as plain data, for JSON."""
        return {
            "file": self.place.file,
            "line": self.place.line,
            "column": self.place.column,
            "level": self.level.value,
            "code": self.code,
            "message": self.message,
            "help": self.help,
            "witness": dict(self.witness),
            "also": [
                {"file": one.place.file, "line": one.place.line, "column": one.place.column, "what": one.what}
                for one in self.also
            ],
        }


def from_problem(problem: Problem, also: tuple[Related, ...] = (), more: str = "") -> Finding:
    """Return a problem as a finding; ``more`` is added to its message."""
    return Finding(
        place=problem.place,
        code=problem.code,
        message=problem.message + more,
        help=problem.help,
        witness=problem.witness,
        also=also,
    )
