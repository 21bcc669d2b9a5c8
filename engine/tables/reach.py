"""The cases that a ticket becomes once facts that it lacks are known, as diagrams over these facts.

A missing fact is *open* where a table waits for it: it is missing, and no rule that counts names ``unknown`` for it. A
missing outcome of another table is open through the facts that are open there. A case that waits for nothing is
*settled*. A case leads to those in which one open fact is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import or_

from engine.diagrams.store import Diagrams, Node
from engine.diagrams.transfer import transfer
from engine.tables.rule_diagram import RuleDiagram
from engine.tables.table_diagram import PolicyDiagrams, TableDiagram, put_over


class Reach:
    """What the cases of one ticket have in common: its known facts, with which all diagrams are restricted.

    ``classes`` has the class of every fact that the tables depend on; class 0 is missing.
    """

    def __init__(self, diagrams: PolicyDiagrams, maker: Mapping[str, TableDiagram], classes: Mapping[str, int]) -> None:
        source = diagrams.store
        known = {fact: one for fact, one in classes.items() if one}
        free = {fact: source.sizes[source.level[fact]] for fact in source.facts if classes.get(fact) == 0}
        self.store = Diagrams(free)
        self.no, self.yes = self.store.leaf(False), self.store.leaf(True)
        self.restricted = transfer(source, self.store, {fact: range(size) for fact, size in free.items()}, known)
        self._selectors = diagrams.selectors
        self._tables = diagrams.tables
        self._maker = maker
        self._opened: dict[tuple[int, ...], Mapping[str, Node]] = {}
        self._cases: dict[object, Node] = {}

    def over_missing(self, rules: RuleDiagram) -> Callable[[Node], Node]:
        """Return what puts a diagram over what is read over the missing facts."""
        selectors = {name: self.restricted(self._selectors[name]) for name in rules.store.facts}
        return put_over(self.store, selectors, rules.store)

    def opened(self, *drawn: RuleDiagram) -> Mapping[str, Node]:
        """Return for each missing fact where it is open for any of these rules; facts open nowhere are left out."""
        key = tuple(map(id, drawn))
        found = self._opened.get(key)
        if found is None:
            merged: dict[str, Node] = {}
            for rules in drawn:
                over_missing = self.over_missing(rules)
                for name, waits in rules.waits.items():
                    where = over_missing(waits)
                    if where == self.no:
                        continue
                    for fact, also in self._behind(name).items():
                        both = self._both(where, also)
                        merged[fact] = self.store.combine(or_, merged[fact], both) if fact in merged else both
            found = self._opened[key] = {fact: node for fact, node in merged.items() if node != self.no}
        return found

    def _behind(self, name: str) -> Mapping[str, Node]:
        """Return the facts that are open where something that is read is missing."""
        if name not in self._maker:
            return {name: self.yes}
        rules = self._maker[name].rules
        return {} if rules is None else self.opened(rules)

    def settled(self, rules: RuleDiagram) -> Node:
        """Draw where nothing is open."""
        node = self.no
        for one in self.opened(rules).values():
            node = self.store.combine(or_, node, one)
        return self.store.map(lambda waits: not waits, node)

    def cases(self, *drawn: RuleDiagram, only: frozenset[str] | None = None) -> Node:
        """Draw the cases that the ticket leads to, itself included.

        With ``only``, all other facts are taken as free: that adds cases which differ in no outcome from one that the
        ticket leads to, if no rule claims these facts.
        """
        key = (*map(id, drawn), only)
        found = self._cases.get(key)
        if found is None:
            opened = {fact: node for fact, node in self.opened(*drawn).items() if only is None or fact in only}
            found = self.yes
            for fact in reversed(self.store.facts):
                if only is None or fact in only:
                    found = self.store.node(fact, [found, *([self.no] * (self._size(fact) - 1))])
            before = -1
            while found != before:
                before = found
                for fact, where in opened.items():
                    found = self._step(found, fact, where)
            self._cases[key] = found
        return found

    def _step(self, cases: Node, fact: str, where: Node) -> Node:
        """Add the cases in which an open fact is known."""
        left = self.store.restrict(self._both(cases, where), {fact: 0})
        if left == self.no:
            return cases
        known = self.store.node(fact, [self.no, *([self.yes] * (self._size(fact) - 1))])
        return self.store.combine(lambda here, leads, known: here or (leads and known), cases, left, known)

    def missing(self, undecided: Sequence[tuple[RuleDiagram, Node]], claimed: frozenset[str]) -> list[str]:
        """Return the missing facts with which, in some case, all that is undecided becomes decided.

        Each of these has its rules, and what is possible of it. ``claimed`` are the facts for which some rule names
        ``unknown``; a fact that none claims is open wherever it makes a difference.
        """
        drawn = [rules for rules, _ in undecided]
        cases = self.cases(*drawn, only=claimed)
        waits = self.store.combine(
            lambda *all_possible: any(not isinstance(one, int) for one in all_possible),
            *(self.restricted(possible) for _, possible in undecided),
        )
        opened = self.opened(*drawn)
        return [
            fact
            for fact in sorted(opened)
            if self._decides(self._both(cases, opened[fact]) if fact in claimed else cases, waits, fact)
        ]

    def _decides(self, cases: Node, waits: Node, fact: str) -> bool:
        """Return whether a fact ends all waits in some of these cases."""
        both = self.store.combine(lambda here, waits: (here and waits, waits), cases, waits)
        return self.store.turns(both, fact, {}, lambda before, after: before[0] and not after[1])

    def first(self, where: Node) -> dict[str, int]:
        """Return the first case, by its classes, facts by name, for which a diagram is true; it is for some."""
        found = dict.fromkeys(self.store.facts, 0)
        for fact in sorted(self.store.support(where)):
            for one in range(self._size(fact)):
                left = self.store.restrict(where, {fact: one})
                if left != self.no:
                    where, found[fact] = left, one
                    break
        return found

    def _both(self, one: Node, other: Node) -> Node:
        if self.yes in (one, other):
            return other if one == self.yes else one
        return self.store.combine(lambda one, other: one and other, one, other)

    def _size(self, fact: str) -> int:
        return self.store.sizes[self.store.level[fact]]
