"""A server of a single process on a Unix socket: it reloads like one with workers, and ends in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import guidepost
from tests.support.paths import ROOT
from tests.support.servers import COUNTER
from tests.support.waiting import wait_until


@pytest.mark.faults
def test_a_single_process_reloads_what_changed_and_refuses_what_is_wrong(tmp_path: Path) -> None:
    policies, said = tmp_path / "policies", tmp_path / "said"
    policies.mkdir()
    for name, text in COUNTER.items():
        (policies / name).write_text(text, encoding="utf-8")
    with said.open("w") as messages:
        process = subprocess.Popen(
            [
                sys.executable,
                "server.py",
                "--workers",
                "0",
                "--host",
                f"unix:{tmp_path}/socket",
                "--log-durability",
                "off",
                "--messages",
                "text",
                "--policies",
                str(policies),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=messages,
            text=True,
            env={**os.environ, "GUIDEPOST_CACHE": str(tmp_path / "cache"), "NO_COLOR": "1"},
        )
    try:
        assert process.stdout is not None
        assert any(line.startswith("listening on unix:") for line in process.stdout)
        with guidepost.Client(f"unix:{tmp_path}/socket") as client:

            def wait() -> float:
                [found] = [
                    one.value.number
                    for one in client.decide("queue", size=30, vip=False, timeout=60).outcomes
                    if one.name == "wait"
                ]
                return found

            assert wait() == 10
            (policies / "queue.yaml").write_text(
                COUNTER["queue.yaml"].replace("wait: 10", "wait: 20"), encoding="utf-8"
            )
            wait_until(lambda: wait() == 20)
            (policies / "queue.yaml").write_text(
                COUNTER["queue.yaml"].replace("wait: 10", "wait: soon"), encoding="utf-8"
            )
            wait_until(lambda: "policies not reloaded, the previous versions are still served" in said.read_text())
            assert wait() == 20
            (policies / "queue.yaml").write_text(
                COUNTER["queue.yaml"].replace("wait: 10", "wait: 20"), encoding="utf-8"
            )
            process.send_signal(signal.SIGHUP)
            wait_until(lambda: "policies reloaded without a change" in said.read_text())
            assert wait() == 20
        process.send_signal(signal.SIGTERM)

        assert process.wait(60) == 0
        assert said.read_text().splitlines()[-1].endswith("stopped")
    finally:
        process.kill()
        process.wait()
