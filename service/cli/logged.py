"""What commands are told about the decision log: the options, and the settings or the store that they make."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from service.cli.terminal import refused
from service.log.database import LogRefused
from service.log.options import LogOptions
from service.log.settings import VARIABLE, Durability, default_url
from service.log.store import Store
from service.sources import SourceError

LogOption = Annotated[
    str,
    typer.Option(
        "--decision-log", metavar="URL",
        help=f"The decision log: sqlite:///FILE or postgresql+psycopg://HOST/NAME. Default: ${VARIABLE}, else a SQLite file in your state folder.",
    ),
]
DurabilityOption = Annotated[
    Durability,
    typer.Option(
        "--log-durability", envvar="GUIDEPOST_LOG_DURABILITY", show_envvar=False,
        help="What is promised of an answer: `sync`, its record is on disk; `bounded`, only so many records or milliseconds are at risk; `off`, nothing.",
    ),
]
RecordsOption = Annotated[int, typer.Option("--log-records", min=1, help="Under `bounded`: at most so many records are at risk.")]
MillisecondsOption = Annotated[int, typer.Option("--log-milliseconds", min=1, help="Under `bounded`: no answer leaves ahead of a record that is older than this.")]
WriterOption = Annotated[str, typer.Option("--log-writer", metavar="NAME", help="The name of this server's chain; servers that share one wait for each other.")]
PatienceOption = Annotated[float, typer.Option("--log-patience", metavar="SECONDS", min=0.01, help="How long an answer waits for its record before the call is refused.")]
MaskKeyOption = Annotated[
    Path | None, typer.Option("--log-mask-key", metavar="FILE", help="The key of the tokens that stand for texts; without one, texts leave no token.")
]
MaskOption = Annotated[
    list[str] | None, typer.Option("--log-mask", metavar="FACT", help="Mask what is not on the open list of this fact, too. May be repeated.")
]
ClearOption = Annotated[list[str] | None, typer.Option("--log-in-clear", metavar="FACT", help="Record this text as it is sent. May be repeated.")]
SignOption = Annotated[Path | None, typer.Option("--log-sign-key", metavar="FILE", help="The private key that signs how far the chain has come, every minute.")]


@contextmanager
def refusing_log() -> Iterator[None]:
    """End the command if the log, or a key for it, cannot be used."""
    try:
        yield
    except (LogRefused, SourceError) as error:
        raise refused(error.message, *([f"help: {error.help}"] if error.help else [])) from error


def log_options(
    url: str, durability: Durability, records: int, milliseconds: int, writer: str, patience: float,
    mask_key: Path | None, mask: list[str] | None, clear: list[str] | None, sign_key: Path | None,
) -> LogOptions:
    """Put the options of a server's log together; end the command if a key cannot be read."""
    options = LogOptions(
        url, durability.value, records, milliseconds, writer, patience,
        str(mask_key or ""), tuple(mask or ()), tuple(clear or ()), str(sign_key or ""),
    )
    with refusing_log():
        options.settings()
    return options


@contextmanager
def reading_log(url: str) -> Iterator[Store]:
    """Open the log to read it, and close it afterwards; end the command if there is none."""
    with refusing_log():
        store = Store.reading(url or default_url())
    try:
        yield store
    finally:
        store.close()
