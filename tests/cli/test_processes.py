"""The command line as a process: streams, exit codes, colours on a terminal, and a server that starts and stops."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from guidepost.server.auth.api_keys import new_key
from tests.support.certificates import entry
from tests.support.command import ESCAPE, replace_text, run_process
from tests.support.paths import ROOT
from tests.support.terminals import COLOURED, run_on_terminal


def test_a_real_process_keeps_the_streams_and_exit_codes_apart(garage: Path) -> None:
    right = run_process("eval", "urgency", "noise=loud", "smoke=thick", GUIDEPOST_POLICIES=str(garage), FORCE_COLOR="1")
    wrong = run_process("eval", "urgency", "noise=lowd", GUIDEPOST_POLICIES=str(garage))

    assert (right.returncode, right.stderr) == (0, "")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "urgency: decided" in right.stdout
    assert ESCAPE not in right.stdout
    assert "did you mean `loud`?" in wrong.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
def test_colours_are_for_terminals_and_no_color_is_respected(garage: Path) -> None:
    policies = {"GUIDEPOST_POLICIES": str(garage)}

    assert COLOURED.search(run_on_terminal(100, "show", "look", **policies))
    assert not COLOURED.search(run_on_terminal(100, "show", "look", NO_COLOR="1", **policies))
    assert ESCAPE not in run_on_terminal(100, "show", "look", "-o", "json", **policies)


@pytest.fixture
def serving(garage: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A real server of the small desk on a free port, and all that it said until it was ready."""
    with started(garage) as server:
        yield server


@contextmanager
def started(
    garage: Path, *arguments: str, last: str = "grpcurl -plaintext"
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a server; give it, and all that it said up to the line that has the last words."""
    process = subprocess.Popen(
        [sys.executable, "-m", "guidepost.cli", "serve", "--policies", str(garage), "--port", "0", *arguments],
        cwd=ROOT,
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    timer = threading.Timer(120, process.kill)
    timer.start()
    lines: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if last in line:
            break
    try:
        yield process, "".join(lines)
    finally:
        timer.cancel()
        process.kill()
        process.communicate()


def test_serve_prints_calls_that_work_and_ends_cleanly(serving: tuple[subprocess.Popen[str], str]) -> None:
    process, shown = serving
    calls = [line.strip() for line in shown.splitlines() if line.startswith("    ")]

    without, over_grpc = (
        subprocess.run(shlex.split(call), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        for call in calls[:2]
    )
    process.send_signal(signal.SIGINT)

    assert "urgency: decided" in without.stdout, without.stderr
    assert '"text": "soon"' in over_grpc.stdout, over_grpc.stderr
    assert process.wait(timeout=30) == 0
    assert "2 policy versions, checked and proved" in shown
    assert calls[2].endswith(" guidepost.v1.DecisionService/Decide")


def test_serve_with_callers_prints_calls_with_a_key(garage: Path, tmp_path: Path) -> None:
    key, callers, file = new_key(), tmp_path / "callers.yaml", tmp_path / "key"
    callers.write_text(f"callers:\n  - {{name: portal, roles: [decide], keys: [{entry(key)}]}}\n")
    file.write_text(key.text + "\n")
    with started(garage, "--callers", str(callers), last="--token-file") as (_, shown):
        _, by_grpcurl, by_client = [line.strip() for line in shown.splitlines() if line.startswith("    ")]
        answered, refused = (
            subprocess.run(shlex.split(call), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
            for call in (by_client.replace("FILE", str(file)), by_client.replace("--token-file FILE ", ""))
        )

    assert by_grpcurl.startswith("grpcurl -plaintext -H 'authorization: Bearer KEY' -d ")
    assert '"text": "soon"' in answered.stdout, answered.stderr
    assert refused.stderr.startswith("UNAUTHENTICATED: ")


def test_a_second_server_on_a_port_is_refused(serving: tuple[subprocess.Popen[str], str], garage: Path) -> None:
    port = re.search(r"listening on 127\.0\.0\.1:(\d+)", serving[1])
    assert port

    second = run_process("serve", "--policies", str(garage), "--port", port[1])

    assert (second.returncode, second.stdout) == (2, "")
    assert second.stderr.splitlines()[-1].startswith("error: cannot listen on 127.0.0.1:")


def test_a_broken_policy_is_not_served(garage: Path) -> None:
    replace_text(garage / "bay.yaml", "drives: no", "drive: no")

    refused = run_process("serve", "--policies", str(garage), "--port", "0")

    assert (refused.returncode, refused.stdout) == (3, "")
    assert "[unknown-fact]" in refused.stderr


def test_a_command_loads_only_its_own_modules_and_the_help_loads_none() -> None:
    heavy = "{'pyarrow', 'sqlalchemy', 'grpc', 'numpy', 'engine.replay'}"
    code = (
        f"import atexit, sys; atexit.register(lambda: print(sorted({heavy} & set(sys.modules))));"
        " from guidepost.cli.entry import main; main()"
    )

    def loaded(*words: str) -> str:
        ended = subprocess.run(
            [sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        )
        return ended.stdout.splitlines()[-1]

    assert loaded("--help") == loaded("--version") == "[]"
    assert loaded("eval", "--help") == "['numpy']"
    assert "pyarrow" not in loaded("serve", "--help")


@pytest.mark.parametrize("arguments", [("--help",), ("--port", "high"), ("--no-such-option",)])
def test_server_py_prints_the_same_as_the_command(arguments: tuple[str, ...]) -> None:
    command = run_process("serve", *arguments)
    script = subprocess.run(
        [sys.executable, "server.py", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )

    assert script.returncode == command.returncode
    assert (script.stdout + script.stderr).replace("server.py", "guidepost serve") == command.stdout + command.stderr


def test_where_only_the_client_is_installed_the_command_says_so() -> None:
    code = "import sys; sys.modules['typer'] = None; from guidepost.cli.entry import main; main()"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("error: `typer` is not installed: this environment has the client only\nhelp: ")
