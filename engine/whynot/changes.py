"""The smallest changes of a ticket's facts that lead to another outcome.

A version, a ticket and a wanted outcome -> the nearest cells that have it, combined into a few readable alternatives.
All cells are examined, so no smaller change exists, and an outcome that no cell has is impossible.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Final

import numpy as np

from engine.decide.decider import NO_MOMENT, Decider
from engine.model.answer import Outcome, Passed
from engine.model.policy import Literal
from engine.model.vocabulary import FactType
from engine.request.moment import Moment
from engine.request.ticket import Sent
from engine.tables.classes import Atoms, Mask
from engine.tables.missing_facts import Codes, PartialTable
from engine.version.version import Version
from engine.whynot.ranges import range_texts
from engine.whynot.wanted import Wanted

MAX_ALTERNATIVES: Final = 12
"""The most alternatives that are returned; the others are counted."""

_FAR: Final = np.iinfo(np.int16).max
_Classes = tuple[int, ...]
_Box = tuple[_Classes, ...]

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
    items). ``more`` counts further combinations of values. ``follows`` are the facts that follow from instants.
    """

    wanted: Wanted
    current: Outcome
    already: bool
    changes: int
    alternatives: tuple[Alternative, ...]
    more: int
    follows: tuple[Passed, ...]
    attainable: tuple[Literal | None, ...]


def why_not(version: Version, facts: Mapping[str, Sent], wanted: Wanted, moment: Moment = NO_MOMENT) -> WhyNot:
    """Return the smallest changes of a ticket's facts that lead to the wanted outcome.

    To change a fact, or to send it, is one change. To leave out a sent fact is one too, but is only proposed if nothing
    else takes as few. Raises WrongRequest with every fact that the version cannot read.
    """
    decider = Decider(version)
    ticket, passed = decider.read(facts, moment)
    partial = version.partial_tables[version.producer[wanted.outcome]]
    codes = partial.codes[wanted.outcome]
    start = tuple(int(axis.class_of[ticket.atoms[version.reader.slots[axis.fact]]]) for axis in partial.axes)
    axes = {axis.fact for axis in partial.axes}
    follows = tuple(one for one in passed if one.value is not None and one.fact in axes)
    current = decider.explainer.outcome(wanted.outcome, ticket.atoms)
    there = wanted.holds(codes)
    if there[start]:
        return WhyNot(
            wanted=wanted,
            current=current,
            already=True,
            changes=0,
            alternatives=(),
            more=0,
            follows=follows,
            attainable=(),
        )
    stay = tuple(at for at, axis in enumerate(partial.axes) if axis.fact in {one.fact for one in follows})
    found = _nearest(there, start, stay)
    if found is None:
        return WhyNot(
            wanted=wanted,
            current=current,
            already=False,
            changes=0,
            alternatives=(),
            more=0,
            follows=follows,
            attainable=_attainable(codes),
        )
    boxes, more = _boxes(found, start, partial)
    said = _said(version, partial, facts, follows)
    alternatives = tuple(
        tuple(_change(partial, axis, classes, version.atoms, said) for axis, classes in zip(changed, box, strict=True))
        for changed, box in boxes
    )
    return WhyNot(
        wanted=wanted,
        current=current,
        already=False,
        changes=len(boxes[0][0]),
        alternatives=alternatives,
        more=more,
        follows=follows,
        attainable=(),
    )


def _attainable(codes: Codes) -> tuple[Literal | None, ...]:
    found = np.flatnonzero(np.bincount(codes.low[codes.low == codes.high].ravel(), minlength=1))
    got = [codes.domain[code] if code < len(codes.domain) else None for code in found.tolist()]
    if any(isinstance(one, tuple) for one in got):
        return (
            *sorted({item for one in got if isinstance(one, tuple) for item in one}),
            *([None] if None in got else []),
        )
    return tuple(got)


def _nearest(there: Mask, start: _Classes, stay: tuple[int, ...]) -> np.ndarray | None:
    """Return the cells of a mask that differ from a cell on the fewest axes, preferably without leaving out a fact."""
    far = np.zeros(there.shape, dtype=np.int16)
    left_out = np.zeros(there.shape, dtype=np.bool_)
    for axis, at in enumerate(start):
        steps = np.ones(there.shape[axis], dtype=np.int16)
        steps[at] = 0
        if axis in stay and at:
            steps[0] = _FAR // len(start)
        far += steps.reshape(tuple(-1 if other == axis else 1 for other in range(len(start))))
        if at:
            left_out[(slice(None),) * axis + (0,)] = True
    far[~there] = _FAR
    least = far.min()
    if least >= _FAR // max(len(start), 1):
        return None
    near = far == least
    return np.argwhere(near & ~left_out if (near & ~left_out).any() else near)


def _boxes(found: np.ndarray, start: _Classes, partial: PartialTable) -> tuple[list[tuple[_Classes, _Box]], int]:
    """Group cells into boxes by the axes on which they differ from the start; count those beyond the last box."""
    differ = found != np.array(start)
    weights = 1 << np.arange(len(start), dtype=np.int64)
    pattern = differ @ weights
    groups = []
    for number in np.unique(pattern).tolist():
        changed = tuple(axis for axis in range(len(start)) if number >> axis & 1)
        inside = np.zeros(tuple(partial.axes[axis].size for axis in changed), dtype=np.bool_)
        inside[tuple(found[pattern == number][:, list(changed)].T)] = True
        groups.append((changed, inside))
    taken: list[tuple[_Classes, _Box]] = []
    more = {changed: int(inside.sum()) for changed, inside in groups}
    rounds = zip_longest(*([(changed, *step) for step in _covering(inside)] for changed, inside in groups))
    for step in chain.from_iterable(rounds):
        if step is not None and len(taken) < MAX_ALTERNATIVES:
            changed, box, left = step
            taken.append((changed, box))
            more[changed] = left
    return sorted(taken), sum(more.values())


def _covering(inside: Mask) -> Iterator[tuple[_Box, int]]:
    """Cover the true cells of an array by maximal boxes; yield with each how many cells are still uncovered."""
    left = inside.copy()
    for _ in range(MAX_ALTERNATIVES):
        if not left.any():
            return
        seed = np.unravel_index(int(np.argmax(left)), left.shape)
        box: list[list[int]] = [[int(at)] for at in seed]
        for axis in range(inside.ndim):
            rest = np.ix_(
                *(range(inside.shape[axis]) if other == axis else classes for other, classes in enumerate(box))
            )
            whole = inside[rest].all(axis=tuple(other for other in range(inside.ndim) if other != axis))
            box[axis] = np.flatnonzero(whole).tolist()
        left[np.ix_(*box)] = False
        yield tuple(tuple(classes) for classes in box), int(left.sum())


def _said(
    version: Version, partial: PartialTable, facts: Mapping[str, Sent], follows: tuple[Passed, ...]
) -> dict[str, str]:
    """Return the present facts of a table as the policy writes them."""
    ticket = version.reader.read(facts)
    said, unlisted = {}, dict(ticket.unlisted)
    for axis in partial.axes:
        atom, fact = ticket.atoms[version.reader.slots[axis.fact]], version.policy.facts[axis.fact]
        if atom:
            said[axis.fact] = (
                str(facts[axis.fact]).strip()
                if fact.numeric
                else unlisted.get(axis.fact, version.atoms[axis.fact].text(atom))
            )
    return said | {one.fact: f"{one.value:g}" for one in follows if one.value is not None}


def _change(
    partial: PartialTable, axis: int, classes: _Classes, atoms: Mapping[str, Atoms], said: Mapping[str, str]
) -> FactChange:
    named, own = partial.axes[axis], atoms[partial.axes[axis].fact]
    chosen = [atom for atom, number in enumerate(named.class_of.tolist()) if number in classes and atom]
    left_out = 0 in classes
    texts = range_texts(own, chosen) if own.fact.numeric else tuple(own.text(atom) for atom in chosen)
    samples = tuple(_sample(own, atom) for atom in chosen)
    return FactChange(
        fact=named.fact,
        now=said.get(named.fact, ""),
        to=(*texts, *([""] if left_out else [])),
        samples=(*samples, *([None] if left_out else [])),
    )


def _sample(atoms: Atoms, atom: int) -> Sent:
    """Return a value of an atom as a caller would send it."""
    sample = atoms.samples[atom - 1]
    if atoms.fact.type is FactType.TEXT:
        return BLANK if sample == "blank" else sample
    return SOME_INSTANT if atoms.fact.type is FactType.INSTANT else sample
