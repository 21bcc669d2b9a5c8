"""The program that serves AdminService and the metrics: ``python -m guidepost.server.workers.admin_process FD FORMAT``.

Each has a port of its own. The supervisor, at the other end of the channel FD, provides what they report.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, Final

import grpc
import uvloop
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from engine.model.answer import VersionRef
from engine.model.problems import Problem
from guidepost.server import wire
from guidepost.server.auth import InvalidAuthFiles
from guidepost.server.listener import open_listener
from guidepost.server.observability import logging as logs
from guidepost.server.observability.metrics import serve_metrics
from guidepost.server.security import Security
from guidepost.server.workers.channel import Channel, ChannelClosed
from guidepost.server.workers.messages import (
    AdminStarted,
    Failed,
    GetMetrics,
    GetStatus,
    Message,
    Rejected,
    Reload,
    RollWorkers,
    ServerStatus,
    StartAdmin,
)
from guidepost.server.workers.metrics_merge import merged_metrics
from guidepost.v1 import admin_service_pb2 as pb
from guidepost.v1.admin_service_pb2_grpc import AdminServiceServicer, add_AdminServiceServicer_to_server
from guidepost.v1.decision_pb2 import Place

SERVICE = pb.DESCRIPTOR.services_by_name["AdminService"].full_name

METRICS_TIMEOUT: Final = 10.0
"""Seconds within which the workers report their metrics."""

Context = grpc.aio.ServicerContext[Any, Any]


class SupervisorClient:
    """Sends requests to the supervisor, one at a time."""

    def __init__(self, channel: Channel) -> None:
        self._channel, self._lock = channel, asyncio.Lock()

    async def ask(self, request: Message) -> Any:
        """Return the answer; raises ChannelClosed."""
        # Shielded from the cancellation of a call: the next call would read the answer to this request.
        return await asyncio.shield(asyncio.create_task(self._exchange(request)))

    async def _exchange(self, request: Message) -> Message:
        async with self._lock:
            return await self._channel.ask(request)


class WorkersCollector(Collector):
    """Collects the metrics of all workers. Prometheus' server calls it on a thread of its own."""

    def __init__(self, supervisor: SupervisorClient) -> None:
        self._supervisor, self._loop = supervisor, asyncio.get_running_loop()

    def collect(self) -> Iterable[Metric]:
        """Ask the supervisor for the metrics."""
        asked = asyncio.run_coroutine_threadsafe(self._supervisor.ask(GetMetrics()), self._loop)
        return merged_metrics(asked.result(METRICS_TIMEOUT))


class AdminService(AdminServiceServicer):  # type: ignore[misc]
    """Answers AdminService by asking the supervisor."""

    # ruff: noqa: N802 - gRPC names methods as the proto files do

    def __init__(self, supervisor: SupervisorClient) -> None:
        self._supervisor = supervisor

    async def Reload(self, request: pb.ReloadRequest, context: Context) -> pb.ReloadResponse:  # noqa: ARG002
        """Reload the policies."""
        answer = await self._ask(Reload(), context)
        if isinstance(answer, Rejected):
            return pb.ReloadResponse(
                versions=map(_version, answer.versions), problems=map(_problem, answer.problems), message=answer.message
            )
        return pb.ReloadResponse(versions=map(_version, answer.versions), changed=answer.changed)

    async def GetStatus(self, request: pb.GetStatusRequest, context: Context) -> pb.GetStatusResponse:  # noqa: ARG002
        """Return the state of the server."""
        return _status(await self._ask(GetStatus(), context))

    async def RollWorkers(self, request: pb.RollWorkersRequest, context: Context) -> pb.RollWorkersResponse:  # noqa: ARG002
        """Replace every worker."""
        return pb.RollWorkersResponse(workers=_status(await self._ask(RollWorkers(), context)).workers)

    async def _ask(self, request: Message, context: Context) -> Any:
        try:
            answer = await self._supervisor.ask(request)
        except ChannelClosed:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the server is stopping")
        if isinstance(answer, Failed):
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, answer.message)
        return answer


def _version(ref: VersionRef) -> Any:
    return wire.version_ref(ref)


def _problem(one: Problem) -> pb.PolicyProblem:
    place = Place(file=one.place.file, line=one.place.line, column=one.place.column)
    return pb.PolicyProblem(place=place, code=one.code, message=one.message, help=one.help)


def _status(status: ServerStatus) -> pb.GetStatusResponse:
    answer = pb.GetStatusResponse(versions=map(_version, status.versions), reload_failures=status.failures)
    answer.started_at.FromMilliseconds(round(status.started * 1000))
    answer.last_successful_reload.FromMilliseconds(round(status.reloaded * 1000))
    for one in status.workers:
        worker = answer.workers.add(number=one.number, process_id=one.process, restarts=one.restarts)
        worker.serving_since.FromMilliseconds(round(one.since * 1000))
    if status.reload_error is not None:
        answer.problems.extend(map(_problem, status.reload_error.problems))
        answer.message = status.reload_error.message
    return answer


async def administer(end: socket.socket) -> None:
    """Serve until the supervisor has ended, or SIGTERM arrives."""
    channel = await Channel.connect(end)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, channel.closed.set)
    try:
        start = await channel.receive()
        if not isinstance(start, StartAdmin):
            raise TypeError(f"expected StartAdmin as the first message, got {start!r}")
        supervisor = SupervisorClient(channel)
        async with AsyncExitStack() as stack:
            try:
                admin = (
                    await stack.enter_async_context(_serve_admin(supervisor, start.admin, start.security))
                    if start.admin
                    else ""
                )
                metrics = stack.enter_context(_serve_metrics(supervisor, start.metrics)) if start.metrics else ""
            except (OSError, ValueError, InvalidAuthFiles) as error:
                await channel.send(Failed(str(error)))
                return
            await channel.send(AdminStarted(admin, metrics))
            await channel.closed.wait()
    except ChannelClosed:
        return


@asynccontextmanager
async def _serve_admin(supervisor: SupervisorClient, address: str, security: Security) -> AsyncIterator[str]:
    async with open_listener(security) as listener:
        server = grpc.aio.server(
            options=(*security.limits.options, ("grpc.so_reuseport", 0)), interceptors=(listener.admission,)
        )
        add_AdminServiceServicer_to_server(AdminService(supervisor), server)
        status = health.aio.HealthServicer()  # type: ignore[attr-defined]
        health_pb2_grpc.add_HealthServicer_to_server(status, server)
        if security.reflection:
            reflection.enable_server_reflection((SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
        try:
            port = listener.listen(server, address)
        except OSError as error:
            raise OSError(f"the admin service {error}") from error
        await server.start()
        for service in ("", SERVICE):
            await status.set(service, health_pb2.HealthCheckResponse.SERVING)
        yield f"{address.rpartition(':')[0]}:{port}"
        await server.stop(1)


@contextmanager
def _serve_metrics(supervisor: SupervisorClient, address: str) -> Iterator[str]:
    registry = CollectorRegistry()
    # Registration does not collect: the supervisor does not answer requests yet.
    registry.register(WorkersCollector(supervisor))
    try:
        with serve_metrics(registry, address) as url:
            yield url
    except OSError as error:
        raise OSError(f"metrics cannot be served on {address}: {error}") from error


def main() -> None:
    """Connect to the supervisor and serve."""
    logs.set_up(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    uvloop.run(administer(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    main()
