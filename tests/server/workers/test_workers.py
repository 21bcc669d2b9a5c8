"""Several worker processes answer on one address under a supervisor; with real processes and a real port."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client.parser import text_string_to_metric_families

import guidepost
from engine.model.problems import Place, Problem
from engine.request.moment import Moment
from engine.version.build import build
from engine.version.bundle import Bundle
from engine.version.version import Version
from guidepost.cli.commands.health import health
from guidepost.render.console import TableOrJson
from guidepost.server.observability.config import ObservabilityConfig
from guidepost.server.workers.admin_link import AdminLink
from guidepost.server.workers.messages import Built, CollectGarbage, Commit, Load, Prepare, Rejected, Reloaded
from guidepost.server.workers.pickled_bundle import pickle_bundle, unpickle_bundle
from guidepost.server.workers.process import CannotServe
from guidepost.server.workers.shared_port import reserve_port
from guidepost.server.workers.supervisor import Supervisor, SupervisorConfig
from guidepost.server.workers.worker import Worker
from guidepost.v1 import admin_service_pb2 as pb
from guidepost.v1.admin_service_pb2_grpc import AdminServiceStub
from tests.support.campaign import LONG
from tests.support.deciders import decide
from tests.support.paths import ROOT
from tests.support.servers import COUNTER, NOW, counter_bundle, run_coroutine
from tests.support.waiting import wait_until


def desk(version: str, wait: str) -> Version:
    """Return the second desk with another number and another waiting time."""
    return build(
        COUNTER
        | {
            "manifest.yaml": COUNTER["manifest.yaml"].replace("7.0.0", version),
            "queue.yaml": COUNTER["queue.yaml"].replace("wait: 10", f"wait: {wait}"),
        }
    )


class Making:
    """A builder that returns the versions it is given."""

    def __init__(self, *versions: Version) -> None:
        self.versions, self.turn = versions, 0
        self.spoilt = False
        self.problems: tuple[Problem, ...] = ()
        self.broken: OSError | None = None

    async def __call__(self) -> Built | Rejected:
        if self.broken:
            raise self.broken
        if self.problems:
            return Rejected(self.problems)
        version = self.versions[self.turn % len(self.versions)]
        pickled = pickle_bundle(Bundle((version,)))
        if self.spoilt:
            pickled = pickled[: len(pickled) * 2 // 3]
        else:
            self.turn += 1
        return Built((version.ref,), pickled)


@contextmanager
def supervised(making: Making, workers: int = 2, metrics: str = "") -> Iterator[tuple[Supervisor, str]]:
    with reserve_port("127.0.0.1", 0) as address:
        supervisor = Supervisor(
            SupervisorConfig(
                policies=Path(),
                workers=workers,
                log=None,
                grace=2,
                metrics=metrics,
                observability=ObservabilityConfig(metrics=bool(metrics)),
            ),
            address,
            making,
        )
        try:
            assert isinstance(run_coroutine(supervisor.start()), Reloaded)
            yield supervisor, address
        finally:
            run_coroutine(supervisor.stop())


@pytest.fixture(scope="module")
def serving() -> Iterator[tuple[Supervisor, str, Making]]:
    making = Making(desk("7.0.0", "10"), desk("7.1.0", "20"))
    with supervised(making) as (supervisor, address):
        yield supervisor, address, making


class Callers(threading.Thread):
    """Callers that call repeatedly, each on a connection of its own, until they are stopped."""

    def __init__(self, address: str, versions: tuple[Version, ...], callers: int = 4) -> None:
        super().__init__(daemon=True)
        self._address, self._callers, self._end = address, callers, threading.Event()
        self._expected = {version.digest: {size: _wait(version, size) for size in (3, 30)} for version in versions}
        self.answers: list[str] = []
        self.wrong: list[object] = []
        self.start()

    def run(self) -> None:
        threads = [threading.Thread(target=self._call, args=(number,), daemon=True) for number in range(self._callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _call(self, number: int) -> None:
        with guidepost.Client(self._address) as client:
            size = (3, 30)[number % 2]
            while not self._end.is_set():
                try:
                    decided = client.decide("queue", size=size, vip=False, timeout=20)
                except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
                    self.wrong.append(error)
                    continue
                [wait] = [one.value.number for one in decided.outcomes if one.name == "wait"]
                if wait != self._expected[decided.version.digest][size]:
                    self.wrong.append((decided.version.version, size, wait))
                self.answers.append(decided.version.version)

    def stop(self) -> None:
        self._end.set()
        self.join(30)
        assert not self.is_alive()


def _wait(version: Version, size: int) -> object:
    answer = decide(version, "queue", {"size": size, "vip": False}, Moment(NOW))
    return next(one.value for one in answer.outcomes if one.name == "wait")


def test_a_bundle_read_from_its_bytes_decides_as_the_one_that_was_written(shipped: Bundle) -> None:
    again = unpickle_bundle(pickle_bundle(shipped))

    assert shipped.refs == again.refs
    for one, other in zip(shipped.versions, again.versions, strict=True):
        for facts in (
            {},
            {"impact": "high", "urgency": "low"},
            {"channel": "email", "service": "unheard of", "country": "NZ"},
            {"affected_percent": 12.5, "workaround": "none"},
        ):
            for decision in one.plans:
                assert decide(one, decision, facts, Moment(NOW)) == decide(other, decision, facts, Moment(NOW))


def test_every_worker_answers_on_the_one_address(serving: tuple[Supervisor, str, Making]) -> None:
    supervisor, address, _ = serving
    assert 2 == len(set(supervisor.processes.values()))
    for _ in range(5):
        with guidepost.Client(address) as client:
            assert "fast" == client.decide("queue", size=3).outcomes[0].value.text


def test_a_second_server_is_refused_the_address(serving: tuple[Supervisor, str, Making]) -> None:
    host, _, port = serving[1].rpartition(":")
    with pytest.raises(OSError, match="in use"), reserve_port(host, int(port)):
        pass


@pytest.mark.campaign
def test_reloads_under_load_fail_no_call_and_mix_no_versions(serving: tuple[Supervisor, str, Making]) -> None:
    supervisor, address, making = serving
    callers = Callers(address, making.versions)
    for _ in range(500 if LONG else 60):
        assert isinstance(run_coroutine(supervisor.reload()), Reloaded)
    callers.stop()

    assert callers.wrong == []
    assert {"7.0.0", "7.1.0"} == set(callers.answers)


def test_what_a_worker_cannot_read_changes_no_worker(serving: tuple[Supervisor, str, Making]) -> None:
    supervisor, address, making = serving
    before = supervisor.versions
    making.spoilt = True
    refused = run_coroutine(supervisor.reload())
    making.spoilt = False

    assert isinstance(refused, Rejected)
    assert "the built versions do not match this process" in refused.message
    assert before == supervisor.versions
    callers = Callers(address, making.versions)
    wait_until(lambda: len(callers.answers) > 20)
    callers.stop()
    assert callers.wrong == []
    assert {before[0].version} == set(callers.answers)


@pytest.mark.faults
def test_a_worker_that_is_killed_is_started_anew_and_callers_notice_nothing(
    serving: tuple[Supervisor, str, Making],
) -> None:
    supervisor, address, making = serving
    callers = Callers(address, making.versions)
    wait_until(lambda: len(callers.answers) > 20)
    victim = supervisor.processes[1]
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: supervisor.processes[1] != victim)
    after = len(callers.answers)
    wait_until(lambda: len(callers.answers) > after + 20)
    callers.stop()

    assert callers.wrong == []


@pytest.mark.faults
def test_workers_are_rolled_one_at_a_time_and_callers_notice_nothing(serving: tuple[Supervisor, str, Making]) -> None:
    supervisor, address, making = serving
    before = supervisor.processes
    callers = Callers(address, making.versions)
    run_coroutine(supervisor.roll())
    callers.stop()

    assert callers.wrong == []
    assert set(before) == set(supervisor.processes)
    assert not set(before.values()) & set(supervisor.processes.values())


def healthy(address: str) -> set[int]:
    """Check the health of a server on several connections, so that several workers answer."""
    found = set()
    for _ in range(6):
        with grpc.insecure_channel(address, options=(("grpc.use_local_subchannel_pool", 1),)) as channel:
            asked = health_pb2_grpc.HealthStub(channel)
            found |= {
                asked.Check(health_pb2.HealthCheckRequest(service=service), timeout=60, wait_for_ready=True).status
                for service in ("", "guidepost.v1.DecisionService")
            }
    return found


@pytest.mark.faults
def test_every_worker_says_that_it_serves_after_reloads_refused_ones_and_rolls(
    serving: tuple[Supervisor, str, Making],
) -> None:
    supervisor, address, making = serving
    fine = {health_pb2.HealthCheckResponse.SERVING}
    assert isinstance(run_coroutine(supervisor.reload()), Reloaded)
    assert fine == healthy(address)
    making.spoilt = True
    assert isinstance(run_coroutine(supervisor.reload()), Rejected)
    making.spoilt = False
    assert fine == healthy(address)
    run_coroutine(supervisor.roll())
    assert fine == healthy(address)


@pytest.mark.parametrize("kept", [0.001, 0.3, 0.9, 0.9999])
def test_a_built_bundle_that_is_not_whole_is_refused(kept: float) -> None:
    pickled = pickle_bundle(counter_bundle())

    with pytest.raises(ValueError, match="do not match this process"):
        unpickle_bundle(pickled[: int(len(pickled) * kept)])


def test_a_built_bundle_of_another_release_is_refused() -> None:
    """A worker keeps its code when the program is upgraded, and the build process is a new one."""
    pickled = pickle_bundle(counter_bundle()).replace(b"VersionRef", b"VersionTag")

    with pytest.raises(ValueError, match="VersionTag"):
        unpickle_bundle(pickled)


def test_what_keeps_policies_from_being_built_ends_no_reload(serving: tuple[Supervisor, str, Making]) -> None:
    supervisor, _, making = serving
    making.broken = OSError("no room left")
    refused = run_coroutine(supervisor.reload())
    making.broken = None

    assert isinstance(refused, Rejected)
    assert "no room left" in refused.message
    assert isinstance(run_coroutine(supervisor.reload()), Reloaded)


def test_a_worker_that_dies_comes_back_with_the_same_versions(serving: tuple[Supervisor, str, Making]) -> None:
    supervisor, address, making = serving
    before = supervisor.processes
    os.kill(before[1], signal.SIGKILL)

    wait_until(lambda: supervisor.processes[1] != before[1])
    with guidepost.Client(address) as client:
        assert client.decide("queue", size=3, timeout=20).version.version == supervisor.versions[0].version
    making.turn += 1
    assert isinstance(run_coroutine(supervisor.reload()), Reloaded)


def test_health_says_that_the_last_reload_failed_until_one_succeeds(
    serving: tuple[Supervisor, str, Making], capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor, address, making = serving
    making.problems = (
        Problem(
            place=Place(file="desk/queue.yaml", line=3, column=5), code="unknown-value", message="unknown size `hgue`"
        ),
        Problem(place=Place(file="desk/queue.yaml", line=9), code="yaml", message="no"),
    )
    run_coroutine(supervisor.reload())
    making.problems = ()

    def said(output: TableOrJson = TableOrJson.TABLE) -> str:
        health(address, output=output)
        return capsys.readouterr().out

    assert said() == (
        f"{address}: SERVING\n"
        "the last reload failed, and the earlier versions still serve: desk/queue.yaml:3:5 [unknown-value], and 1 more\n"
        "help: run `guidepost check` on the policies of that server\n"
    )
    assert json.loads(said(TableOrJson.JSON))["last_reload"] == "desk/queue.yaml:3:5 [unknown-value], and 1 more"
    assert isinstance(run_coroutine(supervisor.reload()), Reloaded)
    assert said() == f"{address}: SERVING\n"


def test_a_worker_that_cannot_serve_says_why() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        supervisor = Supervisor(
            SupervisorConfig(policies=Path(), workers=1, log=None),
            f"127.0.0.1:{taken.getsockname()[1]}",
            Making(counter_bundle().versions[0]),
        )
        with pytest.raises(CannotServe, match="cannot listen"):
            run_coroutine(supervisor.start())
        run_coroutine(supervisor.stop())


@pytest.mark.faults
def test_workers_end_in_good_order_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    for name, text in COUNTER.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "guidepost.cli",
            "serve",
            "--port",
            "0",
            "--workers",
            "1",
            "--log-durability",
            "off",
            "--policies",
            str(tmp_path),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "GUIDEPOST_CACHE": str(tmp_path / "cache"), "NO_COLOR": "1"},
    )
    assert process.stdout is not None
    address = next(line.split()[2] for line in process.stdout if line.startswith("listening on"))
    host, _, port = address.rpartition(":")
    with guidepost.Client(address) as client:
        assert "7.0.0" == client.decide("queue", size=3).version.version
    process.kill()
    process.wait()

    def closed() -> bool:
        with socket.socket() as asking:
            return asking.connect_ex((host, int(port))) != 0

    wait_until(closed)


def test_a_reload_without_a_change_reports_it() -> None:
    making = Making(counter_bundle().versions[0])
    with supervised(making, workers=1) as (supervisor, _):
        again = run_coroutine(supervisor.reload())
    assert Reloaded((counter_bundle().refs[0],), changed=False) == again


def own(process: int) -> int:
    """Return the private kilobytes of a process, without files that it maps."""
    found = re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found
    return int(found[1])


ONE_BUNDLE = 25_000
"""Kilobytes of a bundle, including what its first call creates."""


def test_after_reloads_a_worker_holds_the_one_bundle_that_it_serves_and_no_more_memory(shipped: Bundle) -> None:
    built = [Built((version.ref,), pickle_bundle(Bundle((version,)))) for version in shipped.versions]
    turn = itertools.cycle(built)

    async def making() -> Built | Rejected:
        return next(turn)

    with supervised(making, workers=1) as (supervisor, address), guidepost.Client(address) as client:  # type: ignore[arg-type]  # it is a builder, too
        [process], private = supervisor.processes.values(), []
        for _ in range(24 if LONG else 12):
            reloaded = run_coroutine(supervisor.reload())
            [served] = reloaded.versions
            assert (
                served.digest
                == client.decide(
                    "priority", impact="high", urgency="high", version=served.version, timeout=20
                ).version.digest
            )
            private.append(own(process))

    # Released memory may stay with the process for a while, up to the size of one bundle; a kept bundle would add more.
    assert min(private[-3:]) < max(private[: len(private) // 2]) + ONE_BUNDLE, private


class FakeChannel:
    """A channel without a process at its other end."""

    def __init__(self) -> None:
        self.answers: list[object] = []
        self.messages: asyncio.Queue[object] = asyncio.Queue()

    async def send(self, message: object) -> None:
        self.answers.append(message)

    async def receive(self) -> object:
        return await self.messages.get()


def test_a_reload_frees_the_previous_bundle_and_freezes_the_new_one() -> None:
    first, second = (pickle_bundle(Bundle((version,))) for version in (desk("7.0.0", "10"), desk("7.1.0", "20")))

    async def reload() -> None:
        channel = FakeChannel()
        worker = Worker(channel, Load(number=1, bundle=first, address="127.0.0.1:0", log=None, grace=1.0))  # type: ignore[arg-type]
        before = weakref.ref(worker._live.deciders.versions[0].explainer)
        for message in (Prepare(second), Commit(), CollectGarbage()):
            channel.answers.append(await worker._handle(message))

        assert before() is None
        assert worker._live.bundle.versions[0].ref.version == "7.1.0"
        # The garbage collector does not look at frozen objects.
        assert not any(one is worker._live.bundle.versions[0] for one in gc.get_objects())

    try:
        run_coroutine(reload())
    finally:
        gc.unfreeze()


@pytest.fixture(scope="module")
def stub(serving: tuple[Supervisor, str, Making]) -> Iterator[AdminServiceStub]:
    admin_link = AdminLink(serving[0], "127.0.0.1:0", "127.0.0.1:0")
    run_coroutine(admin_link.open())
    with grpc.insecure_channel(admin_link.admin) as channel:
        yield AdminServiceStub(channel)
    run_coroutine(admin_link.close())


class TestAdmin:
    """The admin service, on a port of its own."""

    def test_it_says_how_the_server_is_doing(
        self, serving: tuple[Supervisor, str, Making], stub: AdminServiceStub
    ) -> None:
        status = stub.GetStatus(pb.GetStatusRequest(), timeout=60)

        assert serving[0].processes == {worker.number: worker.process_id for worker in status.workers}
        assert [ref.digest for ref in serving[0].versions] == [ref.digest for ref in status.versions]

    def test_it_reloads_and_names_every_problem_of_what_cannot_be_served(
        self, serving: tuple[Supervisor, str, Making], stub: AdminServiceStub
    ) -> None:
        supervisor, _, making = serving
        before = supervisor.versions
        reloaded = stub.Reload(pb.ReloadRequest(), timeout=20)
        assert reloaded.changed
        assert before[0].digest != reloaded.versions[0].digest

        making.problems = (
            Problem(
                place=Place(file="queue.yaml", line=3, column=5),
                code="unknown-value",
                message="no such thing",
                help="say another",
            ),
            Problem(place=Place(file="queue.yaml", line=9, column=1), code="gap", message="a hole", help=""),
        )
        refused = stub.Reload(pb.ReloadRequest(), timeout=20)
        status = stub.GetStatus(pb.GetStatusRequest(), timeout=60)
        making.problems = ()

        assert [("queue.yaml", 3, "no such thing"), ("queue.yaml", 9, "a hole")] == [
            (one.place.file, one.place.line, one.message) for one in refused.problems
        ]
        assert list(refused.problems) == list(status.problems)
        assert status.reload_failures >= 1
        assert (
            [reloaded.versions[0].digest]
            == [ref.digest for ref in refused.versions]
            == [ref.digest for ref in status.versions]
        )

    @pytest.mark.faults
    def test_it_rolls_the_workers(self, serving: tuple[Supervisor, str, Making], stub: AdminServiceStub) -> None:
        before = set(serving[0].processes.values())
        rolled = stub.RollWorkers(pb.RollWorkersRequest(), timeout=30)

        assert not before & {worker.process_id for worker in rolled.workers}


class TestMetrics:
    """The samples of every worker and of the supervisor."""

    def test_samples_say_which_worker_they_are_of_and_add_up(self) -> None:
        making = Making(counter_bundle().versions[0])
        with supervised(making, metrics="127.0.0.1:0") as (supervisor, address):
            admin_link = AdminLink(supervisor, metrics="127.0.0.1:0")
            run_coroutine(admin_link.open())
            for _ in range(12):
                with guidepost.Client(address, channels=1) as client:
                    client.decide("queue", size=3)
            families = {
                family.name: family
                for family in text_string_to_metric_families(urlopen(admin_link.metrics).read().decode())
            }
            run_coroutine(admin_link.close())

        decided = [
            sample for sample in families["guidepost_calls"].samples if sample.labels["method"].endswith("/Decide")
        ]
        assert 12 == sum(sample.value for sample in decided)
        assert {sample.labels["worker"] for sample in decided} <= {"1", "2"}
        assert 12 == sum(sample.value for sample in families["guidepost_decisions"].samples)
        assert {"1": 1, "2": 1} == {
            sample.labels["worker"]: sample.value for sample in families["guidepost_policy_in_force"].samples
        }
        assert {"1", "2"} == {sample.labels["worker"] for sample in families["process_resident_memory_bytes"].samples}
        [policy] = families["guidepost_policy_version"].samples
        assert (counter_bundle().refs[0].digest, 1) == (policy.labels["digest"], policy.value)
        assert 2 == families["guidepost_workers"].samples[0].value
        assert 0 == families["guidepost_reload_failures"].samples[0].value


def test_a_worker_imports_nothing_large_that_it_does_not_need() -> None:
    names = (
        "durable",
        "fastparquet",
        "holidays",
        "jinja2",
        "jsonschema",
        "jwt",
        "pandas",
        "pyarrow",
        "guidepost.server.auth.tls",
        "typer",
    )
    code = f"import guidepost.server.workers.worker, sys; print(*(name for name in {names} if name in sys.modules))"

    assert (
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.split()
        == []
    )
