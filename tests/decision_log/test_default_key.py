"""The key that signs heads by default: made on the first start, and shared by all servers of a state folder."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from typer.testing import Result

from guidepost import Client
from guidepost.decision_log.default_key import PRIVATE_FILE, PUBLIC_FILE, default_key, default_key_problem
from guidepost.policies.sources.signatures import key_id, new_key, private_key, trusted_keys
from guidepost.policies.sources.source import SourceError
from guidepost.server.settings.model import ServerSettings
from guidepost.server.settings.signing_key import signing_key
from tests.support.command import run_command
from tests.support.desks import GOOD, write
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("GUIDEPOST_DECISION_LOG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "state" / "guidepost"


def check(*words: object) -> Result:
    return run_command("serve", "--check", "--policies", write(Path("desk"), GOOD), "--port", 0, *words)


def test_the_first_start_makes_a_key_for_its_owner_only_and_later_ones_use_it(state: Path) -> None:
    first, second = signing_key(ServerSettings()), signing_key(ServerSettings())

    assert (first.made, second.made, first.id == second.id) == (True, False, True)
    assert stat.S_IMODE((state / PRIVATE_FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert [one.id for one in trusted_keys([state / PUBLIC_FILE]).keys] == [first.id]
    assert sorted(path.name for path in state.iterdir()) == [PRIVATE_FILE, PUBLIC_FILE]


def test_servers_that_start_at_the_same_time_make_one_key(state: Path) -> None:
    count = 16
    together, found = threading.Barrier(count), []

    def start() -> None:
        together.wait()
        found.append(default_key(state))

    threads = [threading.Thread(target=start) for _ in range(count)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len(found) == count
    assert len({one.id for one in found}) == sum(one.made for one in found) == 1
    assert sorted(path.name for path in state.iterdir()) == [PRIVATE_FILE, PUBLIC_FILE]


def test_the_public_key_is_written_again_if_missing_or_wrong(state: Path) -> None:
    made = default_key(state)
    made.public.unlink()
    assert default_key(state).public.is_file()
    new_key(Path("a.private.pem"), Path("a.public.pem"))
    made.public.write_bytes(Path("a.public.pem").read_bytes())

    assert default_key(state).id == trusted_keys([made.public]).keys[0].id


def test_a_named_key_signs_and_none_is_made(state: Path) -> None:
    new_key(Path("a.private.pem"), Path("a.public.pem"))

    found = signing_key(ServerSettings(log_sign_key=Path("a.private.pem")))

    assert found.id == key_id(private_key(Path("a.private.pem")).public_key())
    assert not state.exists()


@pytest.mark.parametrize("settings", [ServerSettings(log_sign=False), ServerSettings(log_durability="off")])
def test_no_key_is_made_if_nothing_is_signed(settings: ServerSettings, state: Path) -> None:
    assert signing_key(settings).private == ""
    assert not state.exists()


def test_a_server_that_cannot_make_a_key_serves_with_a_warning(tmp_path: Path, state: Path) -> None:
    # A file in place of the folder stops every user, the superuser too.
    (tmp_path / "state").write_text("")

    assert "cannot create a key in" in signing_key(ServerSettings()).why_not
    assert "cannot be written" in default_key_problem(state)
    done = check("--decision-log", f"sqlite:///{tmp_path}/d.db")
    assert done.exit_code == 0, done.output
    assert "warning: log-sign: the heads of the decision log would not be signed" in done.output


def test_a_key_that_cannot_be_read_is_never_replaced(state: Path) -> None:
    made = default_key(state)
    made.private.write_text("spoilt")

    with pytest.raises(SourceError):
        default_key(state)
    assert made.private.read_text() == "spoilt"
    refused = run_command("serve", "--policies", write(Path("desk"), GOOD), "--port", 0)
    assert refused.exit_code == 2
    assert "--no-log-sign" in refused.output


def test_check_makes_no_key(state: Path) -> None:
    assert check().exit_code == 0
    assert not state.exists()


def test_a_key_conflicts_with_no_signing() -> None:
    new_key(Path("a.private.pem"), Path("a.public.pem"))

    done = check("--no-log-sign", "--log-sign-key", "a.private.pem")

    assert done.exit_code == 2
    assert "turns signing off" in done.output


def test_a_server_signs_by_default_so_that_certificates_have_a_head(state: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "guidepost.cli",
        "serve",
        "--policies",
        str(write(Path("desk"), GOOD)),
        "--port",
        "0",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ
    ) as server:
        assert server.stdout is not None
        lines = []
        for line in server.stdout:
            lines.append(line)
            if "grpcurl" in line:
                break
        shown = "".join(lines)
        address = re.search(r"listening on (\S+)", shown)
        assert address, shown
        try:
            with Client(address[1]) as client:
                client.decide("queue", damage="broken", rider="courier")
                wait_until(lambda: run_command("audit", "verify", "--key", state).exit_code == 0)
                (record,) = [one.content.id for one in client.audit.records()]
        finally:
            server.send_signal(signal.SIGTERM)
            server.stdout.read()
    key = trusted_keys([state]).keys[0].id

    assert f"its heads are signed by the key {key}, made just now" in shown
    assert f"audit verify --key {(state / PUBLIC_FILE).relative_to(Path.cwd())}`" in shown
    assert (
        "1 of 1 entry covered by a head that a trusted key signed"
        in run_command("audit", "verify", "--key", state).stdout
    )
    assert run_command("audit", "certificate", record, "--to", "one.json").exit_code == 0
    assert run_command("audit", "check", "one.json", "--key", state / PUBLIC_FILE).exit_code == 0
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in state.glob("*.db*")}.items() >= {
        ("decisions.db", 0o600)
    }
