"""A server with a decision log, calls to it, and a private PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from engine.bundle import Bundle
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from guidepost.v1.ticket_pb2 import FactValue, Ticket
from service.app import listening
from service.log.settings import Durability, LogSettings
from service.log.store import Store
from tests.serving import NOW, counter, run

POSTGRESQL = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
"""Where Debian puts PostgreSQL's server."""


def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder}/log/decisions.db"


def settings(url: str, durability: Durability = Durability.SYNC, **more: Any) -> LogSettings:
    return LogSettings(url, durability, **more)


@contextmanager
def logging(log: LogSettings, clock: Any = lambda: NOW, bundle: Bundle | None = None) -> Iterator[DecisionServiceStub]:
    """Serve the second desk, or other versions, with a log while the block runs; give a stub."""
    server = listening(bundle or counter(), "127.0.0.1:0", clock=clock, grace=0.1, log=log)
    address = run(server.__aenter__())
    try:
        with grpc.insecure_channel(address) as channel:
            yield DecisionServiceStub(channel)
    finally:
        run(server.__aexit__(None, None, None))


def ask(stub: DecisionServiceStub, decision: str = "queue", timeout: float = 20, **sent: Any) -> Any:
    """Ask for a decision; keywords that begin with ``_`` are the call's metadata, the others whole numbers, truths and texts of the ticket."""
    metadata = [(f"guidepost-{name[1:].replace('_', '-')}", value) for name, value in sent.items() if name.startswith("_")]
    facts = {name: value for name, value in sent.items() if not name.startswith("_")}
    ticket = Ticket(facts={name: FactValue(flag=value) if isinstance(value, bool) else FactValue(text=str(value)) for name, value in facts.items()})
    return stub.Decide(pb.DecideRequest(decision=decision, ticket=ticket), metadata=metadata, timeout=timeout).decision


def reading(url: str) -> Store:
    return Store.reading(url)


class PostgreSQL:
    """A server of its own below a folder, reached by a socket; run by ``nobody`` if the tests run as root, since it refuses root."""

    def __init__(self, folder: Path, *, fsync: bool = False) -> None:
        self.bin, self.data, self.folder, self._fsync = POSTGRESQL[-1], folder / "data", folder, "on" if fsync else "off"
        folder.mkdir(parents=True, exist_ok=True)
        self._as = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []
        if self._as:
            shutil.chown(folder, "nobody")
        self._run("initdb", "-D", str(self.data), "-U", "guidepost", "-A", "trust", "-N")
        self.start()

    @property
    def url(self) -> str:
        return self._url("postgres")

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg://guidepost@/{database}?host={self.folder}"

    def database(self, name: str) -> str:
        """Make a database; give its URL."""
        self._run("createdb", "-h", str(self.folder), "-U", "guidepost", name)
        return self._url(name)

    def start(self) -> None:
        self._run("pg_ctl", "-D", str(self.data), "-w", "-l", str(self.folder / "log"), "-o", f"-k {self.folder} -c listen_addresses='' -c fsync={self._fsync}", "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", str(self.data), "-w", "-m", mode, "stop")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run([*self._as, str(self.bin / program), *arguments], check=True, capture_output=True, cwd=self.folder, timeout=60, stdin=subprocess.DEVNULL)
