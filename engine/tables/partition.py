"""Classes of values that no rule of any table distinguishes, the same for every table of a policy.

An *atom* is the smallest unit that rules can distinguish (:mod:`engine.tables.atoms`). Atom 0 and class 0 are "not
known".
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from engine.model.conditions import Condition, NumberInterval
from engine.model.policy import SameAs, Table
from engine.tables.atoms import Atoms


@dataclass(frozen=True, slots=True)
class Partition:
    """The classes of one fact or outcome: the class of each atom, and one atom of each class."""

    class_of: tuple[int, ...]
    members: tuple[int, ...]
    _allowed: Mapping[object, tuple[int, ...]] = field(repr=False, compare=False)

    @property
    def size(self) -> int:
        """How many classes there are, "not known" included."""
        return len(self.members)

    def allowed(self, condition: Condition) -> tuple[int, ...]:
        """Return the classes that a condition of one of the tables allows, in order."""
        return self._allowed[_key(condition)]


def partitions(tables: Iterable[Table], atoms: Mapping[str, Atoms]) -> dict[str, Partition]:
    """Return the classes of every fact and outcome that these tables read."""
    conditions: dict[str, dict[object, Condition]] = {}
    apart: set[str] = set()
    for table in tables:
        for rule in table.all_rules:
            for one in rule.when:
                conditions.setdefault(one.fact, {})[_key(one)] = one
            apart.update(value.fact for value in rule.then.values() if isinstance(value, SameAs))
    return {fact: _partition(atoms[fact], named, fact in apart) for fact, named in conditions.items()}


def _key(condition: Condition) -> object:
    return condition.words, condition.intervals, condition.negated, condition.unknown


def _partition(atoms: Atoms, conditions: Mapping[object, Condition], apart: bool) -> Partition:
    held = {key: _held(atoms, condition) for key, condition in conditions.items()}
    signatures: list[list[int]] = [[] for _ in range(len(atoms.samples) + 1)]
    for number, listed in enumerate(held.values()):
        for atom in listed:
            signatures[atom].append(number)
    numbers: dict[object, int] = {"not known": 0}
    members, class_of = [0], [0]
    for atom, signature in enumerate(signatures[1:], start=1):
        signature_key: object = atom if apart else tuple(signature)
        if signature_key not in numbers:
            numbers[signature_key] = len(members)
            members.append(atom)
        class_of.append(numbers[signature_key])
    allowed = {
        key: tuple(sorted({class_of[atom] for atom in listed} | ({0} if conditions[key].unknown else set())))
        for key, listed in held.items()
    }
    return Partition(tuple(class_of), tuple(members), allowed)


def _held(atoms: Atoms, condition: Condition) -> list[int]:
    """Return the atoms for which a condition holds, "not known" apart."""
    if not atoms.fact.numeric:
        return [atoms.positions[word] for word in condition.words if word in atoms.positions]
    inside = {atom for interval in condition.intervals for atom in _within(atoms, interval)}
    if condition.negated:
        return [atom for atom in range(1, len(atoms.samples) + 1) if atom not in inside]
    return sorted(inside)


def _within(atoms: Atoms, interval: NumberInterval) -> range:
    samples: tuple[float, ...] = atoms.samples  # type: ignore[assignment]
    low = (bisect_left if interval.low_closed else bisect_right)(samples, interval.low)
    high = (bisect_right if interval.high_closed else bisect_left)(samples, interval.high)
    return range(low + 1, high + 1)
