"""The messages of a server on standard error: one line each, as text for people or as JSON for programs.

They report on the server. What was decided is in the decision log (``guidepost.decision_log``). No message contains
facts of a ticket, or a text that a caller sent.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

TEXT, JSON = "text", "json"

CALLS: Final = "guidepost.calls"
"""The logger of the call log."""


def set_up(log_format: str, stream: TextIO | None = None) -> None:
    """Write all messages of this process to a stream, by default standard error, as ``text`` or ``json``."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderer(log_format)],
            foreign_pre_chain=_FIELDS,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # Its messages about each step do not help an operator.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Calls are frequent: writing them directly takes a fraction of the time of the logging module.
    structlog.configure(
        processors=[structlog.processors.add_log_level, _TIMESTAMP, *_renderer(log_format)],
        logger_factory=structlog.WriteLoggerFactory(stream or sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )


_TIMESTAMP: Final = structlog.processors.TimeStamper(fmt="iso", utc=True)

_FIELDS: Final[list[Processor]] = [
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    _TIMESTAMP,
]
"""The fields of every message, from the logging module or from structlog."""


def _renderer(log_format: str) -> list[Processor]:
    if log_format == JSON:
        return [structlog.processors.format_exc_info, _ordered, structlog.processors.JSONRenderer(ensure_ascii=False)]
    return [structlog.processors.format_exc_info, _line]


def _ordered(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Put the fields first that a reader looks for."""
    first = {
        "time": event.pop("timestamp"),
        "level": event.pop("level"),
        "logger": event.pop("logger"),
        "message": event.pop("event"),
    }
    return {**first, **event}


def _line(_: WrappedLogger, __: str, event: EventDict) -> str:
    """Return a message as a line: time, level, logger, text and fields.

    Further lines are indented, unlike a next message.
    """
    head = f"{event.pop('timestamp')} {event.pop('level').upper()} {event.pop('logger')} {event.pop('event')}"
    trace = event.pop("exception", "")
    line = " ".join([head, *(f"{name}={_value(value)}" for name, value in event.items())]) + (
        f"\n{trace}" if trace else ""
    )
    return "\n    ".join(map(_printable, line.split("\n")))


_PLAIN: Final = re.compile(r"[^\s\"'=\\]+")


def _value(value: object) -> str:
    """Return a value as a plain word, or else as a JSON string, so that it cannot look like several fields.

    >>> _value("portal"), _value(7), _value("bob status=OK"), _value(["a", "b"])
    ('portal', '7', '"bob status=OK"', '[a,b]')
    """
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_value, value))}]"
    text = str(value)
    return (
        text if _PLAIN.fullmatch(text) and text.isprintable() else json.dumps(text, ensure_ascii=not text.isprintable())
    )


def _printable(line: str) -> str:
    """Return a line with its unprintable characters escaped."""
    return (
        line
        if line.isprintable()
        else "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in line)
    )
