"""What commands are told about the decision log, and the store that they read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from guidepost.decision_log.database import LogError
from guidepost.decision_log.settings import VARIABLE, default_url
from guidepost.decision_log.store import Store
from guidepost.policies.sources import SourceError
from guidepost.render.console import refused

LogOption = Annotated[
    str,
    typer.Option(
        "--decision-log",
        metavar="URL",
        help=f"The decision log: sqlite:///FILE or postgresql+psycopg://HOST/NAME. Default: ${VARIABLE}, else a SQLite file in your state folder.",
    ),
]


@contextmanager
def refusing_log() -> Iterator[None]:
    """End the command if the log, or a key for it, cannot be used."""
    try:
        yield
    except (LogError, SourceError) as error:
        raise refused(error.message, *([f"help: {error.help}"] if error.help else [])) from error


@contextmanager
def reading_log(url: str) -> Iterator[Store]:
    """Open the log to read it, and close it afterwards; end the command if there is none."""
    with refusing_log():
        store = Store.reading(url or default_url())
    try:
        yield store
    finally:
        store.close()
