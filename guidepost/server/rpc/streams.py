"""Runs both kinds of streaming handlers: generators and coroutines."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any


async def responses(handler_result: Any) -> AsyncIterator[Any]:
    """Yield the responses of what a streaming handler returned when it was called.

    gRPC allows generators, which yield responses, and coroutines, which write them to the context. A coroutine is
    awaited, and nothing is left to yield.
    """
    if inspect.isawaitable(handler_result):
        await handler_result
        return
    async with aclosing(handler_result):
        async for response in handler_result:
            yield response
