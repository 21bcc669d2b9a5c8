"""The rules behind an outcome of a ticket, or what is possible and missing where it is undecided.

Explanations are read from the diagrams that decide. Each is computed when it is first needed, and cached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain as chained
from typing import Any, Final

from engine.cache import Cache
from engine.diagrams.store import Node
from engine.model.answer import FiredRule, Outcome, PossibleItems, Status
from engine.model.policy import Literal, Policy
from engine.model.vocabulary import FactType
from engine.tables.atoms import Atoms
from engine.tables.chain import Chains
from engine.tables.reach import Reach
from engine.tables.rule_diagram import Possible, RuleDiagram
from engine.tables.rule_paths import Classes, Numbers, RulePaths
from engine.tables.table_diagram import Items, PolicyDiagrams, TableDiagram

MAX_CASES_CACHED: Final = 20_000
"""How many explained cases an explainer caches."""

Key = tuple[int, ...]
"""The class of each fact of a chain, of alike classes the first."""


class Explainer:
    """Explains the outcomes of tables for tickets. Several threads may use it: it changes only its caches.

    ``slots`` has the position of each fact among the atoms of a ticket.
    """

    def __init__(
        self,
        policy: Policy,
        diagrams: PolicyDiagrams,
        producer: Mapping[str, str],
        atoms: Mapping[str, Atoms],
        slots: Mapping[str, int],
    ) -> None:
        self.policy, self.diagrams, self.producer, self.atoms = policy, diagrams, producer, atoms
        self.chains = Chains(diagrams)
        self.rules, numbers = _numbered(policy)
        self.paths = RulePaths(self.chains, atoms, numbers, self.reach)
        self.slots = slots
        self._steps: dict[str, tuple[tuple[int, tuple[int, ...]], ...]] = {}
        self._outcomes: Cache[tuple[str, Key], Outcome] = Cache(MAX_CASES_CACHED)
        # Many cases have the same outcome for the same reasons: they share one object.
        self._alike: Cache[Outcome, Outcome] = Cache(MAX_CASES_CACHED)
        self._last_reach: tuple[tuple[str, Key], Reach] | None = None

    def outcome(self, name: str, atoms: list[int]) -> Outcome:
        """Return an outcome for the atoms of a ticket: its value and rules, or what is possible and missing."""
        return self._outcome(name, self._key(self.producer[name], atoms))

    def classes(self, table: str, atoms: list[int]) -> dict[str, int]:
        """Return the class of each fact that a table depends on, for the atoms of a ticket."""
        return dict(zip(self.chains.of(table).facts, self._key(table, atoms), strict=True))

    def reach(self, table: str, classes: Classes) -> Reach:
        """Return the cases that a ticket can become in a table.

        The last one is cached, since outcomes of one table need it in turn.
        """
        key = (table, tuple(classes.values()))
        cached = self._last_reach
        if cached is None or cached[0] != key:
            cached = self._last_reach = (key, Reach(self.diagrams, self.chains.maker, classes))
        return cached[1]

    def ask_next(self, name: str, atoms: list[int]) -> str:
        """Return the missing fact that leaves the fewest outcomes possible, on average over its values."""
        table = self.producer[name]
        classes = self.classes(table, atoms)
        first_alike = self.chains.of(table).first_alike
        left = self._left_of_list(name, classes) if name in self.chains.maker[name].items else self._left(name, classes)
        scored = []
        for fact in self._outcome(name, tuple(classes.values())).missing:
            counts = [left(fact, one) for one in sorted(set(first_alike[fact])) if one]
            scored.append((not self.policy.facts[fact].ask, sum(counts) / len(counts), fact))
        return min(scored)[-1] if scored else ""

    def _left(self, name: str, classes: Classes) -> Callable[[str, int], int]:
        """Return how many outcomes are possible once a fact is known."""
        node = self.chains.maker[name].possible[name]

        def left(fact: str, one: int) -> int:
            possible = self._at(node, {**classes, fact: one})
            return 1 if isinstance(possible, int) else len(possible)

        return left

    def _left_of_list(self, name: str, classes: Classes) -> Callable[[str, int], int]:
        """Return how many items are open once a fact is known; only the parts that depend on it are asked again."""
        parts = self.chains.maker[name].items[name]
        opened = [_count_open(part, self._at(part.possible, classes)) for part in parts]
        supports = [self.diagrams.store.support_at(part.possible, classes) for part in parts]

        def left(fact: str, one: int) -> int:
            known = {**classes, fact: one}
            return sum(opened) + sum(
                _count_open(part, self._at(part.possible, known)) - count
                for part, count, support in zip(parts, opened, supports, strict=True)
                if fact in support
            )

        return left

    def _key(self, table: str, atoms: list[int]) -> Key:
        steps = self._steps.get(table)
        if steps is None:
            parts = self.diagrams.parts
            steps = self._steps[table] = tuple(
                (self.slots[fact], tuple([first[one] for one in parts[fact].class_of]))
                for fact, first in self.chains.of(table).first_alike.items()
            )
        return tuple([classes[atoms[slot]] for slot, classes in steps])

    def _at(self, node: Node, classes: Classes) -> Any:
        return self.diagrams.store.value_at(node, classes)

    def _outcome(self, name: str, key: Key) -> Outcome:
        cached = self._outcomes.get((name, key))
        if cached is None:
            table = self.producer[name]
            made = self._explain(name, dict(zip(self.chains.of(table).facts, key, strict=True)))
            cached = self._outcomes.put((name, key), self._alike.get(made) or self._alike.put(made, made))
        return cached

    def _explain(self, name: str, classes: Classes) -> Outcome:
        drawn = self.chains.maker[name]
        if name in drawn.items:
            return self._explain_list(name, drawn, classes)
        possible, domain = self._at(drawn.possible[name], classes), drawn.domain[name]
        if not isinstance(possible, int):
            values = tuple([domain[code] if code < len(domain) else None for code in possible])
            return Outcome(
                name=name,
                status=Status.UNDECIDED,
                value=None,
                text="",
                possible=values,
                missing=()
                if drawn.rules is None
                else self._missing(drawn, [(drawn.rules, drawn.possible[name])], classes),
                rules=(),
            )
        rules = self._named(self.paths.behind(name, classes))
        if possible == len(domain):
            return Outcome(
                name=name, status=Status.NOT_COVERED, value=None, text="", possible=(), missing=(), rules=rules
            )
        return Outcome(
            name=name,
            status=Status.DECIDED,
            value=domain[possible],
            text=self._display(name, domain[possible]),
            possible=(),
            missing=(),
            rules=rules,
        )

    def _explain_list(self, name: str, drawn: TableDiagram, classes: Classes) -> Outcome:
        parts = [(part, self._at(part.possible, classes)) for part in drawn.items[name]]
        undecided = [(part.diagram, part.possible) for part, possible in parts if not isinstance(possible, int)]
        if undecided:
            return Outcome(
                name=name,
                status=Status.UNDECIDED,
                value=None,
                text="",
                possible=(),
                missing=self._missing(drawn, undecided, classes),
                rules=(),
                items=possible_items(parts),
            )
        return Outcome(
            name=name,
            status=Status.DECIDED,
            value=tuple(chained.from_iterable(part.lists[possible] for part, possible in parts)),
            text="",
            possible=(),
            missing=(),
            rules=self._named(self.paths.behind(name, classes)),
        )

    def _missing(
        self, drawn: TableDiagram, undecided: Sequence[tuple[RuleDiagram, Node]], classes: Classes
    ) -> tuple[str, ...]:
        table = drawn.table.name
        return self.missing(table, undecided, classes, self.chains.of(table).claimed)

    def missing(
        self,
        table: str,
        undecided: Sequence[tuple[RuleDiagram, Node]],
        classes: Classes,
        claimed: frozenset[str],
    ) -> tuple[str, ...]:
        """Return the missing facts that can decide an outcome of a table, or all of a list.

        ``undecided`` has the rules of each part with what is possible of it, and ``claimed`` the facts for which some
        rule names ``unknown``.
        """
        store = self.diagrams.store
        supports = [set(store.support_at(possible, classes)) for _, possible in undecided]
        # Parts of a list that depend on the same missing facts are decided together, others apart.
        groups: list[tuple[set[str], list[tuple[RuleDiagram, Node]]]] = []
        for facts, one in zip(supports, undecided, strict=True):
            shared = [group for group in groups if group[0] & facts]
            groups = [group for group in groups if group not in shared]
            together = [one, *(other for group in shared for other in group[1])]
            groups.append((facts.union(*(group[0] for group in shared)), together))
        found: list[str] = []
        for facts, together in groups:
            if len(facts) == 1:
                found += facts
            elif len(together) == 1 and not any(classes[fact] == 0 for fact in claimed):
                found += [fact for fact in facts if store.turns(together[0][1], fact, classes, _decides)]
            else:
                found += self.reach(table, classes).missing(together, claimed)
        return tuple(sorted(found))

    def _named(self, numbers: Numbers) -> tuple[FiredRule, ...]:
        return tuple([self.rules[number] for number in sorted(numbers)])

    def _display(self, name: str, value: Literal) -> str:
        outcome = self.policy.outcomes[name]
        return outcome.display(value) if outcome.type is FactType.CHOICE and isinstance(value, str) else ""


def _count_open(part: Items, possible: Possible) -> int:
    """Return how many items of a part of a list are in some possible lists and not in others."""
    if isinstance(possible, int):
        return 0
    left = [part.lists[code] for code in possible]
    return sum(any(text in one for one in left) and not all(text in one for one in left) for text in part.texts)


def _decides(before: Possible, after: Possible) -> bool:
    return isinstance(after, int) and not isinstance(before, int)


def possible_items(parts: Iterable[tuple[Items, Possible]]) -> PossibleItems:
    """Return what is possible of a list, from its parts and what is possible of each."""
    always: list[str] = []
    opened: list[str] = []
    never: list[str] = []
    for part, possible in parts:
        left = [part.lists[code] for code in ((possible,) if isinstance(possible, int) else possible)]
        for text in part.texts:
            among = sum(text in one for one in left)
            (always if among == len(left) else opened if among else never).append(text)
    return PossibleItems(tuple(always), tuple(opened), tuple(never))


def _numbered(policy: Policy) -> tuple[tuple[FiredRule, ...], dict[tuple[str, int], int]]:
    """Return the rules of all tables by file and line, and the number of each rule by table and position."""
    placed = []
    for table in policy.tables.values():
        for position, rule in enumerate(table.all_rules):
            placed.append(
                (
                    FiredRule(
                        id=rule.id, table=table.name, place=rule.place, source=rule.source, assumption=rule.assumption
                    ),
                    position,
                )
            )
    placed.sort(key=lambda pair: (pair[0].place, pair[0].id))
    return tuple(fired for fired, _ in placed), {
        (fired.table, position): number for number, (fired, position) in enumerate(placed)
    }
