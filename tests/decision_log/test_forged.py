"""Verification of forged logs: each forgery without a key, with the key, and with the key and exported heads."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import Result

from engine.records.chain import beginning
from guidepost.decision_log.signed_heads import SignedHead, sign_head
from guidepost.decision_log.store import Store
from guidepost.policies.sources.signatures import new_key, private_key
from tests.support.command import run_command
from tests.support.log_servers import sqlite
from tests.support.records import follow, record

KEY, HEADS = ("--key", "desk.public.pem"), ("--heads", "heads.jsonl")
ENTRIES: Final = 8


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Return a log of eight entries: a head covers five, a later one all of them. The heads are exported."""
    store = Store.open(sqlite(tmp_path))
    monkeypatch.setenv("GUIDEPOST_DECISION_LOG", sqlite(tmp_path))
    monkeypatch.chdir(tmp_path)
    new_key(Path("desk.private.pem"), Path("desk.public.pem"))
    for numbers in (range(1, 6), range(6, ENTRIES + 1)):
        store.append("main-1", [record(number) for number in numbers])
        sign(store, "main-1")
    assert run("export", "--heads", "--to", "heads.jsonl").exit_code == 0
    return store


def sign(store: Store, writer: str) -> SignedHead | None:
    key = private_key(Path("desk.private.pem"))
    return store.sign(writer, lambda head, covered: sign_head(head, "2026-01-23T05:00:00Z", key, covered))


def run(*arguments: str) -> Result:
    return run_command("audit", *arguments)


def verified(*arguments: str) -> Any:
    return json.loads(run("verify", *arguments, "-o", "json").stdout)


def alter(*statements: str) -> None:
    with sqlite3.connect("log/decisions.db") as connection:
        for statement in statements:
            connection.execute(statement)


def rewrite() -> None:
    """Change one record, and compute all hashes again."""
    with sqlite3.connect("log/decisions.db") as connection:
        head = beginning("main-1")
        for id_, body in connection.execute("SELECT id, body FROM entries ORDER BY sequence").fetchall():
            entry, head = follow(head, body.replace("fast", "slow"))
            connection.execute(
                "UPDATE entries SET previous = ?, hash = ?, body = ? WHERE id = ?",
                (entry.previous, entry.hash, entry.body, id_),
            )
        connection.execute("UPDATE writers SET hash = ?", (head.hash,))


def rewrite_and_drop_the_heads() -> None:
    rewrite()
    alter("DELETE FROM heads")


def cut_the_tail() -> None:
    alter(
        "DELETE FROM entries WHERE sequence > 5",
        "DELETE FROM heads WHERE sequence > 5",
        "UPDATE writers SET sequence = 5, hash = (SELECT hash FROM entries WHERE sequence = 5)",
    )


def cut_the_tail_with_all_heads() -> None:
    cut_the_tail()
    alter("DELETE FROM heads")


def empty_everything() -> None:
    alter(*(f"DELETE FROM {table}" for table in ("entries", "heads", "writers", "purges")))


def make_up_a_chain() -> None:
    """Copy records into a chain that no server wrote."""
    Store.open(f"sqlite:///{Path('log/decisions.db').resolve()}").append(
        "main-2", [record(number) for number in range(21, 26)]
    )


def remove_the_beginning() -> None:
    alter(
        "INSERT INTO purges (writer, sequence, hash, before, purged, by, key, signature, format) SELECT writer, sequence, hash, '2020', '2020', 'me', '', x'', 1 FROM entries WHERE sequence = 3",
        "DELETE FROM entries WHERE sequence <= 3",
    )


def move_a_head() -> None:
    alter("UPDATE heads SET sequence = 7 WHERE sequence = 8")


def edit_when_it_was_signed() -> None:
    alter("UPDATE heads SET signed = '2020-01-01T00:00:00Z' WHERE sequence = 8")


def test_an_unaltered_log_is_whole_and_covered_to_the_end() -> None:
    done = run("verify", *KEY)

    assert done.exit_code == 0
    assert "8 of 8 entries covered by a head that a trusted key signed" in done.stdout
    assert run("verify", *KEY, *HEADS).exit_code == run("verify", *HEADS).exit_code == 0


@pytest.mark.parametrize(
    ("forge", "alone", "with_key", "with_heads"),
    [
        (rewrite, 7, 7, 7),
        (rewrite_and_drop_the_heads, 0, 7, 7),
        # The rest is an earlier state of the log: only an exported head shows what followed.
        (cut_the_tail, 0, 0, 7),
        (cut_the_tail_with_all_heads, 0, 7, 7),
        (empty_everything, 0, 7, 7),
        (make_up_a_chain, 0, 7, 7),
        (remove_the_beginning, 0, 7, 7),
        (move_a_head, 7, 7, 7),
        (edit_when_it_was_signed, 0, 7, 7),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_a_forged_log_is_detected(forge: Callable[[], None], alone: int, with_key: int, with_heads: int) -> None:
    forge()

    assert (run("verify").exit_code, run("verify", *KEY).exit_code, run("verify", *KEY, *HEADS).exit_code) == (
        alone,
        with_key,
        with_heads,
    )


def test_a_cut_log_reports_its_last_signature() -> None:
    cut_the_tail()

    assert "main-1: signed at 5 on 2026-01-23T05:00:00Z" in run("verify", *KEY).stdout


def test_a_chain_without_a_trusted_head_is_reported() -> None:
    make_up_a_chain()

    done = run("verify", *KEY)

    assert "main-2: no trusted key signed a head of this chain: 0 of 5 entries are covered" in done.stdout
    assert "13 entries in 2 chains: 1 doubt" in done.stdout
    assert "8 of 13 entries covered" in done.stdout


def test_a_chain_without_an_exported_head_is_a_doubt_without_a_key_too() -> None:
    make_up_a_chain()

    found = verified(*HEADS)

    assert found["doubts"] == ["main-2: no exported head covers this chain: 0 of 5 entries are covered"]
    assert run("verify", *HEADS).exit_code == 7


def test_entries_after_the_last_head_are_not_covered(log: Store) -> None:
    log.append("main-1", [record(9), record(10)])

    found = verified(*KEY)

    assert (found["whole"], found["covered"], found["entries"]) == (True, 8, 10)
    assert found["coverage"] == [
        {"writer": "main-1", "entries": 10, "covered": 8, "head": 8, "signed": "2026-01-23T05:00:00Z"}
    ]


def test_a_head_that_contradicts_the_chain_covers_nothing() -> None:
    rewrite()

    found = verified(*KEY)

    assert found["covered"] == 0
    assert "covered" not in run("verify", *KEY).stdout.replace("0 of 8 entries are covered", "")


def test_without_a_key_no_coverage_is_reported() -> None:
    done = run("verify")

    assert done.exit_code == 0
    assert (
        "without a key, a log that was rewritten as a whole is not detected; add --key FILE or --heads FILE"
        in done.stdout
    )
    assert (verified()["covered"], verified()["coverage"]) == (None, None)


def test_an_empty_log_is_not_whole() -> None:
    empty_everything()

    assert "whole" not in run("verify").stdout.splitlines()[0]
    assert "the log has no entries, so no trusted head covers anything" in run("verify", *KEY).stdout


def test_an_export_needs_heads_in_addition_to_a_key() -> None:
    run("export", "--to", "log.jsonl")

    alone = run("verify", "log.jsonl", *KEY)
    assert (alone.exit_code, alone.stdout.splitlines()[0]) == (
        7,
        "an export contains no heads: use --heads FILE in addition to --key (`guidepost audit export --heads`)",
    )
    assert run("verify", "log.jsonl", *KEY, *HEADS).exit_code == 0


def test_an_exported_head_that_is_in_the_log_counts_once() -> None:
    assert (
        run("verify").stderr
        == run("verify", *HEADS).stderr
        == "2 signed heads compared with the chains; --key FILE verifies the signatures too\n"
    )
