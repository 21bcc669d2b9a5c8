"""A version's tables -> what durable-rules is asked, and its report -> problems of the policy.

Durable-rules is asked about a table over what it reads itself: facts, and outcomes of other tables. Classes that
neither the rules nor the diagram distinguishes are one class here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.cross_check import (
    LEAF,
    CrossCheckReport,
    CrossCheckRule,
    CrossCheckTable,
    Disagreement,
    Failure,
    ServedRules,
)
from engine.diagrams.store import Diagrams, Node
from engine.model.problems import Place, Problem
from engine.tables.fact_order import reads_of
from engine.tables.partition import Partition
from engine.tables.table_diagram import TableDiagram
from engine.version.build import PolicyTables
from engine.version.version import Version


def tables_to_cross_check(version: Version | PolicyTables) -> tuple[CrossCheckTable, ...]:
    """Return the tables of a version in the form that durable-rules checks, without `otherwise`."""
    return tuple(_cross_check_table(one) for one in _read_tables(version).values() if one.drawn.table.rules)


@dataclass(frozen=True, slots=True)
class _ReadTable:
    """A table over what it reads."""

    drawn: TableDiagram
    parts: Mapping[str, Partition]

    def diagrams(self) -> Iterator[tuple[Diagrams, Node, tuple[int, ...]]]:
        """Yield the diagrams of which rules count, each with the positions of its rules in the table."""
        if self.drawn.rules is not None:
            yield self.drawn.rules.store, self.drawn.rules.counts, tuple(range(len(self.drawn.table.rules)))
        for items in self.drawn.items.values():
            yield from ((one.diagram.store, one.diagram.counts, one.drawn) for one in items)

    def groups(self) -> dict[str, tuple[int, ...]]:
        """Return the group of each class of each thing that is read, numbered as they first occur.

        Class 0, "unknown", is a group of its own.
        """
        told: dict[str, list[list[object]]] = {
            name: [[held == 0] for held in range(self.parts[name].size)] for name in sorted(reads_of(self.drawn.table))
        }
        for number, rule in enumerate(self.drawn.table.rules):
            for one in rule.when:
                for held in self.parts[one.fact].allowed(one):
                    told[one.fact][held].append(number)
        for number, (store, node, _) in enumerate(self.diagrams()):
            for name, alike in store.alike(node).items():
                for held, signature in enumerate(told[name]):
                    signature.append((number, alike[held]))
        found = {}
        for name, signatures in told.items():
            numbers: dict[object, int] = {}
            found[name] = tuple([numbers.setdefault(tuple(one), len(numbers)) for one in signatures])
        return found


def _read_tables(version: Version | PolicyTables) -> dict[str, _ReadTable]:
    """Return all tables, those of the deadlines too."""
    return {
        name: _ReadTable(one, drawn.parts)
        for drawn in (version.diagrams, *version.deadline_diagrams.values())
        for name, one in drawn.tables.items()
    }


def _cross_check_table(read: _ReadTable) -> CrossCheckTable:
    groups = read.groups()
    axis = {name: at for at, name in enumerate(groups)}
    table = read.drawn.table
    rules = tuple(
        CrossCheckRule(
            rule.id,
            tuple(
                sorted(
                    (axis[one.fact], frozenset(groups[one.fact][held] for held in read.parts[one.fact].allowed(one)))
                    for one in rule.when
                )
            ),
        )
        for rule in table.rules
    )
    return CrossCheckTable(
        name=table.name,
        axes=tuple((name, max(group) + 1) for name, group in groups.items()),
        rules=rules,
        policy=table.hit.value,
        served=tuple(_served(*diagram, groups) for diagram in read.diagrams()),
    )


def _served(
    store: Diagrams, root: Node, positions: tuple[int, ...], groups: Mapping[str, tuple[int, ...]]
) -> ServedRules:
    """Return a diagram as plain data, with positions in the table at its leaves."""
    axis = {name: at for at, name in enumerate(groups)}
    depth = {
        node: len(store.facts) if store.is_leaf(node) else store.level[store.asks(node)]
        for node in store.reachable(root)
    }
    order = sorted(depth, key=lambda node: (depth[node], node))
    number = {node: at for at, node in enumerate(order)}
    nodes = []
    for node in order:
        if store.is_leaf(node):
            counted = (rule for rule in store.value(node) if rule < len(positions))
            nodes.append((LEAF, tuple([positions[rule] for rule in counted])))
        else:
            name, below = store.asks(node), store.children(node)
            # A state whose number is a class has the value of this class for good.
            members = {group: held for held, group in enumerate(groups[name])}
            nodes.append((axis[name], tuple([number[below[members[one]]] for one in range(len(members))])))
    return ServedRules(positions, tuple(nodes))


def agreement_problems(version: Version, report: CrossCheckReport) -> list[Problem]:
    """Return every disagreement and failure as a problem that names its table and cell."""
    return [_disagreement(version, found) for found in report.disagreements] + [
        _failure(version, found) for found in report.failures
    ]


def _disagreement(version: Version, found: Disagreement) -> Problem:
    expected, got = (", ".join(rules) or "no rule" for rules in (found.expected_rules, found.got_rules))
    return Problem(
        place=_place(version, found.table),
        code="rules-engine",
        message=f"durable-rules and the table `{found.table}` disagree: expected {expected}, got {got}",
        help="this is a bug in Guidepost or durable-rules, not in the policy",
        witness=_cell(version, found.table, found.cell),
    )


def _failure(version: Version, found: Failure) -> Problem:
    where = f" on the table `{found.table}`" if found.table else ""
    cell = _cell(version, found.table, found.cell) if found.table and found.cell is not None else ()
    return Problem(
        place=_place(version, found.table),
        code="rules-engine",
        message=found.reason if found.help else f"durable-rules failed{where}: {found.reason}",
        help=found.help,
        witness=cell,
    )


def _place(version: Version, table: str | None) -> Place:
    return version.policy.manifest.place if table is None else _read_tables(version)[table].drawn.table.place


def _cell(version: Version, table: str, cell: tuple[int, ...]) -> tuple[tuple[str, str], ...]:
    """Return a cell as facts and values; the value of a missing fact is `unknown`."""
    read = _read_tables(version)[table]
    groups = read.groups()
    return tuple(
        (name, version.atoms[name].text(read.parts[name].members[groups[name].index(at)]) if at else "unknown")
        for name, at in zip(groups, cell, strict=True)
    )
