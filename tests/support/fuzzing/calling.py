"""Calls by chance to a server, some at once; what they may end with, and what they cost the server in memory."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor

from guidepost.v1 import audit_service_pb2, decision_service_pb2, policy_service_pb2
from tests.support.fuzzing.messages import message, spoilt, word

METHODS = {
    method.full_name: method
    for file, service in (
        (decision_service_pb2, "DecisionService"),
        (policy_service_pb2, "PolicyService"),
        (audit_service_pb2, "AuditService"),
    )
    for method in file.DESCRIPTOR.services_by_name[service].methods
}
SELDOM = {
    "guidepost.v1.AuditService.VerifyLog": 0.02,
    "guidepost.v1.AuditService.ExportRecords": 0.02,
    "guidepost.v1.PolicyService.DiffVersions": 0.1,
    "guidepost.v1.PolicyService.GetVersion": 0.3,
    "guidepost.v1.AuditService.QueryRecords": 0.3,
}
"""Calls that read everything there is: once in a while is enough."""

OUR_FAULT = {
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.DATA_LOSS,
    grpc.StatusCode.UNIMPLEMENTED,
}
"""What no request may end with, whatever it says."""

CLIENTS_OWN = "Internal error from Core"
"""An error of grpc.aio's own client for a write to a stream that is being rejected; a retry returns the status."""

AGAIN = 10

PATIENCE = 300.0
"""The longest time of a case, in seconds: a purge waits for the verification of a log with thousands of records."""

OPTIONS = (("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", 64 << 20))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A call: the same number always gives the same."""

    number: int
    method: MethodDescriptor
    sent: tuple[bytes, ...]
    metadata: tuple[tuple[str, str], ...]

    @property
    def path(self) -> str:
        return f"/{self.method.containing_service.full_name}/{self.method.name}"


@dataclass(slots=True)
class Outcome:
    """How the cases ended, and which of them ended as none may."""

    codes: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[int, str, str]] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, 0)
    """Seconds, and the case that took them."""


def case(number: int) -> Case:
    """Make a case."""
    chance = Random(number)
    names = [name for name in METHODS if chance.random() < SELDOM.get(name, 1)]
    method = METHODS[chance.choice(names)]
    count = chance.randrange(1, 6) if method.client_streaming else 1
    return Case(
        number=number,
        method=method,
        sent=tuple(_bytes(chance, method) for _ in range(count)),
        metadata=tuple(_metadata(chance)),
    )


def _bytes(chance: Random, method: MethodDescriptor) -> bytes:
    if chance.random() < 0.1:
        return chance.randbytes(chance.choice((1, 5, 40, 400)))
    whole = message(chance, method.input_type).SerializePartialToString()
    return whole if chance.random() < 0.6 else spoilt(chance, whole)


def _metadata(chance: Random) -> Iterator[tuple[str, str]]:
    for name in ("guidepost-caller", "guidepost-request-id", "guidepost-ticket", "authorization"):
        if chance.random() < 0.15:
            text = word(chance)[:400]
            if text.isascii() and text.isprintable():
                yield name, text


async def call_all(address: str, numbers: range, at_once: int = 16) -> Outcome:
    """Make all cases; none of them ends the others."""
    outcome, left = Outcome(), iter(numbers)

    async def calling() -> None:
        async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
            for number in left:
                one = case(number)
                start = time.monotonic()
                code, said = await _called(channel, one)
                for _ in range(AGAIN):
                    if not said.startswith(CLIENTS_OWN):
                        break
                    code, said = await _called(channel, one)
                outcome.slowest = max(outcome.slowest, (time.monotonic() - start, number))
                outcome.codes[code.name] += 1
                if code in OUR_FAULT:
                    outcome.wrong.append((number, one.path, f"{code.name}: {said}"))

    await asyncio.gather(*(calling() for _ in range(at_once)))
    return outcome


async def _called(channel: grpc.aio.Channel, one: Case) -> tuple[grpc.StatusCode, str]:
    method: Any = one.method
    try:
        if method.client_streaming:
            parts = channel.stream_stream(one.path)(iter(one.sent), timeout=PATIENCE, metadata=one.metadata)
            async for _ in parts:
                pass
        elif method.server_streaming:
            async for _ in channel.unary_stream(one.path)(one.sent[0], timeout=PATIENCE, metadata=one.metadata):
                pass
        else:
            await channel.unary_unary(one.path)(one.sent[0], timeout=PATIENCE, metadata=one.metadata)
    except grpc.RpcError as error:
        return error.code(), str(error.details())
    return grpc.StatusCode.OK, ""


def processes(root: int) -> list[int]:
    """Return a process and all that it started."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = [root]
    for one in found:
        found.extend(children.get(one, ()))
    return found


def megabytes(pids: list[int]) -> float:
    """Return the memory that processes have to themselves."""
    return sum(_own(pid) for pid in pids) / 1024


def _own(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
