"""Reads a wanted outcome: a few words -> an outcome and its codes, and where a ticket has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.diagrams.store import Diagrams, Node
from engine.diagrams.transfer import transfer
from engine.load.conditions import plain_number
from engine.model.answer import UnknownDecision
from engine.model.did_you_mean import MEANT, did_you_mean, nearest
from engine.model.policy import Literal
from engine.model.vocabulary import (
    DECIDED,
    NOT_COVERED,
    YES,
    Fact,
    FactType,
    boolean_word,
    folded,
    number_text,
    value_of,
)
from engine.tables.lists import items_of, list_levels
from engine.tables.table_diagram import PolicyDiagrams, TableDiagram
from engine.version.version import Version

NONE: Final = "none"
"""How an empty list is written."""

_EMPTY: Final = (NONE, "[]", "")
"""How an empty list may be written."""


class UnknownWanted(LookupError):
    """The decision can never have the wanted outcome; the message has the reason, and a suggestion."""

    def __init__(self, message: str, help_: str = "") -> None:
        self.message, self.help = message, help_
        super().__init__(f"{message}; {help_}" if help_ else message)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An outcome and its wanted codes: none if no rule produces such a value. ``text`` is the text that was read.

    A code is a position in the domain of the outcome, and the one after the last is "not covered". Of a list that a
    table collects, codes are of its items, and the one after the last is the empty list.
    """

    outcome: str
    text: str
    codes: frozenset[int]

    def where(self, diagrams: PolicyDiagrams, table: TableDiagram) -> tuple[Diagrams, Node]:
        """Draw where the outcome of a table is as wanted, in a store of its own."""
        store = Diagrams(dict(zip(diagrams.store.facts, diagrams.store.sizes, strict=True)))
        classes = {fact: range(part.size) for fact, part in diagrams.parts.items()}
        moved = transfer(diagrams.store, store, classes)
        if self.outcome not in table.items:
            return store, store.map(
                lambda code: isinstance(code, int) and code in self.codes, moved(table.possible[self.outcome])
            )
        items = items_of(table.items[self.outcome])
        chosen = {item for code, item in enumerate(items) if code in self.codes}
        levels = list_levels(
            store,
            table.items[self.outcome],
            moved,
            lambda listed: _HAS_WANTED if chosen.intersection(listed) else _HAS_OTHERS if listed else _EMPTY_LIST,
        )
        right = {_HAS_WANTED, *([_EMPTY_LIST] if len(items) in self.codes else [])}
        return store, store.map(lambda level: level in right, levels)


_EMPTY_LIST, _HAS_OTHERS, _HAS_WANTED = range(3)


def read_wanted(version: Version, decision: str, words: str) -> Wanted:
    """Read what is wanted of a decision: ``value``, ``outcome=value``, and ``decided`` or ``not_covered`` for a value.

    A value alone is one of the outcomes that answer the decision. Raises UnknownDecision, or UnknownWanted if the
    decision can never be that, or the value is ambiguous.
    """
    plan = version.plans.get(decision)
    if plan is None:
        raise UnknownDecision(decision, tuple(sorted(version.plans)))
    name, named, value = (part.strip() for part in words.partition("="))
    if named:
        if name not in plan.decision.outcomes:
            raise UnknownWanted(f"unknown outcome `{name}` of `{decision}`", did_you_mean(name, plan.decision.outcomes))
        return _of(version, name, value)
    return _answering(version, decision, name)


def _answering(version: Version, decision: str, value: str) -> Wanted:
    """Find the one answering outcome that can have a value."""
    made = version.plans[decision].decision
    tabled = [name for name in made.answers if name in version.producer]
    if not tabled:
        return _of(version, made.answers[0], value)
    able = [name for name in tabled if _can_have(version, name, value)]
    if len(able) > 1:
        raise UnknownWanted(
            f"`{value}` is a value of several outcomes of `{decision}`",
            "write " + " or ".join(f"`{name}={value}`" for name in able),
        )
    if able:
        return _of(version, able[0], value)
    beside = [name for name in made.beside if name in version.producer and _can_have(version, name, value)]
    if beside:
        raise UnknownWanted(
            f"no outcome of `{decision}` can be `{value}`",
            "write " + " or ".join(f"`{name}={value}`" for name in beside),
        )
    if len(tabled) == 1:
        return _of(version, tabled[0], value)
    raise UnknownWanted(
        f"no outcome of `{decision}` can be `{value}`",
        f"write `outcome=value`, with one of {', '.join(tabled)}",
    )


def _can_have(version: Version, name: str, value: str) -> bool:
    try:
        return bool(_of(version, name, value).codes)
    except UnknownWanted:
        return False


def _of(version: Version, name: str, value: str) -> Wanted:
    if name in version.policy.deadlines:
        raise UnknownWanted(
            f"why-not does not support instants, got `{name}`",
            "ask about what it depends on, such as its target, in the decision that produces it",
        )
    if name not in version.producer:
        raise UnknownWanted(f"`{name}` depends on the time of day, and facts do not change that")
    table = version.diagrams.tables[version.producer[name]]
    if name in table.items:
        return Wanted(name, value, _item_codes(items_of(table.items[name]), value))
    domain = table.domain[name]
    if value == DECIDED:
        return Wanted(name, value, frozenset(range(len(domain))))
    if value == NOT_COVERED:
        return Wanted(name, value, frozenset({len(domain)}))
    meant = _read(version.policy.outcomes[name], value, domain)
    return Wanted(name, value, frozenset(code for code, one in enumerate(domain) if _is(one, meant)))


def _item_codes(items: tuple[str, ...], value: str) -> frozenset[int]:
    """Return the codes of a list that is gathered item by item: of an item, the empty list, or any list."""
    if value == DECIDED:
        return frozenset(range(len(items) + 1))
    if value in _EMPTY:
        return frozenset({len(items)})
    return frozenset(code for code, item in enumerate(items) if folded(item) == folded(value))


def _read(outcome: Fact, value: str, domain: tuple[Literal, ...]) -> Literal:
    """Read a value of an outcome; for one that its type does not allow, raise an error with the allowed values."""
    match outcome.type:
        case FactType.CHOICE:
            word = value_of(outcome.values, value)
            if word is None:
                words = [one.value for one in outcome.values]
                raise UnknownWanted(
                    f"`{outcome.name}` is never `{value}`", did_you_mean(value, [*words, DECIDED, NOT_COVERED])
                )
            return word
        case FactType.BOOLEAN:
            answer = boolean_word(value)
            if answer is None:
                raise UnknownWanted(
                    f"expected yes or no for `{outcome.name}`, got `{value}`",
                    did_you_mean(value, ("yes", "no", DECIDED, NOT_COVERED)),
                )
            return answer == YES
        case FactType.NUMBER | FactType.INTEGER:
            number = plain_number(value)
            if number is None:
                raise UnknownWanted(
                    f"expected a number for `{outcome.name}`, got `{value}`",
                    f"it can be {', '.join(number_text(one) for one in domain if isinstance(one, (int, float)))}",
                )
            return number
        case FactType.LIST:
            return () if value in _EMPTY else (value,)
        case _:
            close = nearest(value, [one for one in domain if isinstance(one, str)], 1, MEANT)
            return close[0] if close and folded(close[0]) == folded(value) else value


def _is(one: Literal, meant: Literal) -> bool:
    """Return whether a value matches; a list matches if it has the item."""
    if isinstance(one, tuple) and isinstance(meant, tuple):
        return any(folded(item) == folded(meant[0]) for item in one) if meant else not one
    return isinstance(one, bool) == isinstance(meant, bool) and one == meant
