"""Random input: a server answers or rejects every request, in time and in bounded memory, and a policy is read or
its problems are reported.

A short form runs always; ``GUIDEPOST_CAMPAIGN=long`` has 100,000 cases each. A number in a failure is the case:
``tests.support.fuzzing.calling.case(number)`` and ``tests.support.fuzzing.policies.case(number, files)`` give it again.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.campaign import LONG
from tests.support.fuzzing import policies
from tests.support.fuzzing.calling import METHODS, call_all, case, megabytes, processes
from tests.support.paths import POLICIES, ROOT
from tests.support.servers import COUNTER
from tests.support.waiting import wait_until

CALLS, FILES = (100_000, 100_000) if LONG else (400, 100)
WARM = CALLS // 5
"""Calls after which the caches of a server are full."""

GROWTH = 40.0
"""Megabytes by which a server may grow from then on, since caches are bounded."""

SECONDS = 20
"""Seconds that one policy file may take, many times what it needs."""


@contextmanager
def server(folder: Path) -> Iterator[tuple[str, int]]:
    """Start a server with the shipped policies, or in the short form with the small desk; yield address and process."""
    served = POLICIES
    if not LONG:
        served = folder / "policies"
        served.mkdir()
        for name, text in COUNTER.items():
            (served / name).write_text(text, encoding="utf-8")
    log = f"sqlite:///{folder}/decisions.db"
    command = [
        sys.executable,
        "-m",
        "guidepost.cli",
        "serve",
        "--policies",
        str(served),
        "--port",
        "0",
        "--workers",
        "1",
        "--no-watch",
        "--audit-purge",
        "--decision-log",
        log,
    ]
    with (folder / "said").open("w+") as said, (folder / "errors").open("w+") as errors:
        started = subprocess.Popen(command, stdout=said, stderr=errors, cwd=ROOT)
        try:
            wait_until(lambda: "listening on" in (folder / "said").read_text() or started.poll() is not None, 120)
            assert started.poll() is None, (folder / "errors").read_text()
            [address] = re.findall(r"listening on (\S+)", (folder / "said").read_text())
            yield address, started.pid
        finally:
            started.terminate()
            started.wait(60)


@pytest.mark.faults
@pytest.mark.campaign
def test_no_request_is_answered_with_a_fault_of_ours_hangs_or_costs_memory(tmp_path: Path) -> None:
    with server(tmp_path) as (address, process):
        warm = asyncio.run(call_all(address, range(WARM)))
        before, pids = megabytes(processes(process)), processes(process)
        outcome = asyncio.run(call_all(address, range(WARM, CALLS)))
        after = megabytes(processes(process))

        assert processes(process) == pids, "a process died"
    assert not warm.wrong + outcome.wrong
    assert "incident" not in (tmp_path / "errors").read_text()
    assert {"OK", "INVALID_ARGUMENT", "NOT_FOUND"} <= set(warm.codes)
    assert after - before < GROWTH


def test_the_calls_are_of_every_kind_and_the_same_number_gives_the_same() -> None:
    some = [case(number) for number in range(2_000)]

    assert {one.method.full_name for one in some} == set(METHODS)
    assert some[:300] == [case(number) for number in range(300)]


@pytest.mark.campaign
def test_no_policy_file_makes_reading_it_fail_or_hang() -> None:
    shipped = policies.Desk(
        {
            path.relative_to(POLICIES).as_posix(): path.read_text(encoding="utf-8")
            for part in ("*.yaml", "holidays/*.yaml")
            for path in POLICIES.glob(part)
        }
    )
    good = ROOT / "tests" / "broken" / "good"
    small = policies.Desk(
        {path.relative_to(good).as_posix(): path.read_text(encoding="utf-8") for path in good.glob("*.yaml")}
    )
    before, done = 0.0, set()
    for number in range(FILES):
        if number == FILES // 10:
            before = megabytes([os.getpid()])
        with _at_most(SECONDS, number):
            done.add(policies.tried(number, small, shipped))

    assert done == {"read", "loaded", "built"}
    assert megabytes([os.getpid()]) - before < GROWTH


@contextmanager
def _at_most(seconds: int, number: int) -> Iterator[None]:
    def late(*_: object) -> None:
        raise AssertionError(f"case {number} takes more than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    except Exception as error:
        error.add_note(f"case {number}")
        raise
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
