"""What can be wrong with a policy, as values: a place, a code, a message and a help.

All problems of a policy are gathered, sorted by place, and raised once as :class:`PolicyErrors`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Place:
    """A position in a file: its line and column, both counted from 1.

    ``text`` is the line itself, "" where it is not at hand. It is there to be shown; two places with the same position are
    equal without it.
    """

    file: str
    line: int = 1
    column: int = 1
    text: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


CODES: Final[dict[str, str]] = {
    "yaml": "the text is not YAML",
    "too-large": "the file is larger, deeper or longer than a policy may be",
    "tag": "a YAML tag",
    "alias": "a YAML anchor or alias",
    "repeated-key": "a key stands twice in one mapping",
    "missing-file": "a file that every version needs is not there",
    "wrong-kind": "the file says it is of another kind than its place asks for",
    "unknown-key": "a key that does not belong there",
    "missing-key": "a key that is needed",
    "wrong-type": "text, list or mapping where another is expected",
    "bad-format": "a value that is not written as it must be",
    "unknown-fact": "a fact or outcome that the vocabulary does not have",
    "unknown-value": "a value that its fact or outcome does not have",
    "unknown-reference": "the name of a table, decision, rule, calendar, region or list that does not exist",
    "repeated-id": "an id, name or alias that is already taken",
    "bad-condition": "a condition that its fact cannot have",
    "bad-outcome": "a rule does not give what its table produces",
    "bad-matrix": "a matrix whose rows or columns do not fit",
    "produced-twice": "an outcome that two tables produce",
    "never-produced": "an outcome, or one of its values, that no rule produces",
    "gap": "a case that no rule covers",
    "overlap": "a case that two rules of a unique table cover",
    "never-opens": "a calendar that never opens and is needed",
    "never-fires": "a rule that can never fire",
    "cycle": "tables that wait for each other",
    "space-too-large": "a table or decision with more cells than can be tabulated",
    "invariant": "an invariant that does not hold in some case",
    "frozen-changed": "a released version that is not as it was released",
    "frozen-gone": "a released version whose folder is not there",
    "not-frozen": "a past version that the register of frozen versions does not have",
    "version-unchanged": "a policy that changed after its version was released, and did not get a new one",
    "other-desk": "versions of two desks in one place",
    "bad-bundle": "a file that is not a bundle as Guidepost builds them",
    "altered-bundle": "a bundle whose content is not what was built",
    "rules-engine": "durable-rules and the table disagree, or durable-rules failed",
}
"""The closed list of codes, each with what it stands for."""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Problem:
    """One thing wrong with a policy.

    The witness is a ticket (fact name to value as a caller would send it) that shows the problem.
    """

    place: Place
    code: str
    message: str
    help: str = ""
    witness: tuple[tuple[str, str], ...] = field(default=())

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"no such problem code: {self.code}")

    def __str__(self) -> str:
        """Return the problem as people read it: one line, then the witness and the help.

        >>> print(Problem(place=Place(file="a.yaml", line=3, column=5), code="unknown-value", message="unknown impact `hihg`", help="did you mean `high`?"))
        a.yaml:3:5: unknown impact `hihg` [unknown-value]
            help: did you mean `high`?
        """
        lines = [f"{self.place}: {self.message} [{self.code}]"]
        if self.witness:
            lines.append("    witness: " + ", ".join(f"{fact}={value}" for fact, value in self.witness))
        if self.help:
            lines.append(f"    help: {self.help}")
        return "\n".join(lines)

    def as_plain(self) -> dict[str, object]:
        """Return the problem as plain data, for JSON."""
        return {
            "file": self.place.file,
            "line": self.place.line,
            "column": self.place.column,
            "code": self.code,
            "message": self.message,
            "help": self.help,
            "witness": dict(self.witness),
        }


class PolicyErrors(Exception):
    """A policy is wrong; holds every problem found, sorted by place, without doubles."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))
