"""The situations of every outcome of one or two versions; outcomes with the same axes share them."""

from __future__ import annotations

from functools import cache

from engine.diff.joint_facts import JointAxis, JointFact, joint_axis, joint_fact
from engine.replay.space import Space
from engine.tables.classes import Axis
from engine.version.version import Version


class Spaces:
    """Returns the situations of outcomes of a version, and of the one before, if any."""

    def __init__(self, after: Version, before: Version | None) -> None:
        self.after, self.before = after, before
        self.fact = cache(self._fact)
        self._of: dict[str, Space] = {}
        self._shared: dict[tuple[JointAxis, ...], Space] = {}

    def of(self, outcome: str) -> Space:
        """Return the situations of an outcome; a space without axes if no table produces it."""
        if outcome not in self._of:
            before, after = (
                None if version is None else _axes(outcome, version) for version in (self.before, self.after)
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


def _axes(outcome: str, version: Version) -> dict[str, Axis]:
    table = version.producer.get(outcome)
    return {} if table is None else {axis.fact: axis for axis in version.partial_tables[table].axes}
