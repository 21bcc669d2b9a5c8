"""The limits of a server, for each client and for all clients together; and slots for calls under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from guidepost.server.errors import CallError

MOST_TICKETS: Final = 1_000
"""The highest limit of tickets in one call."""


class TooBusy(CallError):
    """A limit is reached: the server takes no further call for now."""

    status = "RESOURCE_EXHAUSTED"
    reason = "TOO_BUSY"
    retry_after = 100


class MessageTimeout(CallError):
    """A message did not arrive completely within ``Limits.message_timeout``."""

    status = "DEADLINE_EXCEEDED"
    reason = "MESSAGE_TIMEOUT"


class MalformedMessage(CallError):
    """The bytes of a request are not the message that the method takes."""

    status = "INVALID_ARGUMENT"
    reason = "MALFORMED_MESSAGE"


class TooManyTickets(CallError):
    """A call has more tickets than ``Limits.batch``."""

    status = "INVALID_ARGUMENT"
    reason = "TOO_MANY_TICKETS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one worker. Sizes are in bytes, times in seconds."""

    in_flight: int = 1_000
    """Unary calls under way."""
    streams: int = 32
    """Streams under way. Idle streams count against this limit only."""
    incomplete: int = 48
    """Messages that are arriving; one more ends the call that has waited longest."""
    open_incomplete: int = 12
    """The same for methods that need no key; also the limit of reflection streams."""
    watches: int = 1_000
    """Health watches under way."""
    message_timeout: float = 10.0
    """Time within which a message arrives completely."""
    batch: int = MOST_TICKETS
    """Tickets in one call."""
    request: int = 1 << 20
    """Size of a request message."""
    response: int = 16 << 20
    """Size of a response message."""
    metadata: int = 16 << 10
    """Size of the metadata of a call."""
    connections: int = 1_000
    """Open connections."""
    connection_streams: int = 100
    """Calls under way on one connection."""
    connection_idle: int = 15 * 60
    """Time after which a connection without calls is closed."""
    connection_age: int = 60 * 60
    """Time after which a connection is closed; clients open another one without losing a call."""
    connection_age_grace: int = 60
    """Time that calls on such a connection have to complete."""
    handshake: int = 10
    """Time for the handshakes of a new connection."""
    ping_interval: int = 5
    """Minimum time between the pings of a client, with or without calls under way."""

    @property
    def options(self) -> tuple[tuple[str, int], ...]:
        """The limits that gRPC enforces. AdmissionInterceptor enforces those of calls and messages."""
        return (
            ("grpc.max_receive_message_length", self.request),
            ("grpc.max_send_message_length", self.response),
            ("grpc.max_allowed_incoming_connections", self.connections),
            ("grpc.max_concurrent_streams", self.connection_streams),
            # Otherwise, gRPC enlarges the window of a connection with its traffic, even if nothing reads the messages.
            ("grpc.http2.bdp_probe", 0),
            ("grpc.max_metadata_size", self.metadata),
            # Between this limit and the next, gRPC rejects calls at random. With equal values there is one limit.
            ("grpc.absolute_max_metadata_size", self.metadata),
            ("grpc.max_connection_idle_ms", self.connection_idle * 1_000),
            ("grpc.max_connection_age_ms", self.connection_age * 1_000),
            ("grpc.max_connection_age_grace_ms", self.connection_age_grace * 1_000),
            ("grpc.server_handshake_timeout_ms", self.handshake * 1_000),
            ("grpc.keepalive_time_ms", 60_000),
            ("grpc.keepalive_timeout_ms", 20_000),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", self.ping_interval * 1_000),
            ("grpc.http2.max_ping_strikes", 3),
        )


class Slots:
    """A number of slots for calls under way; ``what`` names the calls in messages."""

    def __init__(self, limit: int, what: str) -> None:
        self._limit, self._what = limit, what
        self.used = 0

    def acquire(self) -> None:
        """Take a slot until ``release``; raises TooBusy if all are in use.

        >>> slots = Slots(1, "calls")
        >>> slots.acquire()
        >>> slots.acquire()
        Traceback (most recent call last):
        guidepost.server.rpc.limits.TooBusy: the limit of 1 calls under way is reached
        """
        if self.used >= self._limit:
            raise TooBusy(f"the limit of {self._limit} {self._what} under way is reached")
        self.used += 1

    def release(self) -> None:
        """Return a slot."""
        self.used -= 1
