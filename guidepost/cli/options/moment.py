"""``--now`` and ``--pause``: the present instant, and when a ticket was on hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import typer

from engine.model.answer import WrongFact, WrongRequest
from engine.request.moment import Moment, NotAnInstant, read_instant, read_moment
from guidepost.render.console import command_error, help_lines

NowOption = Annotated[
    str,
    typer.Option(
        "--now",
        metavar="INSTANT",
        help="The present time, such as 2026-01-23T15:00+11:00. Default: the clock of this machine.",
    ),
]
PauseOption = Annotated[
    list[str] | None,
    typer.Option(
        "--pause",
        metavar="FROM/TO",
        help="When the ticket was on hold; `FROM/` if it still is. May be repeated.",
    ),
]

NOW: Final = "now"
PAUSES: Final = "pauses"
"""The keys of the present time and the holds in a file of facts."""

Pause = tuple[object, object]
"""The beginning and end of a hold, as sent; None for a hold that goes on."""


def wrong_lines(label: str, wrong: WrongFact) -> list[str]:
    """Return the message on a wrong value and its allowed values; the label is "" if the message contains it."""
    lines = [f"{f'{label}: ' if label else ''}{wrong.message}{f'; {wrong.help}' if wrong.help else ''}"]
    return lines + ([f"  allowed: {', '.join(wrong.allowed)}"] if wrong.allowed else [])


def read_time(label: str, text: str, problems: list[str]) -> datetime | None:
    """Read an instant; None, with lines in ``problems``, if it is not one."""
    try:
        return read_instant(label, text)
    except NotAnInstant as error:
        problems += wrong_lines(
            _unless_named(label, error.message),
            WrongFact(fact=label, sent=text, message=error.message, allowed=error.allowed, help=error.help),
        )
        return None


def option_instant(option: str, text: str) -> datetime:
    """Read the instant of an option; end the command if it is not one."""
    try:
        return read_instant(option, text)
    except NotAnInstant as error:
        label = _unless_named(option, error.message)
        allowed = [f"allowed: {', '.join(error.allowed)}"] if error.allowed else []
        raise command_error(
            f"{label}: {error.message}" if label else error.message,
            *allowed,
            *help_lines(error.help),
        ) from error


def read_moment_options(
    now: str,
    given: Sequence[str],
    clock: datetime,
    problems: list[str],
    *,
    filed_now: object = None,
    filed: Sequence[Pause] = (),
) -> Moment:
    """Read a moment; every problem becomes lines in ``problems``.

    Args:
        now: the option ``--now``, or "".
        given: the options ``--pause``.
        clock: the present time by the machine, used if nothing else states it.
        problems: the list to add lines to.
        filed_now: the present time in a file, or None.
        filed: the holds in a file; options override them.
    """
    pauses: list[Pause] = [*filed]
    if given:
        pauses = []
        for text in given:
            begin, slash, end = text.partition("/")
            if not slash:
                problems.append(f"expected `--pause FROM/TO`, or `FROM/` for a hold that goes on, got `{text}`")
            else:
                pauses.append((begin.strip() or None, end.strip() or None))
    try:
        return read_moment(now or filed_now or clock, pauses)
    except WrongRequest as error:
        for wrong in error.wrong:
            label = _called(wrong.fact, bool(now), bool(given))
            message = wrong.message.replace(f"`{wrong.fact}`", f"`{label}`")
            problems += wrong_lines(
                _unless_named(label, message),
                WrongFact(fact=label, sent=wrong.sent, message=message, allowed=wrong.allowed, help=wrong.help),
            )
        return Moment(clock)


def _unless_named(label: str, message: str) -> str:
    """Return the label of a message, or "" if the message names it."""
    return "" if f"`{label}`" in message else label


def _called(name: str, now_option: bool, pause_options: bool) -> str:
    """Return the option that a name of a request comes from, or the name."""
    if name == NOW:
        return "--now" if now_option else name
    if not pause_options or not name.startswith(PAUSES):
        return name
    return "--pause" + {"from": " FROM", "to": " TO"}.get(name.rpartition(".")[2], "")
