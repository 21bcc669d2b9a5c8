"""Problems of a policy: a place, a code, a message and a help.

Loading and checking collect all errors, sort them by place, and raise them once as :class:`PolicyErrors`; an analysis
returns warnings and notes too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.model.problem_codes import CODES, Level


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Place:
    """A position in a file: its line and column, both counted from 1.

    ``text`` is the line itself for display, "" if it is not known; it does not count when places are compared.
    """

    file: str
    line: int = 1
    column: int = 1
    text: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Related:
    """Another place that a problem is about, and what is there."""

    place: Place
    what: str


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Problem:
    """One thing that is wrong with a policy, or worth knowing about it.

    The witness is a ticket (fact name to value as a caller would send it) that shows the problem. For the table of a
    deadline where no ticket was found, it has the outcomes that this table reads. ``also`` are the other places
    involved.
    """

    place: Place
    code: str
    message: str
    help: str = ""
    witness: tuple[tuple[str, str], ...] = ()
    also: tuple[Related, ...] = ()

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"no such problem code: {self.code}")

    @property
    def level(self) -> Level:
        """How much it weighs."""
        return CODES[self.code].level

    def __str__(self) -> str:
        """Return the problem as people read it: one line, then the witness, the other places and the help.

        >>> print(
        ...     Problem(
        ...         place=Place(file="a.yaml", line=3, column=5),
        ...         code="unknown-value",
        ...         message="unknown impact `hihg`",
        ...         help="did you mean `high`?",
        ...     )
        ... )
        a.yaml:3:5: unknown impact `hihg` [unknown-value]
            help: did you mean `high`?
        """
        lines = [f"{self.place}: {self.message} [{self.code}]"]
        if self.witness:
            lines.append("    witness: " + ", ".join(f"{fact}={value}" for fact, value in self.witness))
        lines += [f"    see {other.place}: {other.what}" for other in self.also]
        if self.help:
            lines.append(f"    help: {self.help}")
        return "\n".join(lines)

    def as_plain(self) -> dict[str, object]:
        """Return the problem as plain data, for JSON."""
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


class PolicyErrors(Exception):
    """A policy has errors: ``problems`` are all of them, sorted by place, without duplicates."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))
