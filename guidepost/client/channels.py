"""How clients connect: several channels to one address or many, deadlines, what is tried again, and what every call says of its caller.

Of several addresses (a name that resolves to them, or ``ipv4:HOST:PORT,HOST:PORT``) each channel connects to all, and calls take
turns among those that are there; a call to one that goes away is tried again on the next.
"""

from __future__ import annotations

import json
from typing import Final

import grpc

TIMEOUT: Final = 2.0
"""Seconds that a call may take, unless it is told otherwise."""

DIFF_TIMEOUT: Final = 60.0
"""Seconds that a comparison of two versions may take: the server works it out when it is first asked for."""

CHANNELS: Final = 4
"""How many connections a client opens. A server of several processes spreads connections over them, and not calls."""

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
"""Decisions are safe to repeat: with a request id they are recorded once, and without one a second record says the same."""

# Without health checks: the stream that each of them keeps open would hold a server up that is to stop, for the whole of its grace.
_TURNS: Final[dict[str, list[dict[str, dict[str, str]]]]] = {"loadBalancingConfig": [{"round_robin": {}}]}

RECONNECT: Final = 1.5
"""The most seconds between two tries to connect. gRPC's own 120 would leave a client down for minutes after its server is back."""

CONNECT: Final = 2.0
"""Seconds that a try to connect may take until the server has answered it; a server that hangs takes connections and says nothing."""

KEEPALIVE: Final = 20.0
"""Seconds after which a connection is pinged: no more often than a server allows, and before balancers close what is silent for a minute."""

KEEPALIVE_ANSWER: Final = 5.0
"""Seconds that a ping waits for its answer; without one, the connection is closed and opened anew."""

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", int(RECONNECT * 1_000)),
    # What gRPC calls the least backoff is how long it waits for a connection to be made, 20 s by itself.
    ("grpc.min_reconnect_backoff_ms", int(CONNECT * 1_000)),
    # A name is looked up again after a lost connection, at most so often; gRPC's own 30 s would keep to addresses that are gone.
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    ("grpc.keepalive_time_ms", int(KEEPALIVE * 1_000)),
    ("grpc.keepalive_timeout_ms", int(KEEPALIVE_ANSWER * 1_000)),
    # So that a connection that broke while nobody called is noticed before somebody does.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # Otherwise channels to one address share one connection.
    ("grpc.use_local_subchannel_pool", 1),
)


def _options(address: str) -> list[tuple[str, str | int]]:
    """Return the options of a channel. Servers take turns where an address stands for several; one alone is better waited for by itself."""
    several = address.startswith("dns:") or "," in address
    return [("grpc.service_config", json.dumps({**_SERVICE, **(_TURNS if several else {})})), *_OPTIONS]


def connect(address: str, credentials: grpc.ChannelCredentials | None) -> grpc.Channel:
    """Make a channel; it connects when it is first used."""
    if credentials is None:
        return grpc.insecure_channel(address, options=_options(address))
    return grpc.secure_channel(address, credentials, options=_options(address))


def connect_async(address: str, credentials: grpc.ChannelCredentials | None) -> grpc.aio.Channel:
    """Make a channel for asyncio; it connects when it is first used."""
    if credentials is None:
        return grpc.aio.insecure_channel(address, options=_options(address))
    return grpc.aio.secure_channel(address, credentials, options=_options(address))


def said(caller: str, token: str) -> Metadata:
    """Return what every call says of its caller.

    >>> said("portal", "")
    (('guidepost-caller', 'portal'),)
    """
    return tuple(
        (name, value)
        for name, value in (("guidepost-caller", caller), ("authorization", f"Bearer {token}" if token else ""))
        if value
    )
