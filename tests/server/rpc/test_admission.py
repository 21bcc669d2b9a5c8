"""A caller is admitted before its message is received, and again for every message of a stream.

With real servers, and HTTP/2 frames that the tests write themselves.
"""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Self

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from guidepost.server.auth import Access, open_access
from guidepost.server.auth.config import AuthConfig
from guidepost.server.rpc.admission_interceptor import AdmissionInterceptor
from guidepost.server.rpc.limits import Limits
from guidepost.server.security import Security
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from tests.support.certificates import Issuer, entry, new_key, protected
from tests.support.http2 import FRAME, RESET, Connection, frame
from tests.support.paths import ROOT
from tests.support.servers import COUNTER, run_coroutine
from tests.support.waiting import wait_until

TRIAGE, STREAM, DIFF, HEALTH = (
    "/guidepost.v1.DecisionService/Triage",
    "/guidepost.v1.DecisionService/TriageStream",
    "/guidepost.v1.PolicyService/DiffVersions",
    "/grpc.health.v1.Health/Check",
)
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
PORTAL, OTHER = new_key(), new_key()
ISSUER = Issuer()
MEGABYTE = 1 << 20


def callers(roles: str = "[decide, read_log, read_policies]", key: Any = PORTAL, name: str = "portal") -> str:
    return f"callers:\n  - {{name: {name}, roles: {roles}, keys: [{entry(key)}]}}\n"


@contextmanager
def served(folder: Path, limits: Limits | None = None) -> Iterator[str]:
    (folder / "callers.yaml").write_text(callers(), encoding="utf-8")
    (folder / "jwks.json").write_text(ISSUER.jwks, encoding="utf-8")
    settings = AuthConfig(
        callers=str(folder / "callers.yaml"),
        jwt_keys=str(folder / "jwks.json"),
        jwt_issuer=ISSUER.name,
        jwt_audience="guidepost",
        jwt_leeway=0,
    )
    with protected(Security(access=settings, limits=limits or Limits())) as address:
        yield address


def bearer(secret: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {secret}")]


def refusal(call: Callable[[], object]) -> tuple[grpc.StatusCode, str, str]:
    """Return status, reason and message of a call that is rejected."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    status, info = rpc_status.from_call(raised.value), error_details_pb2.ErrorInfo()
    assert status is not None
    assert status.details[0].Unpack(info)
    return raised.value.code(), info.reason, raised.value.details()


class TestBeforeTheMessage:
    @pytest.mark.parametrize("path", [TRIAGE, STREAM, DIFF])
    def test_a_call_without_a_key_ends_although_its_message_never_arrives(self, path: str, tmp_path: Path) -> None:
        with served(tmp_path) as address, Connection(address) as one:
            one.call(1, path)
            one.data(1, b"\0" + MEGABYTE.to_bytes(4, "big"))

            assert one.wait(lambda: 1 in one.ended, 20)

    def test_a_missing_role_is_reported_before_the_message(self, tmp_path: Path) -> None:
        with served(tmp_path) as address, Connection(address) as one:
            one.call(1, "/guidepost.v1.AuditService/PurgeRecords", bearer(PORTAL.text))

            assert one.wait(lambda: 1 in one.ended, 20)

    @pytest.mark.parametrize("path", [TRIAGE, DIFF, HEALTH, REFLECTION])
    def test_a_message_has_to_arrive_in_time(self, path: str, tmp_path: Path) -> None:
        with served(tmp_path, Limits(message_timeout=0.2)) as address, Connection(address) as one:
            one.call(1, path, bearer(PORTAL.text))
            one.data(1, b"\0" + MEGABYTE.to_bytes(4, "big") + b"x" * 1_000)

            assert one.wait(lambda: 1 in one.ended, 20)

    def test_of_too_many_messages_that_do_not_arrive_the_one_that_has_waited_longest_makes_room(
        self, tmp_path: Path
    ) -> None:
        with (
            served(tmp_path, Limits(incomplete=2, open_incomplete=2, message_timeout=600)) as address,
            Connection(address) as one,
        ):
            for path, first in ((TRIAGE, 1), (HEALTH, 11)):
                for stream in (first, first + 2, first + 4):
                    one.call(stream, path, bearer(PORTAL.text))
                    one.data(stream, b"\0")
                assert one.wait(lambda first=first: first in one.ended, 20)
                assert not {first + 2, first + 4} & one.ended
            with grpc.insecure_channel(address) as channel:
                assert (
                    DecisionServiceStub(channel)
                    .Triage(pb.TriageRequest(), metadata=bearer(PORTAL.text), timeout=20)
                    .version.version
                )
                assert health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=20).status

    def test_a_call_that_ends_without_a_message_is_rejected(self, tmp_path: Path) -> None:
        with served(tmp_path) as address, grpc.insecure_channel(address) as channel:
            nothing = channel.stream_unary(TRIAGE)
            assert refusal(lambda: nothing(iter(()), metadata=bearer(PORTAL.text), timeout=20)) == (
                grpc.StatusCode.INVALID_ARGUMENT,
                "MALFORMED_MESSAGE",
                "expected a message, but the call ended without one",
            )

    def test_a_message_of_the_largest_size_arrives(self, tmp_path: Path) -> None:
        with served(tmp_path) as address, grpc.insecure_channel(address) as channel:
            unknown_field = (
                b"\xfa\x3e"
                + bytes([(MEGABYTE - 100) & 0x7F | 0x80, (MEGABYTE - 100) >> 7 & 0x7F | 0x80, (MEGABYTE - 100) >> 14])
                + b"x" * (MEGABYTE - 100)
            )
            assert channel.unary_unary(TRIAGE)(unknown_field, metadata=bearer(PORTAL.text), timeout=20)

    def test_a_caller_that_goes_away_before_its_message_arrives_leaves_nothing_behind(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with served(tmp_path) as address:
            for _ in range(20):
                with Connection(address) as one:
                    one.call(1, TRIAGE, bearer(PORTAL.text))
                    one.data(1, b"\0")
                    one.call(3, TRIAGE, bearer(PORTAL.text))
                    one.send(frame(RESET, 0, 3, b"\0\0\0\x08"))
            with grpc.insecure_channel(address) as channel:
                assert (
                    DecisionServiceStub(channel)
                    .Triage(pb.TriageRequest(), metadata=bearer(PORTAL.text), timeout=20)
                    .version.version
                )
        assert "Traceback" not in caplog.text


class Exchange:
    """A stream of tickets that is sent one at a time."""

    def __init__(self, address: str, secret: str) -> None:
        self._channel = grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)])
        self._tickets: SimpleQueue[Any] = SimpleQueue()
        self._answers = DecisionServiceStub(self._channel).TriageStream(
            iter(self._tickets.get, None), metadata=bearer(secret), timeout=60
        )

    def ask(self) -> Any:
        self._tickets.put(pb.TriageStreamRequest())
        return next(self._answers)

    def ends(self) -> tuple[grpc.StatusCode, str, str]:
        """Send tickets until the stream ends, and return its status."""

        def on() -> None:
            while True:
                self.ask()

        return refusal(on)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tickets.put(None)
        self._channel.close()


class TestOpenStreams:
    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            (callers(key=OTHER), (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED", "unknown key")),
            (
                callers(roles="[read_log]"),
                (
                    grpc.StatusCode.PERMISSION_DENIED,
                    "PERMISSION_DENIED",
                    "`portal` lacks the role `decide`, which this call needs",
                ),
            ),
            (
                callers(name="another"),
                (
                    grpc.StatusCode.UNAUTHENTICATED,
                    "UNAUTHENTICATED",
                    "the key or token now belongs to another caller; open the stream again",
                ),
            ),
        ],
        ids=["the key is revoked", "the role is taken away", "the key is given to another caller"],
    )
    def test_a_stream_ends_at_the_next_message_once_its_caller_is_no_longer_admitted(
        self, changed: str, said: tuple[Any, ...], tmp_path: Path
    ) -> None:
        with served(tmp_path) as address, Exchange(address, PORTAL.text) as stream:
            stream.ask()
            (tmp_path / "callers.yaml").write_text(changed, encoding="utf-8")

            assert stream.ends() == said

    def test_a_stream_ends_at_the_next_message_once_its_token_has_expired(self, tmp_path: Path) -> None:
        with served(tmp_path) as address, Exchange(address, ISSUER.token("bob", seconds=3)) as stream:
            stream.ask()

            assert stream.ends() == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED", "the token has expired")

    def test_a_stream_goes_on_while_its_caller_gets_another_role_or_another_key_beside_the_first(
        self, tmp_path: Path
    ) -> None:
        with served(tmp_path) as address, Exchange(address, PORTAL.text) as stream:
            stream.ask()
            both = f"callers:\n  - {{name: portal, roles: [decide], keys: [{entry(PORTAL)}, {entry(OTHER)}]}}\n"
            (tmp_path / "callers.yaml").write_text(both, encoding="utf-8")
            with Exchange(address, OTHER.text) as newer:

                def admitted() -> bool:
                    try:
                        newer.ask()
                    except grpc.RpcError:
                        newer.__init__(address, OTHER.text)  # type: ignore[misc]
                        return False
                    return True

                wait_until(admitted)
            assert stream.ask().result

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            (callers(key=OTHER), grpc.StatusCode.UNAUTHENTICATED),
            (callers(roles="[read_log]"), grpc.StatusCode.PERMISSION_DENIED),
        ],
        ids=["key", "role"],
    )
    def test_an_answer_in_parts_ends_before_the_next_part(
        self, changed: str, code: grpc.StatusCode, tmp_path: Path
    ) -> None:
        (tmp_path / "callers.yaml").write_text(callers(), encoding="utf-8")
        access = open_access(AuthConfig(callers=str(tmp_path / "callers.yaml")))
        with (
            parts_until(access, lambda: (tmp_path / "callers.yaml").write_text(changed, encoding="utf-8")) as address,
            grpc.insecure_channel(address) as channel,
        ):
            given = channel.unary_stream("/guidepost.v1.DecisionService/Parts")(
                b"x", metadata=bearer(PORTAL.text), timeout=20
            )
            assert next(given) == b"first"
            assert refusal(lambda: next(given))[0] == code


def test_rejected_streams_show_their_reason_to_asyncio_clients_and_take_no_place_on_the_connection(
    tmp_path: Path,
) -> None:
    """A client that writes while its streams are rejected gets the reason, and can open as many streams as before."""

    async def rejected(method: Any, messages: int) -> str:
        async def sent() -> AsyncIterator[bytes]:
            for _ in range(messages):
                yield b"\xff\xff"

        try:
            return str([part async for part in method(sent(), metadata=bearer(PORTAL.text), timeout=60)])
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name}: {error.details()}"

    async def all_of(address: str) -> set[str]:
        async with grpc.aio.insecure_channel(address) as channel:
            method = channel.stream_stream(STREAM)
            return {
                said
                for _ in range(20)
                for said in await asyncio.gather(*(rejected(method, messages) for messages in (1, 2, 5, 30, 30)))
            }

    gc.disable()
    try:
        with served(tmp_path, Limits(connection_streams=10)) as address:
            assert run_coroutine(all_of(address)) == {
                "INVALID_ARGUMENT: the message cannot be parsed as the request of this method"
            }
    finally:
        gc.enable()


@contextmanager
def parts_until(access: Access, change: Callable[[], object]) -> Iterator[str]:
    """Serve a method with two responses, between which something changes."""

    async def answers(request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield b"first"
        change()
        access.renew()
        yield b"second"

    async def start() -> tuple[Any, int]:
        server = grpc.aio.server(interceptors=(AdmissionInterceptor(access, Limits()),))
        methods = {"Parts": grpc.unary_stream_rpc_method_handler(answers, bytes)}
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("guidepost.v1.DecisionService", methods),)
        )
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return server, port

    server, port = run_coroutine(start())
    try:
        yield f"127.0.0.1:{port}"
    finally:
        run_coroutine(server.stop(0))


@pytest.mark.parametrize(
    ("path", "key"),
    [
        pytest.param(TRIAGE, "", id="triage"),
        pytest.param(STREAM, "", id="stream", marks=pytest.mark.faults),
        pytest.param(HEALTH, "", id="health", marks=pytest.mark.faults),
        pytest.param(REFLECTION, "", id="reflection", marks=pytest.mark.faults),
        pytest.param(TRIAGE, PORTAL.text, id="triage with a key", marks=pytest.mark.faults),
    ],
)
def test_messages_that_never_end_do_not_fill_the_memory_of_a_worker(path: str, key: str, tmp_path: Path) -> None:
    """Eight connections announce 250 messages of 1 MiB each, and send all but the last bytes as far as possible."""
    with process(tmp_path) as (address, worker):
        with grpc.insecure_channel(address) as channel:
            # Load what a first call needs.
            DecisionServiceStub(channel).Triage(pb.TriageRequest(), metadata=bearer(PORTAL.text), timeout=20)
        before = resident(worker)
        connections = [Connection(address) for _ in range(8)]
        try:
            for one in connections:
                flood(one, path, bearer(key) if key else [])
            # With a key, as many messages of the largest size are received as the limit allows.
            assert resident(worker) - before < (128 if key else 64)
        finally:
            for one in connections:
                one.__exit__()
        wait_until(lambda: resident(worker) - before < 48)
        with grpc.insecure_channel(address) as channel:
            assert (
                DecisionServiceStub(channel)
                .Triage(pb.TriageRequest(), metadata=bearer(PORTAL.text), timeout=20)
                .version.version
            )


def flood(one: Connection, path: str, metadata: list[tuple[str, str]]) -> None:
    """Announce messages of 1 MiB on 250 streams, and send all but 100 bytes of each as far as possible."""
    left = dict.fromkeys(range(1, 500, 2), MEGABYTE - 100)
    with suppress(OSError):
        for stream in left:
            one.call(stream, path, metadata)
            left[stream] -= one.data(stream, b"\0" + (MEGABYTE - 5).to_bytes(4, "big"))
        while one.wait(
            lambda: any(one.room(stream) and stream not in one.ended for stream, size in left.items() if size), 1
        ):
            for stream, size in left.items():
                if size and stream not in one.ended:
                    left[stream] -= one.data(stream, b"x" * min(size, FRAME))


def resident(process: int) -> float:
    """Return the resident memory of a process, in MB."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def process(folder: Path) -> Iterator[tuple[str, int]]:
    """Serve the second desk from a process of its own that requires keys; return its address and process id."""
    (folder / "policies").mkdir()
    for name, text in COUNTER.items():
        (folder / "policies" / name).write_text(text, encoding="utf-8")
    (folder / "callers.yaml").write_text(callers(), encoding="utf-8")
    started = subprocess.Popen(
        [
            sys.executable,
            "server.py",
            "--workers",
            "0",
            "--port",
            "0",
            "--log-durability",
            "off",
            "--callers",
            str(folder / "callers.yaml"),
            "--policies",
            str(folder / "policies"),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "GUIDEPOST_CACHE": str(folder / "cache"), "NO_COLOR": "1"},
    )
    try:
        assert started.stdout is not None
        address = next(line.split()[2] for line in started.stdout if line.startswith("listening on "))
        yield address, started.pid
    finally:
        started.kill()
        started.wait()
