"""gRPC channels: how a client connects, which calls gRPC retries, and the metadata that every call carries.

If an address stands for several servers (a name that resolves to them, or ``ipv4:HOST:PORT,HOST:PORT``), each channel
connects to all of them. Calls are balanced across the live servers; a call to a lost server is retried on another.
"""

from __future__ import annotations

import json
from typing import Final

import grpc

TIMEOUT: Final = 2.0
"""The default timeout of a call, in seconds."""

DIFF_TIMEOUT: Final = 60.0
"""The default timeout of a comparison of two versions, in seconds: the server computes it on the first request."""

CHANNELS: Final = 4
"""The default number of connections. The kernel spreads connections, not calls, over the workers of a server."""

Metadata = tuple[tuple[str, str], ...]

_SERVICE: Final = {
    "methodConfig": [
        {
            "name": [{"service": "guidepost.v1.DecisionService"}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.02s",
                "maxBackoff": "0.5s",
                "backoffMultiplier": 3,
                "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
            },
        }
    ],
}
"""Decisions are safe to retry: with a request id they are recorded once, without one the second record is equal."""

# Without health checks: each keeps a stream open, which would delay a server that is stopping for its whole grace
# period.
_TURNS: Final[dict[str, list[dict[str, dict[str, str]]]]] = {"loadBalancingConfig": [{"round_robin": {}}]}

RECONNECT: Final = 1.5
"""The most seconds between two attempts to connect. gRPC's default of 120 would prolong an outage."""

CONNECT: Final = 2.0
"""The timeout of an attempt to connect, in seconds: a server that hangs accepts connections and does not respond."""

KEEPALIVE: Final = 20.0
"""Seconds between pings of an idle connection, which load balancers would drop after a minute."""

KEEPALIVE_ANSWER: Final = 5.0
"""Seconds after which a connection whose ping got no answer is closed and opened again."""

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", int(RECONNECT * 1_000)),
    # What gRPC calls the minimum backoff is its timeout for an attempt to connect, 20 s by default.
    ("grpc.min_reconnect_backoff_ms", int(CONNECT * 1_000)),
    # The most frequent look-up of a name after a lost connection; the default of 30 s would keep addresses that are
    # gone.
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    ("grpc.keepalive_time_ms", int(KEEPALIVE * 1_000)),
    ("grpc.keepalive_timeout_ms", int(KEEPALIVE_ANSWER * 1_000)),
    # Detects a connection that broke while it was idle before the next call needs it.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # By default, channels to one address share one connection.
    ("grpc.use_local_subchannel_pool", 1),
)


def _options(address: str) -> list[tuple[str, str | int]]:
    """Return the options of a channel; calls are balanced if its address may stand for several servers."""
    several = address.startswith("dns:") or "," in address
    return [("grpc.service_config", json.dumps({**_SERVICE, **(_TURNS if several else {})})), *_OPTIONS]


def connect(address: str, credentials: grpc.ChannelCredentials | None) -> grpc.Channel:
    """Return a channel, which connects when it is first used."""
    if credentials is None:
        return grpc.insecure_channel(address, options=_options(address))
    return grpc.secure_channel(address, credentials, options=_options(address))


def connect_async(address: str, credentials: grpc.ChannelCredentials | None) -> grpc.aio.Channel:
    """Return a channel for asyncio, which connects when it is first used."""
    if credentials is None:
        return grpc.aio.insecure_channel(address, options=_options(address))
    return grpc.aio.secure_channel(address, credentials, options=_options(address))


def caller_metadata(caller: str, token: str) -> Metadata:
    """Return the metadata that identifies the caller of every call.

    >>> caller_metadata("portal", "")
    (('guidepost-caller', 'portal'),)
    """
    return tuple(
        (name, value)
        for name, value in (("guidepost-caller", caller), ("authorization", f"Bearer {token}" if token else ""))
        if value
    )
