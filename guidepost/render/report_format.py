"""The formats of a report: text for a terminal, Markdown, HTML and JSON, chosen in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TextIO

from rich.console import RenderableType

from guidepost.render.console import Screen, json_text


class ReportFormat(StrEnum):
    """The formats of a difference, a replay or a verification of a log."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportWriters:
    """The functions that write one report in each format; only the one that is asked for is called."""

    text: Callable[[], Iterable[RenderableType]]
    markdown: Callable[[], str]
    html: Callable[[], str]
    json: Callable[[], object]

    def write(self, form: ReportFormat, stream: TextIO) -> None:
        """Write the report to a stream."""
        match form:
            case ReportFormat.TEXT:
                Screen(stream).show(*self.text())
            case ReportFormat.MARKDOWN:
                stream.write(self.markdown())
            case ReportFormat.HTML:
                stream.write(self.html())
            case ReportFormat.JSON:
                stream.write(json_text(self.json()))
