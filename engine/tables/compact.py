"""Diagrams of tables without the nodes that only drawing them took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from engine.diagrams.store import Diagrams, Node
from engine.diagrams.transfer import transfer
from engine.tables.rule_diagram import RuleDiagram
from engine.tables.table_diagram import Items, PolicyDiagrams, TableDiagram, TargetDiagram


def compact(drawn: PolicyDiagrams) -> PolicyDiagrams:
    """Return the same diagrams in stores that have the nodes of these only: a third of those made on the way."""
    store, moved = _empty(drawn.store)
    return replace(
        drawn,
        store=store,
        selectors={name: moved(node) for name, node in drawn.selectors.items()},
        tables={name: _table(table, moved) for name, table in drawn.tables.items()},
        targets={name: _target(target, moved) for name, target in drawn.targets.items()},
    )


def _table(table: TableDiagram, moved: Callable[[Node], Node]) -> TableDiagram:
    return replace(
        table,
        rules=None if table.rules is None else _rules(table.rules),
        possible={name: moved(node) for name, node in table.possible.items()},
        items={name: tuple([_part(part, moved) for part in parts]) for name, parts in table.items.items()},
    )


def _target(target: TargetDiagram, moved: Callable[[Node], Node]) -> TargetDiagram:
    return replace(target, rules=_rules(target.rules), possible=moved(target.possible))


def _part(part: Items, moved: Callable[[Node], Node]) -> Items:
    return replace(part, diagram=_rules(part.diagram), possible=moved(part.possible))


def _rules(rules: RuleDiagram) -> RuleDiagram:
    store, moved = _empty(rules.store)
    return replace(
        rules,
        store=store,
        counts=moved(rules.counts),
        waits={name: moved(node) for name, node in rules.waits.items()},
    )


def _empty(store: Diagrams) -> tuple[Diagrams, Callable[[Node], Node]]:
    """Return an empty store over the same facts, and what brings a function there."""
    sizes = dict(zip(store.facts, store.sizes, strict=True))
    target = Diagrams(sizes, store.most)
    return target, transfer(store, target, {fact: range(size) for fact, size in sizes.items()})
