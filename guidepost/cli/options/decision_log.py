"""``--decision-log``, and the store that it names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from guidepost.decision_log.log_error import LogError
from guidepost.decision_log.settings import VARIABLE, default_url
from guidepost.decision_log.store import Store
from guidepost.policies.sources.source import SourceError
from guidepost.render.console import command_error, help_lines

LogOption = Annotated[
    str,
    typer.Option(
        "--decision-log",
        metavar="URL",
        help=f"The decision log: sqlite:///FILE or postgresql+psycopg://HOST/NAME. Default: ${VARIABLE}, or else a "
        "SQLite file in your state folder.",
    ),
]


@contextmanager
def log_errors() -> Iterator[None]:
    """End the command if the log or a key for it cannot be used."""
    try:
        yield
    except (LogError, SourceError) as error:
        raise command_error(error.message, *help_lines(error.help)) from error


@contextmanager
def open_log(url: str) -> Iterator[Store]:
    """Yield the log, open for reading, and close it afterwards; end the command if there is none."""
    with log_errors():
        store = Store.open_existing(url or default_url())
    try:
        yield store
    finally:
        store.close()
