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
_TURNS: Final = {"loadBalancingConfig": [{"round_robin": {}}]}

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.keepalive_time_ms", 60_000),
    # Otherwise channels to one address share one connection.
    ("grpc.use_local_subchannel_pool", 1),
)


def _options(address: str) -> list[tuple[str, str | int]]:
    """Give the options of a channel. Servers take turns where an address stands for several; one alone is better waited for by itself."""
    several = address.startswith("dns:") or "," in address
    return [("grpc.service_config", json.dumps({**_SERVICE, **(_TURNS if several else {})})), *_OPTIONS]


def channels(address: str, count: int, credentials: grpc.ChannelCredentials | None) -> list[grpc.Channel]:
    """Make channels; each connects when it is first used."""
    _counted(count)
    if credentials is None:
        return [grpc.insecure_channel(address, options=_options(address)) for _ in range(count)]
    return [grpc.secure_channel(address, credentials, options=_options(address)) for _ in range(count)]


def async_channels(address: str, count: int, credentials: grpc.ChannelCredentials | None) -> list[grpc.aio.Channel]:
    """Make channels for asyncio; each connects when it is first used."""
    _counted(count)
    if credentials is None:
        return [grpc.aio.insecure_channel(address, options=_options(address)) for _ in range(count)]
    return [grpc.aio.secure_channel(address, credentials, options=_options(address)) for _ in range(count)]


def _counted(count: int) -> None:
    if count < 1:
        raise ValueError("a client needs at least one channel")


def said(caller: str, token: str) -> Metadata:
    """Give what every call says of its caller.

    >>> said("portal", "")
    (('guidepost-caller', 'portal'),)
    """
    return tuple((name, value) for name, value in (("guidepost-caller", caller), ("authorization", f"Bearer {token}" if token else "")) if value)
