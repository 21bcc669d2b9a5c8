"""What people write for a source of tickets, and the source it names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path

from engine.decision_log.filter import Filter
from engine.model.did_you_mean import did_you_mean
from engine.version.version import Version
from guidepost.tickets.column_names import by_name
from guidepost.tickets.csv import DelimitedTickets, header_of
from guidepost.tickets.from_decision_log import LOG, ExportedRecords, StoredRecords, is_exported, is_url
from guidepost.tickets.jsonl import LineTickets, columns_of
from guidepost.tickets.mapper import Mapper, Vocabulary
from guidepost.tickets.mapping import ColumnMapping, Repeated
from guidepost.tickets.one_row_per_ticket import OneRowEach
from guidepost.tickets.parquet import ParquetTickets, is_parquet, schema_of
from guidepost.tickets.types import TicketsError, TicketSource

_JSON = re.compile(rb"\s*\{")


@dataclass(frozen=True, slots=True)
class Files:
    """The files that a source names, their form (``parquet``, ``csv`` or ``lines``) and the names of their columns."""

    paths: tuple[Path, ...]
    form: str
    columns: Sequence[str]


def open_tickets(
    spec: str, version: Version | Vocabulary, mapping: ColumnMapping | None = None, only: Filter | None = None
) -> TicketSource:
    """Open a source of past tickets.

    Args:
        spec: `log`, the URL of a log, or a file, folder or glob: an export of a log, Parquet, CSV or JSON lines.
        version: the version that they are replayed against.
        mapping: from columns to facts; without it, columns that are called like facts are facts.
        only: which records of a log.

    Raises TicketsError.
    """
    vocabulary = version if isinstance(version, Vocabulary) else Vocabulary.of(version)
    if spec == LOG or is_url(spec):
        _no_mapping(spec, mapping)
        return StoredRecords(name=spec, url="" if spec == LOG else spec, asked=only or Filter(), vocabulary=vocabulary)
    paths = find_files(spec)
    if len(paths) == 1 and is_exported(paths[0]):
        _no_mapping(spec, mapping)
        return ExportedRecords(name=spec, path=paths[0], asked=only or Filter(), vocabulary=vocabulary)
    if only is not None and only != Filter():
        raise TicketsError(
            f"expected a decision log, got {spec}",
            "only the records of a log can be chosen by time, caller and the like",
        )
    files = files_of(spec)
    notes: list[str] = []
    if mapping is None:
        mapping, notes = by_name(files.columns, vocabulary, spec)
    mapper = Mapper(mapping, vocabulary)
    source = _source(spec, files, mapper, notes)
    return source if mapping.repeated is Repeated.ALL else OneRowEach(source, mapping.repeated)


def _source(spec: str, files: Files, mapper: Mapper, notes: list[str]) -> TicketSource:
    match files.form:
        case "parquet":
            return ParquetTickets(name=spec, files=files.paths, mapper=mapper, notes=notes)
        case "lines":
            return LineTickets(name=spec, path=files.paths[0], mapper=mapper, notes=notes)
        case _:
            return DelimitedTickets(name=spec, path=files.paths[0], mapper=mapper, notes=notes)


def files_of(spec: str) -> Files:
    """Look at the files that a source names; raises TicketsError."""
    paths = find_files(spec)
    with paths[0].open("rb") as file:
        head = file.read(4096)
    if is_parquet(head):
        return Files(paths, "parquet", schema_of(paths[0]).names)
    if len(paths) > 1:
        raise TicketsError(
            f"{spec} names {len(paths)} files that are not Parquet", "give one file of CSV or JSON lines"
        )
    if ".json" in paths[0].name or _JSON.match(head):
        columns = columns_of(paths[0])
        if not columns:
            raise TicketsError(f"{spec} has no line with a JSON object", "JSON lines has one object a line")
        return Files(paths, "lines", columns)
    return Files(paths, "csv", header_of(paths[0]).columns)


def find_files(spec: str) -> tuple[Path, ...]:
    """Return the files that a path, a folder or a glob names, in the order of their names; raises TicketsError."""
    path = Path(spec)
    try:
        if path.is_dir():
            return _some(sorted(one for one in path.rglob("*.parquet") if one.is_file()), f"no Parquet file in {spec}")
        if not path.is_file():
            if has_magic(spec):
                return _some(
                    sorted(one for one in map(Path, glob(spec, recursive=True)) if one.is_file()),  # noqa: PTH207 - a whole path
                    f"no file is called {spec}",
                )
            here = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
            raise TicketsError(
                f"no such file: {spec}", did_you_mean(path.name, here) if here else "the folder is not there either"
            )
        if path.stat().st_size == 0:
            raise TicketsError(f"{spec} is empty", "the first line of a CSV file names its columns")
        with path.open("rb"):
            return (path,)
    except OSError as error:
        raise TicketsError(f"{spec} cannot be read: {error.strerror}") from error


def _some(paths: list[Path], nothing: str) -> tuple[Path, ...]:
    if not paths:
        raise TicketsError(nothing, "give Parquet, CSV or JSON lines, the URL of a decision log, or `log`")
    return tuple(paths)


def _no_mapping(spec: str, mapping: ColumnMapping | None) -> None:
    if mapping is not None:
        raise TicketsError(f"{spec} is a decision log, whose facts need no mapping", "leave the mapping out")
