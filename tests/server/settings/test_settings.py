"""The settings of a server from flags, environment and file, and the messages for those that cannot be used."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guidepost.cli.app import load_command
from guidepost.decision_log.database import check_usable, connect, migrate
from guidepost.decision_log.log_error import LogError
from guidepost.server.auth.api_keys import new_key
from guidepost.server.settings.build import log_format, log_settings
from guidepost.server.settings.checks import environment_problems, setting_problems
from guidepost.server.settings.docs_page import PAGE, page
from guidepost.server.settings.load import LoadedSettings, WrongSettings, read_settings
from guidepost.server.settings.model import GROUPS, ServerSettings, about, flag, key, settings, variable
from guidepost.server.settings.types import TEXTS, integer
from tests.support.certificates import entry
from tests.support.paths import ROOT
from tests.support.servers import COUNTER

NAMES = [one.name for one in settings()]


def found(environment: dict[str, str] | None = None, file: Path | None = None, **flags: Any) -> LoadedSettings:
    return read_settings(flags, environment or {}, file)


def problems_of(environment: dict[str, str] | None = None, file: Path | None = None, **flags: Any) -> list[str]:
    """Return the messages for settings that cannot be used."""
    with pytest.raises(WrongSettings) as refused:
        read_settings(flags, environment or {}, file)
    return [str(problem) for problem in refused.value.problems]


def toml(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "guidepost.toml"
    path.write_text(text, encoding="utf-8")
    return path


class TestWhereASettingComesFrom:
    """A flag overrides the environment, which overrides the file, which overrides the default."""

    def test_flags_before_the_environment_before_the_file_before_the_default(self, tmp_path: Path) -> None:
        file = toml(tmp_path, 'port = 1\ngrace = 2\nworkers = 3\nhost = "::1"\n')
        got = found({"GUIDEPOST_PORT": "11", "GUIDEPOST_GRACE": "12"}, file, port="21")

        assert (got.settings.port, got.settings.grace, got.settings.workers, got.settings.host) == (21, 12, 3, "::1")
        assert got.settings.log_timeout == ServerSettings().log_timeout
        assert [got.origin(name) for name in ("port", "grace", "workers", "log_timeout")] == [
            "--port",
            "$GUIDEPOST_GRACE",
            f"{file}:3: workers",
            "--log-timeout",
        ]

    def test_without_sources_every_setting_has_its_default(self) -> None:
        assert found().settings == ServerSettings()

    def test_the_environment_may_name_the_file(self, tmp_path: Path) -> None:
        assert found({"GUIDEPOST_CONFIG": str(toml(tmp_path, "port = 7"))}).settings.port == 7

    def test_an_empty_variable_counts_as_not_set(self) -> None:
        assert found({"GUIDEPOST_PORT": ""}).settings == ServerSettings()

    @given(st.lists(st.text("abcdefgh_-", min_size=1, max_size=8), max_size=4))
    def test_several_values_are_read_alike_from_all_three_sources(self, words: list[str]) -> None:
        text = TEXTS.read(",".join(words))
        assert text == TEXTS.read(words) == tuple(words)

    @pytest.mark.parametrize("name", NAMES)
    def test_every_setting_can_be_set_in_all_three_sources(self, name: str, tmp_path: Path) -> None:
        """They have the same meaning."""
        kind = about(next(one for one in settings() if one.name == name)).kind
        text = (
            "true"
            if kind.flag
            else kind.metavar.split("|")[0]
            if "|" in kind.metavar
            else {
                "NUMBER": "2000" if "bytes" in name else "200",
                "SECONDS": "2.5",
                "RATIO": "0.5",
                "HOST:PORT": "127.0.0.1:1",
            }.get(kind.metavar, "x")
        )
        in_file = (
            text
            if kind.flag or (text[0].isdigit() and ":" not in text)
            else json.dumps([text])
            if kind.many
            else json.dumps(text)
        )
        said = [
            found({variable(name): text}),
            found(None, toml(tmp_path, f"{key(name)} = {in_file}")),
            found(None, None, **{name: [text] if kind.many else kind.flag or text}),
        ]

        assert len({repr(getattr(one.settings, name)) for one in said}) == 1
        assert [set(one.origins) for one in said] == [{name}] * 3


class TestWhatIsWrongWithSettings:
    """All problems are reported at once, each with its origin."""

    def test_unknown_names_and_wrong_values_are_reported_together_with_their_places(self, tmp_path: Path) -> None:
        file = toml(tmp_path, 'workerz = 3\n\nport = "high"\n[zzz]\nx = 1\n')

        assert problems_of({"GUIDEPOST_LOG_DURABILTY": "sync", "GUIDEPOST_GRACE": "-1"}, file, workers="many") == [
            f"{file}:1: unknown setting `workerz`\n    help: did you mean `workers`?",
            f"{file}:3: port: expected an integer from 0 to 65,535, got `high`",
            f"{file}:4: unknown setting `zzz`",
            "$GUIDEPOST_LOG_DURABILTY: unknown setting\n    help: did you mean `GUIDEPOST_LOG_DURABILITY`?",
            "--workers: expected an integer from 0 to 256, got `many`",
            "$GUIDEPOST_GRACE: expected a number of seconds of 0 or more, got `-1`",
        ]

    def test_what_is_overridden_has_to_be_right_all_the_same(self) -> None:
        assert problems_of({"GUIDEPOST_PORT": "x"}, port="1") == [
            "$GUIDEPOST_PORT: expected an integer from 0 to 65,535, got `x`"
        ]

    def test_a_missing_or_invalid_file_is_reported_with_the_rest(self, tmp_path: Path) -> None:
        assert problems_of(None, tmp_path / "none.toml", port="x") == [
            f"{tmp_path}/none.toml: cannot be read: No such file or directory",
            "--port: expected an integer from 0 to 65,535, got `x`",
        ]
        [only] = problems_of(None, toml(tmp_path, "port = = 1"))
        assert only.startswith(f"{tmp_path}/guidepost.toml:1:8: not TOML: ")

    def test_variables_that_kubernetes_sets_for_a_service_say_so(self) -> None:
        said = problems_of(
            {"GUIDEPOST_PORT": "tcp://10.0.0.1:50051", "GUIDEPOST_PORT_50051_TCP": "tcp://10.0.0.1:50051"}
        )

        assert [one.splitlines()[1].strip() for one in said] == [
            "help: Kubernetes sets such variables for a service of this name: set `enableServiceLinks: false` for the pod"
        ] * 2

    @pytest.mark.parametrize("wrong", [True, 1.0, "1.0", "-1", "", "١", [1], "1_0", None])
    def test_a_whole_number_is_written_in_digits(self, wrong: object) -> None:
        with pytest.raises(ValueError, match="expected an integer"):
            integer(0).read(wrong)

    def test_an_address_without_quotes_says_what_an_address_is(self, tmp_path: Path) -> None:
        file = toml(tmp_path, "metrics = 9464\n")

        assert problems_of(None, file) == [
            f"{file}:1: metrics: expected HOST:PORT, for example 127.0.0.1:9464, got `9464`"
        ]

    def test_a_long_value_is_not_repeated(self) -> None:
        [said] = problems_of({"GUIDEPOST_PORT": "s3cret" * 50})
        assert "s3cret" not in said


class TestSettingsThatDoNotGoTogether:
    """They are rejected before the server starts."""

    def problems_of(self, **flags: Any) -> list[str]:
        return [
            f"{one.origin}: {one.message}" for one in setting_problems(found(None, None, log_durability="off", **flags))
        ]

    def test_all_of_them_are_reported(self) -> None:
        assert self.problems_of(workers="0", admin="127.0.0.1:9000", metrics="127.0.0.1:9000") == [
            "--admin: a single process has no admin service",
            "--metrics: 127.0.0.1:9000 is also the address of `admin`",
        ]
        assert self.problems_of(host="unix:/run/x", workers="2") == ["--host: workers cannot share a Unix socket"]
        assert self.problems_of(host="unix:/run/x", workers="0") == []

    def test_a_secret_in_a_setting_is_refused_and_one_in_a_file_is_taken(self, tmp_path: Path) -> None:
        url = "postgresql+psycopg://desk:s3cret@db/log"
        [refused] = setting_problems(found(None, None, decision_log=url))
        assert (refused.origin, refused.message) == ("--decision-log", "expected a URL without a password")
        assert "s3cret" not in str(refused)

        (tmp_path / "url").write_text(url + "\n")
        named = found(None, None, decision_log_file=str(tmp_path / "url"))
        assert setting_problems(named) == []
        options = log_settings(named.settings)
        assert options is not None
        assert options.url == url

    def test_keys_that_cannot_be_read_are_reported(self, tmp_path: Path) -> None:
        said = setting_problems(
            found(
                None,
                None,
                log_mask_key=str(tmp_path / "no-key"),
                tls_certificate=str(tmp_path / "no-certificate"),
                decision_log="sqlite:///x.db",
            )
        )
        assert len(said) >= 2
        assert "no-key" in said[0].message


def test_a_share_of_ports_is_no_obstacle_and_a_taken_one_is(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = environment_problems(
            found(None, None, port=port, metrics=f"127.0.0.1:{port}", decision_log=f"sqlite:///{tmp_path}/d.db")
        )
    assert [(one.origin, one.message) for one in said] == [
        (name, f"cannot listen on 127.0.0.1:{port}: Address already in use") for name in ("--port", "--metrics")
    ]
    assert [one.help for one in said] == [
        f"check whether a server runs there: `guidepost health 127.0.0.1:{port}`",
        "",
    ]
    assert environment_problems(found(None, None, port="0", decision_log=f"sqlite:///{tmp_path}/d.db")) == []
    assert not (tmp_path / "d.db").exists()


def test_a_log_is_looked_at_and_not_changed(tmp_path: Path) -> None:
    """An older log can be upgraded; a newer one, or another database, cannot be used."""
    url, file = f"sqlite:///{tmp_path}/d.db", tmp_path / "d.db"
    made = connect(url)
    migrate(made)
    # SQLite copies the WAL into the file when the last connection closes.
    made.dispose()
    before = file.read_bytes()
    check_usable(connect(url))
    assert file.read_bytes() == before
    with sqlite3.connect(file) as database:
        database.execute("update alembic_version set version_num = '9999'")
    with pytest.raises(LogError, match="of a later version"):
        check_usable(connect(url))
    (tmp_path / "e.db").write_bytes(b"no database" * 1000)
    with pytest.raises(LogError, match="cannot be opened"):
        check_usable(connect(f"sqlite:///{tmp_path}/e.db"))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    for name, text in COUNTER.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def check(desk: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GUIDEPOST_CACHE": str(desk / "cache")}
    return subprocess.run(
        [sys.executable, "server.py", "--check", "--policies", str(desk), *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_check_says_that_all_is_well_and_serves_nothing(desk: Path) -> None:
    fine = check(desk, "--port", "0")
    assert (fine.returncode, fine.stdout, fine.stderr) == (
        0,
        "ready to serve: counter 7.0.0; settings, keys, decision log and ports are valid\n",
        "",
    )


def test_check_reports_a_missing_policies_folder_once(tmp_path: Path) -> None:
    wrong = check(tmp_path / "none", "--port", "0")
    assert (wrong.returncode, wrong.stderr) == (2, f"error: --policies: no such folder: {tmp_path / 'none'}\n")


def test_check_warns_of_a_key_that_expired(desk: Path, tmp_path: Path) -> None:
    file = tmp_path / "callers.yaml"
    file.write_text(
        f"callers:\n  - {{name: portal, roles: [decide], keys: [{entry(new_key(), '2025-07-01')}, {entry(new_key(), '2999-07-01')}]}}\n"
    )
    file.chmod(0o600)
    fine = check(desk, "--port", "0", "--callers", str(file))
    assert (
        fine.returncode,
        fine.stderr.count("warning: "),
        "of `portal`: expired on 2025-07-01" in fine.stderr,
    ) == (0, 1, True)


def test_check_says_everything_that_is_in_the_way(desk: Path) -> None:
    (desk / "gift.yaml").write_text(COUNTER["gift.yaml"].replace("colour: red", "color: red"), encoding="utf-8")
    try:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            wrong = check(desk, "--port", port, "--log-sign-key", str(desk / "none.pem"))
        policies = check(desk, "--port", "0")
    finally:
        (desk / "gift.yaml").write_text(COUNTER["gift.yaml"], encoding="utf-8")

    assert (wrong.returncode, policies.returncode) == (2, 3)
    for said in (
        "gift.yaml:11:",
        "none.pem",
        f"cannot listen on 127.0.0.1:{port}",
        "1 problem in ",
        "2 problems with the settings",
    ):
        assert said in wrong.stderr


def test_the_page_is_the_model() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m guidepost.server.settings.docs_page writes it anew"


def test_the_page_has_every_setting_once_and_its_file_can_be_used(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `--")]

    assert len(rows) == len(NAMES)
    assert {about(one).group for one in settings()} == set(GROUPS)
    assert tomllib.loads(text.split("```toml\n")[1].split("```")[0]) != {}
    assert found(None, toml(tmp_path, text.split("```toml\n")[1].split("```")[0])).settings.log_durability == "bounded"


def test_the_flags_of_serve_and_of_server_py_are_the_model() -> None:
    command: Any = load_command("serve")
    flags = {one for parameter in command.params for one in parameter.opts}

    assert {flag(name) for name in NAMES} <= flags
    assert flags - {flag(name) for name in NAMES} == {"--config", "--check", "--help"} - ({"--help"} - flags)
    help_ = subprocess.run(
        [sys.executable, "server.py", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "COLUMNS": "200"},
    ).stdout
    assert [flag(name) for name in NAMES if flag(name) not in help_] == []


def test_messages_are_json_unless_standard_error_is_a_terminal() -> None:
    assert [log_format(how) for how in ("auto", "text", "json")] == ["json", "text", "json"]
