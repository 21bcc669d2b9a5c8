"""Messages that have not arrived completely: how many there may be at once, and for how long.

gRPC receives a message into memory before anyone can look at it, and never gives up. A client that announces a message and
does not finish it holds that memory. Here, a message that takes too long, or that has waited longest when there are too
many, ends its call: callers that send at an ordinary pace are not held up by those that do not.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import grpc

from guidepost.server.rpc.limits import MessageTimeout, TooBusy

CHECKS: Final = 4
"""How many times within the time limit the waiting messages are looked at: a call ends at most a quarter late."""

Reader = asyncio.Task[Any]


class Arrivals:
    """Reads messages, ``most`` of them at once, each within ``seconds``."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        # In the order in which they began to wait.
        self._waiting: dict[Reader, int] = {}
        self._ended: dict[Reader, Exception] = {}
        self._checks, self._checking = 0, False
        self.abandoned = 0
        """How many messages never arrived completely."""

    @property
    def waiting(self) -> int:
        """How many messages have not arrived completely."""
        return len(self._waiting)

    async def read(self, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        """Return the next message of a call, or ``grpc.aio.EOF``.

        Raises:
            MessageTimeout: it took longer than the time limit.
            TooBusy: too many messages were arriving, and this one had waited longest.
        """
        task = asyncio.current_task()
        if task is None:
            raise AssertionError("a message is read by a task")
        if len(self._waiting) >= self._most:
            self._end(
                next(iter(self._waiting)),
                TooBusy(f"{self._most} messages are arriving, and this one has waited longest"),
            )
        self._waiting[task] = self._checks
        if not self._checking:
            self._check_later()
        try:
            return await context.read()
        except asyncio.CancelledError:
            self.abandoned += 1
            # The caller may have gone away at the same moment: then the task was cancelled twice, and stays so.
            if task not in self._ended or task.uncancel():
                raise
            # Not kept in a variable: the exception would refer to this frame, and the frame to the exception.
            raise self._ended[task] from None
        finally:
            self._waiting.pop(task, None)
            self._ended.pop(task, None)

    def _end(self, task: Reader, error: Exception) -> None:
        del self._waiting[task]
        self._ended[task] = error
        task.cancel()

    def _check_later(self) -> None:
        self._checking = True
        asyncio.get_running_loop().call_later(self._seconds / CHECKS, self._check)

    def _check(self) -> None:
        """End what has waited too long. Checks are counted, since that costs a message less than to look at a clock."""
        self._checks += 1
        for task in [task for task, since in self._waiting.items() if self._checks - since > CHECKS]:
            self._end(task, MessageTimeout(f"the message did not arrive completely within {self._seconds:g} s"))
        self._checking = False
        if self._waiting:
            self._check_later()
