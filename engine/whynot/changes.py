"""The smallest changes of a ticket's facts that lead to another outcome.

A version, a ticket and a wanted outcome -> the nearest cases that have it, combined into a few readable alternatives.
The diagram of the outcome has all cases, so no smaller change exists, and an outcome that no case has is impossible.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from engine.decide.decider import NO_MOMENT, Decider
from engine.model.answer import Outcome, Passed
from engine.model.policy import Literal
from engine.model.vocabulary import FactType
from engine.request.moment import Moment
from engine.request.ticket import Sent, Ticket
from engine.tables.atoms import Atoms
from engine.tables.lists import attainable_items
from engine.tables.table_diagram import PolicyDiagrams, TableDiagram
from engine.version.version import Version
from engine.whynot.nearest import nearest
from engine.whynot.ranges import range_texts
from engine.whynot.wanted import Wanted

MAX_ALTERNATIVES: Final = 12
"""The most alternatives that are returned; the others are counted."""

BLANK: Final = " "
SOME_INSTANT: Final = "2000-01-01T00:00:00Z"
"""A sample for any instant, if only whether it is sent matters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactChange:
    """One fact that would have to change.

    ``now`` is its value, "" if it is not sent; ``to`` are the values that lead to the outcome, numbers as ranges, ""
    for not sent.
    ``samples`` has one value to send for each class of these values; None is not sent.
    """

    fact: str
    now: str
    to: tuple[str, ...]
    samples: tuple[Sent, ...]


Alternative = tuple[FactChange, ...]
"""Facts that lead to the wanted outcome if all of them change, each to any of its values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNot:
    """The smallest changes that lead to a wanted outcome.

    ``already`` is true if the ticket has it. ``changes`` is the least number of facts to change; 0 without alternatives
    means that no ticket has it, and then ``attainable`` lists the possible values (None: not covered; of lists, their
    items). ``more`` counts further combinations of values, those that make no difference once. ``follows`` are the
    facts that follow from instants.
    """

    wanted: Wanted
    current: Outcome
    follows: tuple[Passed, ...]
    already: bool = False
    changes: int = 0
    alternatives: tuple[Alternative, ...] = ()
    more: int = 0
    attainable: tuple[Literal | None, ...] = ()


def why_not(version: Version, facts: Mapping[str, Sent], wanted: Wanted, moment: Moment = NO_MOMENT) -> WhyNot:
    """Return the smallest changes of a ticket's facts that lead to the wanted outcome.

    To change a fact, or to send it, is one change. To leave out a sent fact is one too, but is only proposed if nothing
    else takes as few. Raises WrongRequest with every fact that the version cannot read.
    """
    decider = Decider(version)
    ticket, passed = decider.read(facts, moment)
    diagrams, slots = version.diagrams, version.reader.slots
    table = diagrams.tables[version.producer[wanted.outcome]]
    store, where = wanted.where(diagrams, table)
    start = {fact: diagrams.parts[fact].class_of[ticket.atoms[slots[fact]]] for fact in store.support(where)}
    follows = tuple(one for one in passed if one.value is not None and one.fact in start)
    current = decider.explainer.outcome(wanted.outcome, ticket.atoms)
    found = WhyNot(wanted=wanted, current=current, follows=follows)
    if store.value_at(where, start):
        return replace(found, already=True)
    kept = frozenset(one.fact for one in follows)
    near = nearest(store, where, start, kept=kept, most=MAX_ALTERNATIVES)
    if near is None:
        return replace(found, attainable=_attainable(diagrams, table, wanted.outcome))
    said = _said(version, ticket, facts, follows)
    alternatives = tuple(
        tuple(_change(version, fact, classes, said.get(fact, "")) for fact, classes in box.items())
        for box in near.boxes
    )
    return replace(found, changes=near.changes, alternatives=alternatives, more=near.more)


def _attainable(diagrams: PolicyDiagrams, table: TableDiagram, name: str) -> tuple[Literal | None, ...]:
    """Return what some ticket is decided as: the values, or the items of a list, and None for not covered."""
    if name in table.items:
        return attainable_items(diagrams, table.items[name])
    codes = sorted(code for code in diagrams.store.values(table.possible[name]) if isinstance(code, int))
    got = [(*table.domain[name], None)[code] for code in codes]
    if any(isinstance(one, tuple) for one in got):
        items = {item for one in got if isinstance(one, tuple) for item in one}
        return (*sorted(items), *([None] if None in got else []))
    return tuple(got)


def _said(version: Version, ticket: Ticket, facts: Mapping[str, Sent], follows: Iterable[Passed]) -> dict[str, str]:
    """Return the present facts as the policy writes them."""
    unlisted = dict(ticket.unlisted)
    said = {}
    for fact, value in facts.items():
        atom = ticket.atoms[version.reader.slots[fact]] if fact in version.reader.slots else 0
        if atom:
            text = unlisted.get(fact, version.atoms[fact].text(atom))
            said[fact] = str(value).strip() if version.policy.facts[fact].numeric else text
    return said | {one.fact: f"{one.value:g}" for one in follows if one.value is not None}


def _change(version: Version, fact: str, classes: Collection[int], now: str) -> FactChange:
    own, class_of = version.atoms[fact], version.diagrams.parts[fact].class_of
    chosen = [atom for atom, one in enumerate(class_of) if atom and one in classes]
    left_out = 0 in classes
    texts = range_texts(own, chosen) if own.fact.numeric else tuple(own.text(atom) for atom in chosen)
    samples = tuple(_sample(own, atom) for atom in chosen)
    return FactChange(
        fact=fact,
        now=now,
        to=(*texts, *([""] if left_out else [])),
        samples=(*samples, *([None] if left_out else [])),
    )


def _sample(atoms: Atoms, atom: int) -> Sent:
    """Return a value of an atom as a caller would send it."""
    sample = atoms.samples[atom - 1]
    if atoms.fact.type is FactType.TEXT:
        return BLANK if sample == "blank" else sample
    return SOME_INSTANT if atoms.fact.type is FactType.INSTANT else sample
