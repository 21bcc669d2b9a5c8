"""Outcomes of tables as columns: all rows of a block walk down the diagrams of the outcomes together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.columns.combinations import Combinations
from engine.columns.read import Atomic, Block
from engine.columns.walk import Walk, walks
from engine.diagrams.store import Diagrams, Node
from engine.diagrams.transfer import transfer
from engine.model.policy import Literal
from engine.tables.table_diagram import PolicyDiagrams

Coded = NDArray[np.integer[Any]]

NOT_COVERED, DECIDED, UNDECIDED, REFUSED = 0, 1, 2, 3
"""The level of a row. That of a decision is the greatest of its answering outcomes."""

Level = NDArray[np.uint8]

_LEVELS: Final = np.array([NOT_COVERED, UNDECIDED, REFUSED, DECIDED], np.uint8)

_MOST_LISTS: Final = 1 << 16
"""How many lists of an outcome are numbered before the numbers begin again."""

_UNLIMITED: Final = 1 << 62

_MOST_SETS: Final = 16
"""For how many sets of columns walks are kept."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The codes of an outcome: not covered, undecided, refused, then the values of ``domain``."""

    domain: tuple[Literal, ...]

    NOT_COVERED, UNDECIDED, REFUSED, VALUES = range(4)

    def value(self, code: int) -> Literal | None:
        """Return the value of a code; None if it is not decided."""
        return self.domain[code - self.VALUES] if code >= self.VALUES else None

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest type that holds the codes."""
        return np.min_scalar_type(self.VALUES + len(self.domain))


def levels_of(codes: Coded) -> Level:
    """Return the level of each code of an outcome."""
    return _LEVELS.take(codes, mode="clip")


class Tables:
    """Outcomes of the tables of a version, for columns.

    Args:
        diagrams: the tables.
        names: the outcomes, and deadlines for their targets; those that no table produces are left out.
    """

    def __init__(self, diagrams: PolicyDiagrams, names: Iterable[str]) -> None:
        self._diagrams = diagrams
        producer = {name: table for table in diagrams.tables.values() for name in table.table.produces}
        self.values: dict[str, _Value] = {}
        self._lists: dict[str, _List] = {}
        for name in dict.fromkeys(names):
            if name in diagrams.targets:
                self.values[name] = _Value(diagrams.targets[name].possible, diagrams.targets[name].domain)
                continue
            if name not in producer:
                continue
            table = producer[name]
            if name in table.items:
                self._lists[name] = _List(
                    tuple(one.possible for one in table.items[name]), tuple(one.lists for one in table.items[name])
                )
            else:
                self.values[name] = _Value(table.possible[name], table.domain[name])
        self._walked: dict[frozenset[str], Mapping[str, _Column]] = {}

    def begin(self) -> None:
        """Begin the numbers of lists again if there are many."""
        if any(len(one.codes) > _MOST_LISTS for one in self._lists.values()):
            self._walked.clear()
            for one in self._lists.values():
                one.codes.clear()

    def on(self, block: Block) -> BlockOutcomes:
        """Return the outcomes of a block."""
        sent = frozenset(block.atoms).intersection(self._diagrams.store.facts)
        found = self._walked.get(sent)
        if found is None:
            if len(self._walked) >= _MOST_SETS:
                self._walked.clear()
            found = self._walked[sent] = self._walk(sent)
        return BlockOutcomes(found, block)

    def dtype(self, name: str) -> np.dtype[Any]:
        """Return the type of the codes of an outcome."""
        return self.values[name].scale.dtype if name in self.values else np.dtype(np.uint32)

    def scale(self, name: str) -> Scale:
        """Return the scale of an outcome; that of a list has the lists that were met."""
        return self.values[name].scale if name in self.values else Scale(tuple(self._lists[name].codes))

    def _walk(self, sent: frozenset[str]) -> dict[str, _Column]:
        """Draw the walks for rows in which only these facts are sent."""
        source, parts = self._diagrams.store, self._diagrams.parts
        store = Diagrams(dict(zip(source.facts, source.sizes, strict=True)), most=_UNLIMITED)
        same = {fact: range(size) for fact, size in zip(source.facts, source.sizes, strict=True)}
        move = transfer(source, store, same, {fact: 0 for fact in source.facts if fact not in sent})
        outcomes: dict[str, _Value | _List] = {**self.values, **self._lists}
        roots = [store.map(one.state, move(root)) for one in outcomes.values() for root in one.roots]
        parts_of = [name for name, one in outcomes.items() for _ in one.roots]
        found = walks(store, roots, parts_of, {fact: parts[fact].class_of for fact in sent})
        at = {which: (walk, leaves) for walk in found for which, leaves in zip(walk.of, walk.leaves, strict=True)}
        columns: dict[str, _Column] = {}
        first = 0
        for name, one in outcomes.items():
            columns[name] = one.column([at[first + number] for number in range(len(one.roots))])
            first += len(one.roots)
        return columns


_Placed = tuple[Walk, Atomic]
"""A function: the walk that it is on, and its value at each leaf."""


class _Value:
    """An outcome with one value.

    Its states are the codes of ``domain``, then "not covered", then "undecided".
    """

    def __init__(self, possible: Node, domain: tuple[Any, ...]) -> None:
        self.roots = (possible,)
        self.scale = Scale(domain)
        codes = [*range(Scale.VALUES, Scale.VALUES + len(domain)), Scale.NOT_COVERED, Scale.UNDECIDED]
        self._codes = np.array(codes, self.scale.dtype)

    def state(self, possible: Any) -> int:
        """Return the number of what is possible."""
        return possible if isinstance(possible, int) else len(self._codes) - 1

    def column(self, placed: Sequence[_Placed]) -> _Column:
        """Return how its codes are found."""
        ((walk, leaves),) = placed
        return _ValueColumn(walk, self._codes.take(leaves))


class _List:
    """An outcome that is a list, by its parts: the lists that each can be, and the codes of whole lists."""

    def __init__(self, roots: tuple[Node, ...], lists: tuple[tuple[tuple[str, ...], ...], ...]) -> None:
        self.roots, self._lists = roots, lists
        self.codes: dict[tuple[str, ...], int] = {}

    def state(self, possible: Any) -> int:
        """Return the number of the list of a part; -1 if it is not decided."""
        return possible if isinstance(possible, int) else -1

    def code(self, chosen: Sequence[int]) -> int:
        """Return the code of the list of these parts."""
        if -1 in chosen:
            return Scale.UNDECIDED
        whole = tuple(chain.from_iterable(lists[one] for lists, one in zip(self._lists, chosen, strict=True)))
        return self.codes.setdefault(whole, Scale.VALUES + len(self.codes))

    def column(self, placed: Sequence[_Placed]) -> _Column:
        """Return how its codes are found: if all parts are on one walk, from its leaves."""
        groups: dict[int, list[int]] = {}
        for part, (walk, _) in enumerate(placed):
            groups.setdefault(id(walk), []).append(part)
        if len(groups) != 1:
            return _ListColumn(self, placed, groups.values())
        states = np.stack([leaves for _, leaves in placed], axis=1)
        return _ValueColumn(placed[0][0], np.array([self.code(one) for one in states.tolist()], np.uint32))


class _ValueColumn:
    """Finds the codes of an outcome by the leaves of one walk."""

    def __init__(self, walk: Walk, codes: Coded) -> None:
        self.walk, self.at = walk, codes

    def codes(self, found: BlockOutcomes) -> Coded:
        """Return the code of each row."""
        return self.at.take(found.ends(self.walk), mode="clip")


class _ListColumn:
    """Finds the codes of a list whose parts are on several walks: combinations of leaves are numbered as they occur."""

    def __init__(self, outcome: _List, placed: Sequence[_Placed], groups: Iterable[Sequence[int]]) -> None:
        self._outcome = outcome
        self._walks: list[tuple[Walk, Atomic]] = []
        self._parts: list[tuple[Sequence[int], list[tuple[int, ...]]]] = []
        for parts in groups:
            numbers: dict[tuple[int, ...], int] = {}
            leaves = zip(*(placed[part][1].tolist() for part in parts), strict=True)
            # Number 0 is for leaves at which a part is not decided.
            at = [0 if -1 in one else numbers.setdefault(one, len(numbers) + 1) for one in leaves]
            self._walks.append((placed[parts[0]][0], np.array(at, np.intp)))
            self._parts.append((parts, list(numbers)))
        self._combinations = Combinations([len(met) + 1 for _, met in self._parts])
        self._met: list[int] = []

    def codes(self, found: BlockOutcomes) -> Coded:
        """Return the code of each row."""
        size = found.block.size
        numbers = [at.take(found.ends(walk), mode="clip") for walk, at in self._walks]
        decided = np.ones(size, np.bool_)
        for one in numbers:
            decided &= one > 0
        rows = np.flatnonzero(decided)
        some = [one.take(rows) for one in numbers]
        which = self._combinations.numbers(some, len(rows), lambda row: self._meet([int(one[row]) for one in some]))
        codes = np.full(size, Scale.UNDECIDED, np.uint32)
        codes[rows] = np.array(self._met, np.uint32).take(which)
        return codes

    def _meet(self, numbers: Sequence[int]) -> None:
        chosen: dict[int, int] = {}
        for (parts, met), number in zip(self._parts, numbers, strict=True):
            chosen.update(zip(parts, met[number - 1], strict=True))
        self._met.append(self._outcome.code([chosen[part] for part in sorted(chosen)]))


_Column = _ValueColumn | _ListColumn


class BlockOutcomes:
    """The outcomes of one block, each computed when first used."""

    def __init__(self, columns: Mapping[str, _Column], block: Block) -> None:
        self.block = block
        self._columns = columns
        self._ends: dict[int, Atomic] = {}
        self._codes: dict[str, Coded] = {}

    def ends(self, walk: Walk) -> Atomic:
        """Return the leaf of a walk that each row reaches."""
        found = self._ends.get(id(walk))
        if found is None:
            found = self._ends[id(walk)] = walk.ends(self.block)
        return found

    def codes(self, name: str) -> Coded:
        """Return the codes of an outcome."""
        found = self._codes.get(name)
        if found is None:
            found = self._codes[name] = self._columns[name].codes(self)
        return found
