"""The time of each part of a call: profiles every Python function of a server in this process under load."""

from __future__ import annotations

import asyncio
import cProfile
import os
import pstats
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import uvloop

from benchmarks.serve import requests
from benchmarks.serve.h2load import Load, run
from engine.version.bundle import Bundle
from guidepost.decision_log.settings import Durability, LogSettings
from guidepost.policies.sources.folder import load_bundle
from guidepost.server.app import listening
from guidepost.server.rpc.live_bundle import LiveBundle
from guidepost.server.workers.pickled_bundle import pickle_bundle, unpickle_bundle

PARTS: Final = (
    ("deciding: tables, due times, duties", ("engine/",)),
    (
        "the record: its text, its way to the log",
        ("engine/records/", "guidepost/decision_log/", "sqlalchemy/", "sqlite3"),
    ),
    (
        "encoding the answer",
        (
            "guidepost/server/wire/answer_",
            "guidepost/server/wire/deadline_bytes",
            "guidepost/server/wire/protobuf_bytes",
            "guidepost/server/wire/times",
            "guidepost/server/rpc/bytes_handlers",
            "guidepost/server/rpc/decision_service",
        ),
    ),
    (
        "reading the request",
        (
            "guidepost/server/wire/decode_request",
            "guidepost/server/rpc/evaluate",
            "guidepost/server/rpc/batch",
            "engine/request/ticket",
            "google/",
        ),
    ),
    (
        "grpc: its Python part, and what guards it",
        (
            "/grpc/",
            "guidepost/server/rpc/admission_interceptor",
            "guidepost/server/observability/metrics",
            "guidepost/server/rpc/status",
            "guidepost/server/rpc/limits",
            "guidepost/server/errors",
            "guidepost/server/auth/",
        ),
    ),
)
"""Each part of a call, and the fragments of the paths that belong to it; of several that match, the longest counts."""

Parts = dict[str, float]


def shares(policies: Path, message: bytes, method: str, seconds: int) -> tuple[float, Parts]:
    """Return the CPU time of a call in microseconds, and the share of each part in percent."""
    with tempfile.TemporaryDirectory() as folder:
        body = Path(folder) / "body"
        body.write_bytes(requests.framed(message))
        bundle = unpickle_bundle(pickle_bundle(load_bundle(policies)))
        uvloop.run(_loaded(bundle, Path(folder), method, body, 1))
        profile = cProfile.Profile()
        spent, calls = profile.runcall(uvloop.run, _loaded(bundle, Path(folder), method, body, seconds))
    return 1e6 * spent / calls, _shared(profile)


async def _loaded(bundle: Bundle, folder: Path, method: str, body: Path, seconds: int) -> tuple[float, int]:
    log = LogSettings(url=f"sqlite:///{folder}/log.db", durability=Durability.SYNC)
    async with listening(LiveBundle(bundle), "127.0.0.1:0", log=log) as address:
        before = time.process_time()
        load = Load(address=address, method=method, body=body, pid=os.getpid(), answer=1)
        seen = await asyncio.to_thread(run, load, 8, 8 if method == requests.TRIAGE else 1, seconds)
        return time.process_time() - before, round(seen.rate * seconds)


def _shared(profile: cProfile.Profile) -> Parts:
    found: Counter[str] = Counter()
    statistics: Any = pstats.Stats(profile)
    for (file, _, name), (_, _, own, _, callers) in statistics.stats.items():
        if file == "~":
            # The time of built-in functions counts for their callers.
            for (caller, _, _), (_, _, its, _) in callers.items():
                found[_part(caller, name)] += its
        else:
            found[_part(file, name)] += own
    whole = sum(found.values())
    return {part: 100 * own / whole for part, own in found.most_common()}


def _part(file: str, name: str) -> str:
    fitting = [(len(word), part) for part, words in PARTS for word in words if word in file]
    if fitting:
        return max(fitting)[1]
    return "waiting, the loop, grpc's core" if "run" in name or "asyncio" in file or file == "~" else "the rest"
