"""Inputs of a deadline whose states say what its target depends on.

Two inputs are *tied* in a row where they depend on the same missing fact: what one becomes depends on what the other
does. For such rows, the states of what the tables of these inputs read count instead, and so on down to the facts that
were sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.clock.zone import Column
from engine.columns.fact_columns import Mask
from engine.columns.lookup import BlockOutcomes, Tables
from engine.columns.read import Atomic, Block
from engine.version.version import Version

TIED: Final = -2
"""Stands for the target of a row whose inputs are tied."""

NOT_YET: Final = -1
"""Stands for a target that is not computed yet."""

_BITS: Final = 62


class Inputs:
    """Some outcomes and sent facts: their states, and where they are tied."""

    def __init__(self, names: Sequence[str], version: Version, deadline: str, tables: Tables | None = None) -> None:
        outcomes = [name for name in names if name in version.producer]
        self.tables = tables or Tables(version.diagrams, outcomes, apart=outcomes)
        self._outcomes = {name: self.tables.values[name] for name in outcomes}
        self._facts = {name: classes_of(name, version, deadline) for name in names if name not in version.producer}
        self.names = (*self._outcomes, *self._facts)
        self.sizes = [one.size for one in self._outcomes.values()] + [
            int(one.max()) + 1 for one in self._facts.values()
        ]
        self.behind = frozenset().union(*(_behind(name, version) for name in names))
        self._ties = _ties(self.names, version)

    @property
    def can_be_tied(self) -> set[str]:
        """The outcomes that are tied in some rows."""
        return {self.names[at] for tie in self._ties for at in tie.inputs} & self._outcomes.keys()

    def states(self, found: BlockOutcomes) -> list[Atomic]:
        """Return the state of each input in each row."""
        outcomes = [found.states(name) for name in self._outcomes]
        return outcomes + [class_column(found.block, fact, classes) for fact, classes in self._facts.items()]

    def tied_if(self, states: Sequence[int]) -> int:
        """Return the ties by which inputs in these states are tied if a fact is missing, as bits."""
        waits = [state >= one.undecided for state, one in zip(states, self._outcomes.values(), strict=False)]
        waits += [state == 0 for state in states[len(waits) :]]
        return sum(1 << bit for bit in {tie.bit for tie in self._ties if tie.holds(waits)})

    def missing(self, block: Block, rows: Column) -> Column:
        """Return for some rows the ties of which a fact is missing, as bits."""
        missing = np.zeros(len(rows), np.int64)
        for tie in self._ties:
            some: Mask = np.zeros(len(rows), np.bool_)
            for fact in tie.facts:
                some |= block.atoms[fact].take(rows) == 0 if fact in block.atoms else np.True_
            missing |= some.astype(np.int64) << tie.bit
        return missing


def tiers(names: Sequence[str], version: Version, deadline: str, tables: Tables | None = None) -> Iterator[Inputs]:
    """Yield inputs, then those with what is read in place of what can be tied, until nothing can be.

    ``tables`` has the outcomes of the first.
    """
    inputs = Inputs(names, version, deadline, tables)
    yield inputs
    if inputs.can_be_tied:
        opened = _opened(inputs.can_be_tied, version)
        reads = {name: version.policy.tables[version.producer[name]].reads for name in opened}
        further = dict.fromkeys(one for name in names for one in reads.get(name, (name,)))
        yield from tiers(tuple(further), version, deadline)


def _opened(tied: set[str], version: Version) -> set[str]:
    """Return the outcomes that what their tables read replaces.

    These are outcomes that share a table; if none do, all but the one that depends on most facts.
    """
    tables = Counter(version.producer[name] for name in tied)
    together = {name for name in tied if tables[version.producer[name]] > 1}
    largest = max(tied, key=lambda name: (len(_behind(name, version)), name))
    return together or (tied - {largest}) or tied


def _behind(name: str, version: Version) -> frozenset[str]:
    """Return the sent facts that an outcome or a fact depends on."""
    if name not in version.producer:
        return frozenset({name})
    return frozenset(version.diagrams.store.support(version.diagrams.tables[version.producer[name]].possible[name]))


def _claimed(name: str, version: Version) -> frozenset[str]:
    """Return the sent facts that a rule behind an outcome names as unknown, or that such an outcome depends on."""
    if name not in version.producer:
        return frozenset()
    behind, waiting = {version.producer[name]}, [name]
    claimed: set[str] = set()
    while waiting:
        table = version.policy.tables[version.producer[waiting.pop()]]
        claimed.update(one.fact for rule in table.rules for one in rule.when if one.unknown)
        further = [one for one in table.reads if version.producer.get(one, table.name) not in behind]
        behind.update(version.producer[one] for one in further)
        waiting += further
    return frozenset().union(*(_behind(one, version) for one in claimed))


def classes_of(fact: str, version: Version, deadline: str) -> Atomic:
    """Return the class of each atom of a fact that tables, or the deadline's own, distinguish."""
    parts = [one[fact] for one in (version.diagrams.parts, version.deadline_diagrams[deadline].parts) if fact in one]
    numbers: dict[tuple[int, ...], int] = {}
    return np.array(
        [numbers.setdefault(one, len(numbers)) for one in zip(*(part.class_of for part in parts), strict=True)]
    )


def class_column(block: Block, fact: str, classes: Atomic) -> Atomic:
    """Return the class of a fact in each row; 0 where it is missing."""
    atoms = block.atoms.get(fact)
    return np.zeros(block.size, np.intp) if atoms is None else classes.take(atoms, mode="clip")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tie:
    """Inputs, by position, that depend on the same facts.

    ``claims`` has those of which a rule names a fact as unknown: they can be decided, and change once it is known.
    """

    bit: int
    inputs: tuple[int, ...]
    facts: tuple[str, ...]
    claims: frozenset[int]

    def holds(self, waits: Sequence[bool]) -> bool:
        """Return whether inputs are tied while a fact is missing: one waits, and another waits or can change."""
        waiting = {at for at in self.inputs if waits[at]}
        return bool(waiting) and len(waiting | self.claims) > 1


def _ties(inputs: Sequence[str], version: Version) -> tuple[_Tie, ...]:
    behind = [_behind(name, version) for name in inputs]
    claimed = [_claimed(name, version) for name in inputs]
    by_readers: dict[tuple[int, ...], list[str]] = {}
    for fact in sorted(frozenset().union(*behind)):
        readers = tuple(at for at, facts in enumerate(behind) if fact in facts)
        if len(readers) > 1:
            by_readers.setdefault(readers, []).append(fact)
    return tuple(
        _Tie(
            bit=min(bit, _BITS),
            inputs=readers,
            facts=tuple(facts),
            claims=frozenset(at for at in readers if claimed[at] & set(facts)),
        )
        for bit, (readers, facts) in enumerate(by_readers.items())
    )
