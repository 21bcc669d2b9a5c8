"""What a change may do, as the options of ``guidepost diff`` and ``guidepost ci`` say it."""

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
        help="End with 6 if an outcome changes in more situations: a share such as 2%, or a number.",
    ),
]
ForbidOption = Annotated[
    list[str] | None,
    typer.Option(
        "--forbid",
        metavar="CHANGE",
        help="End with 6 if this happens anywhere, as `priority: P1 -> *`; may be given again.",
    ),
]


def read_budget(max_changed: str | None, forbid: Sequence[str] | None) -> Budget:
    """Read both options; end the command, saying why, if one is not written as it must be."""
    with budget_errors():
        return Budget(
            read_limit(max_changed) if max_changed is not None else None, tuple(map(read_forbidden, forbid or ()))
        )


@contextmanager
def budget_errors() -> Iterator[None]:
    """End the command, saying why, if a budget is none, or names what neither version has."""
    try:
        yield
    except NotABudget as error:
        raise command_error(str(error)) from None
