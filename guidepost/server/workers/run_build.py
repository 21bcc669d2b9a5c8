"""Runs the build process: policies in, a bundle out, or the reason why there is none."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from guidepost.server.workers.channel import MAX_MESSAGE
from guidepost.server.workers.messages import BuildStep, Built, Failed, Message, Rejected, decode

log = logging.getLogger("guidepost.supervisor")

Builder = Callable[[], Awaitable[Built | Rejected]]
"""Returns a bundle, or why it cannot be built; raises OSError if no process can be started."""

MAX_ERROR: Final = 300
"""Maximum characters of the build process's last line that a message contains."""


def builder_of(policies: Path) -> Builder:
    """Return a builder for the policies of a folder. Its first build logs its steps as INFO, later ones as DEBUG."""
    announced = False

    async def build() -> Built | Rejected:
        nonlocal announced
        level, announced = logging.DEBUG if announced else logging.INFO, True
        # Temporary files of the program and of the processes that it starts are removed with this folder.
        with TemporaryDirectory(prefix="guidepost-build-") as temporary:
            return await _build(policies, temporary, level)

    return build


async def _build(policies: Path, temporary: str, level: int) -> Built | Rejected:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "guidepost.server.workers.build_process",
        str(policies),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=MAX_MESSAGE,
        env={**os.environ, "TMPDIR": temporary},
        start_new_session=True,
    )
    if process.stdout is None or process.stderr is None:
        raise AssertionError("both are pipes")
    reading = asyncio.create_task(process.stderr.read())
    last: Message | None = None
    try:
        async for line in process.stdout:
            with suppress(msgspec.MsgspecError):
                last = decode(line)
                if isinstance(last, BuildStep):
                    log.log(level, "%s", last.text)
        code, stderr = await process.wait(), (await reading).decode(errors="replace").strip()
    finally:
        reading.cancel()
        # Includes the processes that it started, which outlive one that is killed.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    if isinstance(last, Rejected) or (code == 0 and isinstance(last, Built)):
        return last
    if stderr:
        log.error("the program that builds the policies failed: %s", stderr)
    why = last.message if isinstance(last, Failed) else exit_message(code, stderr)
    return Rejected(message=f"the policies could not be built: {why}")


def exit_message(code: int, stderr: str) -> str:
    r"""Return how the build process ended, from its exit code and its output on standard error.

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
    last = stderr.rpartition("\n")[2].strip()[:MAX_ERROR]
    return f"the program that builds them ended with exit code {code}" + (f": {last}" if last else "")
