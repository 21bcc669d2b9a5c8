"""What the supervisor and a worker say to each other, and how it is written. Values; nothing here does anything."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeAlias

from service.log.options import LogOptions


@dataclass(frozen=True, slots=True)
class Load:
    """To a new worker: what it is to be. It answers Loaded, or Failed and ends."""

    number: int
    built: str
    address: str
    log: LogOptions | None
    grace: float
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
class Failed:
    """From a worker: what it was told to do cannot be done, and why."""

    message: str
    help: str = ""


Told: TypeAlias = Load | Serve | Prepare | Commit | Abort | Stop | Loaded | Serving | Failed

_KINDS: Final = {kind.__name__: kind for kind in (Load, Serve, Prepare, Commit, Abort, Stop, Loaded, Serving, Failed)}


def line(told: Told) -> bytes:
    r"""Write it as one line.

    >>> line(Prepare("/run/2.built"))
    b'{"Prepare": {"built": "/run/2.built"}}\n'
    """
    return json.dumps({type(told).__name__: asdict(told)}).encode() + b"\n"


def read(text: bytes) -> Told:
    """Read a line back.

    >>> read(line(Serving("127.0.0.1:50051", ("ab", "cd"))))
    Serving(address='127.0.0.1:50051', digests=('ab', 'cd'))
    """
    [(kind, fields)] = json.loads(text).items()
    return _KINDS[kind](**{name: _value(name, value) for name, value in fields.items()})  # type: ignore[no-any-return]


def _value(name: str, value: Any) -> Any:
    if name == "log" and value is not None:
        return LogOptions.read(value)
    return tuple(value) if isinstance(value, list) else value
