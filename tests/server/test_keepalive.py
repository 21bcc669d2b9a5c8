"""Clients that ping, and clients with many calls on few connections, keep their connections; with real servers."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from guidepost.server.rpc.limits import Limits
from guidepost.server.security import Security
from guidepost.v1 import decision_service_pb2 as pb
from tests.support.certificates import protected
from tests.support.http2 import PING, Connection, frame

INTERVAL = 1
"""Seconds between pings that the server of these tests accepts, so that they do not take minutes."""


def pings(address: str, number: int, seconds: float) -> bytes:
    """Ping without calls, and return why the connection was closed; "" if it is still open."""
    with Connection(address) as one:
        for _ in range(number):
            one.send(frame(PING, 0, 0, b"12345678"))
            one.wait(lambda: not one.open or one.closed, seconds)
            if one.closed:
                break
        return one.closed


@pytest.mark.faults
def test_pings_at_the_interval_of_the_setting_are_accepted_without_a_call_and_faster_ones_are_not() -> None:
    with protected(Security(limits=Limits(ping_interval=INTERVAL))) as address:
        assert pings(address, 8, INTERVAL * 1.2) == b""
        assert pings(address, 8, INTERVAL / 4) == b"too_many_pings"


def test_the_settings_of_ordinary_clients_fit_the_default() -> None:
    """Go pings at most every 10 seconds; docs/operations.md has the intervals of other clients."""
    assert dict(Limits().options)["grpc.http2.min_ping_interval_without_data_ms"] <= 10_000
    assert dict(Limits().options)["grpc.keepalive_permit_without_calls"] == 1


@pytest.mark.faults
@pytest.mark.skipif(shutil.which("h2load") is None, reason="h2load is not installed")
def test_of_many_calls_over_four_connections_none_fails(tmp_path: Path) -> None:
    message = pb.TriageRequest().SerializeToString()
    (tmp_path / "request.bin").write_bytes(b"\0" + len(message).to_bytes(4, "big") + message)
    with protected(Security()) as address:
        done = subprocess.run(
            [
                "h2load",
                "-n",
                "20000",
                "-c",
                "4",
                "-m",
                "32",
                "-H",
                "content-type: application/grpc",
                "-H",
                "te: trailers",
                "-d",
                str(tmp_path / "request.bin"),
                f"http://{address}/guidepost.v1.DecisionService/Triage",
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
    [counts] = re.findall(r"requests: .*", done.stdout)
    assert counts == "requests: 20000 total, 20000 started, 20000 done, 20000 succeeded, 0 failed, 0 errored, 0 timeout"
