"""A replay on Spark has the same counts, examples and rejected rows as on one machine, for any partitions."""

from __future__ import annotations

import importlib.util
import os
import pickle
import random
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.replay import Replayer, Tally
from engine.replay.nouns import RejectedRow, Replay
from engine.version.bundle import Bundle
from guidepost.past_tickets import Mapper, TicketsError, Vocabulary, open_tickets
from guidepost.past_tickets.column_names import mapping_by_names
from guidepost.policies.sources.folder import read_folder, version_folders
from guidepost.replay import spark
from guidepost.replay.run import RejectedRows, replay_source
from guidepost.replay.spark import (
    PartitionTask,
    ReplayerFiles,
    VersionFiles,
    build_replayer,
    first_rows,
    paths_of,
    run_on_spark,
)
from tests.support.campaign import LONG
from tests.support.paths import ROOT

BY = ("channel", "country")
DECISIONS = ("priority", "response", "channel")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Past tickets in three files, some with values that nobody can read."""
    made, chance = tmp_path_factory.mktemp("tickets") / "past tickets", random.Random(5)
    made.mkdir()
    for number, size in enumerate((300, 1, 700)):
        rows = [
            {
                "number": f"INC{number}-{at}",
                "impact": chance.choice(["high", "medium", "low", None] if at % 97 else ["worst"]),
                "urgency": chance.choice(["high", "medium", "low"]),
                "channel": chance.choice(["email", "Phone", None]),
                "stage": chance.choice(["arrival", "triage"]),
                "country": chance.choice(["AU", "NZ", "SG", None]),
                "plan": "partner",
                "received_at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(100_000)),
                "remark": "left out",
            }
            for at in range(size)
        ]
        schema = pa.schema(
            [(name, pa.timestamp("us", "UTC") if name == "received_at" else pa.string()) for name in rows[0]]
        )
        pq.write_table(pa.Table.from_pylist(rows, schema), made / f"part {number}.parquet", row_group_size=128)
    return made


@pytest.fixture(scope="module")
def texts() -> tuple[VersionFiles, VersionFiles]:
    """The texts of the older version and of the one in force."""
    folders = version_folders(ROOT / "policies")
    new, old = (VersionFiles.of(read_folder(one), one.root) for one in (folders[0], folders[1]))
    return old, new


@pytest.fixture(scope="module")
def embedded(shipped: Bundle, folder: Path) -> tuple[Replay, list[RejectedRow]]:
    """What one machine makes of them."""
    replayer, kept = Replayer(shipped.versions[-1], shipped.versions[0], BY, DECISIONS), []
    source = open_tickets(str(folder), shipped.versions[-1])
    return replay_source(source, replayer, RejectedRows(write=kept.extend), lambda *_: None), kept


def test_partitions_in_any_order_add_up_to_what_one_machine_finds(
    shipped: Bundle,
    folder: Path,
    embedded: tuple[Replay, list[RejectedRow]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replayer = Replayer(shipped.versions[-1], shipped.versions[0], BY, DECISIONS)
    monkeypatch.setattr(spark, "build_replayer", lambda _: replayer)
    task, pieces = a_task(shipped, folder, None)
    tally, unread = Tally(), []
    for piece in (pieces[2::3], pieces[0::3][::-1], pieces[1::3]):
        found, more = gathered(task(iter(piece)))
        tally, unread = tally.merge(found), unread + more

    kept: list[RejectedRow] = []
    rejected = RejectedRows(write=kept.extend)
    rejected.add(sorted(unread, key=lambda one: one.row))
    assert (replayer.summary(tally, rejected.counted(), 1001), kept) == embedded
    assert embedded[0].changed
    assert len(kept) == 13


def test_a_limit_counts_the_first_rows_wherever_they_lie(
    shipped: Bundle, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replayer = Replayer(shipped.versions[-1], None, (), ("priority",))
    monkeypatch.setattr(spark, "build_replayer", lambda _: replayer)
    task, pieces = a_task(shipped, folder, 302)
    found, unread = gathered(task(iter(pieces[::-1])))

    assert found.tickets + len(unread) == 302
    assert max(one.row for one in unread) == 302


def test_a_task_travels_and_a_worker_builds_the_versions_once(
    texts: tuple[VersionFiles, VersionFiles], shipped: Bundle, folder: Path
) -> None:
    old, new = texts
    task = PartitionTask(
        files=ReplayerFiles(after=new, before=None, by=BY, decisions=DECISIONS),
        mapper=a_task(shipped, folder, None)[0].mapper,
        first={"a": 0},
    )
    there = pickle.loads(pickle.dumps(task))
    build_replayer.cache_clear()

    assert there.files == task.files
    assert there.mapper.mapping == task.mapper.mapping
    assert build_replayer(there.files) is build_replayer(task.files)
    assert build_replayer(task.files).after.digest == shipped.versions[-1].digest
    assert {name for name, _ in old.files} >= {"manifest.yaml"}


@pytest.mark.campaign
def test_a_real_spark_finds_what_one_machine_finds(
    shipped: Bundle,
    folder: Path,
    texts: tuple[VersionFiles, VersionFiles],
    embedded: tuple[Replay, list[RejectedRow]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if (
        importlib.util.find_spec("pyspark") is None
        or importlib.util.find_spec("pandas") is None
        or shutil.which("java") is None
    ):
        pytest.skip("pyspark, pandas or Java is not there")
    if not (LONG or os.environ.get("GUIDEPOST_SPARK") == "yes"):
        pytest.skip("a Spark takes half a minute to start and stop: GUIDEPOST_SPARK=yes, as `.ci/run` sets it")
    monkeypatch.setenv(
        "PYSPARK_SUBMIT_ARGS",
        "--master local[2] --conf spark.ui.enabled=false --conf spark.sql.files.maxPartitionBytes=8192 pyspark-shell",
    )
    after, kept = shipped.versions[-1], []
    replayer = Replayer(after, shipped.versions[0], BY, DECISIONS)
    replay, notes = run_on_spark(
        str(folder),
        Vocabulary.of(after),
        mapping=None,
        files=ReplayerFiles(after=texts[1], before=texts[0], by=BY, decisions=DECISIONS),
        replayer=replayer,
        rejected=RejectedRows(write=kept.extend),
    )
    few, _ = run_on_spark(
        f"file://{folder}/part 0.parquet",
        Vocabulary.of(after),
        mapping=None,
        files=ReplayerFiles(after=texts[1]),
        replayer=Replayer(after),
        rejected=RejectedRows(write=lambda _: None),
        limit=100,
    )

    assert (replay, kept) == embedded
    assert notes == ["left out, since no fact has the name: `remark`"]
    assert (few.rows, few.tickets) == (100, 98)
    with pytest.raises(TicketsError, match="Spark cannot replay file:///no/such/folder"):
        run_on_spark(
            "file:///no/such/folder",
            Vocabulary.of(after),
            mapping=None,
            files=ReplayerFiles(after=texts[1]),
            replayer=replayer,
            rejected=RejectedRows(write=kept.extend),
        )


def test_files_are_read_in_the_order_of_their_names_whatever_spark_gives_first() -> None:
    assert list(
        first_rows(
            {"hdfs://desk/t/c.parquet": 1, "hdfs://desk/t/a.parquet": 2, "hdfs://desk/t/b%20c.parquet": 3}
        ).values()
    ) == [0, 2, 5]


def test_what_spark_cannot_read_is_refused_with_what_to_do(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("impact\nhigh\n")
    for spec, message in (
        (str(tmp_path / "t.csv"), "is not Parquet"),
        ("sqlite:///log.db", "is not a source that Spark can read"),
        (str(tmp_path / "none"), "no such file"),
    ):
        with pytest.raises(TicketsError, match=message) as error:
            paths_of(spec)
        assert error.value.help
    assert paths_of(str(folder))[0].endswith("past tickets/part 0.parquet")
    assert paths_of("s3a://desk/tickets") == ["s3a://desk/tickets"]


def test_without_pyspark_or_java_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    if importlib.util.find_spec("pyspark") is not None:
        with pytest.raises(TicketsError, match="Spark needs Java") as error:
            spark.spark_session()
        assert "--engine embedded" in error.value.help
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(TicketsError, match="pyspark is not installed") as error:
        spark.spark_session()
    assert "pip install pyspark" in error.value.help


def a_task(shipped: Bundle, folder: Path, limit: int | None) -> tuple[PartitionTask, list[pa.RecordBatch]]:
    """Return a task for a folder, and its rows in pieces as Spark gives them."""
    vocabulary = Vocabulary.of(shipped.versions[-1])
    files = sorted(folder.iterdir())
    mapping, _ = mapping_by_names(pq.read_schema(files[0]).names, vocabulary, "")
    names = {path.as_uri(): pq.read_metadata(path).num_rows for path in files}
    return PartitionTask(
        files=ReplayerFiles(after=VersionFiles((), "")),
        mapper=Mapper(mapping, vocabulary),
        first=first_rows(names),
        limit=limit,
    ), list(pieces_of(files, mapping.columns))


def pieces_of(files: list[Path], columns: Any) -> Iterator[pa.RecordBatch]:
    for path in files:
        row = 0
        for batch in pq.ParquetFile(path).iter_batches(batch_size=90, columns=list(columns)):
            named = batch.append_column("__guidepost_file", pa.array([path.as_uri()] * batch.num_rows))
            yield named.append_column("__guidepost_row", pa.array(range(row, row + batch.num_rows), pa.int64()))
            row += batch.num_rows


def gathered(made: Iterator[pa.RecordBatch]) -> tuple[Tally, list[RejectedRow]]:
    import json

    tally, unread = Tally(), []
    for one in (row for batch in made for row in batch.to_pylist()):
        if one["kind"] == "tally":
            tally = tally.merge(Tally.read(json.loads(one["payload"])))
        else:
            unread.append(RejectedRow(**json.loads(one["payload"])))
    return tally, unread
