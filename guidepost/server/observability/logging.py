"""The messages of a server on standard error: one line each, as text for people or as JSON for what gathers them.

These say how the server is doing, and are not the decision log (package ``log``), which records what was decided. No message
holds a fact of a ticket, or a text that a caller sent.
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
"""The name under which calls are written, where that is asked for."""


def set_up(how: str, stream: TextIO | None = None) -> None:
    """Have all messages of this process written to a stream, by default standard error, as ``text`` or ``json``."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_written(how)],
            foreign_pre_chain=_KNOWN,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # What it says of each step is of no interest to whoever runs a server.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Calls are many: they go straight to the stream, in a fraction of the time that Python's own logging takes.
    structlog.configure(
        processors=[structlog.processors.add_log_level, _STAMPED, *_written(how)],
        logger_factory=structlog.WriteLoggerFactory(stream or sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )


_STAMPED: Final = structlog.processors.TimeStamper(fmt="iso", utc=True)

_KNOWN: Final[list[Processor]] = [
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    _STAMPED,
]
"""What every message says, whoever wrote it: Python's own logging or structlog."""


def _written(how: str) -> list[Processor]:
    if how == JSON:
        return [structlog.processors.format_exc_info, _renamed, structlog.processors.JSONRenderer(ensure_ascii=False)]
    return [structlog.processors.format_exc_info, _line]


def _renamed(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Put the words first that a reader looks for."""
    first = {
        "time": event.pop("timestamp"),
        "level": event.pop("level"),
        "logger": event.pop("logger"),
        "message": event.pop("event"),
    }
    return {**first, **event}


def _line(_: WrappedLogger, __: str, event: EventDict) -> str:
    """Write a message as a line: when, how bad, who, what, and the values that go with it. What does not fit a line follows indented, so that it is not taken for the next message."""
    head = f"{event.pop('timestamp')} {event.pop('level').upper()} {event.pop('logger')} {event.pop('event')}"
    trace = event.pop("exception", "")
    line = " ".join([head, *(f"{name}={_value(value)}" for name, value in event.items())]) + (
        f"\n{trace}" if trace else ""
    )
    return "\n    ".join(map(_printable, line.split("\n")))


_PLAIN: Final = re.compile(r"[^\s\"'=\\]+")


def _value(value: object) -> str:
    """Write a value so that it cannot be taken for several: as a JSON string where it is more than a plain word.

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
    """Write the characters of a line that do not print as Python writes them."""
    return (
        line
        if line.isprintable()
        else "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in line)
    )
