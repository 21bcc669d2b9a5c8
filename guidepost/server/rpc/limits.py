"""How much one client, and all of them together, may ask of a server; and the room that calls under way take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from guidepost.server.errors import CallError

MOST_TICKETS: Final = 1_000
"""The most tickets that one call may have anywhere."""


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
    """What is limited. Sizes are in bytes, times in seconds."""

    in_flight: int = 1_000
    """Calls with one answer that one worker has under way."""
    streams: int = 32
    """Calls with a stream that one worker has under way; those who say nothing take room here only."""
    incomplete: int = 48
    """Messages that one worker is receiving; with one more, the call that has waited longest ends."""
    open_incomplete: int = 12
    """The same for the methods that need no key; also how many reflection streams there may be."""
    watches: int = 1_000
    """Health watches of one worker."""
    message_timeout: float = 10.0
    """How long a message may take to arrive."""
    batch: int = MOST_TICKETS
    """Tickets of one call."""
    request: int = 1 << 20
    """A message that a client sends."""
    response: int = 16 << 20
    """A message that a client gets."""
    metadata: int = 16 << 10
    """All metadata of one call."""
    connections: int = 1_000
    """Connections of one worker."""
    connection_streams: int = 100
    """Calls under way on one connection."""
    connection_idle: int = 15 * 60
    """How long a connection without calls stays open."""
    connection_age: int = 60 * 60
    """How long a connection stays open at all; clients open another one without losing a call."""
    connection_age_grace: int = 60
    """How long calls have to end on a connection that is closed for its age."""
    handshake: int = 10
    """How long a connection may take until it can carry calls."""
    ping_interval: int = 5
    """The shortest time between the pings of a client, also while it has no call under way."""

    @property
    def options(self) -> tuple[tuple[str, int], ...]:
        """These limits as gRPC takes them; what it does with calls under way is the gate's affair."""
        return (
            ("grpc.max_receive_message_length", self.request),
            ("grpc.max_send_message_length", self.response),
            ("grpc.max_allowed_incoming_connections", self.connections),
            ("grpc.max_concurrent_streams", self.connection_streams),
            # Or gRPC makes the window of a connection larger the more it gets, whether anyone reads it or not.
            ("grpc.http2.bdp_probe", 0),
            ("grpc.max_metadata_size", self.metadata),
            # Between the two, gRPC refuses some calls and not others, so as not to fall off a cliff; we want one limit.
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
    """Room for a number of calls."""

    def __init__(self, limit: int, what: str) -> None:
        self._limit, self._what = limit, what
        self.taken = 0

    @contextmanager
    def taking(self) -> Iterator[None]:
        """Take room while the block runs; raises TooBusy if there is none.

        >>> room = Room(1, "calls")
        >>> with room.taking(), room.taking():
        ...     pass
        Traceback (most recent call last):
        guidepost.server.rpc.limits.TooBusy: all 1 calls that this server answers at once are under way
        >>> room.taken
        0
        """
        self.enter()
        try:
            yield
        finally:
            self.taken -= 1

    def enter(self) -> None:
        """Take room until ``leave``; raises TooBusy if there is none."""
        if self.taken >= self._limit:
            raise TooBusy(f"all {self._limit} {self._what} that this server answers at once are under way")
        self.taken += 1

    def leave(self) -> None:
        """Give the room back."""
        self.taken -= 1
