"""Compact diagrams are the same functions in stores that have no other nodes."""

from __future__ import annotations

from collections.abc import Iterator

from engine.diagrams.store import Diagrams, Node
from engine.diagrams.transfer import transfer
from engine.load import load
from engine.tables.compact import compact
from engine.tables.table_diagram import PolicyDiagrams
from engine.version.build import draw_policy
from engine.version.bundle import Bundle
from tests.support.growth import prerequisites


def test_compact_diagrams_are_the_same_functions(shipped: Bundle) -> None:
    policies = [*(version.policy for version in shipped.versions), load(prerequisites(40))]
    for policy in policies:
        drawn = draw_policy(policy).diagrams
        for (store, node), (other, kept) in zip(functions(drawn), functions(compact(drawn)), strict=True):
            sizes = {fact: range(size) for fact, size in zip(store.facts, store.sizes, strict=True)}
            assert kept == transfer(store, other, sizes)(node)


def test_stores_of_a_version_have_only_the_nodes_of_its_diagrams(shipped: Bundle) -> None:
    for version in shipped.versions:
        reached: dict[int, set[Node]] = {}
        stores: dict[int, Diagrams] = {}
        for store, node in functions(version.diagrams):
            stores[id(store)] = store
            reached.setdefault(id(store), set()).update(store.reachable(node))
        for key, store in stores.items():
            assert len(store) == len(reached[key])


def functions(drawn: PolicyDiagrams) -> Iterator[tuple[Diagrams, Node]]:
    """Yield every function that diagrams have, with its store."""
    for node in drawn.selectors.values():
        yield drawn.store, node
    for table in drawn.tables.values():
        for node in table.possible.values():
            yield drawn.store, node
        for parts in table.items.values():
            for part in parts:
                yield drawn.store, part.possible
    for target in drawn.targets.values():
        yield drawn.store, target.possible
    rules = [one for table in drawn.tables.values() for one in table.diagrams] + [
        target.rules for target in drawn.targets.values()
    ]
    for one in rules:
        for node in (one.counts, *one.waits.values()):
            yield one.store, node
