"""What the supervisor and a worker say to each other, and how it is written. Values; nothing here does anything."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, Final, TypeAlias, cast, get_args, get_type_hints

from engine.model.answer import VersionRef
from engine.model.problems import Problem
from guidepost.decision_log.settings import LogSettings
from guidepost.server.observability.config import NO_OBSERVABILITY, ObservabilityConfig
from guidepost.server.security import NO_SECURITY, Security


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """To a new worker: what it is to be. It answers Loaded, or Failed and ends."""

    number: int
    built: str
    address: str
    log: LogSettings | None
    grace: float
    watching: ObservabilityConfig = NO_OBSERVABILITY
    """How it is watched."""
    security: Security = NO_SECURITY
    """Who may come in, and what is limited."""
    shared: bool = True
    """Whether other workers listen on the address, too."""


@dataclass(frozen=True, slots=True)
class Serve:
    """To a worker that has loaded: answer calls. It answers Serving, or Failed and ends."""


@dataclass(frozen=True, slots=True)
class Prepare:
    """To a worker: read another bundle beside the one that serves. It answers Loaded or Failed; it goes on serving as before."""

    built: str


@dataclass(frozen=True, slots=True)
class Commit:
    """To a worker that has prepared: answer from the other bundle from now on. It answers Serving."""


@dataclass(frozen=True, slots=True)
class Abort:
    """To a worker that has prepared: forget the other bundle. It answers Serving."""


@dataclass(frozen=True, slots=True)
class CollectGarbage:
    """To a worker that has changed to another bundle: let go of the one before, and look through what is there for good. It answers Serving."""


@dataclass(frozen=True, slots=True)
class Stop:
    """To a worker: take no more calls, answer those under way, and end."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """From a worker: the bundle is in memory."""


@dataclass(frozen=True, slots=True)
class Serving:
    """From a worker: it answers calls on this address from the bundle with these digests."""

    address: str
    digests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReloadFailed:
    """To a worker: why the last reload failed, for its health service. It answers Serving."""

    message: str


@dataclass(frozen=True, slots=True)
class Failed:
    """From a worker: what it was told to do cannot be done, and why."""

    message: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class StartAdmin:
    """To the process of the admin service and the metrics: listen on these addresses ("" for none). It answers Administering, or Failed and ends; from then on it asks."""

    admin: str
    metrics: str
    security: Security = NO_SECURITY


@dataclass(frozen=True, slots=True)
class AdminStarted:
    """From that process: it listens on this address, and serves metrics at this URL."""

    admin: str
    metrics: str


@dataclass(frozen=True, slots=True)
class GetMetrics:
    """What is measured? To a worker, which answers Measured; from the process of the metrics, which is answered by Measurements."""


@dataclass(frozen=True, slots=True)
class WorkerMetrics:
    """What one worker has measured, as Prometheus reads it."""

    worker: int
    text: str


@dataclass(frozen=True, slots=True)
class ServerMetrics:
    """What all workers have measured, and how the server is doing."""

    workers: tuple[WorkerMetrics, ...]
    status: ServerStatus


@dataclass(frozen=True, slots=True)
class Reload:
    """From the admin service: read the policies anew. It is answered by Reloaded or Refused."""


@dataclass(frozen=True, slots=True)
class RollWorkers:
    """From the admin service: replace every worker. It is answered by Status, or by Failed."""


@dataclass(frozen=True, slots=True)
class GetStatus:
    """From the admin service: how is the server doing? It is answered by Status."""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """Policies that every worker serves now, and whether they are others than before."""

    versions: tuple[VersionRef, ...]
    changed: bool = True


@dataclass(frozen=True, slots=True)
class Rejected:
    """Policies that are not served: every problem, or (``message``) what else is in the way. The versions are those that go on serving."""

    problems: tuple[Problem, ...] = ()
    message: str = ""
    versions: tuple[VersionRef, ...] = ()

    @property
    def summary(self) -> str:
        """The first problem in a line, without words of the policy: anyone who asks for health can read it."""
        if not self.problems:
            return self.message
        first, more = self.problems[0], len(self.problems) - 1
        return f"{first.place} [{first.code}]" + (f", and {more} more" if more else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStatus:
    """One worker: its number, its process, since when it serves (seconds of the epoch), and how often it was started anew."""

    number: int
    process: int
    since: float
    restarts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    """How a server is doing; instants are seconds of the epoch. ``refused`` is what became of the last reload if it failed."""

    started: float
    versions: tuple[VersionRef, ...]
    workers: tuple[WorkerStatus, ...]
    reloaded: float
    reloads: int
    failures: int
    reload_error: Rejected | None


Message: TypeAlias = (
    Load
    | Serve
    | Prepare
    | Commit
    | Abort
    | CollectGarbage
    | ReloadFailed
    | Stop
    | Loaded
    | Serving
    | Failed
    | StartAdmin
    | AdminStarted
    | GetMetrics
    | WorkerMetrics
    | ServerMetrics
    | Reload
    | RollWorkers
    | GetStatus
    | Reloaded
    | Rejected
    | ServerStatus
)

_KINDS: Final = {kind.__name__: kind for kind in get_args(Message)}


def line(told: Message) -> bytes:
    r"""Write it as one line.

    >>> line(Prepare("/run/2.built"))
    b'{"Prepare": {"built": "/run/2.built"}}\n'
    """
    return json.dumps({type(told).__name__: asdict(told)}).encode() + b"\n"


def read(text: bytes) -> Message:
    """Read a line back.

    >>> read(line(Serving("127.0.0.1:50051", ("ab", "cd"))))
    Serving(address='127.0.0.1:50051', digests=('ab', 'cd'))
    """
    [(kind, fields)] = json.loads(text).items()
    return cast("Message", _made(_KINDS[kind], fields))


def _made(kind: Any, plain: Any) -> Any:
    """Make a value of a kind of plain data, by the types of its fields."""
    if plain is None or not is_dataclass(kind):
        return plain
    hints = get_type_hints(kind)
    made: Any = kind
    return made(**{name: _field(hints[name], value) for name, value in plain.items()})


def _field(hint: Any, value: Any) -> Any:
    kinds = [one for one in get_args(hint) if one not in (type(None), ...)] or [hint]
    return tuple(_made(kinds[0], one) for one in value) if isinstance(value, list) else _made(kinds[0], value)
