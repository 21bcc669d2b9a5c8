"""What the ``guidepost replay`` commands share: which tickets are read, and errors of sources that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.model.policy import Policy
from engine.model.vocabulary import Fact
from engine.records.filter import Filter
from guidepost.past_tickets import MappingErrors, TicketsError
from guidepost.past_tickets.from_decision_log import DEFAULT_LOG
from guidepost.render.console import command_error, errors, help_lines
from guidepost.render.messages import problem_text
from guidepost.replay.run import RejectedRows

MAPPING_HELP: Final = "a mapping file tells what the columns mean: `guidepost replay suggest-mapping FILE` drafts one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tickets:
    """The past tickets to read, and the file for the rows that cannot be read.

    Attributes:
        source: ``log``, the URL of a log, or a file.
        only: which records of a log are read.
        limit: how many rows are read at most.
        unread: where rows go that cannot be read.
    """

    source: str
    only: Filter
    limit: int | None
    unread: Path

    def unread_file(self, rejected: RejectedRows) -> str:
        """Return the path of the file of unread rows, or "" if every row was read."""
        return str(self.unread) if rejected.rows else ""


def default_unread_file(source: str) -> Path:
    """Return the file for rows that cannot be read: next to a file, else in the working directory.

    >>> default_unread_file("past/incidents.csv.gz").as_posix(), default_unread_file("sqlite:///log.db").as_posix()
    ('past/incidents.unread.csv', 'tickets.unread.csv')
    >>> default_unread_file("tickets/*.parquet").as_posix()
    'tickets.unread.csv'
    """
    path = Path(source)
    is_pattern = not re.fullmatch(r"[^*?\[]+", source)
    if not path.is_file() and (source == DEFAULT_LOG or "://" in source or is_pattern or path.is_dir()):
        return Path("tickets.unread.csv")
    return path.with_name(f"{path.name.partition('.')[0] or path.name}.unread.csv")


@contextmanager
def reading_tickets() -> Iterator[None]:
    """End the command with a message if a source or a mapping cannot be read, or the unread rows cannot be written."""
    try:
        yield
    except MappingErrors as error:
        errors().show(*map(problem_text, error.problems))
        raise command_error("the mapping cannot be used") from error
    except TicketsError as error:
        raise command_error(error.message, *help_lines(error.help)) from error
    except OSError as error:
        raise command_error(
            f"{error.filename or 'the file of unread rows'} cannot be written: {error.strerror}"
        ) from error


def require_tickets(tickets: Tickets, read: int, rejected: RejectedRows, help_: str = MAPPING_HELP) -> None:
    """End the command if no ticket could be read."""
    if read:
        return
    if not rejected.rows:
        raise command_error(f"there are no tickets in {tickets.source}")
    lines = [f"row {one.row}{f', {one.field}' if one.field else ''}: {one.message}" for one in rejected.first]
    raise command_error(
        f"none of the {rejected.rows:,} rows of {tickets.source} can be read",
        *lines,
        f"they are in {tickets.unread}",
        f"help: {help_}",
    )


def all_facts(policies: Iterable[Policy]) -> dict[str, Fact]:
    """Return the facts of several policies; where two have a fact of the same name, that of the later one."""
    return {name: fact for policy in policies for name, fact in policy.facts.items()}
