"""A server with a decision log, calls to it, what it left in the log, a store that fails, and a private PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from sqlalchemy.exc import OperationalError

from engine.records.chain import Head
from engine.records.filter import Filter
from engine.records.record import Record
from engine.records.verify import verify
from engine.version.build import build
from engine.version.bundle import Bundle
from guidepost.decision_log.append import Appended
from guidepost.decision_log.settings import Durability, LogSettings
from guidepost.decision_log.store import Store
from guidepost.server.app import listening
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from guidepost.v1.ticket_pb2 import FactValue, Ticket
from tests.support.desks import renumbered
from tests.support.servers import NOW, counter_bundle, run_coroutine

POSTGRESQL = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
"""Where Debian puts PostgreSQL's server."""


def end_of(store: Store, writer: str = "main") -> Head:
    """Return the head of a chain that has entries."""
    return next(head for head in store.ends() if head.writer == writer)


def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder}/log/decisions.db"


PATIENT: Final = 15.0
"""Seconds that a call waits for its record where a test is not about this: a machine may be busy with other work."""


def settings(url: str, durability: Durability = Durability.SYNC, **more: Any) -> LogSettings:
    return LogSettings(url=url, durability=durability, **{"timeout": PATIENT} | more)


@contextmanager
def serving_with_log(
    log: LogSettings, clock: Any = lambda: NOW, bundle: Bundle | None = None
) -> Iterator[DecisionServiceStub]:
    """Serve the second desk, or other versions, with a log while the block runs; give a stub."""
    server = listening(bundle or counter_bundle(), "127.0.0.1:0", clock=clock, grace=0.1, log=log)
    address = run_coroutine(server.__aenter__())
    try:
        with grpc.insecure_channel(address) as channel:
            yield DecisionServiceStub(channel)
    finally:
        run_coroutine(server.__aexit__(None, None, None))


def ask(stub: DecisionServiceStub, decision: str = "queue", timeout: float = 20, **sent: Any) -> Any:
    """Ask for a decision; keywords with ``_`` are metadata, the others integers, booleans and texts of the ticket."""
    metadata = [
        (f"guidepost-{name[1:].replace('_', '-')}", value) for name, value in sent.items() if name.startswith("_")
    ]
    facts = {name: value for name, value in sent.items() if not name.startswith("_")}
    ticket = Ticket(
        facts={
            name: FactValue(flag=value) if isinstance(value, bool) else FactValue(text=str(value))
            for name, value in facts.items()
        }
    )
    return stub.Decide(pb.DecideRequest(decision=decision, ticket=ticket), metadata=metadata, timeout=timeout).decision


def open_to_read(url: str) -> Store:
    return Store.open_existing(url)


class PostgreSQL:
    """A PostgreSQL server below a folder with a socket; root starts it as ``nobody``, since it rejects root."""

    def __init__(self, folder: Path, *, fsync: bool = False) -> None:
        self.bin, self.data, self.folder, self._fsync = (
            POSTGRESQL[-1],
            folder / "data",
            folder,
            "on" if fsync else "off",
        )
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
        self._run(
            "pg_ctl",
            "-D",
            str(self.data),
            "-w",
            "-l",
            str(self.folder / "log"),
            "-o",
            f"-k {self.folder} -c listen_addresses='' -c fsync={self._fsync}",
            "start",
        )

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", str(self.data), "-w", "-m", mode, "stop")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._as, str(self.bin / program), *arguments],
            check=True,
            capture_output=True,
            cwd=self.folder,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )


def records(url: str) -> list[Record]:
    return [found for _, found in open_to_read(url).search(Filter())]


def is_intact(url: str) -> bool:
    made = open_to_read(url)
    return verify(made.entries(), ends=made.ends()).breaks == ()


def rejection_of(call: Callable[[], Any]) -> tuple[grpc.StatusCode, str]:
    """Return the code and the reason of a call that is refused."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    info = error_details_pb2.ErrorInfo()
    status = rpc_status.from_call(raised.value)
    assert status is None or status.details[0].Unpack(info)
    return raised.value.code(), info.reason


class FailingStore(Store):
    """A store whose commits fail while ``broken``, and wait while not ``open_``."""

    def __init__(self, url: str) -> None:
        super().__init__(Store.open(url)._engine)
        self.broken, self.open_, self.commits, self.failures = False, threading.Event(), 0, 0
        self.entered = threading.Event()
        self.open_.set()

    def append(self, writer: str, records: Any, *, retry: bool = False) -> list[Appended]:
        self.entered.set()
        self.open_.wait(60)
        if self.broken:
            self.failures += 1
            raise OperationalError("INSERT", {}, OSError("database or disk is full"))
        self.commits += 1
        return super().append(writer, records, retry=retry)

    def probe(self, writer: str) -> None:
        if self.broken:
            raise OperationalError("UPDATE", {}, OSError("database or disk is full"))


def at(instant: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(instant)
    return made


CAME = NOW - timedelta(hours=1)


@cache
def workshop() -> Bundle:
    """Two versions of a desk with deadlines."""
    return Bundle((build(renumbered(year="2020")), build(renumbered(number="3.0.0", year="2026"))))


def rescheduled(stub: DecisionServiceStub, before: str = "other", rider: str = "courier", **metadata: str) -> Any:
    """Ask what it changes that a rider is another one."""
    facts = {
        "damage": FactValue(text="broken"),
        "stand": FactValue(text="oslo"),
        "rider": FactValue(text=rider),
        "note": FactValue(text="call Ann"),
        "came_at": FactValue(instant=at(CAME)),
    }
    request = pb.RescheduleRequest(
        ticket=Ticket(facts=facts),
        before=Ticket(facts={"rider": FactValue(text=before), "note": FactValue(text="Ann")}),
        unknown_before=["brake_wear"],
    )
    return stub.Reschedule(
        request,
        metadata=[(f"guidepost-{name.replace('_', '-')}", value) for name, value in metadata.items()],
        timeout=20,
    )
