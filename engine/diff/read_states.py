"""The states of what a table reads, the same for the earlier and the later rules, and these rules over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from engine.diagrams.store import Diagrams, Node
from engine.diagrams.transfer import transfer
from engine.diff.joint_space import JointSpace
from engine.diff.list_items import item_change
from engine.diff.nouns import Change, OutcomeState, StateKind, Values
from engine.diff.states import Changes, States
from engine.model.policy import Literal, SameAs
from engine.model.targets import Measure
from engine.model.vocabulary import NO, YES, FactType
from engine.tables.rule_diagram import RuleDiagram
from engine.tables.table_diagram import Items, TableDiagram

WAITS: Final = -1
"""The number of a state, or of a change, where rules wait for something that is read."""


class ReadStates:
    """The states of everything that a table reads in either version.

    A sent fact has the classes of the space. An outcome has each of its values, no value, and what is possible of it
    where it is undecided, as the later version decides it.
    """

    def __init__(self, outcome: str, space: JointSpace) -> None:
        self.outcome, self.space = outcome, space
        self.tables = [side.maker[outcome] for side in space.sides]
        reads = dict.fromkeys(name for one in reversed(self.tables) for name in one.table.reads)
        self._possible: dict[str, Node] = {}
        self._sets: dict[str, tuple[Any, ...]] = {}
        for name in reads:
            if name not in space.axes:
                at = int(name in space.sides[1].maker)
                drawn = space.sides[at].maker[name]
                node = self._possible[name] = space.moved[at](drawn.possible[name])
                undecided = sorted(one for one in space.store.values(node) if isinstance(one, tuple))
                self._sets[name] = (*range(len(drawn.domain[name]) + 1), *undecided)
        sizes = {name: space.axes[name].size if name in space.axes else len(self._sets[name]) for name in reads}
        self.store = Diagrams(sizes)

    def selector(self, name: str, groups: Sequence[Sequence[int]]) -> Node:
        """Draw the group of the state of something that is read, over sent facts."""
        store = self.space.store
        group = {state: at for at, states in enumerate(groups) for state in states}
        if name in self.space.axes:
            return store.node(name, [store.leaf(group[one]) for one in range(self.space.axes[name].size)])
        place = {possible: state for state, possible in enumerate(self._sets[name])}
        return store.map(lambda possible: group[place[possible]], self._possible[name])

    def when(self, named: Mapping[str, Sequence[int]]) -> tuple[Values, ...]:
        """Return states in words; an outcome that is undecided, or has no value, is unknown."""
        found = list(self.space.when({name: listed for name, listed in named.items() if name in self.space.axes}))
        for name, states in named.items():
            if name not in self.space.axes:
                fact = self.space.fact(name)
                place = {value.word: at for at, value in enumerate(fact.values, start=1)}
                words = [self._word(name, state) for state in states]
                values = fact.named(0 if word is None else place[word] for word in words)
                found += [] if values is None else [values]
        return tuple(sorted(found, key=lambda values: values.fact))

    def _word(self, name: str, state: int) -> str | None:
        possible = self._sets[name][state]
        domain = self.space.sides[int(name in self.space.sides[1].maker)].maker[name].domain[name]
        if isinstance(possible, tuple) or possible == len(domain):
            return None
        value = domain[possible]
        return (YES if value else NO) if isinstance(value, bool) else str(value)

    def states(self, at: int, rules: RuleDiagram, name: str) -> list[int]:
        """Return the state of one version's rules for each state of something that they read."""
        if name in self.space.axes:
            axis = self.space.axes[name]
            return [max(one, 0) for one in (axis.before, axis.after)[at]]
        side = self.space.sides[at]
        class_of, positions = side.diagrams.parts[name].class_of, side.atoms[name].positions
        numbers = {ends: state for state, ends in enumerate(rules.states[name].finals) if ends}
        decided: list[int] = []
        found: list[int] = []
        for state, possible in enumerate(self._sets[name]):
            if isinstance(possible, tuple):
                found.append(numbers.get(tuple(sorted({decided[code] for code in possible})), 0))
            else:
                word = self._word(name, state)
                decided.append(0 if word is None else class_of[positions[word]])
                found.append(decided[-1])
        return found


class LocalRules:
    """The rules of a table in both versions, over the states of what it reads."""

    def __init__(self, reads: ReadStates, states: States, changes: Changes) -> None:
        self.reads, self.states, self.changes = reads, states, changes

    def change(self) -> Node:
        """Draw the number of the change of the outcome; ``WAITS`` where something is waited for."""
        nodes = [self._state(at, drawn) for at, drawn in enumerate(self.reads.tables)]

        def change(one: int, other: int) -> int:
            if WAITS in (one, other):
                return WAITS
            return 0 if one == other else self.changes.number(Change(self.states[one], self.states[other]))

        return self.reads.store.combine(change, *nodes)

    def items_change(self, texts: Sequence[str]) -> Node:
        """Draw the number of the change of items that change together."""
        nodes = [self._times(at, text) for text in texts for at in (0, 1)]

        def change(*times: int) -> int:
            if WAITS in times:
                return WAITS
            pairs = {text: (times[2 * at], times[2 * at + 1]) for at, text in enumerate(texts)}
            if all(one == other for one, other in pairs.values()):
                return 0
            return self.changes.number(
                item_change({text: ((one, one), (other, other)) for text, (one, other) in pairs.items()})
            )

        return self.reads.store.combine(change, *nodes)

    def _moved(self, at: int, rules: RuleDiagram) -> tuple[Callable[[Node], Node], dict[str, list[int]]]:
        states = {name: self.reads.states(at, rules, name) for name in rules.store.facts}
        return transfer(rules.store, self.reads.store, states), states

    def _waiting(
        self, rules: RuleDiagram, moved: Callable[[Node], Node], states: Mapping[str, Sequence[int]]
    ) -> list[Node]:
        """Draw where the rules wait for each thing that they read and that can still become something else."""
        store, found = self.reads.store, []
        for name, one in rules.states.items():
            undecided = store.node(name, [store.leaf(bool(one.finals[state])) for state in states[name]])
            found.append(store.combine(lambda this, that: this and that, undecided, moved(rules.waits[name])))
        return found

    def _state(self, at: int, drawn: TableDiagram) -> Node:
        """Draw the number of the state of the outcome by one version's rules."""
        name, rules, side = self.reads.outcome, drawn.rules, self.reads.space.sides[at]
        if rules is None:
            return self.reads.store.leaf(WAITS)
        moved, states = self._moved(at, rules)
        said = [rule.then[name] for rule in drawn.table.all_rules]
        copied = sorted({value.fact for value in said if isinstance(value, SameAs)})
        store, domain = self.reads.store, {(type(value), value) for value in drawn.domain[name]}
        classes = [
            store.node(fact, [store.leaf(rules.states[fact].classes[state]) for state in states[fact]])
            for fact in copied
        ]

        def value(rule: int, given: Sequence[int]) -> Literal | Measure | None:
            found = said[rule]
            if not isinstance(found, SameAs):
                return found
            atoms = side.atoms[found.fact]
            member = side.diagrams.parts[found.fact].members[given[copied.index(found.fact)]]
            if not member:
                return None
            word = atoms.samples[member - 1]
            return word == YES if atoms.fact.type is FactType.BOOLEAN else word

        def state(counted: tuple[int, ...], *others: Any) -> int:
            if any(others[len(copied) :]):
                return WAITS
            found = value(counted[0], others[: len(copied)]) if counted else None
            covered = (type(found), found) in domain
            return self.states.number(
                OutcomeState(StateKind.DECIDED, found) if covered else OutcomeState(StateKind.NOT_COVERED)
            )

        return store.combine(state, moved(rules.counts), *classes, *self._waiting(rules, moved, states))

    def _times(self, at: int, text: str) -> Node:
        """Draw how often an item is in the list by one version's rules."""
        drawn, store = self.reads.tables[at], self.reads.store
        part = next((one for one in drawn.items[self.reads.outcome] for listed in one.lists if text in listed), None)
        if part is None:
            return store.leaf(0)
        moved, states = self._moved(at, part.diagram)
        given = self._given(drawn, part, text)

        def times(counted: tuple[int, ...], *waiting: bool) -> int:
            return WAITS if any(waiting) else sum(given.get(rule, 0) for rule in counted)

        return store.combine(times, moved(part.diagram.counts), *self._waiting(part.diagram, moved, states))

    def _given(self, drawn: TableDiagram, part: Items, text: str) -> dict[int, int]:
        """Return how often each drawn rule of a part gives an item."""
        found = {}
        for place, at in enumerate(part.drawn):
            value = drawn.table.rules[at].then.get(self.reads.outcome, ())
            if at in part.rules:
                found[place] = value.count(text) if isinstance(value, tuple) else int(value == text)
        return found
