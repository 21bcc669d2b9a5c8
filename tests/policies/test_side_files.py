"""Commands, sources and servers ignore the files that editors and systems write beside policies."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import Final

import pytest

from guidepost.policies.sources.resolve import read_source
from guidepost.server.workers.lifecycle import _is_policy_change
from tests.support.command import run_command
from tests.support.desks import commit_all, git, write_desk

FOLDERS: Final = ("", "cases", "holidays", "past/1.0.0", "past/1.0.0/cases")


def litter(folder: Path) -> None:
    """Put side files beside the files of each folder: links to nowhere, and bytes that are no YAML."""
    for name in FOLDERS:
        below = folder / name
        below.mkdir(exist_ok=True)
        (below / ".#due.yaml").symlink_to("user@host.4711:1")
        for side in ("._due.yaml", "due.yaml~", "#due.yaml#", ".due.yaml.swp", ".due.yaml.swo", "4913", ".DS_Store"):
            (below / side).write_bytes(b"\0\5\26\7")
    (folder / "past" / ".1.0.0.tmp").mkdir()
    (folder / "past" / "._1.0.0").write_bytes(b"\0\5\26\7")


@pytest.fixture(scope="module")
def littered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk with a past version, and side files everywhere."""
    folder = tmp_path_factory.mktemp("side") / "desk"
    write_desk(folder)
    litter(folder)
    return folder


@pytest.mark.parametrize(
    "command",
    [
        ("check", "{}", "--no-cross-check"),
        ("fmt", "--check", "{}"),
        ("test", "{}"),
        ("schema", "--check", "--policies", "{}"),
        ("diff", "1.0.0", "2.0.0", "--policies", "{}"),
        ("ci", "--policies", "{}"),
        ("build", "--policies", "{}", "-o", "{}/../made.gpb"),
    ],
    ids=lambda command: command[0],
)
def test_a_command_does_the_same_beside_side_files(littered: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    clean = tmp_path / "clean" / "desk"
    write_desk(clean)
    seen = []
    for folder in (clean, littered):
        done = run_command(*(word.replace("{}", str(folder)) for word in command))
        seen.append(
            (done.exit_code, done.stdout.replace(str(folder.parent), ""), done.stderr.replace(str(folder.parent), ""))
        )
    assert seen[0] == seen[1]


def test_a_release_puts_no_side_file_aside(littered: Path, tmp_path: Path) -> None:
    folder = tmp_path / "desk"
    shutil.copytree(littered, folder, symlinks=True)
    done = run_command("release", "--policies", folder)

    assert done.exit_code == 0, done.stderr
    put_aside = folder / "past" / "2.0.0"
    assert put_aside.is_dir()
    assert [path.name for path in put_aside.rglob("*") if path.name.startswith(".") or path.is_symlink()] == []


def test_revisions_and_archives_are_read_without_their_side_files(
    littered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    folder = tmp_path / "work" / "policies"
    shutil.copytree(littered, folder, symlinks=True)
    git(folder.parent, "init", "--quiet")
    commit_all(folder.parent, "with side files")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped, tarfile.open(tmp_path / "a.tar", "w") as tarred:
        for path in sorted(folder.rglob("*")):
            tarred.add(path, path.relative_to(folder), recursive=False)
            if path.is_file():
                zipped.write(path, path.relative_to(folder))

    read = [
        read_source(spec, policies=folder).files
        for spec in (str(folder), "git:HEAD", f"zip://::{tmp_path}/a.zip", f"tar://::{tmp_path}/a.tar")
    ]
    assert [sorted(files) for files in read[1:]] == [sorted(read[0])] * 3
    assert not [path for path in read[0] if Path(path).name.startswith(".")]


@pytest.mark.parametrize(
    ("name", "matters"),
    [
        ("due.yaml", True),
        ("..data", True),
        ("1.0.0", True),
        (".#due.yaml", False),
        ("._due.yaml", False),
        (".due.yaml.swp", False),
        ("due.yaml~", False),
        ("#due.yaml#", False),
        ("4913", False),
        (".DS_Store", False),
    ],
)
def test_a_server_that_watches_reloads_for_policies_and_swapped_folders_only(name: str, matters: bool) -> None:
    assert _is_policy_change(None, f"/srv/.hidden/policies/{name}") is matters
