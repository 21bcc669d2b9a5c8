"""The combinations of what a table reads that tickets reach.

A table reads facts and outcomes, and outcomes that depend on the same facts can't have all values together. Facts
that only one of them depends on are left out first, so that diagrams stay small.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import or_

from engine.diagrams.store import Diagrams, Node
from engine.diagrams.transfer import transfer
from engine.tables.node_limit import MOST_NODES_A_TABLE

_READ = "read "


def reached(sent: Diagrams, read: Mapping[str, Node], own: Diagrams) -> Node:
    """Draw where over what is read some ticket leads.

    ``read`` has the class of each thing that is read, over sent facts; the result is a function of these classes, in
    the store ``own``.

    >>> sent, own = Diagrams({"cold": 2}), Diagrams({"ice": 2, "snow": 2})
    >>> cold = sent.node("cold", [sent.leaf(0), sent.leaf(1)])
    >>> where = reached(sent, {"ice": cold, "snow": cold}, own)
    >>> own.value_at(where, {"ice": 1, "snow": 1}), own.value_at(where, {"ice": 1})
    (True, False)
    """
    no, found = own.leaf(False), own.leaf(True)
    for names in _groups({name: frozenset(sent.support(read[name])) for name in own.facts}):
        if len(names) == 1:
            values = set(sent.values(read[names[0]]))
            part = own.node(names[0], [own.leaf(one in values) for one in range(own.sizes[own.level[names[0]]])])
        else:
            part = _together(sent, {name: read[name] for name in names}, own)
        found = own.choose(part, [no, found])
    return found


def _groups(supports: Mapping[str, frozenset[str]]) -> Iterator[list[str]]:
    """Yield names that depend on common facts, directly or through others.

    >>> list(_groups({"a": frozenset("xy"), "b": frozenset("z"), "c": frozenset("y")}))
    [['a', 'c'], ['b']]
    """
    left = dict(supports)
    while left:
        name = next(iter(left))
        group, facts = [name], left.pop(name)
        while more := [other for other, others in left.items() if facts & others]:
            group += more
            facts = facts.union(*(left.pop(other) for other in more))
        yield [one for one in supports if one in group]


def _together(sent: Diagrams, read: Mapping[str, Node], own: Diagrams) -> Node:
    """Draw which classes things that share facts have together: relations, joined over one fact after the other."""
    facts = sent.support(*read.values())
    sizes = {fact: sent.sizes[sent.level[fact]] for fact in facts}
    store = Diagrams(sizes | {_READ + name: own.sizes[own.level[name]] for name in read}, MOST_NODES_A_TABLE)
    moved = transfer(sent, store, {fact: range(size) for fact, size in sizes.items()})
    no = store.leaf(False)
    relations = []
    for name, node in read.items():
        size = own.sizes[own.level[name]]
        equal = [store.node(_READ + name, [store.leaf(one == other) for other in range(size)]) for one in range(size)]
        relations.append((frozenset(sent.support(node)), store.choose(moved(node), equal)))
    left = set(facts)
    while left:
        fact = min(left, key=lambda one: (sum(one in asked for asked, _ in relations), store.level[one]))
        joined, asked = store.leaf(True), frozenset[str]()
        for one, node in relations:
            if fact in one:
                joined, asked = store.combine(lambda a, b: a and b, joined, node), asked | one
        gone = {other for other in asked if all(other not in one for one, _ in relations if fact not in one)}
        relations = [(one, node) for one, node in relations if fact not in one]
        relations.append((asked - gone, store.some(joined, gone, or_)))
        left -= gone
    found = store.leaf(True)
    for _, node in relations:
        found = store.choose(node, [no, found])
    made: dict[Node, Node] = {}

    def named(node: Node) -> Node:
        if node not in made:
            below = store.children(node)
            made[node] = (
                own.node(store.asks(node).removeprefix(_READ), [named(one) for one in below])
                if below
                else own.leaf(store.value(node))
            )
        return made[node]

    return named(found)
