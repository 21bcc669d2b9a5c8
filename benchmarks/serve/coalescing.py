"""The client with and without coalescing: ``python -m benchmarks.serve.coalescing ADDRESS`` prints rates as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Final

import uvloop

from benchmarks.serve.requests import tickets
from guidepost import AsyncClient
from guidepost.client.coalescing import WAIT

CALLERS: Final = 64
ROUNDS: Final = 3
SECONDS: Final = 2.0


async def measured(address: str, wait: float | None) -> float:
    """Triage one ticket after the other in every caller for some seconds; return triages per second."""
    facts = list(tickets(9))
    done, end = 0, 0.0
    async with AsyncClient(address, coalesce=wait) as client:
        await client.triage(facts[0])

        async def caller(number: int) -> None:
            nonlocal done
            while time.monotonic() < end:
                reply = await client.triage(facts[number % len(facts)])
                if not reply.priority.priority:
                    raise ValueError("a ticket is not decided")
                done += 1

        start = time.monotonic()
        end = start + SECONDS
        await asyncio.gather(*(caller(number) for number in range(CALLERS)))
        return done / (time.monotonic() - start)


async def main(address: str) -> None:
    """Measure both in turns, after a warm-up."""
    found: dict[str, list[float]] = {"alone": [], "together": []}
    for at in range(ROUNDS + 1):
        for name, wait in (("alone", None), ("together", WAIT)):
            rate = await measured(address, wait)
            if at:
                found[name].append(rate)
    print(json.dumps(found))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
