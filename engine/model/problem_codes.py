"""The codes of problems: what each means, how much it weighs, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Level(StrEnum):
    """How much a problem weighs.

    An error keeps the version from serving, a warning is worth a change, a note is worth knowing.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def weight(self) -> int:
        """0 for a note, 1 for a warning, 2 for an error."""
        return (Level.NOTE, Level.WARNING, Level.ERROR).index(self)


@dataclass(frozen=True, slots=True)
class ProblemCode:
    """The meaning of a code in half a sentence, its level, and the default help of its problems."""

    level: Level
    about: str
    help: str


_W, _N = Level.WARNING, Level.NOTE

_ERRORS: Final[dict[str, str]] = {
    "yaml": "text that is not YAML",
    "too-large": "a file that exceeds the limits on size, depth or length",
    "tag": "a YAML tag",
    "alias": "a YAML anchor or alias",
    "repeated-key": "a mapping that has the same key twice",
    "missing-file": "a required file that is missing",
    "wrong-kind": "a file whose `kind` does not belong in this place",
    "unknown-key": "a key that is not allowed here",
    "missing-key": "a required key that is missing",
    "wrong-type": "a text, list or mapping where another type is expected",
    "bad-format": "a value in the wrong format",
    "unknown-fact": "a fact or outcome that the vocabulary does not declare",
    "unknown-value": "a value that the vocabulary does not declare for its fact or outcome",
    "unknown-reference": "the name of a table, decision, rule, calendar, region or list that does not exist",
    "repeated-id": "an id, name or alias that is already taken",
    "bad-condition": "a condition that the type of its fact does not allow",
    "bad-outcome": "a rule whose outcomes are not those that its table produces",
    "bad-matrix": "a matrix whose rows or columns do not fit",
    "produced-twice": "an outcome that two tables produce",
    "never-produced": "an outcome, or one of its values, that no rule produces",
    "gap": "a case that no rule covers",
    "overlap": "a case that two rules of a unique table cover",
    "never-opens": "a calendar that is used and never opens",
    "never-fires": "a rule that can never fire",
    "cycle": "tables that depend on each other",
    "space-too-large": "a table, proof or difference that takes too many nodes",
    "invariant": "an invariant that fails in some case",
    "frozen-changed": "a released version whose files have changed",
    "frozen-gone": "a released version whose folder is missing",
    "not-frozen": "a past version that is missing from the register of frozen versions",
    "version-unchanged": "a policy that changed after its release and still has the same version number",
    "other-desk": "versions of two desks in one folder",
    "bad-bundle": "a file that is not a bundle built by Guidepost",
    "altered-bundle": "a bundle whose content changed after it was built",
    "rules-engine": "a table about which durable-rules disagrees, or on which durable-rules failed",
}

CODES: Final[dict[str, ProblemCode]] = {
    **{
        code: ProblemCode(Level.ERROR, about, "fix it as the message says; until then the version is not served")
        for code, about in _ERRORS.items()
    },
    "redundant": ProblemCode(
        _W, "a rule that can be removed without effect", "remove the rule, or change its outcomes"
    ),
    "redundant-condition": ProblemCode(
        _N, "a condition that always holds when the others of its rule do", "remove the condition"
    ),
    "subsumed": ProblemCode(
        _N, "a rule whose outcomes another rule gives in more cases", "check whether one of the two is enough"
    ),
    "conflict": ProblemCode(
        _N, "two rules that overlap, so that their order decides", "check that the order is intended"
    ),
    "unused-fact": ProblemCode(
        _W, "a fact that nothing reads", "remove it from the vocabulary, or add the rule that reads it"
    ),
    "no-effect": ProblemCode(
        _W,
        "a fact that is read and changes no outcome",
        "remove its conditions, or add a rule whose outcome depends on it",
    ),
    "unread-outcome": ProblemCode(
        _W,
        "an outcome that no decision lists and nothing reads",
        "add it to a decision, or remove it with the rules that produce it",
    ),
    "unused-value": ProblemCode(
        _W, "values that no rule distinguishes", "add the rule that distinguishes them, or keep one of them"
    ),
    "needless-threshold": ProblemCode(
        _N, "a threshold with the same outcomes on both sides", "merge the rules on both sides of it"
    ),
    "unused-calendar": ProblemCode(_W, "a calendar that nothing uses", "remove it, or name it in a deadline"),
    "unused-region": ProblemCode(
        _W,
        "a region that no ticket can be in",
        "remove it, or add it to the values of the outcome that selects the region",
    ),
    "unused-holidays": ProblemCode(
        _W, "a holiday list that no calendar and no region names", "remove the file, or name the list"
    ),
    "unused-roster": ProblemCode(
        _W, "a roster that no decision lists", "add its outcome to a decision, or remove the roster"
    ),
    "estimated-holidays": ProblemCode(
        _N,
        "holidays whose dates are not confirmed",
        "look up the published dates, and write `status: confirmed`",
    ),
    "lost-minute": ProblemCode(
        _N,
        "hours that leave out a minute, such as those that end at 23:59 or begin at 00:01",
        "write the time at which the minute ends: hours do not include the minute they end with, and a day ends at 24:00",
    ),
    "missing-citation": ProblemCode(
        _W,
        "an item without a source heading and without an assumption",
        "add its `source`, or give the reason as `assumption`",
    ),
    "assumption": ProblemCode(
        _N, "an assumption where the source text is silent", "ask the owner of the text to confirm it"
    ),
    "question": ProblemCode(_N, "a contradiction in the source text", "ask the owner of the text to resolve it"),
}
"""The closed list of codes.

Errors, which `guidepost check` reports, come before codes that only `guidepost analyze` reports.
"""
