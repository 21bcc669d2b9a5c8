"""``--max-changed`` and ``--forbid``: what a change of policies may do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer

from engine.diff import Budget, NotABudget, read_forbidden, read_limit
from guidepost.render.console import command_error

MaxChangedOption = Annotated[
    str | None,
    typer.Option(
        "--max-changed",
        metavar="LIMIT",
        help="Exit with 6 if an outcome changes in more situations (tickets, in a replay) than this: a share such as 2%, or a number.",
    ),
]
ForbidOption = Annotated[
    list[str] | None,
    typer.Option(
        "--forbid",
        metavar="CHANGE",
        help="Exit with 6 if an outcome changes like this, such as `priority: P1 -> *`; may be repeated.",
    ),
]


def read_budget(max_changed: str | None, forbid: Sequence[str] | None) -> Budget:
    """Read both options; end the command if one is not a budget."""
    with budget_errors():
        return Budget(
            read_limit(max_changed) if max_changed is not None else None, tuple(map(read_forbidden, forbid or ()))
        )


@contextmanager
def budget_errors() -> Iterator[None]:
    """End the command if a text is not a budget, or names an outcome or value that neither version has."""
    try:
        yield
    except NotABudget as error:
        raise command_error(str(error)) from None
