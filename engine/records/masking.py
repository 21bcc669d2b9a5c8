"""Masking: replaces texts of callers by tokens that lead to the same decision.

Facts of the type text are masked unless a setting keeps them; values outside an open list are masked if a setting names
the fact. Whether a text was sent remains, which is all that a rule can test. With a key, equal texts have equal tokens;
without one there are no tokens.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from engine.decide.answer_times_json import iso
from engine.model.policy import Policy
from engine.model.vocabulary import Fact, FactType, number_text, value_of

MASKED: Final = "masked"
GIVEN, BLANK = "given", "blank"
TOKEN: Final = "token"  # noqa: S105 - the name of a field

_DOMAIN: Final = b"guidepost decision log token, format 1\n"
_LENGTH: Final = 32


@dataclass(frozen=True, slots=True)
class Masking:
    """The settings of masking: the key of the tokens, the facts to keep in clear, and further facts to mask."""

    key: bytes = b""
    clear: frozenset[str] = frozenset()
    more: frozenset[str] = frozenset()

    def facts(
        self, sent: Mapping[str, object], known: Mapping[str, Fact], hidden: frozenset[str] | None = None
    ) -> dict[str, Any]:
        """Return the facts of a request as they may be recorded; one that was sent as None is left out.

        ``hidden`` are those that are masked, if that is known.
        """
        masked = self.masked(sent, known, self.hidden(known) if hidden is None else hidden)
        return {
            name: iso(value) if isinstance(value, datetime) else value
            for name, value in {**sent, **masked}.items()
            if value is not None
        }

    def masked(self, sent: Mapping[str, object], known: Mapping[str, Fact], hidden: frozenset[str]) -> dict[str, Any]:
        """Return those facts of a request that are masked, as they may be recorded."""
        return (
            {}
            if hidden.isdisjoint(sent)
            else {
                name: self._masked(value, known[name])
                for name in hidden
                if (value := sent.get(name)) is not None and not isinstance(value, datetime)
            }
        )

    def hidden(self, known: Mapping[str, Fact]) -> frozenset[str]:
        """Name the facts of a policy in which a caller's own words are masked."""
        return frozenset(name for name, fact in known.items() if self.hides(fact))

    def token(self, text: str) -> str:
        """Return the token of a text: always the same under the same key."""
        return hmac.new(self.key, _DOMAIN + text.encode(errors="backslashreplace"), hashlib.sha256).hexdigest()[
            :_LENGTH
        ]

    def hides(self, fact: Fact) -> bool:
        """Return whether a caller's own words in a fact are masked."""
        if fact.type is FactType.TEXT:
            return fact.name not in self.clear
        return fact.name in self.more

    def _masked(self, value: object, fact: Fact) -> Any:
        text = value if isinstance(value, str) else number_text(float(str(value)))
        if _listed(text, fact):
            return value
        masked = {MASKED: GIVEN if text.strip() else BLANK}
        return masked | {TOKEN: self.token(text)} if self.key else masked


def unmaskable(names: Iterable[str], policies: Iterable[Policy]) -> list[str]:
    """Return the names that cannot be masked, because a masked value would change decisions.

    Texts and open lists can be masked; facts whose value or part of it a rule tests cannot.
    """
    maskable = {
        fact.name
        for policy in policies
        for fact in policy.facts.values()
        if fact.type is FactType.TEXT or (fact.type is FactType.CHOICE and fact.open and not fact.subtags)
    }
    return sorted(set(names) - maskable)


def replayable(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return recorded facts as a request with the same decision: a masked text is its token, or a placeholder.

    >>> replayable({"impact": "high", "explanation": {"masked": "given"}, "reason": {"masked": "blank"}})
    {'impact': 'high', 'explanation': 'masked', 'reason': ' '}
    """
    return {name: _replayed(value) if isinstance(value, dict) else value for name, value in facts.items()}


def _replayed(masked: Mapping[str, str]) -> str:
    return " " if masked[MASKED] == BLANK else masked.get(TOKEN, MASKED)


def _listed(value: str, fact: Fact) -> bool:
    """Return whether a text is a word of the policy, which needs no mask."""
    return fact.type is FactType.CHOICE and value_of(fact.values, value) is not None
