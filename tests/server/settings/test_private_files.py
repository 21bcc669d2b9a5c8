"""Files with recorded facts or keys are private, and those that other users can read are reported."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import Result

from engine.replay.nouns import RejectedRow
from guidepost.atomic_file import write_atomically
from guidepost.decision_log.store import Store
from guidepost.past_tickets.rejected_rows import write_rejected_rows
from guidepost.policies.sources.signatures import new_key
from tests.support.command import run_command
from tests.support.desks import GOOD, write
from tests.support.log_servers import sqlite
from tests.support.records import record


@pytest.fixture(autouse=True)
def everybody_may_read_new_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path | str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


def check(*words: object) -> Result:
    return run_command("serve", "--check", "--policies", write(Path("desk"), GOOD), "--port", 0, *words)


def kept(tmp_path: Path) -> str:
    store = Store.open(sqlite(tmp_path))
    store.append("main", [record(1), record(2)])
    return sqlite(tmp_path)


def test_a_decision_log_is_for_its_owner_only_with_the_files_beside_it(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/d.db")
    store.append("main", [record(1)])
    # An open reader keeps the files -wal and -shm.
    with sqlite3.connect("d.db") as reader:
        reader.execute("SELECT 1 FROM entries").fetchall()
        assert {path.name: mode(path) for path in sorted(tmp_path.glob("d.db*"))} == {
            "d.db": 0o600,
            "d.db-shm": 0o600,
            "d.db-wal": 0o600,
        }


def test_a_log_that_is_there_keeps_the_mode_that_its_owner_gave_it(tmp_path: Path) -> None:
    url = kept(tmp_path)
    Path("log/decisions.db").chmod(0o640)

    Store.open(url).append("main", [record(3)])

    assert mode("log/decisions.db") == 0o640


@pytest.mark.parametrize("to", ["log.jsonl", "log.parquet"])
def test_an_export_is_for_its_owner_only(to: str, tmp_path: Path) -> None:
    assert run_command("audit", "export", "--to", to, "--decision-log", kept(tmp_path)).exit_code == 0
    assert mode(to) == 0o600


def test_a_certificate_is_for_its_owner_only(tmp_path: Path) -> None:
    assert (
        run_command(
            "audit", "certificate", record(1).id, "--to", "one.json", "--decision-log", kept(tmp_path)
        ).exit_code
        == 0
    )
    assert mode("one.json") == 0o600


def test_a_replay_that_names_tickets_and_the_rows_that_it_cannot_read_are_for_their_owner_only() -> None:
    Path("tickets.csv").write_text("number,damage,rider\n1,broken,courier\n2,lost,courier\n")
    Path("map.yaml").write_text("ticket: number\nfacts: {damage: damage, rider: rider}\n")

    done = run_command(
        "replay",
        "tickets.csv",
        "--mapping",
        "map.yaml",
        "--against",
        write(Path("desk"), GOOD),
        "--to",
        "report.txt",
        "--policies",
        "desk",
    )

    assert done.exit_code == 0, done.output
    assert {name: mode(name) for name in ("report.txt", "tickets.unread.csv")} == {
        "report.txt": 0o600,
        "tickets.unread.csv": 0o600,
    }


def test_rows_written_anew_keep_the_mode_of_the_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / "unread.csv", b"")
    write_rejected_rows(
        tmp_path / "unread.csv",
        [RejectedRow(row=7, name="INC1", field="impact", message="`9` is not listed", content="{}")],
    )

    assert mode("unread.csv") == 0o644


def test_a_new_private_key_is_for_its_owner_only_and_the_public_one_for_all() -> None:
    new_key(Path("a.private.pem"), Path("a.public.pem"))

    assert (mode("a.private.pem"), mode("a.public.pem")) == (0o600, 0o644)


def test_check_reports_a_log_and_a_key_that_others_can_read_and_the_server_may_start_all_the_same(
    tmp_path: Path,
) -> None:
    url = kept(tmp_path)
    new_key(Path("a.private.pem"), Path("a.public.pem"))
    for path in ("log/decisions.db", "a.private.pem"):
        Path(path).chmod(0o644)

    done = check("--decision-log", url, "--log-sign-key", "a.private.pem")

    assert done.exit_code == 0, done.output
    assert "has the mode 0644: every user can read it" in done.output
    assert "help: chmod 640 a.private.pem" in done.output
    assert "decisions.db has the mode 0644" in done.output
    for path in ("log/decisions.db", "a.private.pem"):
        Path(path).chmod(0o640)
    assert "warning" not in check("--decision-log", url, "--log-sign-key", "a.private.pem").output


@pytest.mark.parametrize(
    ("mode_", "said"),
    [
        (0o604, "every user can read it"),
        (0o660, "other users can change it"),
        (0o666, "every user can read it and other users can change it"),
        (0o640, ""),
        (0o440, ""),
    ],
)
def test_a_callers_file_is_reported_if_others_can_read_or_change_it(mode_: int, said: str) -> None:
    Path("callers.yaml").write_text(
        "callers:\n  - name: portal\n    roles: [decide]\n    subjects: [portal@desk.example]\n"
    )
    Path("callers.yaml").chmod(mode_)

    done = check("--callers", "callers.yaml", "--log-durability", "off")

    assert done.exit_code == 0, done.output
    assert (f"callers.yaml has the mode {mode_:04o}: {said}" in done.output) if said else ("warning" not in done.output)
