"""The same replay on Spark: each partition of Parquet files is replayed by a worker, and the tallies are added.

The driver sends the files of the versions and the mapping. Each worker builds the versions once and decides with the
same functions as a single machine. Rows have the same numbers as there: files are in the order of their names.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.replay import InForceReplayer, Replayer, Tally
from engine.replay.nouns import RejectedRow, Replay
from engine.version.build import build
from guidepost.install_command import install_command
from guidepost.past_tickets import SIZE, ColumnMapping, Mapper, TicketsError, Vocabulary
from guidepost.past_tickets.column_names import mapping_by_names, require_columns
from guidepost.past_tickets.from_decision_log import is_log_export
from guidepost.past_tickets.mapping import Repeated
from guidepost.past_tickets.open import inspect_files
from guidepost.replay.run import RejectedRows

ADDRESS: Final = "://"
TALLY: Final = "tally"
UNREAD: Final = "unread"
DOUBT: Final = "doubt"

_FILE, _ROW = "__guidepost_file", "__guidepost_row"
_RESULT_SCHEMA: Final = "kind string, row long, payload string"
_SPECIAL: Final = re.compile(r"[{}\[\]*?\\]")
_PORTION: Final = 500
"""How many rejected rows are fetched at a time."""


@dataclass(frozen=True, slots=True)
class VersionFiles:
    """The files of a version, and the prefix of their paths in problems."""

    files: tuple[tuple[str, str], ...]
    root: str

    @classmethod
    def of(cls, files: Mapping[str, str], root: str) -> VersionFiles:
        """Return the files of a source of versions."""
        return cls(tuple(sorted(files.items())), root)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayerFiles:
    """What a worker needs to build a replayer: the files of the versions, and how tickets are grouped."""

    after: VersionFiles | None
    before: VersionFiles | None = None
    by: tuple[str, ...] = ()
    decisions: tuple[str, ...] | None = None
    versions: tuple[VersionFiles, ...] = ()
    """All versions in the order of their effective dates, if one side is the version in force at the time."""
    from_in_force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionTask:
    """The replay of one partition.

    ``first`` is the number of rows before each file, ``limit`` the number of rows of all files that count.
    """

    files: ReplayerFiles
    mapper: Mapper
    first: Mapping[str, int]
    limit: int | None = None

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Replay the rows of a partition: yield rejected rows as they come, and the tally at the end."""
        replayer, tally = build_replayer(self.files), Tally()
        for taken in batches:
            rows, numbers = self._numbered(taken)
            batch = self.mapper.batch(rows, numbers)
            found, refused = replayer.replay(batch.chunk) if batch.chunk.size else (Tally(), ())
            tally = tally.merge(found)
            if doubts := batch.doubts(refused):
                yield _result_batch([(DOUBT, 0, json.dumps([[*key, rows] for key, rows in doubts.items()]))])
            if unread := batch.all_rejected(refused):
                yield _result_batch([(UNREAD, one.row, json.dumps(asdict(one))) for one in unread])
        yield _result_batch([(TALLY, 0, json.dumps(tally.plain()))])

    def _numbered(self, rows: pa.RecordBatch) -> tuple[pa.RecordBatch, Any]:
        """Return the rows in the order of their numbers, and the numbers."""
        files = pc.dictionary_encode(rows.column(_FILE))
        first = np.array([self.first[name] for name in files.dictionary.to_pylist()], np.int64)
        numbers = first[files.indices.to_numpy(zero_copy_only=False)] + rows.column(_ROW).to_numpy() + 1
        rows = rows.drop_columns([_FILE, _ROW])
        order = np.argsort(numbers, kind="stable")
        if self.limit is not None:
            order = order[numbers[order] <= self.limit]
        if len(order) == len(numbers) and (np.diff(numbers) > 0).all():
            return rows, numbers
        return rows.take(pa.array(order)), numbers[order]


def run_on_spark(
    spec: str,
    vocabulary: Vocabulary,
    *,
    mapping: ColumnMapping | None,
    files: ReplayerFiles,
    replayer: Replayer | InForceReplayer,
    rejected: RejectedRows,
    limit: int | None = None,
) -> tuple[Replay, list[str]]:
    """Replay Parquet files on Spark; return the replay and the notes on the files.

    Args:
        spec: a file, a folder, a pattern, or an address that Spark can read (``hdfs://``, ``s3a://``).
        vocabulary: the names that the mapping may use.
        mapping: from columns to facts; without it, each column is the fact of the same name.
        files: what the workers build their replayer from.
        replayer: the replayer of this machine, which writes the summary.
        rejected: receives the rejected rows in order.
        limit: how many of the first rows count.

    Raises TicketsError; OSError if rejected rows cannot be written.
    """
    paths = paths_of(spec)
    spark = spark_session()
    with _spark_errors(spec):
        rows = spark.read.parquet(*paths)
        counts = {
            one[_FILE]: one["count"]
            for one in rows.selectExpr(f"_metadata.file_path as {_FILE}").groupBy(_FILE).count().collect()
        }
    notes: list[str] = []
    if mapping is None:
        mapping, notes = mapping_by_names(rows.columns, vocabulary, spec)
    if mapping.repeated is not Repeated.ALL:
        raise TicketsError(
            "on Spark, `repeated` in a mapping is not supported",
            "keep one row of each ticket beforehand, or remove --engine",
        )
    require_columns(mapping, rows.columns, spec)
    task = PartitionTask(files=files, mapper=Mapper(mapping, vocabulary), first=first_rows(counts), limit=limit)
    columns = [f"`{name}`" for name in rows.columns if name in mapping.columns]
    wanted = rows.selectExpr(*columns, f"_metadata.file_path as {_FILE}", f"_metadata.row_index as {_ROW}")
    with _spark_errors(spec):
        tally = _collect_tally(wanted.mapInArrow(_function(task), _RESULT_SCHEMA), rejected)
    total = sum(counts.values())
    return replayer.summary(tally, rejected.counted(), total if limit is None else min(total, limit)), notes


def paths_of(spec: str) -> list[str]:
    """Return the paths for Spark: an address as it is, local files as absolute paths; raises TicketsError."""
    if ADDRESS in spec:
        if not spec.startswith(("hdfs:", "s3a:", "gs:", "abfs:", "abfss:", "file:", "viewfs:")):
            raise TicketsError(
                f"{spec} is not a source that Spark can read",
                "use Parquet files; --engine embedded reads a decision log",
            )
        return [spec]
    files = inspect_files(spec)
    if files.form != "parquet":
        raise TicketsError(
            f"{spec} is not Parquet",
            "Spark reads past tickets from Parquet; --engine embedded also reads CSV, JSON lines and logs",
        )
    if len(files.paths) == 1 and is_log_export(files.paths[0]):
        raise TicketsError(
            f"{spec} is an export of a decision log, which has holds and recorded decisions",
            "--engine embedded reads them",
        )
    # Hadoop does not decode percent signs, and reads paths as patterns.
    return ["file://" + _SPECIAL.sub(r"\\\g<0>", path.resolve().as_posix()) for path in files.paths]


def first_rows(counts: Mapping[str, int]) -> dict[str, int]:
    """Return for each file the number of rows before it, in the order of their paths.

    >>> first_rows({"file:///t/b.parquet": 5, "file:///t/a%20b.parquet": 3})
    {'file:///t/a%20b.parquet': 0, 'file:///t/b.parquet': 3}
    """
    found, rows = {}, 0
    for name in sorted(counts, key=lambda name: PurePosixPath(unquote(urlsplit(name).path))):
        found[name] = rows
        rows += counts[name]
    return found


def spark_session() -> Any:
    """Return the Spark session of `spark-submit`, or a local one; raises TicketsError."""
    try:
        from pyspark.sql import SparkSession  # type: ignore[import-not-found, unused-ignore] # noqa: PLC0415
    except ImportError as error:
        raise TicketsError(
            "pyspark is not installed", f"`{install_command('pyspark', 'pandas')}`, or use --engine embedded"
        ) from error
    if not os.environ.get("JAVA_HOME") and shutil.which("java") is None:
        raise TicketsError(
            "Spark needs Java, which was not found",
            "install Java 17 or 21, or set JAVA_HOME; --engine embedded does not need Java",
        )
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    whole = (
        SparkSession.builder.appName("guidepost replay")
        .config("spark.ui.showConsoleProgress", str(sys.stderr.isatty()).lower())
        .getOrCreate()
    )
    own = whole.newSession()
    for name, value in {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.caseSensitive": "true",
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(SIZE),
    }.items():
        own.conf.set(name, value)
    return own


@contextmanager
def _spark_errors(spec: str) -> Iterator[None]:
    """Raise errors of Spark as TicketsError with their first line; Spark's own log has the rest."""
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith(("pyspark.", "py4j.")):
            raise
        said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise TicketsError(
            f"Spark cannot replay {spec}: {said}",
            "use Parquet files with the same columns that all workers can read; see Spark's log for details",
        ) from error


@lru_cache(maxsize=4)
def build_replayer(files: ReplayerFiles) -> Replayer | InForceReplayer:
    """Build a replayer from files; cached, since a worker replays several partitions."""
    sides = [None if texts is None else build(dict(texts.files), texts.root) for texts in (files.after, files.before)]
    if files.versions:
        versions = [build(dict(texts.files), texts.root) for texts in files.versions]
        return InForceReplayer(
            versions, *sides, from_in_force=files.from_in_force, by=files.by, decisions=files.decisions
        )
    if sides[0] is None:
        raise AssertionError("a replayer has a version")
    return Replayer(sides[0], sides[1], files.by, files.decisions)


def _function(task: PartitionTask) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return a task as a plain function, which Spark requires."""

    def replay(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from task(batches)

    return replay


def _collect_tally(made: Any, rejected: RejectedRows) -> Tally:
    """Run on all workers, persist the results on their disks, and fetch them piece by piece."""
    from pyspark import StorageLevel  # noqa: PLC0415

    kept = made.persist(StorageLevel.DISK_ONLY)
    try:
        kept.count()
        tally = Tally()
        for one in kept.where(f"kind = '{TALLY}'").toLocalIterator():
            tally = tally.merge(Tally.read(json.loads(one["payload"])))
        for one in kept.where(f"kind = '{DOUBT}'").toLocalIterator():
            rejected.doubt({(fact, word): rows for fact, word, rows in json.loads(one["payload"])})
        portion: list[RejectedRow] = []
        for one in kept.where(f"kind = '{UNREAD}'").orderBy("row").toLocalIterator():
            portion.append(RejectedRow(**json.loads(one["payload"])))
            if len(portion) == _PORTION:
                rejected.add(portion)
                portion = []
        rejected.add(portion)
        return tally
    finally:
        kept.unpersist()


def _result_batch(rows: Sequence[tuple[str, int, str]]) -> pa.RecordBatch:
    kinds, numbers, payloads = zip(*rows, strict=True)
    return pa.RecordBatch.from_arrays(
        [pa.array(kinds), pa.array(numbers, pa.int64()), pa.array(payloads)], names=["kind", "row", "payload"]
    )
