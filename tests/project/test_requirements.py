"""The locks hold what is installed: every file that is fetched has to match a hash."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.paths import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def packages(lock: Path) -> dict[str, list[str]]:
    """Return the requirements of a lock, each with its hashes."""
    blocks = lock.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    return {
        block.split("==")[0]: re.findall(r"--hash=(\S+)", block)
        for block in blocks
        if block and not block.startswith("#")
    }


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_every_requirement_of_a_lock_has_hashes(lock: Path) -> None:
    locked = packages(lock)

    assert locked
    assert [
        name
        for name, hashes in locked.items()
        if not hashes or any(not re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes)
    ] == []


def test_a_file_that_does_not_match_its_hash_is_not_installed(tmp_path: Path) -> None:
    """A package index that serves another file under the same name and version is refused."""
    served, target = tmp_path / "served", tmp_path / "installed"
    served.mkdir()
    wheel = served / "probe-1.0-py3-none-any.whl"
    make_wheel(wheel)
    for name in ("build.txt", "probe.txt"):
        (tmp_path / name).write_text(f"probe==1.0 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    installer = tmp_path / "python"
    installer.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" "$@" --no-index --no-deps --find-links "{served}" --target "{target}"\n',
        encoding="utf-8",
    )
    installer.chmod(0o755)

    done = subprocess.run(
        ["sh", ROOT / "scripts" / "install", installer, tmp_path / "probe.txt"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert not (target / "probe.py").exists()


def test_every_installation_goes_by_the_hashes() -> None:
    """The set-up, the image and the workflow install through one script, and nothing else but the checkout itself."""
    for path in ("scripts/setup", "Makefile", "deploy/Dockerfile", ".github/workflows/policies.yml"):
        text = (ROOT / path).read_text(encoding="utf-8").replace("\\\n", " ")
        installs = re.findall(r"pip install .*", text)
        assert "scripts/install" in text, path
        assert [line for line in installs if "--no-deps" not in line] == [], path


def make_wheel(path: Path) -> None:
    """Write the smallest wheel that pip takes."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("probe.py", "")
        archive.writestr("probe-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: probe\nVersion: 1.0\n")
        archive.writestr(
            "probe-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(
            "probe-1.0.dist-info/RECORD",
            "probe.py,,\nprobe-1.0.dist-info/METADATA,,\nprobe-1.0.dist-info/WHEEL,,\nprobe-1.0.dist-info/RECORD,,\n",
        )


def test_no_message_sends_a_user_to_the_package_of_the_same_name() -> None:
    """On the package index, `guidepost` is another project's: an extra of that name would install it."""
    written = [
        *(ROOT / "engine").rglob("*.py"),
        *(ROOT / "guidepost").rglob("*.py"),
        *(ROOT / "guidepost").rglob("*.py"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "README.md",
    ]
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in written
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"\binstall\b.*\bguidepost\[", line) and "git+" not in line
    ]

    assert found == []
