"""Reads ``invariants.yaml``; appends what is wrong to the problems, with its place."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, replace
from typing import Final

from engine.load.conditions import parse_condition, value_help, written
from engine.load.node_readers import Mapping, Node, Sequence, items, key_place, kind_text, pairs, text, value_place
from engine.model.conditions import Condition
from engine.model.did_you_mean import did_you_mean
from engine.model.invariants import STATES, Always, Claim, Implies, Invariant, Monotone, Never, Order, Test, Tests, Way
from engine.model.problems import Place, Problem
from engine.model.vocabulary import NO, UNLISTED, YES, Fact, FactType, boolean_word

FORMS: Final = ("never", "always", "implies", "monotone")
BY_SIZE: Final = "by_size"
"""The order of numbers."""


@dataclass(frozen=True, slots=True)
class InvariantNames:
    """The names that invariants may use: facts, outcomes, and which of these tables produce."""

    facts: MappingOf[str, Fact]
    outcomes: MappingOf[str, Fact]
    given: Collection[str]


def load_invariants(tree: Node, named: InvariantNames, problems: list[Problem]) -> tuple[Invariant, ...]:
    """Read the invariants of a version."""
    reader = _Reader(named, problems)
    places: dict[str, Place] = {}
    found = []
    for node in items(tree, "invariants"):
        name, place = text(node, "id"), value_place(node, "id")
        if name in places:
            problems.append(
                Problem(
                    place=place,
                    code="repeated-id",
                    message=f"the invariant `{name}` is already defined at {places[name]}",
                    help="choose another id",
                )
            )
        places.setdefault(name, place)
        claim = reader.claim(node)
        if claim is not None:
            found.append(
                Invariant(
                    id=name,
                    about=text(node, "about"),
                    source=text(node, "source") or text(tree, "source"),
                    claim=claim,
                    place=place,
                )
            )
    return tuple(found)


class _Reader:
    def __init__(self, named: InvariantNames, problems: list[Problem]) -> None:
        self.named, self.problems = named, problems
        self.known = (*named.facts, *named.outcomes)

    def claim(self, node: Node) -> Claim | None:
        """Read the one form of an invariant; None if it cannot be read."""
        forms: list[str] = [form for form in FORMS if isinstance(node, Mapping) and form in node.entries]
        if len(forms) != 1:
            self._forms(node, forms)
            return None
        before, body = len(self.problems), node.entries[forms[0]] if isinstance(node, Mapping) else node
        claim = self._claim(forms[0], body)
        return claim if len(self.problems) == before else None

    def _forms(self, node: Node, forms: list[str]) -> None:
        what = "none" if not forms else f"`{forms[0]}` and `{forms[1]}`"
        place = key_place(node, forms[1]) if forms else node.place
        self._add(
            place,
            "bad-condition",
            f"expected one form in the invariant, got {what}",
            "write one of never, always, implies and monotone",
        )

    def _claim(self, form: str, body: Node) -> Claim:
        match form:
            case "never":
                return Never(self._tests(body))
            case "always":
                return Always(self._tests(body))
            case "implies":
                return Implies(self._tests(_part(body, "if")), self._tests(_part(body, "then")))
            case _:
                return self._monotone(body)

    def _tests(self, node: Node | None) -> Tests:
        tests = [self._test(name, inner, key_place(node, name)) for name, inner in pairs(node) if node is not None]
        return tuple(test for test in tests if test is not None)

    def _test(self, name: str, node: Node, place: Place) -> Test | None:
        named = self._named(name, place)
        if named is None:
            return None
        if name in self.named.facts:
            condition = parse_condition(named, node, self.problems)
            return Test(name=name, condition=condition, states=frozenset(), text=written(node)) if condition else None
        return self._outcome_test(replace(named, type=FactType.TEXT) if named.type is FactType.LIST else named, node)

    def _outcome_test(self, outcome: Fact, node: Node) -> Test | None:
        """Read a condition on an outcome: states are taken out, and the rest is read like a condition on a fact."""
        states = frozenset(STATES) - set(outcome.words)
        if isinstance(node, Mapping):
            inner = node.entries.get("not")
            for item in items(inner) or ((inner,) if inner is not None else ()):
                if text(item) in states:
                    meant = " or ".join(f"`{one}`" for one in STATES if one != text(item))
                    self._add(
                        item.place,
                        "bad-condition",
                        f"expected a value after `not`, got the state `{text(item)}`",
                        f"write {meant}, or a list of both",
                    )
                    return None
        listed = items(node) if isinstance(node, Sequence) else (node,)
        said = frozenset(text(item) for item in listed if text(item) in states)
        rest = tuple(item for item in listed if text(item) not in states)
        condition: Condition | None = None
        if rest or not said:
            condition = parse_condition(
                outcome, Sequence(rest, node.place) if isinstance(node, Sequence) else node, self.problems
            )
            if condition is None:
                return None
        return Test(name=outcome.name, condition=condition, states=said, text=written(node))

    def _named(self, name: str, place: Place) -> Fact | None:
        """Return the fact or outcome of a name; report an unknown one, and one that has no cells."""
        found = self.named.facts.get(name) or self.named.outcomes.get(name)
        if found is None:
            self._add(place, "unknown-fact", f"unknown fact or outcome `{name}`", did_you_mean(name, self.known))
            return None
        if name in self.named.outcomes and name not in self.named.facts and name not in self.named.given:
            why = (
                "an instant, which depends on more than the facts"
                if found.type is FactType.INSTANT
                else "not produced by a table"
            )
            self._add(
                place,
                "bad-condition",
                f"`{name}` is {why}",
                "name what it depends on, such as the amount and the unit of a deadline",
            )
            return None
        return found

    def _monotone(self, node: Node) -> Monotone:
        raised = self._orders(node, "raise")
        ways = [way for way in Way if isinstance(node, Mapping) and way.value in node.entries]
        if len(ways) != 1:
            place = key_place(node, ways[1].value) if ways else node.place
            self._add(
                place,
                "missing-key" if not ways else "unknown-key",
                f"expected one of `{Way.NEVER_LOWERS}` and `{Way.NEVER_RAISES}` in `monotone`, got {'both' if ways else 'none'}",
                "name in one of them the outcome to compare, with its values from the lowest to the highest",
            )
        way = ways[0] if ways else Way.NEVER_LOWERS
        outcomes = self._orders(node, way.value)
        self._fits(node, raised, way, outcomes)
        return Monotone(raised, way, outcomes)

    def _fits(self, node: Node, raised: tuple[Order, ...], way: Way, outcomes: tuple[Order, ...]) -> None:
        for order in outcomes:
            if order.name in self.named.facts:
                self._add(
                    key_place(_part(node, way.value) or node, order.name),
                    "bad-condition",
                    f"expected an outcome, got the fact `{order.name}`",
                    "facts do not depend on each other; name an outcome here",
                )
        made = [order.name for order in raised if order.name not in self.named.facts]
        if made and len(raised) > 1:
            self._add(
                key_place(_part(node, "raise") or node, made[0]),
                "bad-condition",
                f"the outcome `{made[0]}` cannot be raised together with others",
                "raise facts, or one outcome; write one invariant per outcome",
            )

    def _orders(self, node: Node, key: str) -> tuple[Order, ...]:
        orders = [
            self._order(name, inner, key_place(_part(node, key) or node, name)) for name, inner in pairs(node, key)
        ]
        return tuple(order for order in orders if order is not None)

    def _order(self, name: str, node: Node, place: Place) -> Order | None:
        named = self._named(name, place)
        if named is None:
            return None
        if named.numeric:
            if text(node) != BY_SIZE:
                self._add(
                    node.place,
                    "bad-condition",
                    f"the number `{name}` is always ordered by size",
                    f"write `{name}: {BY_SIZE}`",
                )
            return Order(name, ())
        if named.type not in (FactType.CHOICE, FactType.BOOLEAN):
            self._add(
                place,
                "bad-condition",
                f"expected a choice, a number or a yes/no, got {kind_text(named.type)}, `{name}`",
                "only their values have an order",
            )
            return None
        if not isinstance(node, Sequence):
            self._add(
                node.place,
                "bad-condition",
                f"the order of the values of `{name}` is missing",
                f"write a list from the lowest to the highest: `{name}: [{', '.join(_ranked(named))}]`",
            )
            return None
        return Order(name, self._values(named, node))

    def _values(self, named: Fact, node: Sequence) -> tuple[str, ...]:
        """Read an order of values. It must list all of them: a missing one would go unchecked without notice."""
        known, found = _ranked(named), list[str]()
        for item in node.items:
            word = (boolean_word(text(item)) if named.type is FactType.BOOLEAN else text(item)) or text(item)
            if word not in known:
                self._add(
                    item.place, "unknown-value", f"unknown {named.name} `{text(item)}`", value_help(named, text(item))
                )
            elif word in found:
                self._add(
                    item.place,
                    "repeated-id",
                    f"`{word}` is repeated in the order of `{named.name}`",
                    "keep one of the two",
                )
            found.append(word)
        missing = [word for word in known if word not in found]
        if missing and set(found) <= set(known):
            self._add(
                node.place,
                "missing-key",
                f"the order of `{named.name}` leaves out {', '.join(f'`{word}`' for word in missing)}",
                "list every value at its rank",
            )
        return tuple(found)

    def _add(self, place: Place, code: str, message: str, help_: str) -> None:
        self.problems.append(Problem(place=place, code=code, message=message, help=help_))


def _ranked(named: Fact) -> tuple[str, ...]:
    """Return the values that an order must list; unlisted values have no rank."""
    return (NO, YES) if named.type is FactType.BOOLEAN else tuple(word for word in named.words if word != UNLISTED)


def _part(node: Node, key: str) -> Node | None:
    return node.get(key) if isinstance(node, Mapping) else None
