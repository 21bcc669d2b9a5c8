"""The options ``--output`` and ``--to`` of commands that write a report, and the stream they lead to."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer

from guidepost.atomic_file import open_private
from guidepost.render.console import cannot_write
from guidepost.render.report_format import ReportFormat

ReportFormatOption = Annotated[ReportFormat, typer.Option("-o", "--output", help="The format of the report.")]
ToOption = Annotated[
    Path | None, typer.Option("--to", metavar="FILE", help="Write to this file. Default: standard output.")
]


@contextmanager
def output_stream(to: Path | None, *, private: bool = False) -> Iterator[TextIO]:
    """Yield a new file, or standard output without one; end the command if the file cannot be written.

    A private file can be read by its owner only: a report on past tickets shows facts of real people.
    """
    if to is None:
        yield sys.stdout
        return
    try:
        with open_private(to) if private else to.open("w", encoding="utf-8") as stream:
            yield stream
    except OSError as error:
        raise cannot_write(to, error) from error
