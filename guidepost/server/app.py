"""The server: policy versions and an address in, a listening grpc.aio server with health and reflection out."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from engine.version.bundle import Bundle
from guidepost.decision_log.recorder import Recorder, open_recorder
from guidepost.decision_log.settings import LogSettings
from guidepost.server.defaults import GRACE, HOST, PORT
from guidepost.server.listener import Listener, open_listener
from guidepost.server.observability.metrics import Metrics
from guidepost.server.rpc.audit_service import AuditService
from guidepost.server.rpc.bytes_handlers import BytesHandlers
from guidepost.server.rpc.decision_service import DecisionService
from guidepost.server.rpc.health_service import HealthService
from guidepost.server.rpc.live_bundle import LiveBundle
from guidepost.server.rpc.observation_interceptor import ObservationInterceptor, Observer
from guidepost.server.rpc.policy_service import PolicyService
from guidepost.server.security import NO_SECURITY, Security
from guidepost.v1 import audit_service_pb2, decision_service_pb2, policy_service_pb2
from guidepost.v1.audit_service_pb2_grpc import add_AuditServiceServicer_to_server
from guidepost.v1.decision_service_pb2_grpc import add_DecisionServiceServicer_to_server
from guidepost.v1.policy_service_pb2_grpc import add_PolicyServiceServicer_to_server

Clock = Callable[[], datetime]
"""Gives the present instant, with its zone."""

DEFAULT_ADDRESS: Final = f"{HOST}:{PORT}"

SERVICES: Final = (
    decision_service_pb2.DESCRIPTOR.services_by_name["DecisionService"].full_name,
    policy_service_pb2.DESCRIPTOR.services_by_name["PolicyService"].full_name,
    audit_service_pb2.DESCRIPTOR.services_by_name["AuditService"].full_name,
)
"""The names of Guidepost's own services."""


def utc_now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


@asynccontextmanager
async def listening(
    bundle: Bundle | LiveBundle,
    address: str = DEFAULT_ADDRESS,
    *,
    clock: Clock = utc_now,
    grace: float = GRACE,
    log: LogSettings | None = None,
    security: Security = NO_SECURITY,
    metrics: Metrics | None = None,
    observers: Sequence[Observer] = (),
    shared: bool = False,
) -> AsyncIterator[str]:
    """Serve while the block runs; give the address that is listened on, with the real port where 0 was asked for.

    ``observers`` look at calls, beside the metrics. ``shared`` lets other processes listen on the same address: the kernel spreads connections over all of them.

    Raises:
        OSError: the address cannot be bound.
        LogError: the decision log cannot be opened.
        AccessRefused: a file that says who may come in, or a certificate, cannot be used.
    """
    live = bundle if isinstance(bundle, LiveBundle) else LiveBundle(bundle)
    async with AsyncExitStack() as stack:
        recorder = (
            None
            if log is None
            else open_recorder(
                log,
                clock,
                (version.policy for version in live.bundle.versions),
                None if metrics is None else metrics.log,
            )
        )
        if recorder is not None:
            # Closed last of all: a call that is under way when the server stops is recorded, too.
            stack.push_async_callback(recorder.close)
            if metrics is not None:
                metrics.log.watch(recorder)
        listener = await stack.enter_async_context(open_listener(security))
        audit = AuditService(live, clock, log, listener.access)
        stack.push_async_callback(audit.close)
        if metrics is not None:
            metrics.policies.watch(live, clock)
            metrics.rejections.watch(listener.admission.rejected)
            observers = (*metrics.observers, *observers)
        yield await stack.enter_async_context(
            _listening(live, address, clock, grace, recorder, audit, observers, shared, listener, security)
        )


@asynccontextmanager
async def _listening(
    live: LiveBundle,
    address: str,
    clock: Clock,
    grace: float,
    recorder: Recorder | None,
    audit: AuditService,
    observers: Sequence[Observer],
    shared: bool,
    listener: Listener,
    security: Security,
) -> AsyncIterator[str]:
    server = grpc.aio.server(
        options=(*security.limits.options, ("grpc.so_reuseport", int(shared))),
        interceptors=(*((ObservationInterceptor(observers),) if observers else ()), listener.admission),
    )
    add_DecisionServiceServicer_to_server(
        DecisionService(live, clock, recorder, security.limits.batch), BytesHandlers(server)
    )
    add_PolicyServiceServicer_to_server(PolicyService(live, clock), server)
    add_AuditServiceServicer_to_server(audit, server)
    status = HealthService(live)
    health_pb2_grpc.add_HealthServicer_to_server(status, server)
    if security.reflection:
        reflection.enable_server_reflection((*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    port = listener.listen(server, address)
    await server.start()
    for service in ("", *SERVICES):
        await status.set(service, health_pb2.HealthCheckResponse.SERVING)
    if recorder is not None:
        _follow(recorder, status)
    try:
        yield address if address.startswith("unix") else f"{address.rpartition(':')[0]}:{port}"
    finally:
        await status.enter_graceful_shutdown()
        await server.stop(grace)


def _follow(recorder: Recorder, status: Any) -> None:
    """Have health tell whether decisions can be recorded."""
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    async def tell() -> None:
        now = health_pb2.HealthCheckResponse.NOT_SERVING if recorder.failure else health_pb2.HealthCheckResponse.SERVING
        for service in ("", SERVICES[0]):
            await status.set(service, now)

    def start() -> None:
        task = loop.create_task(tell())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def told() -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody asks any more
            loop.call_soon_threadsafe(start)

    recorder.watch(told)


async def serve(
    bundle: Bundle,
    address: str = DEFAULT_ADDRESS,
    *,
    clock: Clock = utc_now,
    log: LogSettings | None = None,
    security: Security = NO_SECURITY,
    metrics: Metrics | None = None,
    ready: Callable[[str], object] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve until SIGTERM, SIGINT or ``stop``; then let the calls under way end.

    Args:
        bundle: the policy versions to decide under, already checked and proved.
        address: ``host:port`` (port 0: any free one) or ``unix:path``.
        clock: gives the present instant, which chooses the version in force.
        log: how decisions are recorded; None for not at all.
        security: who may come in, how connections are secured, what is limited.
        metrics: where calls and the log are measured; None for not at all.
        ready: called once, with the real address, as soon as calls are answered.
        stop: ends the server when it is set.

    Raises:
        OSError: the address cannot be bound.
        LogError: the decision log cannot be opened.
        AccessRefused: a file that says who may come in, or a certificate, cannot be used.
    """
    stop = stop or asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Only the main thread can take signals, and not on every platform; elsewhere `stop` ends the server.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with listening(bundle, address, clock=clock, log=log, security=security, metrics=metrics) as bound:
        if ready:
            ready(bound)
        await stop.wait()
