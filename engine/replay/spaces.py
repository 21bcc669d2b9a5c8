"""The situations of every outcome of one or two versions; outcomes with the same axes share them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from engine.diagrams.store import Diagrams
from engine.diagrams.transfer import transfer
from engine.diff.joint_facts import JointAxis, JointFact, joint_axis, joint_fact
from engine.replay.space import Space
from engine.version.version import Version

_UNDECIDED = -1


@dataclass(frozen=True, slots=True)
class Alike:
    """The values of a fact that make a difference to a table: for each atom, the group of those that make none."""

    class_of: tuple[int, ...]


class Spaces:
    """Returns the situations of outcomes of a version, and of the one before, if any."""

    def __init__(self, after: Version, before: Version | None) -> None:
        self.after, self.before = after, before
        self.fact = cache(self._fact)
        self._of: dict[str, Space] = {}
        self._shared: dict[tuple[JointAxis, ...], Space] = {}
        self._alike: dict[tuple[str, str], dict[str, Alike]] = {}

    def of(self, outcome: str) -> Space:
        """Return the situations of an outcome; a space without axes if no table produces it."""
        if outcome not in self._of:
            before, after = (
                None if version is None else self._classes(outcome, version) for version in (self.before, self.after)
            )
            names = sorted({*(before or {}), *(after or {})})
            axes = tuple(
                joint_axis(self.fact(name), (before or {}).get(name), (after or {}).get(name)) for name in names
            )
            if axes not in self._shared:
                self._shared[axes] = Space(axes, (before, after), (self.before, self.after))
            self._of[outcome] = self._shared[axes]
        return self._of[outcome]

    def _fact(self, name: str) -> JointFact:
        return joint_fact(name, self.before or self.after, self.after)

    def _classes(self, outcome: str, version: Version) -> dict[str, Alike]:
        table = version.producer.get(outcome)
        if table is None:
            return {}
        key = (version.digest, table)
        if key not in self._alike:
            self._alike[key] = _alike(table, version)
        return self._alike[key]


def _alike(name: str, version: Version) -> dict[str, Alike]:
    """Return the facts that make a difference to the outcomes of a table; what is still possible does not count."""
    table, source, parts = version.diagrams.tables[name], version.diagrams.store, version.diagrams.parts
    sizes = dict(zip(source.facts, source.sizes, strict=True))
    store = Diagrams(sizes, most=2 * len(source) + 2)
    move = transfer(source, store, {fact: range(size) for fact, size in sizes.items()})
    roots = [*table.possible.values(), *(one.possible for items in table.items.values() for one in items)]
    told = [store.map(lambda one: one if isinstance(one, int) else _UNDECIDED, move(root)) for root in roots]
    return {
        fact: Alike(tuple(groups[one] for one in parts[fact].class_of)) for fact, groups in store.alike(*told).items()
    }
