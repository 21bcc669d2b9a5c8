"""The program that answers AdminService and serves metrics, each on a port of its own: ``python -m guidepost.server.workers.admin_process FD HOW``. It asks the supervisor."""

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

PATIENCE: Final = 10.0
"""Seconds that whoever asks for metrics waits for the workers."""

Context = grpc.aio.ServicerContext[Any, Any]


class SupervisorClient:
    """Asks the supervisor, one question at a time."""

    def __init__(self, channel: Channel) -> None:
        self._channel, self._turn = channel, asyncio.Lock()

    async def ask(self, told: Message) -> Any:
        """Return the answer; raises Gone."""
        # Not cut short by a caller who goes away: the next one would read the answer to this question.
        return await asyncio.shield(asyncio.create_task(self._exchange(told)))

    async def _exchange(self, told: Message) -> Message:
        async with self._turn:
            return await self._channel.ask(told)


class WorkersCollector(Collector):
    """What Prometheus is shown: asked for on another thread, answered by the supervisor."""

    def __init__(self, questions: SupervisorClient) -> None:
        self._questions, self._loop = questions, asyncio.get_running_loop()

    def collect(self) -> Iterable[Metric]:
        """Ask all workers."""
        return merged_metrics(
            asyncio.run_coroutine_threadsafe(self._questions.ask(GetMetrics()), self._loop).result(PATIENCE)
        )


class AdminService(AdminServiceServicer):  # type: ignore[misc]
    """Answers AdminService by asking the supervisor, one question at a time."""

    # ruff: noqa: N802 - gRPC names methods as the proto files do

    def __init__(self, questions: SupervisorClient) -> None:
        self._questions = questions

    async def Reload(self, request: pb.ReloadRequest, context: Context) -> pb.ReloadResponse:  # noqa: ARG002
        """Have the policies read anew."""
        told = await self._ask(Reload(), context)
        if isinstance(told, Rejected):
            return pb.ReloadResponse(
                versions=map(_version, told.versions), problems=map(_problem, told.problems), message=told.message
            )
        return pb.ReloadResponse(versions=map(_version, told.versions), changed=told.changed)

    async def GetStatus(self, request: pb.GetStatusRequest, context: Context) -> pb.GetStatusResponse:  # noqa: ARG002
        """Return how the server is doing."""
        return _status(await self._ask(GetStatus(), context))

    async def RollWorkers(self, request: pb.RollWorkersRequest, context: Context) -> pb.RollWorkersResponse:  # noqa: ARG002
        """Have every worker replaced."""
        return pb.RollWorkersResponse(workers=_status(await self._ask(RollWorkers(), context)).workers)

    async def _ask(self, told: Message, context: Context) -> Any:
        try:
            answer = await self._questions.ask(told)
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
    """Answer until the supervisor is gone, or SIGTERM comes."""
    channel = await Channel.over(end)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, channel.gone.set)
    try:
        told = await channel.hear()
        if not isinstance(told, StartAdmin):
            raise TypeError(f"this process is first told where to listen, not {told!r}")
        questions = SupervisorClient(channel)
        async with AsyncExitStack() as stack:
            try:
                admin = (
                    await stack.enter_async_context(_administering(questions, told.admin, told.security))
                    if told.admin
                    else ""
                )
                metrics = stack.enter_context(_measuring(questions, told.metrics)) if told.metrics else ""
            except (OSError, ValueError, InvalidAuthFiles) as error:
                await channel.say(Failed(str(error)))
                return
            await channel.say(AdminStarted(admin, metrics))
            await channel.gone.wait()
    except ChannelClosed:
        return


@asynccontextmanager
async def _administering(questions: SupervisorClient, address: str, security: Security) -> AsyncIterator[str]:
    async with open_listener(security) as listener:
        server = grpc.aio.server(
            options=(*security.limits.options, ("grpc.so_reuseport", 0)), interceptors=(listener.admission,)
        )
        add_AdminServiceServicer_to_server(AdminService(questions), server)
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
def _measuring(questions: SupervisorClient, address: str) -> Iterator[str]:
    registry = CollectorRegistry()
    # Not asked what it has when it is registered: nobody could answer yet.
    registry.register(WorkersCollector(questions))
    try:
        with serve_metrics(registry, address) as url:
            yield url
    except OSError as error:
        raise OSError(f"metrics cannot be served on {address}: {error}") from error


def main() -> None:
    """Take the channel, and administer."""
    logs.set_up(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    uvloop.run(administer(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    main()
