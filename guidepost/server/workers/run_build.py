"""Builds the policies of a folder in a process of its own, which ends with the build: a file with the bundle, or why there is none."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from engine.model.answer import VersionRef
from engine.model.problems import Place, Problem
from guidepost.server.workers.messages import Rejected, Reloaded

log = logging.getLogger("guidepost.supervisor")

Builder = Callable[[Path], Awaitable[Reloaded | Rejected]]
"""Writes a built bundle to a file, or says why not; what a failed build leaves in the file is removed by the process that named it."""

MAX_SAID: Final = 300
"""The most characters of what the program that builds says last that a message holds."""


def builder_of(policies: Path) -> Builder:
    """Return what builds the policies of a folder; the first build reports its steps in the messages of the server."""
    announced = False

    async def build(path: Path) -> Reloaded | Rejected:
        nonlocal announced
        level, announced = logging.DEBUG if announced else logging.INFO, True
        # What the program and those that it starts leave in their own temporary folder goes with it.
        with TemporaryDirectory(dir=path.parent) as temporary:
            return await _build(policies, path, temporary, level)

    return build


async def _build(policies: Path, path: Path, temporary: str, level: int) -> Reloaded | Rejected:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "guidepost.server.workers.build_process",
        str(policies),
        str(path),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 26,
        env={**os.environ, "TMPDIR": temporary},
        start_new_session=True,
    )
    if process.stdout is None or process.stderr is None:
        raise AssertionError("both are pipes")
    complaints = asyncio.create_task(process.stderr.read())
    told: dict[str, Any] = {}
    try:
        async for line in process.stdout:
            with suppress(ValueError):
                told = json.loads(line)
            if "step" in told:
                log.log(level, "%s", told["step"])
        code, said = await process.wait(), (await complaints).decode(errors="replace").strip()
    finally:
        complaints.cancel()
        # With the processes that it started, which outlive one that is killed.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    if code == 0 and "versions" in told:
        return Reloaded(tuple(VersionRef(**one) for one in told["versions"]))
    if "problems" in told:
        return Rejected(
            tuple(
                Problem(place=Place(**one["place"]), code=one["code"], message=one["message"], help=one["help"])
                for one in told["problems"]
            )
        )
    if said:
        log.error("the program that builds the policies failed: %s", said)
    return Rejected(message=f"the policies could not be built: {told.get('failed') or exit_message(code, said)}")


def exit_message(code: int, said: str) -> str:
    r"""Return how the program that builds ended, by its exit code and what it wrote to standard error.

    >>> exit_message(-9, "")
    'the program that builds them was killed by signal 9 (SIGKILL), as the system does when memory runs out'
    >>> exit_message(1, "Traceback (most recent call last):\n  ...\nValueError: no luck")
    'the program that builds them ended with exit code 1: ValueError: no luck'
    """
    if code < 0:
        try:
            name = f"signal {-code} ({signal.Signals(-code).name})"
        except ValueError:
            name = f"signal {-code}"
        return f"the program that builds them was killed by {name}" + (
            ", as the system does when memory runs out" if code == -signal.SIGKILL else ""
        )
    last = said.rpartition("\n")[2].strip()[:MAX_SAID]
    return f"the program that builds them ended with exit code {code}" + (f": {last}" if last else "")
