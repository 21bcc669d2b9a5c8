"""The messages between the processes of a server, each encoded as a line of JSON."""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from engine.model.answer import VersionRef
from engine.model.problems import Problem
from guidepost.decision_log.settings import LogSettings
from guidepost.server.observability.config import NO_OBSERVABILITY, ObservabilityConfig
from guidepost.server.security import NO_SECURITY, Security


class _Message(msgspec.Struct, frozen=True, tag=True):
    """A message; its encoding contains the name of its class."""


# Supervisor and worker


class Load(_Message, frozen=True, kw_only=True):
    """Supervisor to a new worker: what to serve, and how. Answers: Loaded, or Failed, after which the worker ends."""

    number: int
    bundle: bytes
    """The pickled versions; the supervisor does not read them."""
    address: str
    log: LogSettings | None
    grace: float
    observability: ObservabilityConfig = NO_OBSERVABILITY
    security: Security = NO_SECURITY
    shared: bool = True
    """Whether other workers listen on the same address."""


class Serve(_Message, frozen=True):
    """Supervisor to a worker that has loaded: answer calls.

    Answers: Serving, or Failed, after which the worker ends.
    """


class Prepare(_Message, frozen=True):
    """Supervisor to a worker: load another bundle while the current one serves. Answers: Loaded or Failed."""

    bundle: bytes


class Commit(_Message, frozen=True):
    """Supervisor to a worker that has prepared: serve the other bundle from now on. Answer: Serving."""


class Abort(_Message, frozen=True):
    """Supervisor to a worker that has prepared: drop the other bundle. Answer: Serving."""


class CollectGarbage(_Message, frozen=True):
    """Supervisor to a worker that has changed bundles: free the previous one. Answer: Serving."""


class ReloadFailed(_Message, frozen=True):
    """Supervisor to a worker: the last reload failed, for its health service. Answer: Serving."""

    message: str


class GetMetrics(_Message, frozen=True):
    """Supervisor to a worker: report your metrics; answer: WorkerMetrics.

    Admin process to the supervisor: ServerMetrics.
    """


class Stop(_Message, frozen=True):
    """Supervisor to a worker: accept no more calls, complete those under way, and end. No answer."""


class Loaded(_Message, frozen=True):
    """The bundle is in memory."""


class Serving(_Message, frozen=True):
    """The worker answers calls on this address, from the versions with these digests."""

    address: str
    digests: tuple[str, ...]


class Failed(_Message, frozen=True):
    """A request cannot be fulfilled."""

    message: str
    help: str = ""


class WorkerMetrics(_Message, frozen=True):
    """The metrics of one worker, in Prometheus' text format."""

    worker: int
    text: str


# Supervisor and admin process


class StartAdmin(_Message, frozen=True):
    """Supervisor to the admin process: listen on these addresses ("" for none). Answers: AdminStarted, or Failed.

    After AdminStarted, the admin process sends the requests.
    """

    admin: str
    metrics: str
    security: Security = NO_SECURITY


class AdminStarted(_Message, frozen=True):
    """The address of the admin service, and the URL of the metrics."""

    admin: str
    metrics: str


class Reload(_Message, frozen=True):
    """Admin process to the supervisor: read the policies again. Answers: Reloaded or Rejected."""


class RollWorkers(_Message, frozen=True):
    """Admin process to the supervisor: replace every worker. Answers: ServerStatus or Failed."""


class GetStatus(_Message, frozen=True):
    """Admin process to the supervisor: report the state of the server. Answer: ServerStatus."""


class Reloaded(_Message, frozen=True):
    """The policy versions that every worker serves now. ``changed`` is false if they are the same as before."""

    versions: tuple[VersionRef, ...]
    changed: bool = True


class Rejected(_Message, frozen=True):
    """Policies that cannot be served: ``problems`` has every problem, or ``message`` another cause.

    ``versions`` are those that the server continues to serve.
    """

    problems: tuple[Problem, ...] = ()
    message: str = ""
    versions: tuple[VersionRef, ...] = ()

    @property
    def summary(self) -> str:
        """The first problem in one line, without texts of the policy, since all callers can read it."""
        if not self.problems:
            return self.message
        first, more = self.problems[0], len(self.problems) - 1
        return f"{first.place} [{first.code}]" + (f", and {more} more" if more else "")


class WorkerStatus(_Message, frozen=True, kw_only=True):
    """One worker; ``since`` is when it began to serve, in seconds since 1970."""

    number: int
    process: int
    since: float
    restarts: int


class ServerStatus(_Message, frozen=True, kw_only=True):
    """The state of a server; instants are seconds since 1970. ``reload_error`` is None if the last reload succeeded."""

    started: float
    versions: tuple[VersionRef, ...]
    workers: tuple[WorkerStatus, ...]
    reloaded: float
    reloads: int
    failures: int
    reload_error: Rejected | None


class ServerMetrics(_Message, frozen=True):
    """The metrics of all workers, and the state of the server."""

    workers: tuple[WorkerMetrics, ...]
    status: ServerStatus


# Supervisor and build process


class BuildStep(_Message, frozen=True):
    """Build process to the supervisor: this step of the build begins. Built or Rejected follows at the end."""

    text: str


class Built(_Message, frozen=True):
    """Build process to the supervisor: the policy versions, and ``bundle``, which has them pickled for the workers."""

    versions: tuple[VersionRef, ...]
    bundle: bytes


Message: TypeAlias = (
    Load
    | Serve
    | Prepare
    | Commit
    | Abort
    | CollectGarbage
    | ReloadFailed
    | GetMetrics
    | Stop
    | Loaded
    | Serving
    | Failed
    | WorkerMetrics
    | StartAdmin
    | AdminStarted
    | Reload
    | RollWorkers
    | GetStatus
    | Reloaded
    | Rejected
    | ServerStatus
    | ServerMetrics
    | BuildStep
    | Built
)

_encoder: Final = msgspec.json.Encoder()
_decoder: Final[msgspec.json.Decoder[Message]] = msgspec.json.Decoder(Message)


def encode(message: Message) -> bytes:
    r"""Return a message as one line.

    >>> encode(Prepare(b"versions"))
    b'{"type":"Prepare","bundle":"dmVyc2lvbnM="}\n'
    """
    return _encoder.encode(message) + b"\n"


def decode(line: bytes) -> Message:
    """Return the message of a line; raises msgspec.MsgspecError, a ValueError, if it is not one.

    >>> decode(encode(Serving("127.0.0.1:50051", ("ab", "cd"))))
    Serving(address='127.0.0.1:50051', digests=('ab', 'cd'))
    """
    return _decoder.decode(line)
