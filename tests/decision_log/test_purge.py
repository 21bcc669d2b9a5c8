"""Purges remove old records, and the rest of the log can be verified, even if a purge is interrupted."""

from __future__ import annotations

import json
import os
import pty
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner, Result

from engine.records.chain import Entry
from engine.records.record import Record, instant
from guidepost.cli.app import app
from guidepost.decision_log import purge as purging
from guidepost.decision_log.certificate import certify
from guidepost.decision_log.default_key import default_key
from guidepost.decision_log.export_jsonl import entry_line, note_line, read_export, read_lines
from guidepost.decision_log.purge import PurgeError, plan_purge, purge
from guidepost.decision_log.signed_heads import PurgeNote, sign_head, sign_purge, signature_problem
from guidepost.decision_log.store import Store
from guidepost.decision_log.verify import verify_export, verify_store
from guidepost.policies.sources.signatures import Trust, TrustedKey, key_id, new_key, private_key
from tests.support.log_servers import end_of, sqlite
from tests.support.paths import ROOT
from tests.support.records import START, record

KEY = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)
TRUST = Trust((TrustedKey("desk.public.pem", key_id(KEY.public_key()), KEY.public_key()),))
LATER = START + timedelta(days=300)


def at(number: float) -> datetime:
    """Return the instant of receipt of the record with a number."""
    return START + timedelta(seconds=number)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(sqlite(tmp_path))
    yield made
    made.close()


def left(store: Store) -> list[int]:
    return [entry.sequence for entry in store.entries()]


# ---- What a purge removes


@given(
    st.lists(
        st.sampled_from([("main", 1), ("main", 2), ("main", 3), ("main", 4), ("other", 2), ("other", 5)]),
        max_size=8,
        unique=True,
    ),
    st.integers(0, 6),
    st.integers(1, 4),
)
@settings(deadline=None, max_examples=8)
def test_a_purge_removes_the_beginning_of_each_chain(written: list[tuple[str, int]], before: int, step: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(sqlite(Path(folder)))
        for number, (writer, second) in enumerate(written):
            store.append(writer, [replace(record(second, id=record(second).id[:-4] + f"{number:04d}"), request_id="")])
        entries = {
            writer: [entry for entry in store.entries() if entry.writer == writer] for writer in ("main", "other")
        }
        ends = store.ends()
        notes = purge(store, at(before), LATER, "me", step=step)
        found = {writer: [entry for entry in store.entries() if entry.writer == writer] for writer in ("main", "other")}

        for writer, were in entries.items():
            stays = next(
                (place for place, entry in enumerate(were) if instant(Record.read(entry.body).received) >= at(before)),
                len(were),
            )
            assert found[writer] == were[stays:]
            assert [(note.purge.sequence, note.purge.hash) for note in notes if note.purge.writer == writer] == [
                (entry.sequence, entry.hash) for entry in were[:stays][-1:]
            ]
        assert store.ends() == ends
        assert store.purge_notes() == notes
        assert verify_store(store, Trust()).found.breaks == ()
        store.close()


def test_a_purge_can_be_planned_and_repeated(store: Store) -> None:
    store.append("main", [record(number) for number in (1, 2, 3, 4)])

    assert [(one.writer, one.entries, one.last, one.received) for one in plan_purge(store, at(3))] == [
        ("main", 2, 2, (record(1).received, record(2).received))
    ]
    purge(store, at(3), LATER, "me")
    assert (plan_purge(store, at(3)), purge(store, at(3), LATER, "me")) == ((), ())
    purge(store, at(9), LATER, "me")
    store.append("main", [record(5)])

    assert (left(store), [note.purge.sequence for note in store.purge_notes()]) == ([5], [2, 4])
    assert verify_store(store, Trust()).whole


def test_a_server_continues_a_purged_chain_and_signs_it(store: Store, tmp_path: Path) -> None:
    def sign() -> Any:
        return store.sign("main", lambda head, covered: sign_head(head, "2026-01-24T00:00:00Z", KEY, covered))

    other = Store.open(sqlite(tmp_path))
    store.append("main", [record(number) for number in (1, 2, 3)])
    sign()
    store.append("main", [record(4), record(5)])
    purge(other, at(2), LATER, "me", key=KEY)
    store.append("main", [record(6)])
    signed = sign()

    assert (signed.since, signed.head.sequence) == (1, 6)
    assert all(certify(store, entry).head is not None for entry in store.entries())
    assert verify_store(store, TRUST).whole


def test_request_ids_of_removed_records_can_be_used_again(store: Store) -> None:
    store.append("main", [record(1, request_id="r"), record(2)])
    purge(store, at(2), LATER, "me")

    (kept,) = store.append("main", [record(3, request_id="r")])

    assert kept.fresh


def test_removed_records_are_not_left_in_the_file(store: Store, tmp_path: Path) -> None:
    store.append("main", [record(number, facts={"note": f"secret{number} " + "x" * 3_000}) for number in range(1, 60)])
    file = tmp_path / "log" / "decisions.db"
    purge(store, at(50), LATER, "me", step=10)

    content = b"".join(path.read_bytes() for path in file.parent.iterdir())
    assert b"secret1 " not in content
    assert b"secret55 " in content
    assert file.stat().st_size < 120_000


# ---- Faults and forgeries


def test_an_interrupted_purge_leaves_a_whole_chain(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.append("main", [record(number) for number in range(1, 10)])
    steps = []

    def stops(gone: int) -> None:
        steps.append(gone)
        if gone == 6:
            raise OperationalError("", {}, Exception("the machine went down"))

    with pytest.raises(OperationalError):
        purge(store, at(9), LATER, "me", progress=stops, step=3)

    assert (left(store), [note.purge.sequence for note in store.purge_notes()]) == ([7, 8, 9], [6])
    assert verify_store(store, Trust()).whole
    monkeypatch.setattr(
        purging, "insert", lambda table: (_ for _ in ()).throw(OperationalError("", {}, Exception("the disk is full")))
    )
    with pytest.raises(OperationalError):
        purge(store, at(9), LATER, "me")
    assert left(store) == [7, 8, 9]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET body = replace(body, 'fast', 'slow') WHERE sequence = 3",
        "DELETE FROM entries WHERE sequence = 2",
        "UPDATE entries SET caller = 'x' WHERE sequence = 1",
    ],
)
def test_altered_entries_are_not_purged(store: Store, statement: str) -> None:
    store.append("main", [record(number) for number in (1, 2, 3, 4, 5)])
    with store.engine.begin() as connection:
        connection.exec_driver_sql(statement)
    before = left(store)

    with pytest.raises(PurgeError, match="would hide"):
        purge(store, at(5), LATER, "me")

    assert left(store) == before


def test_a_forged_note_of_a_purge_is_a_doubt(store: Store) -> None:
    store.append("main", [record(number) for number in (1, 2, 3)])
    store.sign("main", lambda head, covered: sign_head(head, "2026-01-24T00:00:00Z", KEY, covered))
    purge(store, at(2), LATER, "me")
    report = verify_store(store, TRUST)

    assert (report.whole, report.found.breaks) == (False, ())
    assert report.doubts == ("main: the purge up to 1: it is not signed; a signed note of a later purge replaces it",)
    purge(store, at(3), LATER, "me", key=KEY)
    assert verify_store(store, TRUST).whole


@pytest.mark.parametrize(
    "changes", [{"sequence": 2}, {"hash": "0" * 64}, {"before": "x"}, {"purged": "x"}, {"by": "x"}, {"writer": "x"}]
)
def test_no_part_of_a_signed_note_can_be_altered(store: Store, changes: dict[str, Any]) -> None:
    store.append("main", [record(1), record(2)])
    (note,) = purge(store, at(2), LATER, "me", key=KEY)

    assert signature_problem(note, TRUST) == ""
    assert "its signature is invalid" in signature_problem(replace(note, purge=replace(note.purge, **changes)), TRUST)
    assert sign_purge(note.purge, KEY) == note


def test_an_exported_head_reveals_a_forged_note(store: Store) -> None:
    store.append("main", [record(number) for number in (1, 2, 3)])
    kept = sign_head(end_of(store), "2026-01-24T00:00:00Z", KEY)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM entries")
        connection.exec_driver_sql("DELETE FROM writers")
    store.append("main", [record(4), record(5), record(6)])
    purge(store, at(7), LATER, "me")

    assert [one.sequence for one in verify_store(store, Trust(), [kept]).found.breaks] == [3]


# ---- Exports


def test_an_export_contains_the_notes_and_can_be_verified(store: Store) -> None:
    store.append("main", [record(number) for number in (1, 2, 3)])
    purge(store, at(3), LATER, "me", key=KEY)
    head = sign_head(end_of(store), "2026-01-24T00:00:00Z", KEY)
    lines = [*map(note_line, store.purge_notes()), *map(entry_line, store.entries())]
    read = list(read_export(lines))

    assert [type(one) for one in read] == [PurgeNote, Entry]
    assert [entry.sequence for entry in read_lines(lines)] == [3]
    assert verify_export(read, TRUST, [head]).whole
    assert not verify_export(read[1:], TRUST, [head]).whole
    with pytest.raises(ValueError, match="line 1"):
        list(read_export([note_line(store.purge_notes()[0]).replace('"format": 1', '"format": 9')]))


# ---- On the command line


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: Store) -> Path:
    """A folder with a key and a log of five records, which is set in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GUIDEPOST_DECISION_LOG", sqlite(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("guidepost.cli.commands.audit_purge.utc_now", lambda: LATER)
    new_key(Path("desk.private.pem"), Path("desk.public.pem"))
    store.append("main", [record(number) for number in (1, 2, 3, 4, 5)])
    return tmp_path


def run(*arguments: str, said: str = "") -> Result:
    return CliRunner().invoke(app, ["audit", *arguments], input=said)


def test_nothing_is_removed_without_a_confirmation(
    desk: Path, store: Store, golden: Callable[[str, str], None]
) -> None:
    shown = run("purge", "--before", "2026-01-23T04:00:03Z")

    assert (shown.exit_code, left(store)) == (0, [1, 2, 3, 4, 5])
    assert "--yes" in shown.stderr
    purged = run("purge", "--before", "2026-01-23T04:00:03Z", "--yes", "--by", "records office")
    golden("audit/purge.txt", shown.stdout + purged.stdout + run("verify").stdout)
    assert "warning: the note of this purge is not signed, so `verify --key` will doubt it" in purged.stderr
    assert left(store) == [3, 4, 5]


def test_the_command_asks_on_a_terminal(desk: Path, store: Store) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "guidepost.cli", "audit", "purge", "--before", "2026-01-23T04:00:03Z"]
    with subprocess.Popen(
        command,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        os.write(ours, b"y\n")
        shown, _ = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)

    assert (b"Remove them for good?" in shown, len(left(store))) == (True, 3)


def test_a_signed_purge_verifies_with_the_key(desk: Path, store: Store) -> None:
    made = json.loads(
        run("purge", "--before", "2026-01-23T04:00:04Z", "--yes", "--sign-key", "desk.private.pem", "-o", "json").stdout
    )

    assert (
        made["removed"],
        [one["entries"] for one in made["chains"]],
        [note["sequence"] for note in made["notes"]],
    ) == (True, [3], [3])
    key = private_key(Path("desk.private.pem"))
    store.sign("main", lambda head, covered: sign_head(head, "2026-01-24T00:00:00Z", key, covered))
    assert run("verify", "--key", "desk.public.pem").exit_code == 0
    assert (
        run("export", "--to", "log.jsonl").exit_code == run("export", "--heads", "--to", "heads.jsonl").exit_code == 0
    )
    assert run("verify", "log.jsonl", "--key", "desk.public.pem", "--heads", "heads.jsonl").exit_code == 0
    assert json.loads(run("verify", "-o", "json").stdout)["purges"] == made["notes"]
    assert run("purge", "--before", "2026-01-23T04:00:04Z", "--yes").stdout == "no record is that old\n"


def test_a_purge_signs_with_the_key_of_the_server(desk: Path, store: Store) -> None:
    own = default_key(desk / "state" / "guidepost")
    store.sign("main", lambda head, covered: sign_head(head, "2026-01-24T00:00:00Z", private_key(own.private), covered))

    purged = run("purge", "--before", "2026-01-23T04:00:04Z", "--yes")

    assert (purged.exit_code, purged.stderr) == (0, "")
    verified = run("verify", "--key", str(own.public))
    assert (verified.exit_code, f"signed by {own.id}" in verified.stdout) == (0, True)


def test_a_purge_without_a_key_warns_first_and_makes_no_key(desk: Path, store: Store) -> None:
    shown = run("purge", "--before", "2026-01-23T04:00:04Z")

    assert "will doubt it; there is no head.private.pem in your state folder\nhelp: --sign-key FILE" in shown.stderr
    assert (left(store), (desk / "state").exists()) == ([1, 2, 3, 4, 5], False)


def test_a_purge_warns_of_a_key_that_signed_no_head_of_the_log(desk: Path, store: Store) -> None:
    default_key(desk / "state" / "guidepost")
    key = private_key(Path("desk.private.pem"))
    store.sign("main", lambda head, covered: sign_head(head, "2026-01-24T00:00:00Z", key, covered))

    assert "signed no head of this log" in run("purge", "--before", "2026-01-23T04:00:04Z").stderr
    assert (
        "signed no head"
        not in run("purge", "--before", "2026-01-23T04:00:04Z", "--sign-key", "desk.private.pem").stderr
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--before", "2025-01-01"], 2, "error: expected a time and an offset from UTC for `--before`"),
        (["--before", "yesterday"], 2, "--before"),
        (["--before", "2027-01-01T00:00Z"], 2, "expected an instant in the past for --before"),
        (["--before", "2026-01-23T05:00Z", "--by", "a\nb"], 2, "printable"),
        (["--before", "2026-01-23T05:00Z", "--sign-key", "none.pem"], 2, "cannot be read"),
        (["--before", "2026-01-23T05:00Z", "--yes", "--decision-log", "sqlite:///none.db"], 2, "no decision log"),
    ],
)
def test_a_purge_that_cannot_be_made_is_reported(desk: Path, arguments: list[str], code: int, said: str) -> None:
    refused = run("purge", *arguments)

    assert (refused.exit_code, said in refused.stderr) == (code, True)


def test_a_purge_of_an_altered_log_exits_with_7(desk: Path, store: Store) -> None:
    with sqlite3.connect("log/decisions.db") as connection:
        connection.execute("UPDATE entries SET ticket = 'x' WHERE sequence = 1")

    refused = run("purge", "--before", "2026-01-23T04:00:03Z", "--yes")

    assert (refused.exit_code, left(store)) == (7, [1, 2, 3, 4, 5])
    assert "would hide that" in refused.stderr
