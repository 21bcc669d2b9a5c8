"""Benchmarks of request ids in a long decision log: ``python -m benchmarks.request_ids`` writes REQUEST_IDS.md.

A log of a million chained records is created in SQLite and in PostgreSQL. A server with each of them runs with
``sync``, and callers in one process call it over 127.0.0.1. Calls with and without a request id take turns, so that a
slow moment of the machine affects both.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import shutil
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import grpc

from benchmarks.log import address_of, server
from benchmarks.look_up import POLICIES
from benchmarks.measure import machine
from benchmarks.tickets import START, draw
from engine.decide.answer_times_json import iso
from engine.decide.decider import Decider
from engine.records.identity import uuid7
from engine.records.record import Record, RecordKind, recorded_decision
from engine.request.moment import Moment
from engine.version.build import build
from engine.version.version import Version
from guidepost.client.requests import triage_request
from guidepost.decision_log.store import Store
from guidepost.policies.sources.folder import read_folder, version_folders
from tests.support.log_servers import POSTGRESQL, PostgreSQL

LENGTH: Final = 1_000_000
BATCH: Final = 2_000
TEMPLATES: Final = 500
"""Of how many real answers the records are made."""

CALLERS: Final = ("portal", "chat", "mail", "monitoring")
ROUNDS: Final = 6
CALLS: Final = 150
"""Calls of each kind by a lone caller, in each round."""

OTHERS, SENDERS = 4, 2
"""How many callers without request ids are watched, and how many call beside them."""

SECONDS: Final = 3.0
"""How long they call in each round."""

METHOD: Final = "/guidepost.v1.DecisionService/Triage"
GOAL: Final = 1.5

HERE: Final = Path(__file__).resolve().parent

INTRODUCTION: Final = """\
# What a request id costs

Written by `python -m benchmarks.request_ids`; do not edit. A log of {length:,} records, half of them with request ids, and a
server of one process under `sync`. Times are those of a triage as its caller sees it, over {rounds} rounds in which both
kinds take turns; ratios are taken within each round, and their median is given. The machine was shared with other work.

"Repeated" is a call with a request id that is in the log: it is decided again and compared with its record.
"Others" are {others} callers without request ids, beside {senders} further callers who send them, or do not.
"""


def records(version: Version, length: int) -> Iterator[Record]:
    """Yield records of real answers, like a server; about half of them have a random request id."""
    made, decider = [], Decider(version)
    for facts in draw(version, TEMPLATES, seed=14):
        shown = {name: value for name, value in facts.items() if isinstance(value, (str, bool, int, float))}
        answers = decider.triage(facts, Moment(START + timedelta(days=30)))
        made.append(
            Record(
                id="",
                received="",
                caller="",
                request_id="",
                ticket="",
                kind=RecordKind.TRIAGE,
                facts=shown,
                now="",
                pauses=(),
                version=version.ref,
                decisions=tuple(recorded_decision(answer, frozenset()) for answer in answers[:1]),
            )
        )
    for number, template in zip(range(length), itertools.cycle(made), strict=False):
        at = START + timedelta(seconds=number)
        yield replace(
            template,
            id=uuid7(at, number.to_bytes(10, "big")),
            received=iso(at),
            now=iso(at),
            caller=CALLERS[number % len(CALLERS)],
            request_id=str(uuid.UUID(int=(number * 0x9E3779B97F4A7C15F39CC0605CEDC835) % 2**128))
            if number // len(CALLERS) % 2
            else "",
            ticket=f"INC-{number}",
        )


def fill(url: str, version: Version, length: int) -> None:
    """Write the log."""
    store, left = Store.open(url), records(version, length)
    start = time.monotonic()
    while batch := list(itertools.islice(left, BATCH)):
        store.append("before", batch)
    store.close()
    print(f"… {length:,} records in {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)


async def ask(
    call: grpc.aio.UnaryUnaryMultiCallable, request: bytes, request_id: str = "", caller: str = "portal"
) -> float:
    """Call once; return the time in seconds."""
    metadata = [("guidepost-caller", caller), *([("guidepost-request-id", request_id)] if request_id else [])]
    start = time.perf_counter()
    await call(request, metadata=metadata, timeout=60)
    return time.perf_counter() - start


async def alone(call: grpc.aio.UnaryUnaryMultiCallable, request: bytes) -> dict[str, float]:
    """Measure a round of one caller: the medians without a request id, with a new one, and with a repeated one."""
    taken: dict[str, list[float]] = {"without": [], "with": [], "repeated": []}
    for _ in range(CALLS):
        new = str(uuid.uuid4())
        taken["without"].append(await ask(call, request))
        taken["with"].append(await ask(call, request, new))
        taken["repeated"].append(await ask(call, request, new))
    return {what: statistics.median(seconds) for what, seconds in taken.items()}


async def beside(calls: Sequence[grpc.aio.UnaryUnaryMultiCallable], request: bytes, *, ids: bool) -> dict[str, float]:
    """Measure callers without request ids while others send some or none."""
    taken: list[float] = []
    end = time.monotonic() + SECONDS

    async def watched(number: int) -> None:
        while time.monotonic() < end:
            taken.append(await ask(calls[number % len(calls)], request, caller=f"other {number}"))

    async def sender(number: int) -> None:
        while time.monotonic() < end:
            await ask(calls[number % len(calls)], request, str(uuid.uuid4()) if ids else "")

    await asyncio.gather(*map(watched, range(OTHERS)), *map(sender, range(SENDERS)))
    taken.sort()
    return {"p50": statistics.median(taken), "p99": taken[int(0.99 * len(taken))]}


async def measured(address: str, request: bytes, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Measure all rounds; the first is a warm-up."""
    channels = [grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) for _ in range(4)]
    calls = [channel.unary_unary(METHOD) for channel in channels]
    found: dict[str, list[dict[str, float]]] = {"alone": [], "without": [], "with": []}
    for at in range(rounds + 1):
        one = {"alone": await alone(calls[0], request)}
        # Which comes first takes turns, too.
        for ids in (False, True) if at % 2 else (True, False):
            one["with" if ids else "without"] = await beside(calls, request, ids=ids)
        for what, seen in one.items():
            if at:
                found[what].append(seen)
    for channel in channels:
        await channel.close()
    return found


def table(name: str, found: Mapping[str, Sequence[Mapping[str, float]]]) -> Iterator[str]:
    """Yield the lines on the results of one database."""
    yield f"\n## {name}\n"
    yield "| call | without | with a request id | ratio | goal | met |"
    yield "|---|--:|--:|--:|--:|---|"
    pairs = {
        "alone, 50 %": [(one["without"], one["with"]) for one in found["alone"]],
        "alone and repeated, 50 %": [(one["without"], one["repeated"]) for one in found["alone"]],
        **{
            f"others, {share}": [(a[key], b[key]) for a, b in zip(found["without"], found["with"], strict=True)]
            for share, key in (("50 %", "p50"), ("99 %", "p99"))
        },
    }
    for what, rounds in pairs.items():
        before, after = (statistics.median(one[at] for one in rounds) * 1000 for at in (0, 1))
        ratio = statistics.median(b / a for a, b in rounds)
        goal = what in ("alone, 50 %", "others, 99 %")
        yield f"| {what} | {before:.2f} ms | {after:.2f} ms | {ratio:.2f}x | {f'{GOAL}x' if goal else ''} | {('yes' if ratio <= GOAL else 'no') if goal else ''} |"


def databases(folder: Path, stack: ExitStack) -> Iterator[tuple[str, str]]:
    """Yield the databases by name, one after the other."""
    yield "SQLite", f"sqlite:///{folder}/long.db"
    if POSTGRESQL:
        # Below /tmp, since the user that runs the server must have access.
        place = Path(tempfile.mkdtemp(prefix="guidepost-"))
        stack.callback(shutil.rmtree, place, ignore_errors=True)
        place.chmod(0o755)
        started = PostgreSQL(place / "server", fsync=True)
        stack.callback(started.stop)
        yield "PostgreSQL", started.url


def main() -> None:
    """Measure, and write the page; results of a shorter log or fewer rounds are only printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--length", type=int, default=LENGTH)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    folder = version_folders(POLICIES)[0]
    version = build(read_folder(folder), folder.root)
    request = triage_request(
        {"impact": "high", "urgency": "high", "request_type": "incident", "requester": "partner"},
        START + timedelta(days=30),
        (),
        None,
    ).SerializeToString()
    lines = [
        INTRODUCTION.format(length=asked.length, rounds=asked.rounds, others=OTHERS, senders=SENDERS),
        "## Machine\n",
    ]
    lines += [
        f"- {what}: {value}"
        for what, value in machine().items()
        if what in ("date", "cpu", "cores", "system", "python")
    ]
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        for name, url in databases(Path(place), stack):
            fill(url, version, asked.length)
            with server(["--decision-log", url, "--log-durability", "sync"]) as process:
                found = asyncio.run(measured(address_of(process), request, asked.rounds))
            lines += table(name, found)
            print(json.dumps({name: found}), file=sys.stderr)
    page = "\n".join(lines) + "\n"
    print(page)
    if (asked.length, asked.rounds) == (LENGTH, ROUNDS):
        (HERE / "REQUEST_IDS.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
