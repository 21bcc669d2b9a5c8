"""The order of evaluation: each table after those that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.model.policy import Table
from engine.model.problems import PolicyErrors, Problem

MAX_CHAIN: Final = 100
"""The maximum length of a chain of tables that read each other."""


def sort_tables(tables: Mapping[str, Table], problems: list[Problem]) -> tuple[str, ...]:
    """Return the tables, each after those that it reads; report each cycle once."""
    producer = {name: table.name for table in tables.values() for name in table.produces}
    reads = {
        table.name: sorted({producer[name] for name in table.reads if name in producer}) for table in tables.values()
    }
    order: list[str] = []
    state: dict[str, str] = {}
    depth: dict[str, int] = {}

    def too_long(name: str) -> PolicyErrors:
        return PolicyErrors(
            [
                Problem(
                    place=tables[name].place,
                    code="too-large",
                    message=f"a chain of more than {MAX_CHAIN} tables that read each other",
                    help="read facts directly in some of them",
                )
            ]
        )

    def visit(name: str, path: tuple[str, ...]) -> None:
        if state.get(name) == "done":
            return
        if state.get(name) == "open":
            problems.append(_cycle(tables, (*path[path.index(name) :], name)))
            return
        if len(path) >= MAX_CHAIN:
            raise too_long(name)
        state[name] = "open"
        for other in reads[name]:
            visit(other, (*path, name))
        depth[name] = 1 + max((depth.get(other, 0) for other in reads[name]), default=0)
        if depth[name] > MAX_CHAIN:
            raise too_long(name)
        state[name] = "done"
        order.append(name)

    for name in sorted(tables):
        visit(name, ())
    return tuple(order)


def _cycle(tables: Mapping[str, Table], names: tuple[str, ...]) -> Problem:
    place = tables[names[0]].place
    if len(names) == 2:
        return Problem(
            place=place,
            code="cycle",
            message=f"the table `{names[0]}` reads what it produces",
            help="a table can read facts, and outcomes of other tables",
        )
    return Problem(
        place=place,
        code="cycle",
        message="tables depend on each other: " + " → ".join(names),
        help="each reads an outcome of the next",
    )
