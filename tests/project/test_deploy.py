"""The files in deploy/ match the settings, services, paths and times of the program; `scripts/deploy-check` lints."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from guidepost.cli.app import load_command
from guidepost.server.app import SERVICES
from guidepost.server.errors import CallError
from guidepost.server.rpc.status import STATUSES
from guidepost.server.settings.load import OTHERS, read_settings
from guidepost.server.settings.model import PREFIX, ServerSettings, key, settings, variable
from tests.support.paths import ROOT

DEPLOY: Final = ROOT / "deploy"
OPERATIONS: Final = ROOT / "docs" / "operations.md"

PLAIN: Final[list[dict[str, Any]]] = [
    one for one in yaml.safe_load_all((DEPLOY / "kubernetes" / "guidepost.yaml").read_text()) if one
]
DOCKERFILE: Final = (DEPLOY / "Dockerfile").read_text()
UNIT: Final = (DEPLOY / "systemd" / "guidepost.service").read_text()

KEYS: Final = {key(one.name) for one in settings()}
VARIABLES: Final = {variable(one.name) for one in settings()} | OTHERS


def manifest(kind: str, name: str = "guidepost") -> dict[str, Any]:
    [found] = [one for one in PLAIN if one["kind"] == kind and one["metadata"]["name"] == name]
    return found


@pytest.fixture(scope="module")
def pod() -> dict[str, Any]:
    spec: dict[str, Any] = manifest("StatefulSet")["spec"]["template"]["spec"]
    return spec


@pytest.fixture(scope="module")
def server(pod: dict[str, Any]) -> dict[str, Any]:
    [found] = pod["containers"]
    return dict(found)


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    """Return the settings of the plain manifests."""
    return tomllib.loads(manifest("ConfigMap", "guidepost-settings")["data"]["guidepost.toml"])


def command(*words: str) -> None:
    """Have the command line read its arguments, and do nothing."""
    load_command(words[0]).make_context(words[0], list(words[1:]))


# ---- Settings and commands


def test_every_setting_that_is_made_is_one_that_the_server_knows(said: dict[str, Any], server: dict[str, Any]) -> None:
    helpers = (DEPLOY / "helm" / "guidepost" / "templates" / "_helpers.tpl").read_text()
    chart = set(re.findall(r'set \$settings "([a-z-]+)"', helpers))
    unit = tomllib.loads((DEPLOY / "systemd" / "guidepost.toml").read_text())
    remarked = set(re.findall(r"^# ([a-z-]+) = ", (DEPLOY / "systemd" / "guidepost.toml").read_text(), re.MULTILINE))
    named = {name for text in (DOCKERFILE, UNIT) for name in re.findall(rf"\b({PREFIX}[A-Z_]+)", text)} | {
        one["name"] for one in server["env"]
    }

    assert len(chart) >= 6
    assert (set(said) | chart | set(unit) | remarked) - KEYS == set()
    assert named - VARIABLES == set()


def test_every_command_that_is_run_exists_with_its_options(pod: dict[str, Any], server: dict[str, Any]) -> None:
    for container in (*pod["initContainers"], server):
        command(*container["args"])
    for line in re.findall(r"^Exec\w+=/opt/guidepost/bin/guidepost (.+)$", UNIT, re.MULTILINE):
        command(*shlex.split(line))
    command(*re.findall(r'"(\w+)"', DOCKERFILE.splitlines()[-1]))
    [check] = re.findall(r'CMD \["python", "-m", "guidepost.cli.commands.health", (.+)\]', DOCKERFILE)
    command("health", *re.findall(r'"([^"]+)"', check))


def test_what_is_listened_on_is_what_is_published(said: dict[str, Any], server: dict[str, Any]) -> None:
    ports = {one["name"]: one["containerPort"] for one in server["ports"]}
    headless = {one["name"]: one["port"] for one in manifest("Service", "guidepost-headless")["spec"]["ports"]}

    assert ports == headless == {"grpc": said["port"], "metrics": int(said["metrics"].rpartition(":")[2])}
    assert f"EXPOSE {ServerSettings().port} {ports['metrics']}" in DOCKERFILE
    assert said["admin"].startswith("127.0.0.1:")


# ---- Starting and stopping


def test_probes_ask_for_services_that_there_are(server: dict[str, Any]) -> None:
    asked = {name: server[f"{name}Probe"]["grpc"]["service"] for name in ("startup", "liveness", "readiness")}

    assert set(asked.values()) - {"", *SERVICES} == set()
    assert asked["readiness"] == ""


def test_a_log_that_cannot_be_written_starts_no_pod_anew(server: dict[str, Any]) -> None:
    # Health of the whole server and of decisions follows the log: see test_decision_log_faults.
    assert server["livenessProbe"]["grpc"]["service"] not in ("", SERVICES[0])


def test_there_is_time_to_answer_what_was_accepted(
    pod: dict[str, Any], said: dict[str, Any], server: dict[str, Any]
) -> None:
    pause = int(server["lifecycle"]["preStop"]["exec"]["command"][1])
    flush = 10  # what is still to be written: docs/decision-log.md

    assert pod["terminationGracePeriodSeconds"] >= pause + said["grace"] + flush + 5
    [stop] = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT, re.MULTILINE)
    assert int(stop) >= ServerSettings().grace + 15 + 10
    assert "KillMode=mixed" in UNIT


def test_at_most_one_server_is_away_at_a_time() -> None:
    selector = manifest("StatefulSet")["spec"]["selector"]

    assert manifest("PodDisruptionBudget")["spec"] == {
        "maxUnavailable": 1,
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
        "selector": selector,
    }
    assert manifest("StatefulSet")["spec"]["replicas"] > 1


def test_each_server_writes_chains_of_its_own(server: dict[str, Any]) -> None:
    [writer] = [one for one in server["env"] if one["name"] == "GUIDEPOST_LOG_WRITER"]

    assert writer["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"


# ---- What may be written, and what may not


def test_nothing_runs_as_root_or_writes_to_its_image(pod: dict[str, Any], server: dict[str, Any]) -> None:
    user = pod["securityContext"]["runAsUser"]

    assert pod["securityContext"]["runAsNonRoot"]
    assert f"USER {user}:{user}" in DOCKERFILE
    for container in (*pod["initContainers"], server):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_every_path_that_is_named_is_mounted(pod: dict[str, Any], said: dict[str, Any], server: dict[str, Any]) -> None:
    volumes = {one["name"] for one in pod["volumes"]}
    for container in (*pod["initContainers"], server):
        assert {one["name"] for one in container["volumeMounts"]} <= volumes
    mounted = {one["mountPath"]: one.get("readOnly", False) for one in server["volumeMounts"]}
    [state] = re.findall(r"XDG_STATE_HOME=(\S+)", DOCKERFILE)

    for path in (
        said["policies"],
        said["decision-log-file"],
        next(one["value"] for one in server["env"] if one["name"] == "GUIDEPOST_CONFIG"),
    ):
        assert any(path.startswith(f"{mount}/") for mount in mounted), path
    assert {path for path, only_read in mounted.items() if not only_read} == {"/tmp", f"{state}/guidepost", "/policies"}


def test_only_what_the_image_is_made_of_goes_to_the_builder() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = {
        word.rstrip("/")
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
        for word in line.split()
    }

    assert lines[0] == "*"
    assert copied == allowed
    assert all((ROOT / name).exists() for name in allowed)
    assert any(fnmatch("desk.private.pem", line.removeprefix("**/")) for line in lines[1:] if not line.startswith("!"))


def test_no_secret_stands_in_what_is_deployed() -> None:
    for path in (one for one in DEPLOY.rglob("*") if one.is_file()):
        assert re.search(r"://[^/\s:]+:(?!PASSWORD)[^@\s]+@|BEGIN [A-Z ]*PRIVATE KEY", path.read_text()) is None, path


def test_who_may_call_is_said_by_the_network_where_nothing_else_says_it(said: dict[str, Any]) -> None:
    ingress = manifest("NetworkPolicy")["spec"]["ingress"]

    assert said["trust-network"]
    assert [(rule["ports"][0]["port"], bool(rule["from"])) for rule in ingress] == [("grpc", True), ("metrics", True)]


@pytest.mark.parametrize(
    "text",
    [
        manifest("ConfigMap", "guidepost-settings")["data"]["guidepost.toml"],
        (DEPLOY / "systemd" / "guidepost.toml").read_text(),
    ],
    ids=["kubernetes", "systemd"],
)
def test_every_setting_that_is_made_can_be_read(text: str, tmp_path: Path) -> None:
    file = tmp_path / "guidepost.toml"
    file.write_text(text)
    found = read_settings({}, {}, file)

    assert {key(name) for name in found.origins} == set(tomllib.loads(text))


# ---- docs/operations.md


def rows(heading: str) -> list[list[str]]:
    """Return the rows below a line of headings that begins so."""
    after = re.split(rf"^\| {heading} \|.*\n\|[-| ]+\|\n", OPERATIONS.read_text(), maxsplit=1, flags=re.MULTILINE)[1]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in after.split("\n\n", 1)[0].splitlines()]


def call_errors(base: type[CallError] = CallError) -> Iterator[type[CallError]]:
    """Yield every kind of error that a caller can receive."""
    for kind in base.__subclasses__():
        yield kind
        yield from call_errors(kind)


def reasons() -> set[tuple[str, str]]:
    """Return every reason of the server, with its status."""
    own = {(kind.reason, kind.status) for kind in call_errors() if kind.__module__.startswith("guidepost.")}
    others = {(reason, code.name) for code, reason in STATUSES.values()}
    return own | others | {("INTERNAL_ERROR", "INTERNAL")}


def test_operations_md_explains_every_reason() -> None:
    written = {(row[0].strip("`"), row[1].strip("`")) for row in rows("reason")}

    assert len(written) > 15
    assert written == reasons()
    assert all(len(row) == 4 and all(row) for row in rows("reason"))


def test_every_alert_says_what_to_do() -> None:
    alerts = re.split(
        r"^\| alert \|.*\n\|[-| ]+\|\n", (ROOT / "docs" / "metrics.md").read_text(), maxsplit=1, flags=re.MULTILINE
    )[1].split("\n\n", 1)[0]

    assert [row[0] for row in rows("alert")] == re.findall(r"^\| ([^|]+?) \|", alerts, re.MULTILINE)


def test_every_setting_that_is_named_is_one() -> None:
    named = {word for row in rows("setting") for word in re.findall(r"`([a-z-]+)`", row[0])}

    assert len(named) > 10
    assert named - KEYS == set()


def test_every_metric_that_is_named_is_one() -> None:
    known = set(re.findall(r"^\| `(\w+)", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE))
    named = set(re.findall(r"\b(?:guidepost|process)_\w+", OPERATIONS.read_text()))

    assert len(named) > 5
    assert {name for name in named if name not in known and f"{name}_total" not in known} == set()


def test_every_message_of_a_fault_is_explained() -> None:
    explained = {text for row in rows("message") for text in re.findall(r"^`(.+?)`", row[0])}
    made = {
        node.args[0].value
        for path in (ROOT / "guidepost").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("warning", "error", "exception")
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "log"
        and isinstance(node.args[0], ast.Constant)
    }
    forms = [re.sub(r"%\\?\w", r"\\S.*", re.escape(text)) for text in made]

    assert len(made) > 8
    assert [form for form in forms if not any(re.fullmatch(form, text) for text in explained)] == []
    assert [text for text in explained if not any(re.fullmatch(form, text) for form in forms)] == []
