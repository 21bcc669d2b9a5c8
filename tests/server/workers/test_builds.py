"""Building the policies of a server: a failed build reports why, and leaves no files."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from guidepost.server.workers import run_build as builder
from guidepost.server.workers.messages import Built, Rejected
from guidepost.server.workers.run_build import builder_of
from guidepost.server.workers.supervisor import Supervisor, SupervisorConfig
from tests.support.desks import write_desk
from tests.support.waiting import wait_until


@pytest.fixture
def policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A desk, and an empty folder for temporary files."""
    monkeypatch.setenv("GUIDEPOST_CACHE", str(tmp_path / "proofs"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return write_desk(tmp_path / "desk")


@pytest.fixture
def supervisor(policies: Path) -> Iterator[Supervisor]:
    made = Supervisor(SupervisorConfig(policies=policies, workers=1, log=None), "127.0.0.1:0")
    yield made
    asyncio.run(made.stop())


def files(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "temporary").iterdir()]


def replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str) -> None:
    """Replace the build process by another program with the same arguments."""
    (tmp_path / "stand_in.py").write_text(code, encoding="utf-8")
    real = asyncio.create_subprocess_exec

    async def started(*command: str, **options: object) -> asyncio.subprocess.Process:
        return await real(sys.executable, str(tmp_path / "stand_in.py"), *command[3:], **options)  # type: ignore[arg-type]

    monkeypatch.setattr(builder.asyncio, "create_subprocess_exec", started)


PART = "import os, signal, sys, tempfile, time\ntempfile.mkstemp()\n"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (
            "os.kill(os.getpid(), signal.SIGKILL)",
            "killed by signal 9 (SIGKILL), as the system does when memory runs out",
        ),
        ("os.kill(os.getpid(), signal.SIGTERM)", "killed by signal 15 (SIGTERM)"),
        ("raise ValueError('no luck')", "ended with exit code 1: ValueError: no luck"),
        ("sys.exit(7)", "ended with exit code 7"),
        ("sys.exit(0)", "ended with exit code 0"),
        ('print(\'{"type": "Failed", "message": "memory ran out"}\'); sys.exit(4)', "memory ran out"),
    ],
    ids=["killed", "terminated", "raised", "ended", "said nothing", "no memory"],
)
def test_a_build_that_fails_names_the_reason_and_leaves_no_file(
    supervisor: Supervisor,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    code: str,
    why: str,
) -> None:
    replaced(monkeypatch, tmp_path, PART + code)

    refused = asyncio.run(supervisor.reload())

    assert isinstance(refused, Rejected)
    assert refused.message.startswith("the policies could not be built: ")
    assert refused.message.endswith(why)
    assert files(tmp_path) == []


def test_a_build_on_a_full_disk_is_rejected_and_leaves_no_file(policies: Path, tmp_path: Path) -> None:
    """A cross-check writes what it asks durable-rules into temporary files."""
    small = tmp_path / "temporary"
    mounted = (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(small)], capture_output=True, text=True, check=False
        )
        if shutil.which("mount")
        else None
    )
    if mounted is None or mounted.returncode:
        pytest.skip(
            "a small file system cannot be mounted here: "
            + (mounted.stderr.strip() if mounted else "there is no program mount")
        )
    try:
        made = asyncio.run(builder_of(policies)())
        assert isinstance(made, Rejected)
        assert {problem.code for problem in made.problems} == {"rules-engine"}
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_build_ends_with_the_server_and_leaves_nothing(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    replaced(
        monkeypatch, tmp_path, PART + f"open({str(tmp_path / 'began')!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)"
    )

    async def stopped_meanwhile() -> int:
        building = asyncio.create_task(supervisor.reload())
        while not (tmp_path / "began").exists() or not (tmp_path / "began").read_text():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        building.cancel()
        await asyncio.gather(building, return_exceptions=True)
        return int((tmp_path / "began").read_text())

    process = asyncio.run(asyncio.wait_for(stopped_meanwhile(), 60))
    assert files(tmp_path) == []
    wait_until(lambda: not Path(f"/proc/{process}").exists())


def test_what_a_killed_build_started_and_its_temporary_files_go_with_it(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    child = tmp_path / "child"
    replaced(
        monkeypatch,
        tmp_path,
        PART
        + (
            "import subprocess\n"
            f"open({str(child)!r}, 'w').write(str(subprocess.Popen(['sleep', '600'], stdout=-3, stderr=-3).pid))\nos.kill(os.getpid(), signal.SIGKILL)"
        ),
    )

    assert isinstance(asyncio.run(supervisor.reload()), Rejected)
    assert files(tmp_path) == []
    wait_until(
        lambda: (
            not Path(f"/proc/{child.read_text()}").exists()
            or "\nState:\tZ" in Path(f"/proc/{child.read_text()}/status").read_text()
        )
    )


def test_a_server_reports_the_steps_of_its_first_build_and_not_of_later_ones(
    policies: Path, caplog: pytest.LogCaptureFixture
) -> None:
    build = builder_of(policies)
    with caplog.at_level("INFO", "guidepost.supervisor"):
        for _ in range(2):
            assert isinstance(asyncio.run(build()), Built)

    assert [record.message for record in caplog.records] == [
        "checking and drawing the policy versions",
        "cross-checking them with durable-rules",
    ]
