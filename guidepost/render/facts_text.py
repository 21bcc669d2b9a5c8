"""The values of a fact or outcome in a few words."""

from __future__ import annotations

from engine.model.vocabulary import Fact, FactType, number_text


def allowed_values_text(fact: Fact, most: int = 8) -> str:
    """Return the values that a fact or outcome accepts; at most ``most`` of a list."""
    if fact.values:
        more = len(fact.values) - most
        return ", ".join(value.value for value in fact.values[:most]) + (f" and {more} more" if more > 0 else "")
    if fact.type is FactType.BOOLEAN:
        return "yes or no"
    if fact.type is FactType.INSTANT:
        return "an instant such as 2026-01-23T15:00:00+11:00"
    if fact.minimum is not None and fact.maximum is not None:
        return f"{number_text(fact.minimum)} to {number_text(fact.maximum)}"
    return {FactType.NUMBER: "a number", FactType.INTEGER: "a whole number"}.get(fact.type, "text")
