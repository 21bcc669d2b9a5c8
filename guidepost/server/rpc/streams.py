"""Handlers that answer in parts, whichever way they are written."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any


async def parts(answers: Any) -> AsyncIterator[Any]:
    """Yield the parts of what a streaming handler returned when it was called.

    gRPC allows two kinds of handlers: generators, which yield their parts, and coroutines, which write them to the context.
    A coroutine runs to its end, and nothing is left to yield.
    """
    if inspect.isawaitable(answers):
        await answers
        return
    async with aclosing(answers):
        async for part in answers:
            yield part
