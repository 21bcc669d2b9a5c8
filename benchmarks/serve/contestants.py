"""The servers, each with a worker for every core: Guidepost with its log off, bounded and sync; the floor; Cerbos."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc

from benchmarks.serve import requests

ROOT: Final = Path(__file__).resolve().parents[2]
WORKERS: Final = 2
LOGS: Final = ("off", "bounded", "sync")
CERBOS: Final = "Cerbos"
FLOOR: Final = "floor"
MOST: Final = 100
"""The most resources of a call to Cerbos, by its settings; 50 by default."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs."""

    address: str
    pid: int


@contextmanager
def guidepost(folder: Path, durability: str) -> Iterator[Server]:
    """Start Guidepost with the shipped policies and its own log file."""
    command = [
        sys.executable,
        "-m",
        "guidepost.cli",
        "serve",
        "--policies",
        str(ROOT / "policies"),
        "--port",
        "0",
        "--workers",
        f"{WORKERS}",
        "--no-watch",
        "--decision-log",
        f"sqlite:///{folder}/{durability}.db",
        "--log-durability",
        durability,
    ]
    with _started(command, ROOT) as process:
        said = next((line for line in process.stdout or () if line.startswith("listening on ")), "")
        if not said:
            raise ValueError("Guidepost did not start")
        yield Server(said.split()[2].rstrip(";"), process.pid)


@contextmanager
def floor(size: int) -> Iterator[Server]:
    """Start the floor with responses of a number of bytes."""
    address = f"127.0.0.1:{_free_port()}"
    with _started([sys.executable, "-m", "benchmarks.serve.floor", address, f"{size}"], ROOT) as process:
        if process.stdout is None or not process.stdout.readline().startswith("listening"):
            raise ValueError("the floor did not start")
        time.sleep(2)  # for its other worker, which says nothing
        yield Server(address, process.pid)


@contextmanager
def cerbos(program: str, folder: Path) -> Iterator[Server]:
    """Start Cerbos with the priority matrix, without an audit log or telemetry, and quiet."""
    (folder / "cerbos").mkdir()
    (folder / "cerbos" / "ticket.yaml").write_text(requests.policy(), encoding="utf-8")
    address = f"127.0.0.1:{_free_port()}"
    (folder / "cerbos.yaml").write_text(
        f'server: {{httpListenAddr: "127.0.0.1:0", grpcListenAddr: "{address}", requestLimits: {{maxResourcesPerRequest: {MOST}}}}}\n'
        f'telemetry: {{disabled: true}}\nstorage: {{driver: disk, disk: {{directory: "{folder}/cerbos", watchForChanges: false}}}}\n',
        encoding="utf-8",
    )
    with _started([program, "server", f"--config={folder}/cerbos.yaml", "--log-level=error"], folder) as process:
        with grpc.insecure_channel(address) as channel:
            grpc.channel_ready_future(channel).result(30)
        yield Server(address, process.pid)


def cerbos_program(folder: Path) -> str:
    """Return the path of the program: named, installed, or installed by npm into a folder; "" if that fails."""
    named = os.environ.get("CERBOS_PROGRAM") or shutil.which("cerbos")
    if named or not shutil.which("npm"):
        return named or ""
    with suppress(subprocess.SubprocessError):
        subprocess.run(
            ["npm", "install", "--silent", "--prefix", str(folder), "cerbos"],
            check=True,
            capture_output=True,
            timeout=180,
        )
    # The program itself: the one of npm starts it, and does not end it.
    return next((str(found) for found in (folder / "node_modules" / "@cerbos").glob("*/cerbos-*")), "")


def asked_once(server: Server, method: str, message: bytes, right: Callable[[bytes], bool]) -> int:
    """Make one call; return the bytes of its response. Raises ValueError if the response is wrong."""
    with grpc.insecure_channel(server.address, options=[("grpc.max_receive_message_length", 64 << 20)]) as channel:
        answer: bytes = channel.unary_unary(method, None, None)(message, timeout=30)
    if not right(answer):
        raise ValueError(f"{method} gives a wrong answer")
    return len(answer)


def version(program: str) -> str:
    """Return the version that a program prints."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"\d+\.\d+[.\d]*", said)
    return match[0] if match else "not installed"


@contextmanager
def _started(
    command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "NO_COLOR": "1", **(env or {})},
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port
