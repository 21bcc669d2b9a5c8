"""A server in one process: policy versions and an address in, a listening grpc.aio server out."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from engine.version.bundle import Bundle
from guidepost.decision_log.recorder import Recorder, open_recorder
from guidepost.decision_log.settings import LogSettings
from guidepost.server.defaults import GRACE, HOST, PORT
from guidepost.server.listener import Listener, open_listener
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

if TYPE_CHECKING:
    from guidepost.server.observability.metrics import Metrics

Clock = Callable[[], datetime]
"""Returns the present instant, with a time zone."""

DEFAULT_ADDRESS: Final = f"{HOST}:{PORT}"

SERVICES: Final = (
    decision_service_pb2.DESCRIPTOR.services_by_name["DecisionService"].full_name,
    policy_service_pb2.DESCRIPTOR.services_by_name["PolicyService"].full_name,
    audit_service_pb2.DESCRIPTOR.services_by_name["AuditService"].full_name,
)
"""The names of Guidepost's services."""


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
    """Serve while the block runs, and yield the address with the bound port.

    ``observers`` see calls in addition to the metrics. With ``shared``, other processes may listen on the same address,
    and the kernel spreads connections over them.

    Raises:
        OSError: the address cannot be bound.
        LogError: the decision log cannot be opened.
        InvalidAuthFiles: a file of callers, keys or certificates cannot be used.
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
            # Closed last, so that calls under way are recorded when the server stops.
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
            _listening(
                live,
                address,
                clock=clock,
                grace=grace,
                recorder=recorder,
                audit=audit,
                observers=observers,
                shared=shared,
                listener=listener,
                security=security,
            )
        )


@asynccontextmanager
async def _listening(
    live: LiveBundle,
    address: str,
    *,
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
    """Report in health checks whether decisions can be recorded."""
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    async def update() -> None:
        now = health_pb2.HealthCheckResponse.NOT_SERVING if recorder.failure else health_pb2.HealthCheckResponse.SERVING
        for service in ("", SERVICES[0]):
            await status.set(service, now)

    def start() -> None:
        task = loop.create_task(update())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def changed() -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(start)

    recorder.watch(changed)


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
    """Serve until SIGTERM, SIGINT or ``stop``, and then let the calls under way complete.

    Args:
        bundle: the policy versions, already checked and cross-checked.
        address: ``host:port`` or ``unix:path``; port 0 is any free port.
        clock: returns the present instant, which selects the version in force.
        log: how decisions are recorded; None for no records.
        security: authentication, TLS and limits.
        metrics: measures calls and the log; None for no metrics.
        ready: called once with the address, when calls are answered.
        stop: ends the server when it is set.

    Raises:
        OSError: the address cannot be bound.
        LogError: the decision log cannot be opened.
        InvalidAuthFiles: a file of callers, keys or certificates cannot be used.
    """
    stop = stop or asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Only the main thread receives signals, and not on every platform; otherwise `stop` ends the server.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with listening(bundle, address, clock=clock, log=log, security=security, metrics=metrics) as bound:
        if ready:
            ready(bound)
        await stop.wait()
