"""Decision certificates: a small file for one record that can be checked without the log, and cannot be altered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import Result

from engine.decide.answer_times_json import iso
from engine.records.chain import Entry, Head
from engine.records.identity import uuid7
from engine.records.masking import Masking
from engine.records.merkle import CoveredRange, path, root
from engine.records.record import Record, RecordKind, recorded_decision
from engine.request.moment import Moment
from guidepost.decision_log.certificate import Certificate, InvalidCertificate, StepResult, certify, check_certificate
from guidepost.decision_log.commit_thread import Writer
from guidepost.decision_log.signed_heads import SignedHead, sign_head
from guidepost.decision_log.store import Store
from guidepost.policies.sources.bundle_archive import make_bundle
from guidepost.policies.sources.signatures import Trust, TrustedKey, key_id, new_key, private_key
from tests.support.command import run_command
from tests.support.deciders import triage
from tests.support.log_servers import sqlite
from tests.support.records import START, chain, follow
from tests.support.servers import COUNTER, counter_bundle
from tests.support.waiting import wait_until

KEY = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)
TRUST = Trust((TrustedKey("desk.public.pem", key_id(KEY.public_key()), KEY.public_key()),))


def record(number: int, **changes: Any) -> Record:
    """Return the record of a triage at the second desk."""
    at = START + timedelta(hours=number)
    version, facts = counter_bundle().versions[0], {"vip": False, "size": number, "colour": "my own colour"}
    answers = triage(version, facts, Moment(at))
    masking = Masking(b"k" * 32, more=frozenset({"colour"}))
    whole = Record(
        id=uuid7(at, number.to_bytes(10, "big")),
        received=iso(at),
        caller="portal",
        request_id="",
        ticket=f"T-{number}",
        kind=RecordKind.TRIAGE,
        facts=masking.facts(facts, version.policy.facts),
        now=iso(at),
        pauses=(),
        version=version.ref,
        decisions=tuple(recorded_decision(answer, masking.more) for answer in answers),
    )
    return replace(whole, **changes)


def certificate(number: int = 2, size: int = 5, since: int = 0, **changes: Any) -> Certificate:
    """Return the certificate of an entry of a signed chain."""
    entries, head = chain([record(at, **(changes if at == number else {})).text for at in range(1, size + 1)])
    hashes = [entry.hash for entry in entries[since:]]
    signed = sign_head(
        head, "2026-01-24T00:00:00Z", KEY, CoveredRange(writer="main", since=since, last=size, root=root(hashes))
    )
    return Certificate(entries[number - 1], signed, path(hashes, number - since - 1))


@cache
def written() -> str:
    return certificate().text


def found(made: Certificate, trust: Trust = TRUST, against: Any = None) -> dict[str, StepResult]:
    return {step.name: step.result for step in check_certificate(made, trust, against or counter_bundle().versions[0])}


# ---- Valid certificates


def test_a_head_over_one_entry_is_described() -> None:
    said = {step.name: step.detail for step in check_certificate(certificate(number=3, size=3, since=2), TRUST)}

    assert said["path"] == "it is the only entry that the head at 3 covers"


@given(st.integers(1, 12), st.data())
@settings(deadline=None, max_examples=20)
def test_every_covered_entry_has_a_valid_certificate(size: int, data: st.DataObject) -> None:
    since = data.draw(st.integers(0, size - 1))
    made = certificate(data.draw(st.integers(since + 1, size)), size, since)

    assert set(found(Certificate.read(made.text)).values()) == {StepResult.OK}


def test_a_step_that_cannot_be_checked_is_neither_ok_nor_wrong() -> None:
    steps = {step.name: step for step in check_certificate(certificate(), Trust())}

    assert {name: step.result for name, step in steps.items()} == {
        "entry": StepResult.OK,
        "path": StepResult.OK,
        "signature": StepResult.NOT_SHOWN,
        "version": StepResult.NOT_SHOWN,
        "decisions": StepResult.NOT_SHOWN,
    }
    assert "--key" in steps["signature"].detail
    assert "--against" in steps["version"].detail


def test_without_a_head_a_certificate_shows_no_more_than_its_hash() -> None:
    alone = found(Certificate.read(Certificate(certificate().entry).text))

    assert (alone["entry"], alone["path"], alone["signature"]) == (
        StepResult.OK,
        StepResult.NOT_SHOWN,
        StepResult.NOT_SHOWN,
    )


# ---- Altered certificates


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_a_change_of_any_byte_is_detected(data: st.DataObject) -> None:
    text = written()
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(min_codepoint=32, max_codepoint=126).filter(lambda one: one != text[at]))
    altered = text[:at] + other + text[at + 1 :]
    try:
        same = json.loads(altered) == json.loads(text) and json.dumps(json.loads(altered)) == json.dumps(
            json.loads(text)
        )
    except ValueError:
        same = False
    if same:  # white space between two words of the file
        return
    try:
        read = Certificate.read(altered)
    except InvalidCertificate:
        return
    assert StepResult.WRONG in found(read).values(), altered


@pytest.mark.parametrize(
    ("alter", "wrong"),
    [
        (
            lambda one: replace(one, entry=replace(one.entry, body=one.entry.body.replace('"size":2', '"size":3'))),
            {"entry"},
        ),
        (lambda one: replace(one, entry=forged(one.entry)), {"path"}),
        (lambda one: replace(one, path=one.path[::-1]), {"path"}),
        (lambda one: replace(one, path=()), {"path"}),
        (lambda one: replace(one, head=replace(one.head, root="0" * 64)), {"path", "signature"}),
        (lambda one: replace(one, head=replace(one.head, since=1)), {"path", "signature"}),
        (lambda one: replace(one, head=replace(one.head, signed="2027-01-01T00:00:00Z")), {"signature"}),
        (lambda one: replace(one, head=replace(one.head, key="0" * 32)), {"signature"}),
        (
            lambda one: replace(one, head=replace(one.head, head=replace(one.head.head, writer="other"))),
            {"path", "signature"},
        ),
        (lambda one: replace(one, head=sign_head(one.head.head, one.head.signed, KEY)), {"path"}),
    ],
)
def test_each_step_detects_its_own_changes(alter: Callable[[Any], Certificate], wrong: set[str]) -> None:
    steps = found(alter(certificate()))

    assert {name for name, one in steps.items() if one is StepResult.WRONG} - {"decisions"} == wrong


def forged(entry: Entry) -> Entry:
    """Return an entry with another text and the hash of it."""
    made, _ = follow(Head(entry.writer, entry.sequence - 1, entry.previous), record(2, ticket="another").text)
    return made


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", '{"kind": "guidepost-decision-certificate"}', '{"kind": 1, "kind": 1}', "1" * 5_000],
)
def test_a_file_that_is_not_a_certificate_is_rejected(text: str) -> None:
    with pytest.raises(InvalidCertificate):
        Certificate.read(text)


@pytest.mark.parametrize(
    "more",
    [{"note": "x"}, {"format": 2}, {"path": []}, {"version": {"name": "counter", "version": "8.0.0", "digest": "d"}}],
)
def test_nothing_can_be_added_or_repeated(more: dict[str, Any]) -> None:
    plain = json.loads(written()) | more
    try:
        steps = found(Certificate.read(json.dumps(plain)))
    except InvalidCertificate:
        return
    assert steps["path"] is StepResult.WRONG


def test_a_decision_that_the_version_does_not_make_is_wrong_even_if_signed() -> None:
    other = record(2, decisions=record(9).decisions)

    steps = {
        step.name: step
        for step in check_certificate(certificate(decisions=other.decisions), TRUST, counter_bundle().versions[0])
    }

    assert {name for name, one in steps.items() if one.result is StepResult.WRONG} == {"decisions"}
    assert "queue: outcome queue: recorded slow, now fast" in steps["decisions"].detail


def test_another_version_is_wrong_and_is_not_used_to_decide() -> None:
    made = certificate(version=replace(counter_bundle().versions[0].ref, digest="0" * 64))

    assert (found(made)["version"], found(made)["decisions"]) == (StepResult.WRONG, StepResult.NOT_SHOWN)


# ---- From a log, on the command line


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a log of five records, of which the first three are signed, keys, and the version as a bundle."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GUIDEPOST_DECISION_LOG", sqlite(tmp_path))
    new_key(Path("desk.private.pem"), Path("desk.public.pem"))
    new_key(Path("other.private.pem"), Path("other.public.pem"))
    Path("counter.zip").write_bytes(make_bundle(COUNTER).data)
    store = Store.open(sqlite(tmp_path))
    store.append("main", [record(number) for number in (1, 2, 3)])
    store.sign("main", lambda head, covered: sign_head(head, "2026-01-23T09:00:00Z", KEY, covered))
    store.append("main", [record(number) for number in (4, 5)])
    yield tmp_path
    store.close()


def run(*arguments: str) -> Result:
    return run_command("audit", *arguments)


def written_key(folder: Path) -> str:
    """Write the public key of the signed head."""
    (folder / "signer.pem").write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return "signer.pem"


def test_a_certificate_is_written_and_checked_against_a_bundle(desk: Path, golden: Callable[[str, str], None]) -> None:
    made = run("certificate", record(2).id, "--to", "c.json")
    alone = run("check", "c.json")
    whole = run("check", "c.json", "--key", written_key(desk), "--against", "counter.zip")

    assert (made.exit_code, alone.exit_code, whole.exit_code) == (0, 7, 0)
    golden("audit/certificate.json", Path("c.json").read_text())
    golden("audit/check.txt", alone.stdout + whole.stdout)
    assert "entry 2 of main, covered by the head at 3" in made.stderr


def test_a_wrong_certificate_exits_with_7(desk: Path, golden: Callable[[str, str], None]) -> None:
    run("certificate", record(2).id, "--to", "c.json")
    Path("d.json").write_text(Path("c.json").read_text().replace("T-2", "T-9"))
    altered = run("check", "d.json", "--key", "other.public.pem", "--against", "counter.zip")
    Path("e.json").write_text(Path("c.json").read_text().replace('"path"', '"paths"'))

    golden("audit/check-wrong.txt", altered.stdout)
    assert (altered.exit_code, run("check", "e.json").exit_code, run("check", "none.json").exit_code) == (7, 7, 2)
    assert json.loads(run("check", "d.json", "-o", "json").stdout)["sound"] is False


def test_a_record_without_a_head_is_reported_and_can_be_signed_now(desk: Path) -> None:
    without = run("certificate", record(5).id)
    signed = run("certificate", record(5).id, "--sign-key", "desk.private.pem", "--to", "c.json")

    assert (without.exit_code, json.loads(without.stdout)["head"]) == (0, None)
    assert "no signed head covers this record yet" in without.stderr
    assert signed.exit_code == 0
    assert (
        json.loads(run("check", "c.json", "--key", "desk.public.pem", "--against", "counter.zip", "-o", "json").stdout)[
            "complete"
        ]
        is True
    )
    assert run("verify", "--key", "desk.public.pem", "--key", written_key(desk)).exit_code == 0


def test_an_altered_record_has_no_certificate(desk: Path) -> None:
    store = Store.open(sqlite(desk))
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE entries SET body = replace(body, 'T-2', 'T-3') WHERE sequence = 2")

    refused = run("certificate", record(2).id)

    assert (refused.exit_code, refused.stdout) == (7, "")
    assert "was altered" in refused.stderr


# ---- Heads


def test_heads_cover_the_chain_without_a_gap(tmp_path: Path) -> None:
    store, other = Store.open(sqlite(tmp_path)), Store.open(sqlite(tmp_path))

    def sign(head: Head, covered: CoveredRange | None) -> SignedHead:
        return sign_head(head, "2026-01-23T09:00:00Z", KEY, covered)

    spans = []
    for number, signer in enumerate((store, store, other, store, other), 1):
        (store if number != 3 else other).append("main", [record(2 * number), record(2 * number + 1)])
        signed = signer.sign("main", sign)
        assert signed is not None
        spans.append((signed.since, signed.head.sequence))

    assert store.sign("main", sign) is None
    assert [last for _, last in spans] == [2, 4, 6, 8, 10]
    assert all(since <= before for (since, _), (_, before) in zip(spans[1:], spans, strict=False))
    for entry in store.entries():
        assert check_certificate(certify(store, entry), TRUST)[1].result is StepResult.OK
    store.close()
    other.close()


def test_a_head_reads_a_long_chain_in_parts_between_commits(tmp_path: Path) -> None:
    store, earlier = Store.open(sqlite(tmp_path)), Store.open(sqlite(tmp_path))
    earlier.append("main", [record(number) for number in range(25)])

    def sign(head: Head, covered: CoveredRange | None) -> SignedHead:
        return sign_head(head, "2026-01-23T09:00:00Z", KEY, covered)

    assert [(store.sign("main", sign, 10), store.has_backlog("main")) for _ in range(2)] == [(None, True)] * 2
    store.append("main", [record(25)])
    signed = store.sign("main", sign, 10)

    assert signed is not None
    assert (signed.since, signed.head.sequence, store.has_backlog("main")) == (0, 26, False)
    store.append("main", [record(26)])
    assert store.sign("main", sign, 10) is not None
    for entry in store.entries():
        assert check_certificate(certify(store, entry), TRUST)[1].result is StepResult.OK
    store.close()
    earlier.close()


def test_a_server_signs_a_long_chain_that_was_written_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guidepost.decision_log.commit_thread.READ", 3)
    store = Store.open(sqlite(tmp_path))
    store.append("main", [record(number) for number in range(40)])
    writer = Writer(
        store,
        "main",
        signer=lambda head, covered: sign_head(head, "2026-01-23T09:00:00Z", KEY, covered),
        sign_every=0.01,
    )
    wait_until(store.signed_heads)

    assert [(one.since, one.head.sequence) for one in store.signed_heads()] == [(0, 40)]
    writer.close(5)


def test_a_head_of_format_1_can_be_verified() -> None:
    # Written and signed by a version of the program without trees.
    old = SignedHead(
        head=Head("main", 3, "ab"),
        signed="2026-01-23T05:00:00Z",
        key=key_id(KEY.public_key()),
        signature=KEY.sign(
            b'guidepost decision log head, format 1\nwriter "main"\nsequence 3\nhash ab\nsigned 2026-01-23T05:00:00Z\n'
        ),
    )

    assert SignedHead.read(old.line()) == old
    assert "since" not in json.loads(old.line())
    assert sign_head(old.head, old.signed, KEY) == old


def test_a_head_names_the_key_that_signed_it(tmp_path: Path) -> None:
    new_key(tmp_path / "a.pem", tmp_path / "b.pem")

    assert (
        sign_head(Head("main", 1, "ab"), "now", private_key(tmp_path / "a.pem")).key
        != sign_head(Head("main", 1, "ab"), "now", KEY).key
    )
