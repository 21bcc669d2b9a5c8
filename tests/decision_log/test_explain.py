"""``guidepost audit explain``: a past decision with its reasons under its own version, and errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from engine.records.record import Record, RecordedDecision, RecordKind, recorded_change, recorded_decision
from engine.records.reproduce import reproduce
from engine.request.moment import Moment
from engine.version.build import build
from guidepost.decision_log.store import Store
from guidepost.policies.sources.bundle_archive import make_bundle
from tests.support.command import run_command
from tests.support.deciders import decider_of, reschedule, triage
from tests.support.log_servers import sqlite
from tests.support.records import record
from tests.support.servers import COUNTER, counter_bundle

NEXT = {
    **COUNTER,
    "manifest.yaml": COUNTER["manifest.yaml"].replace("7.0.0", "8.0.0"),
    "queue.yaml": COUNTER["queue.yaml"].replace("wait: 10", "wait: 12"),
}
"""The desk's next version, in which large orders wait for longer."""


def asked(number: int, **changes: Any) -> Record:
    """Return the record of a triage with three facts, the colour masked."""
    version = counter_bundle().versions[0]
    facts = {"vip": False, "size": 9, "colour": {"masked": "given", "token": "ab"}}
    answers = triage(version, {**facts, "colour": "ab"}, Moment(None))
    made = record(
        number,
        kind=RecordKind.TRIAGE,
        facts=facts,
        version=version.ref,
        decisions=tuple(recorded_decision(answer, ["colour"]) for answer in answers),
    )
    return replace(made, **changes)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A log, and a policies folder with the next version; the recorded version is a past one there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GUIDEPOST_DECISION_LOG", sqlite(tmp_path))
    for folder, files in (("policies", NEXT), ("policies/past/7.0.0", COUNTER)):
        Path(folder).mkdir(parents=True)
        for name, text in files.items():
            (Path(folder) / name).write_text(text)
    store = Store.open(sqlite(tmp_path))
    yield store
    store.close()


def run(*arguments: str) -> Result:
    return run_command("audit", "explain", *arguments)


def test_a_past_decision_is_explained_under_its_own_version(desk: Store, golden: Callable[[str, str], None]) -> None:
    desk.append("main", [asked(1)])
    shown = run(asked(1).id)

    assert shown.exit_code == 0
    golden("audit/explain.txt", shown.stdout)
    plain = json.loads(run(asked(1).id, "-o", "json").stdout)
    assert (plain["equal"], plain["differences"]) == (True, [])
    assert [(one["id"], one["file"], one["source"]) for one in plain["answers"][0]["rules"]] == [
        ("queues.large", "policies/past/7.0.0/queue.yaml", "front")
    ]


def test_the_version_is_found_in_every_named_place(desk: Store) -> None:
    desk.append("main", [asked(1)])
    Path("policies/past/7.0.0").rename("elsewhere")
    Path("counter.zip").write_bytes(make_bundle(COUNTER).data)
    without = run(asked(1).id)

    assert without.exit_code == 2
    assert ("triage" in without.stdout or "queue" in without.stdout, "--with" in without.stderr) == (True, True)
    assert json.loads(run(asked(1).id, "-o", "json").stdout)["equal"] is None
    assert [run(asked(1).id, "--with", spec).exit_code for spec in ("elsewhere", "counter.zip", "policies")] == [
        0,
        0,
        2,
    ]


def test_a_broken_policies_folder_does_not_prevent_explaining(desk: Store) -> None:
    desk.append("main", [asked(1)])
    Path("policies/queue.yaml").write_text("kind: [")

    assert run(asked(1).id).exit_code == 0


def test_a_difference_is_listed_and_exits_with_7(desk: Store, golden: Callable[[str, str], None]) -> None:
    was = asked(1).decisions
    wrong = asked(
        1,
        decisions=(
            replace(
                was[0],
                rules=("queues.vip",),
                outcomes=(replace(was[0].outcomes[0], value="fast"), *was[0].outcomes[1:]),
            ),
            *was[1:],
        ),
    )
    desk.append("main", [wrong])
    shown = run(wrong.id)

    assert shown.exit_code == 7
    golden("audit/explain-otherwise.txt", "\n".join(shown.stdout.splitlines()[-3:]) + "\n")


def test_why_not_is_answered_in_the_same_command(desk: Store) -> None:
    desk.append("main", [asked(1)])

    shown = run(asked(1).id, "--why-not", "queue=fast")

    assert "It would be fast with one change" in shown.stdout
    assert json.loads(run(asked(1).id, "--why-not", "queue=fast", "-o", "json").stdout)["why_not"]["possible"] is True
    assert run(asked(1).id, "--why-not", "queue=never").exit_code == 2


@pytest.mark.parametrize(("id_", "code"), [("nothing", 2), (record(2).id, 7)])
def test_a_missing_or_altered_record_is_not_explained(desk: Store, id_: str, code: int) -> None:
    desk.append("main", [asked(1), asked(2)])
    with desk.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE entries SET ticket = 'x' WHERE sequence = 2")

    assert run(id_).exit_code == code


def test_facts_that_the_version_cannot_read_are_reported(desk: Store) -> None:
    desk.append(
        "main",
        [
            asked(1, facts={"size": "many"}),
            asked(2, facts={"size": {"who": "knows"}}),
            asked(
                3,
                decisions=(
                    RecordedDecision(
                        decision="none", id="", status="decided", outcomes=(), rules=(), assumptions=(), dues=()
                    ),
                ),
            ),
        ],
    )

    for number, said in ((1, "size"), (2, "cannot be read as a request"), (3, "unknown decision `none`")):
        shown = run(asked(number).id)
        assert (shown.exit_code, said in shown.stdout) == (7, True), number


def test_a_call_to_reschedule_is_reproduced(shipped: Any) -> None:
    version = shipped.versions[-1]
    facts = {"assigned_priority": "P2", "plan": "partner", "country": "AU", "received_at": "2026-01-23T04:00:00Z"}
    moment, before = Moment(None), {"assigned_priority": "P3"}
    change = recorded_change(reschedule(version, facts, before, moment), before)
    made = record(1, kind=RecordKind.RESCHEDULE, facts=facts, version=version.ref, decisions=(), change=change)
    other = replace(
        made, change=replace(change, deadlines=(replace(change.deadlines[0], after=None), *change.deadlines[1:]))
    )

    again = reproduce(Record.read(made.text), decider_of(version))
    assert (again.equal, again.moved is not None) == (True, True)
    assert [one.part for one in reproduce(other, decider_of(version)).differences] == [
        f"deadline {change.deadlines[0].name}"
    ]


def test_reproducing_under_another_version_lists_every_difference() -> None:
    again = reproduce(asked(1), decider_of(build(NEXT)))

    assert [str(one) for one in again.differences] == ["queue: outcome wait: recorded 10, now 12"]
