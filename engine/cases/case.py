"""A case, its result, and the mismatches between expected and actual values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.model.answer import Answer, FiredRule, Status
from engine.model.problems import Place
from engine.request.moment import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One example: facts, a decision, and the expected answer. Fields that are None are not compared.

    Each of ``possible`` is a value or, of a list that a table collects, an open item or a whole list. ``refused`` names
    the facts that are wrong on purpose; () means that the request is valid.
    """

    name: str
    decision: str
    facts: Mapping[str, str]
    status: Status
    expect: Mapping[str, str | tuple[str, ...]]
    missing: tuple[str, ...] | None
    possible: tuple[str | tuple[str, ...], ...] | None
    ask_next: str | None
    rules: tuple[str, ...] | None
    assumptions: tuple[str, ...] | None
    nearest: tuple[str, ...] | None
    refused: tuple[str, ...]
    moment: Moment
    states: Mapping[str, str]
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One difference from what is expected, with the rules behind it, and the missing facts if it is undecided.

    ``expected`` and ``got`` are for programs. ``compared`` is the text for people if it needs another form.
    """

    what: str
    expected: str
    got: str
    rules: tuple[FiredRule, ...] = ()
    missing: tuple[str, ...] = ()
    compared: str = ""

    @property
    def sentence(self) -> str:
        """The mismatch without its rules.

        >>> Mismatch(what="status", expected="decided", got="undecided", missing=("plan", "stage")).sentence
        'status: expected decided, got undecided; missing: `plan`, `stage`'
        """
        missing = f"; missing: {', '.join(f'`{fact}`' for fact in self.missing)}" if self.missing else ""
        return f"{self.what}: {self.compared or f'expected {self.expected}, got {self.got}'}{missing}"

    def __str__(self) -> str:
        """Return the difference as a sentence.

        >>> print(Mismatch(what="priority", expected="P1", got="P2"))
        priority: expected P1, got P2
        """
        because = f" (by {', '.join(rule.id for rule in self.rules)})" if self.rules else ""
        return f"{self.sentence}{because}"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The result of a case: its answer (None: the facts were rejected), and its mismatches."""

    case: Case
    answer: Answer | None
    found: tuple[Mismatch, ...]

    @property
    def passed(self) -> bool:
        """Whether everything is as expected."""
        return not self.found

    @property
    def differences(self) -> tuple[str, ...]:
        """Each difference as a sentence."""
        return tuple(str(one) for one in self.found)

    def __str__(self) -> str:
        return f"{self.case.place}: {self.case.name}\n" + "\n".join(f"    {line}" for line in self.differences)
