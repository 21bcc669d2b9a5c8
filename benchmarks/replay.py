"""Benchmarks of replaying past tickets from Parquet with a comparison of two versions, and of its memory.

The file has the rows of `tickets.draw`, with dictionary-encoded words as a warehouse writes them. The figures are of
all of `guidepost replay FILE --against 2.0.0 --from 1.0.0` except loading the versions: reading, mapping, deciding by
both, comparing and counting; work that is done once is listed separately. Memory is the peak of its own process.
GUIDEPOST_BENCH_ROWS=50000000 adds a run of that many rows.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.columns import columns_of, repeated
from benchmarks.measure import Row, in_turns
from benchmarks.tickets import draw
from engine.columns.fact_columns import Instants, Numbers, Words
from engine.replay import Replayer, Tally
from engine.replay.nouns import Replay
from engine.version.version import Version
from guidepost.past_tickets import open_tickets
from guidepost.policies.sources.folder import build_bundle
from guidepost.replay.run import RejectedRows, replay_source, usual_groups

ROOT: Final = Path(__file__).resolve().parent.parent
DRAWN: Final = 50_000
ROWS: Final = 500_000
SIZES: Final = (1_000_000, 4_000_000)
ROUNDS: Final = 3
GOAL: Final = 1.0
"""Microseconds for a triage decision, hence a million a second."""

LIMIT: Final = 1_000.0
"""Megabytes."""

LONG: Final = int(os.environ.get("GUIDEPOST_BENCH_ROWS", "0"))
_PIECE: Final = 1_000_000


def rows() -> list[Row]:
    """Measure it."""
    old, new = _versions()
    decisions = len(new.triage)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tickets.parquet"
        write(path, new, ROWS)
        begun = process_time()
        replayed(path, new, old)
        whole = process_time() - begun
        compared, alone = Replayer(new, old, usual_groups(new)), Replayer(new, None, usual_groups(new))
        turns = in_turns(
            {
                "compared": lambda: _seconds(path, compared) * 1e6 / ROWS,
                "alone": lambda: _seconds(path, alone) * 1e6 / ROWS,
            },
            ROUNDS,
        )
        found = [_memory(Path(folder), new, size) for size in SIZES]
        long = _memory(Path(folder), new, LONG) if LONG else None
    group = f"{ROWS:,} past tickets from Parquet, one core"
    each, single = statistics.median(turns["compared"]), statistics.median(turns["alone"])
    return [
        Row(
            group=group,
            what="a triage decision, compared with another version's",
            value=each / decisions,
            unit="µs",
            goal=GOAL,
        ),
        Row(group=group, what="a row: decided by both versions, compared, counted", value=each, unit="µs"),
        Row(group=group, what="a row: decided by one version, counted", value=single, unit="µs"),
        Row(group=group, what="rows a second, compared, in thousands", value=1e3 / each, unit=""),
        Row(
            group=group,
            what="once: what is worked out when first met, and the summary",
            value=whole - each * ROWS / 1e6,
            unit="s",
        ),
        *(
            Row(group="memory of the whole process", what=f"{size:,} rows", value=peak, unit="MB", goal=LIMIT)
            for size, peak in zip(SIZES, found, strict=True)
        ),
        *(
            [Row(group="memory of the whole process", what=f"{LONG:,} rows", value=long, unit="MB", goal=LIMIT)]
            if long is not None
            else []
        ),
    ]


def write(path: Path, version: Version, size: int) -> None:
    """Write a number of tickets, with the drawn ones repeated a little later each time."""
    few = columns_of(draw(version, DRAWN, seed=3))
    writer, done = None, 0
    while done < size:
        columns = repeated(few, min(_PIECE, size - done))
        table = pa.table({name: _array(column) for name, column in columns.items()})
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table, row_group_size=1 << 18)
        done += table.num_rows
    if writer is not None:
        writer.close()


def _array(column: Words | Numbers | Instants) -> Any:
    match column:
        case Words():
            codes = pa.array(column.codes, mask=column.codes < 0)
            values = [str(value).lower() if isinstance(value, bool) else str(value) for value in column.values]
            return pa.DictionaryArray.from_arrays(codes, pa.array(values)).cast(pa.string())
        case Numbers():
            return pa.array(column.values, mask=None if column.given is None else ~column.given)
        case Instants():
            return pa.array(
                column.micros, pa.timestamp("us", "UTC"), mask=None if column.given is None else ~column.given
            )


def replayed(path: Path, after: Version, before: Version | None) -> Replay:
    """Replay a file like the command."""
    rejected = RejectedRows(write=lambda _: None)
    found = replay_source(
        open_tickets(str(path), after), Replayer(after, before, usual_groups(after)), rejected, lambda *_: None
    )
    if rejected.rows:
        raise AssertionError(f"{rejected.rows} rows cannot be read: {rejected.first[0]}")
    return found


def _seconds(path: Path, replayer: Replayer) -> float:
    """Time reading, mapping, deciding, comparing and counting; the warm-up decides the combinations of facts."""
    start, tally = process_time(), Tally()
    for batch in open_tickets(str(path), replayer.after).batches():
        tally = tally.merge(replayer.replay(batch.chunk)[0])
    return process_time() - start


def _versions() -> tuple[Version, Version]:
    versions = build_bundle(ROOT / "policies").versions
    return versions[0], versions[-1]


def _memory(folder: Path, version: Version, size: int) -> float:
    """Replay a number of rows in its own process; return the peak memory."""
    path = folder / f"{size}.parquet"
    write(path, version, size)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.replay", str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    path.unlink()
    return float(done.stdout)


def _most() -> float:
    """Return the peak memory of this process in megabytes; `getrusage` would include its parent."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    begun = datetime.now(UTC)
    earlier, current = _versions()
    replayed(Path(sys.argv[1]), current, earlier)
    print(_most())
    print(f"{datetime.now(UTC) - begun}", file=sys.stderr)
