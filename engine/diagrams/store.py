"""Decision diagrams: functions of facts, each stored once, so that equal functions are the same node.

A diagram is reduced, ordered and multi-valued. An inner node asks one fact and has a child for each class of it, class
0 being "not known"; on every way down, facts come in one order. A leaf has a value. Nodes are numbers: two functions
are equal exactly when their numbers are. Nodes whose children are all the same do not exist, nor do two equal ones.

    >>> store = Diagrams({"wet": 3, "cold": 3})
    >>> no, yes = store.leaf(False), store.leaf(True)
    >>> wet = store.node("wet", [no, no, yes])
    >>> cold = store.node("cold", [no, no, yes])
    >>> both = store.combine(lambda one, other: one and other, wet, cold)
    >>> both == store.combine(lambda one, other: one and other, cold, wet)
    True
    >>> store.value_at(both, {"wet": 2, "cold": 2}), store.value_at(both, {"wet": 2})
    (True, False)
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Final

Node = int
"""A function, by its number in a store."""

MOST_NODES: Final = 1_000_000
"""How many nodes a store holds by default."""


class TooManyNodes(Exception):
    """A store is full.

    ``asking`` has the number of nodes made since :meth:`Diagrams.allow`, by the fact that they ask.
    """

    def __init__(self, asking: Mapping[str, int]) -> None:
        super().__init__(f"{sum(asking.values()):,} nodes")
        self.asking = asking


class Diagrams:
    """A store of diagrams over the same facts: ``sizes`` has each fact with its number of classes, in their order.

    It holds at most ``most`` nodes. How many nodes a function takes is the same on every machine.
    """

    __slots__ = (
        "_at",
        "_children",
        "_codes",
        "_leaves",
        "_limit",
        "_since",
        "_unique",
        "facts",
        "level",
        "most",
        "sizes",
    )

    def __init__(self, sizes: Mapping[str, int], most: int = MOST_NODES) -> None:
        self.facts = tuple(sizes)
        self.sizes = tuple(sizes.values())
        self.level = {fact: at for at, fact in enumerate(self.facts)}
        self.most = self._limit = most
        self._since = 0
        self._at: list[int] = []
        self._children: list[tuple[Node, ...]] = []
        self._unique: dict[tuple[int, tuple[Node, ...]], Node] = {}
        self._leaves: dict[tuple[type, Hashable], Node] = {}
        self._codes: dict[Node, Any] = {}

    def __getstate__(self) -> tuple[Any, ...]:
        """Return what a pickle contains: without the numbers of nodes by their children, which only new nodes need."""
        flat = array("I", chain.from_iterable(self._children))
        return dict(zip(self.facts, self.sizes, strict=True)), self.most, array("I", self._at), flat, self._codes

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        sizes, most, levels, flat, codes = state
        self.__init__(sizes, most)  # type: ignore[misc]
        self._at, self._codes = levels.tolist(), codes
        self._leaves = {(type(value), value): node for node, value in codes.items()}
        # One object for each number, however many nodes have it as a child.
        shared, left = list(range(len(self._at))), iter(flat)
        for level in self._at:
            size = 0 if level == len(self.sizes) else self.sizes[level]
            self._children.append(tuple([shared[one] for one in islice(left, size)]))
        del self._unique

    def __getattr__(self, name: str) -> Any:
        """Return the numbers of nodes by their children, which a store that was unpickled makes when it needs them."""
        if name != "_unique":
            raise AttributeError(name)
        self._unique = {
            (level, children): node
            for node, (level, children) in enumerate(zip(self._at, self._children, strict=True))
            if children
        }
        return self._unique

    def __len__(self) -> int:
        return len(self._at)

    def leaf(self, value: Hashable) -> Node:
        """Return the function that has this value everywhere. Values of unlike types are unlike: 1, 1.0 and True."""
        key = (type(value), value)
        found = self._leaves.get(key)
        if found is None:
            found = self._leaves[key] = self._new(len(self.facts), ())
            self._codes[found] = value
        return found

    def node(self, fact: str, children: Sequence[Node]) -> Node:
        """Return the function that asks a fact first; ``children`` ask only facts that come later in the order."""
        return self._node(self.level[fact], tuple(children))

    def _node(self, level: int, children: tuple[Node, ...]) -> Node:
        first = children[0]
        if children.count(first) == len(children):
            return first
        key = (level, children)
        found = self._unique.get(key)
        if found is None:
            found = self._unique[key] = self._new(level, children)
        return found

    def _new(self, level: int, children: tuple[Node, ...]) -> Node:
        if len(self._at) >= self._limit:
            raise TooManyNodes(self.asking())
        self._at.append(level)
        self._children.append(children)
        return len(self._at) - 1

    def allow(self, nodes: int) -> None:
        """Allow so many nodes more from now on, as far as the store has room."""
        self._since = len(self._at)
        self._limit = min(self.most, self._since + nodes)

    @property
    def made(self) -> int:
        """How many nodes were made since :meth:`allow`."""
        return len(self._at) - self._since

    def asking(self) -> dict[str, int]:
        """Return how many of the nodes made since :meth:`allow` ask each fact, leaves apart."""
        counts = [0] * (len(self.facts) + 1)
        for level in self._at[self._since :]:
            counts[level] += 1
        return dict(zip(self.facts, counts, strict=False))

    def is_leaf(self, node: Node) -> bool:
        """Return whether a function has one value everywhere."""
        return self._at[node] == len(self.facts)

    def value(self, leaf: Node) -> Any:
        """Return the value of a leaf; raises KeyError for an inner node."""
        return self._codes[leaf]

    def asks(self, node: Node) -> str:
        """Return the fact that an inner node asks."""
        return self.facts[self._at[node]]

    def children(self, node: Node) -> tuple[Node, ...]:
        """Return the children of a node, by class; a leaf has none."""
        return self._children[node]

    def value_at(self, node: Node, classes: Mapping[str, int]) -> Any:
        """Return the value where these are the classes of the facts; those left out are not known."""
        while self._children[node]:
            node = self._children[node][classes.get(self.facts[self._at[node]], 0)]
        return self._codes[node]

    def combine(
        self, function: Callable[..., Hashable], *nodes: Node, known: dict[tuple[Node, ...], Node] | None = None
    ) -> Node:
        """Return the function whose value everywhere is ``function`` of the values of these.

        ``known`` has what earlier calls with the same function found, and gets what this one finds.
        """
        at, children, codes, leaf, make = self._at, self._children, self._codes, self.leaf, self._node
        bottom = len(self.facts)
        known = {} if known is None else known

        def visit(here: tuple[Node, ...]) -> Node:
            found = known.get(here)
            if found is not None:
                return found
            level = min([at[one] for one in here])
            if level == bottom:
                found = leaf(function(*[codes[one] for one in here]))
            else:
                below = [children[one] if at[one] == level else (one,) * self.sizes[level] for one in here]
                found = make(level, tuple([visit(part) for part in zip(*below, strict=True)]))
            known[here] = found
            return found

        return visit(nodes)

    def map(self, function: Callable[[Any], Hashable], node: Node) -> Node:
        """Return the function whose value everywhere is ``function`` of the value of this one."""
        return self.combine(function, node)

    def choose(self, selector: Node, branches: Sequence[Node]) -> Node:
        """Return the function that is ``branches[n]`` where ``selector`` is ``n``."""
        at, children, codes, make = self._at, self._children, self._codes, self._node
        bottom = len(self.facts)
        known: dict[tuple[Node, tuple[Node, ...]], Node] = {}

        def visit(chooser: Node, ways: tuple[Node, ...]) -> Node:
            if at[chooser] == bottom:
                branch: int = codes[chooser]
                return ways[branch]
            if ways.count(ways[0]) == len(ways):
                return ways[0]
            key = (chooser, ways)
            found = known.get(key)
            if found is not None:
                return found
            level = min([at[chooser], *[at[one] for one in ways]])
            size = self.sizes[level]
            choosers = children[chooser] if at[chooser] == level else (chooser,) * size
            if any(at[one] == level for one in ways):
                below = [children[one] if at[one] == level else (one,) * size for one in ways]
                found = make(
                    level,
                    tuple([visit(part, way) for part, way in zip(choosers, zip(*below, strict=True), strict=True)]),
                )
            else:
                found = make(level, tuple([visit(part, ways) for part in choosers]))
            known[key] = found
            return found

        return visit(selector, tuple(branches))

    def widen(
        self,
        node: Node,
        fact: str,
        where: Node,
        finals: Sequence[Sequence[int]],
        join: Callable[[Any, Any], Hashable],
    ) -> Node:
        """Add, where ``where`` is true, the values of the classes that a class of ``fact`` can become.

        ``finals`` has for each class of the fact those that it can become; a class without any keeps its values.
        ``join`` puts two values together; it is associative, commutative and idempotent.
        """
        wanted = self.level[fact]
        size = self.sizes[wanted]
        known: dict[tuple[Node, Node], Node] = {}
        joined: dict[tuple[Node, ...], Node] = {}
        joins: dict[tuple[Node, ...], Node] = {}
        added: dict[tuple[Node, ...], Node] = {}

        def add(old: Any, new: Any, so: bool) -> Hashable:
            return join(old, new) if so else old

        def together(nodes: Sequence[Node]) -> Node:
            distinct = tuple(sorted(set(nodes)))
            if len(distinct) == 1:
                return distinct[0]
            found = joined.get(distinct)
            if found is None:
                half = len(distinct) // 2
                one, other = sorted((together(distinct[:half]), together(distinct[half:])))
                found = joined[distinct] = self.combine(join, one, other, known=joins)
            return found

        def visit(here: Node, there: Node) -> Node:
            at_here, at_there = self._at[here], self._at[there]
            if at_here > wanted or (not self._children[there] and not self._codes[there]):
                return here
            key = (here, there)
            found = known.get(key)
            if found is not None:
                return found
            level = min(at_here, at_there)
            count = self.sizes[level]
            below = self._children[here] if at_here == level else (here,) * count
            conditions = self._children[there] if at_there == level else (there,) * count
            if level == wanted:
                made = list(below)
                for one in range(size):
                    if finals[one] and (self._children[conditions[one]] or self._codes[conditions[one]]):
                        more = together([below[final] for final in finals[one]])
                        made[one] = self.combine(add, below[one], more, conditions[one], known=added)
                found = self._node(level, tuple(made))
            else:
                found = self._node(level, tuple(map(visit, below, conditions)))
            known[key] = found
            return found

        return visit(node, where)

    def reachable(self, *roots: Node) -> Iterator[Node]:
        """Yield every node below these, once, leaves included."""
        seen: set[Node] = set()
        waiting = list(roots)
        while waiting:
            here = waiting.pop()
            if here not in seen:
                seen.add(here)
                yield here
                waiting.extend(self._children[here])

    def values(self, node: Node) -> list[Any]:
        """Return the distinct values of a function, in no order that means anything."""
        return [self._codes[one] for one in self.reachable(node) if self.is_leaf(one)]

    def support(self, *roots: Node) -> tuple[str, ...]:
        """Return the facts that these functions ask, in the order of the store."""
        levels = {self._at[one] for one in self.reachable(*roots)}
        return tuple(fact for at, fact in enumerate(self.facts) if at in levels)

    def support_at(self, node: Node, classes: Mapping[str, int]) -> tuple[str, ...]:
        """Return the facts that a function asks where some facts have these classes, but for class 0, "not known"."""
        levels = {self._at[one] for one in self._below(node, classes)}
        return tuple(fact for at, fact in enumerate(self.facts) if at in levels and not classes.get(fact))

    def _below(self, node: Node, classes: Mapping[str, int]) -> set[Node]:
        seen: set[Node] = set()
        waiting = [node]
        while waiting:
            here = waiting.pop()
            if here not in seen:
                seen.add(here)
                below = self._children[here]
                if below:
                    known = classes.get(self.facts[self._at[here]])
                    waiting.extend((below[known],) if known else below)
        return seen

    def turns(self, node: Node, fact: str, classes: Mapping[str, int], holds: Callable[[Any, Any], bool]) -> bool:
        """Return whether somewhere a missing fact that becomes known turns a value into another one.

        ``holds`` is asked about the values before and after, and false of equal ones. Facts with a class other than 0
        in ``classes`` have it; all others are free.
        """
        level = self.level[fact]
        fixed = {self.level[name]: one for name, one in classes.items() if one and name in self.level}
        known: dict[tuple[Node, Node], bool] = {}

        def some(before: Node, after: Node) -> bool:
            if before == after:
                return False
            key = (before, after)
            found = known.get(key)
            if found is None:
                at = min(self._at[before], self._at[after])
                if at == len(self.facts):
                    found = holds(self._codes[before], self._codes[after])
                else:
                    ways = (fixed[at],) if at in fixed else range(self.sizes[at])
                    found = any(some(self._child(before, at, one), self._child(after, at, one)) for one in ways)
                known[key] = found
            return found

        return any(
            some(self._children[here][0], other)
            for here in self._below(node, classes)
            if self._at[here] == level
            for other in dict.fromkeys(self._children[here][1:])
        )

    def _child(self, node: Node, level: int, one: int) -> Node:
        return self._children[node][one] if self._at[node] == level else node

    def where_known(self, node: Node, absent: Node) -> Node:
        """Return the function with ``absent`` wherever a fact in class 0 makes a difference.

        Other facts are not asked.
        """
        known: dict[Node, Node] = {}

        def visit(here: Node) -> Node:
            found = known.get(here)
            if found is None:
                below = self._children[here]
                if not below:
                    return here
                kept = [visit(one) for one in below[1:]]
                alike = kept.count(kept[0]) == len(kept)
                found = known[here] = kept[0] if alike else self._node(self._at[here], (absent, *kept))
            return found

        return visit(node)

    def count(self, node: Node, classes: Mapping[str, Sequence[int]] | None = None) -> dict[Node, int]:
        """Return in how many combinations of classes the function has each leaf.

        ``classes`` has the classes of each fact that are counted, of all facts that the function asks; by default, all
        classes of all facts.
        """
        counted = (
            {fact: range(size) for fact, size in zip(self.facts, self.sizes, strict=True)}
            if classes is None
            else classes
        )
        part = {node: math.prod(map(len, counted.values()))}
        found: dict[Node, int] = {}
        # Parents come before their children: a child has one class's part of what each parent has.
        for here in sorted(self.reachable(node), key=self._at.__getitem__):
            whole = part.get(here, 0)
            if below := self._children[here]:
                asked = counted[self.facts[self._at[here]]]
                for one in asked:
                    part[below[one]] = part.get(below[one], 0) + whole // len(asked)
            elif whole:
                found[here] = whole
        return found

    def shortest(self, node: Node) -> dict[str, int] | None:
        """Return the fewest known facts, with their classes, with which a function of yes and no is yes; None if never.

        It is yes for a ticket of these facts alone, and stays so whatever the facts are that no node asks on the way.
        Of equally short ones it is the first by the names of the facts, and by their classes.
        """
        found = [facts for leaf, facts in self.fewest(node).items() if self._codes[leaf]]
        return min(found, key=lambda facts: (len(facts), sorted(facts.items())), default=None)

    def fewest(self, node: Node) -> dict[Node, dict[str, int]]:
        """Return for each leaf of a function the fewest known facts that lead there, with their classes.

        >>> store = Diagrams({"wet": 3, "cold": 3})
        >>> cold = store.node("cold", [store.leaf("mild"), store.leaf("mild"), store.leaf("cold")])
        >>> found = store.fewest(store.node("wet", [cold, cold, store.leaf("wet")]))
        >>> sorted((store.value(leaf), facts) for leaf, facts in found.items())
        [('cold', {'cold': 2}), ('mild', {}), ('wet', {'wet': 2})]
        """
        best: dict[Node, tuple[tuple[str, int], ...]] = {node: ()}
        found: dict[Node, dict[str, int]] = {}
        # Parents come before their children: every way to a node is known when its children are looked at.
        for here in sorted(self.reachable(node), key=self._at.__getitem__):
            way = best[here]
            below = self._children[here]
            if not below:
                found[here] = dict(way)
                continue
            fact = self.facts[self._at[here]]
            first: dict[Node, int] = {}
            for one, child in enumerate(below):
                first.setdefault(child, one)
            for child, one in first.items():
                named = tuple(sorted([*way, (fact, one)])) if one else way
                known = best.get(child)
                if known is None or (len(named), named) < (len(known), known):
                    best[child] = named
        return found

    def restrict(self, node: Node, classes: Mapping[str, int]) -> Node:
        """Return the function where these facts have these classes; it does not ask them any more."""
        fixed = {self.level[fact]: one for fact, one in classes.items() if fact in self.level}
        at, children, make = self._at, self._children, self._node
        known: dict[Node, Node] = {}

        def visit(here: Node) -> Node:
            found = known.get(here)
            if found is None:
                below = children[here]
                if not below:
                    return here
                one = fixed.get(at[here])
                if one is not None:
                    found = visit(below[one])
                else:
                    found = make(at[here], tuple([visit(child) for child in below]))
                known[here] = found
            return found

        return visit(node)

    def some(self, node: Node, facts: Iterable[str], join: Callable[[Any, Any], Hashable]) -> Node:
        """Return the function without these facts: its value is that of all their classes, joined.

        ``join`` is associative, commutative and idempotent; with ``or``, the result is true where the function is for
        some classes of the facts.
        """
        gone = {self.level[fact] for fact in facts if fact in self.level}
        known: dict[Node, Node] = {}

        def visit(here: Node) -> Node:
            found = known.get(here)
            if found is None:
                below = self._children[here]
                if not below:
                    return here
                kept = [visit(child) for child in below]
                if self._at[here] in gone:
                    found, *others = dict.fromkeys(kept)
                    for other in others:
                        found = self.combine(join, found, other)
                else:
                    found = self._node(self._at[here], tuple(kept))
                known[here] = found
            return found

        return visit(node)

    def alike(self, *roots: Node) -> dict[str, tuple[int, ...]]:
        """Return for each fact that functions ask the group of each of its classes, numbered as they first occur.

        Classes of one group make no difference to any of the functions.

        >>> store = Diagrams({"wet": 4})
        >>> store.alike(store.node("wet", [store.leaf(one) for one in (0, 1, 0, 1)]))
        {'wet': (0, 1, 0, 1)}
        """
        rows: dict[int, list[tuple[Node, ...]]] = {}
        for here in self.reachable(*roots):
            if self._children[here]:
                rows.setdefault(self._at[here], []).append(self._children[here])
        found = {}
        for level in sorted(rows):
            numbers: dict[tuple[Node, ...], int] = {}
            columns = zip(*rows[level], strict=True)
            found[self.facts[level]] = tuple([numbers.setdefault(one, len(numbers)) for one in columns])
        return found

    def paths(self, node: Node) -> Iterator[tuple[dict[str, tuple[int, ...]], Any]]:
        """Yield every way down with its value: for each fact on the way, the classes that lead on.

        Facts that are not on the way make no difference there. No case is on two ways.
        """
        way: dict[str, tuple[int, ...]] = {}

        def visit(here: Node) -> Iterator[tuple[dict[str, tuple[int, ...]], Any]]:
            below = self._children[here]
            if not below:
                yield dict(way), self._codes[here]
                return
            fact = self.facts[self._at[here]]
            for child in dict.fromkeys(below):
                way[fact] = tuple([one for one, other in enumerate(below) if other == child])
                yield from visit(child)
            del way[fact]

        return visit(node)
