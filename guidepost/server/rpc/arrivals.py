"""Limits the number of messages that are arriving, and their time.

gRPC receives a message into memory before a handler sees it, without a time limit. A client that announces a message
and does not complete it occupies that memory. Here, a message ends its call if it takes too long, or if too many
messages are arriving and it has waited longest. So slow senders do not block callers that send at an ordinary pace.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import grpc

from guidepost.server.rpc.limits import MessageTimeout, TooBusy

CHECKS: Final = 4
"""Checks within the time limit: a call ends late by at most a quarter of the limit."""

Reader = asyncio.Task[Any]


class Arrivals:
    """Reads messages: at most ``most`` at once, each within ``seconds``."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        # In the order in which they began to wait.
        self._waiting: dict[Reader, int] = {}
        self._ended: dict[Reader, Exception] = {}
        self._checks, self._checking = 0, False
        self.abandoned = 0
        """The number of messages that never arrived completely."""

    @property
    def waiting(self) -> int:
        """The number of messages that are arriving."""
        return len(self._waiting)

    async def read(self, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        """Return the next message of a call, or ``grpc.aio.EOF``.

        Raises:
            MessageTimeout: it took longer than the time limit.
            TooBusy: too many messages were arriving, and this one had waited longest.
        """
        task = asyncio.current_task()
        if task is None:
            raise AssertionError("messages are read in a task")
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
            # If the caller has disconnected at the same moment, the task was cancelled twice and stays cancelled.
            if task not in self._ended or task.uncancel():
                raise
            # Not assigned to a variable: the exception refers to this frame, which would refer to the exception.
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
        """End the messages that have waited too long. Counting checks costs less per message than reading a clock."""
        self._checks += 1
        for task in [task for task, since in self._waiting.items() if self._checks - since > CHECKS]:
            self._end(task, MessageTimeout(f"the message did not arrive completely within {self._seconds:g} s"))
        self._checking = False
        if self._waiting:
            self._check_later()
