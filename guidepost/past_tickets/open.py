"""Sources of tickets by name: `log`, the URL of a log, a file, a folder or a pattern."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path

from engine.model.did_you_mean import did_you_mean
from engine.records.filter import Filter
from engine.version.version import Version
from guidepost.past_tickets.column_names import mapping_by_names
from guidepost.past_tickets.csv import CsvTickets, read_header
from guidepost.past_tickets.from_decision_log import DEFAULT_LOG, ExportedRecords, StoredRecords, is_log_export, is_url
from guidepost.past_tickets.jsonl import JsonLinesTickets, read_columns
from guidepost.past_tickets.mapper import Mapper, Vocabulary
from guidepost.past_tickets.mapping import ColumnMapping, Repeated
from guidepost.past_tickets.one_row_per_ticket import OneRowPerTicket
from guidepost.past_tickets.parquet import ParquetTickets, is_parquet, read_schema
from guidepost.past_tickets.types import TicketsError, TicketSource

_JSON = re.compile(rb"\s*\{")


@dataclass(frozen=True, slots=True)
class TicketFiles:
    """The files of a source, their form (``parquet``, ``csv`` or ``lines``) and the names of their columns."""

    paths: tuple[Path, ...]
    form: str
    columns: Sequence[str]


def open_tickets(
    spec: str, version: Version | Vocabulary, mapping: ColumnMapping | None = None, only: Filter | None = None
) -> TicketSource:
    """Open a source of past tickets.

    Args:
        spec: `log`, the URL of a log, or a file, folder or pattern: an export of a log, Parquet, CSV or JSON lines.
        version: the version that decides the tickets again.
        mapping: from columns to facts; without it, each column is the fact of the same name.
        only: the filter of a log's records.

    Raises TicketsError.
    """
    vocabulary = version if isinstance(version, Vocabulary) else Vocabulary.of(version)
    if spec == DEFAULT_LOG or is_url(spec):
        _reject_mapping(spec, mapping)
        return StoredRecords(
            name=spec, url="" if spec == DEFAULT_LOG else spec, filter=only or Filter(), vocabulary=vocabulary
        )
    paths = find_files(spec)
    if len(paths) == 1 and is_log_export(paths[0]):
        _reject_mapping(spec, mapping)
        return ExportedRecords(name=spec, path=paths[0], filter=only or Filter(), vocabulary=vocabulary)
    if only is not None and only != Filter():
        raise TicketsError(
            f"expected a decision log, got {spec}",
            "filters by time, caller and so on apply to the records of a log only",
        )
    files = inspect_files(spec)
    notes: list[str] = []
    if mapping is None:
        mapping, notes = mapping_by_names(files.columns, vocabulary, spec)
    mapper = Mapper(mapping, vocabulary)
    source = _source(spec, files, mapper, notes)
    return source if mapping.repeated is Repeated.ALL else OneRowPerTicket(source, mapping.repeated)


def _source(spec: str, files: TicketFiles, mapper: Mapper, notes: list[str]) -> TicketSource:
    match files.form:
        case "parquet":
            return ParquetTickets(name=spec, files=files.paths, mapper=mapper, notes=notes)
        case "lines":
            return JsonLinesTickets(name=spec, path=files.paths[0], mapper=mapper, notes=notes)
        case _:
            return CsvTickets(name=spec, path=files.paths[0], mapper=mapper, notes=notes)


def inspect_files(spec: str) -> TicketFiles:
    """Return the files of a source with their form and columns; raises TicketsError."""
    paths = find_files(spec)
    with paths[0].open("rb") as file:
        head = file.read(4096)
    if is_parquet(head):
        return TicketFiles(paths, "parquet", read_schema(paths[0]).names)
    if len(paths) > 1:
        raise TicketsError(
            f"{spec} matches {len(paths)} files that are not Parquet", "use one file of CSV or JSON lines"
        )
    if ".json" in paths[0].name or _JSON.match(head):
        columns = read_columns(paths[0])
        if not columns:
            raise TicketsError(f"{spec} has no line with a JSON object", "JSON lines have one object on each line")
        return TicketFiles(paths, "lines", columns)
    return TicketFiles(paths, "csv", read_header(paths[0]).columns)


def find_files(spec: str) -> tuple[Path, ...]:
    """Return the files that a path, a folder or a pattern names, sorted by name; raises TicketsError."""
    path = Path(spec)
    try:
        if path.is_dir():
            return _require_files(
                sorted(one for one in path.rglob("*.parquet") if one.is_file()), f"no Parquet file in {spec}"
            )
        if not path.is_file():
            if has_magic(spec):
                return _require_files(
                    sorted(one for one in map(Path, glob(spec, recursive=True)) if one.is_file()),  # noqa: PTH207 - a whole path
                    f"no file matches {spec}",
                )
            here = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
            raise TicketsError(
                f"no such file: {spec}", did_you_mean(path.name, here) if here else "the folder does not exist either"
            )
        if path.stat().st_size == 0:
            raise TicketsError(f"{spec} is empty", "the first line of a CSV file names its columns")
        with path.open("rb"):
            return (path,)
    except OSError as error:
        raise TicketsError(f"{spec} cannot be read: {error.strerror}") from error


def _require_files(paths: list[Path], nothing: str) -> tuple[Path, ...]:
    if not paths:
        raise TicketsError(nothing, "use Parquet, CSV or JSON lines, the URL of a decision log, or `log`")
    return tuple(paths)


def _reject_mapping(spec: str, mapping: ColumnMapping | None) -> None:
    if mapping is not None:
        raise TicketsError(f"{spec} is a decision log, whose facts do not need a mapping", "remove the mapping")
