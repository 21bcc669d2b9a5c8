"""A server reports that it is ready to a service manager, and its health to clients."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from guidepost.cli.app import app
from guidepost.server.workers.systemd import READY, notify
from tests.support.servers import COUNTER, counter_bundle, serving


def health(*words: str) -> tuple[int, str]:
    """Ask as a person does."""
    done = CliRunner().invoke(app, ["health", *words])
    return done.exit_code, done.output


def checked(*words: str) -> tuple[int, str]:
    """Ask as a health check does: by a program that starts quickly."""
    done = subprocess.run(
        [sys.executable, "-m", "guidepost.cli.commands.health", *words], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(counter_bundle()) as found:
        yield found


@pytest.mark.parametrize("service", ["", "guidepost.v1.DecisionService", "guidepost.v1.PolicyService"])
def test_a_server_that_answers_is_serving(address: str, service: str) -> None:
    assert health(address, "--service", service) == (0, f"{address}: SERVING\n")


def test_a_health_check_asks_the_same(address: str) -> None:
    assert checked(address) == (0, f"{address}: SERVING\n")
    assert checked(address, "--service", "nothing")[0] == 1


def test_a_service_that_is_not_there_and_a_server_that_is_not_there_are_unhealthy(address: str) -> None:
    assert health(address, "--service", "nothing")[0] == 1
    code, told = health("127.0.0.1:1", "-o", "json")
    assert (code, json.loads(told)["status"]) == (1, "NO_ANSWER")


def test_a_server_that_says_nothing_is_unhealthy_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        code, told = health(f"127.0.0.1:{silent.getsockname()[1]}", "--timeout", "0.3")

    assert code == 1
    assert "DEADLINE_EXCEEDED" in told


def test_a_health_check_with_half_of_what_tls_needs_is_refused(tmp_path: Path) -> None:
    assert health("--cert", "a.pem")[0] == 2
    assert health("--ca", str(tmp_path / "none.pem"))[0] == 2


@pytest.mark.parametrize("abstract", [False, True])
def test_a_service_manager_is_told(abstract: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"@guidepost-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name.replace("@", "\0", 1) if abstract else name)
        monkeypatch.setenv("NOTIFY_SOCKET", name)

        assert notify(READY, "STATUS=well")
        assert manager.recv(100) == b"READY=1\nSTATUS=well"


@pytest.mark.parametrize("named", ["", "somewhere", "/nowhere/notify"])
def test_without_a_service_manager_that_listens_nothing_goes_wrong(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", named)

    assert not notify(READY)


@pytest.mark.faults
def test_a_server_says_that_it_is_ready_when_it_answers_and_that_it_stops_when_it_is_told_to(tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    for name, text in COUNTER.items():
        (policies / name).write_text(text)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        command = [
            sys.executable,
            "-m",
            "guidepost.cli",
            "serve",
            "--policies",
            str(policies),
            "--port",
            "0",
            "--workers",
            "1",
            "--log-durability",
            "off",
        ]
        server = subprocess.Popen(
            command,
            env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            ready, status = manager.recv(1000).decode().split("\n")
            assert ready == "READY=1"
            assert health(status.removeprefix("STATUS=answering calls on "))[0] == 0
            server.send_signal(signal.SIGTERM)
            assert manager.recv(1000) == b"STOPPING=1"
            assert server.wait(30) == 0
        finally:
            server.kill()
