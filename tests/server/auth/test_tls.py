"""TLS and mTLS: which clients are accepted, and certificates that change while a server runs."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from guidepost.server.auth import InvalidAuthFiles
from guidepost.server.auth.config import AuthConfig, TlsFiles
from guidepost.server.auth.tls import read_tls
from guidepost.server.security import Security
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from tests.support.certificates import Pair, certificate, channel, protected, tls_files
from tests.support.waiting import wait_until

AUTHORITY, STRANGER = certificate("authority"), certificate("stranger")
FIRST, SECOND = certificate("first.example", AUTHORITY), certificate("second.example", AUTHORITY)
REQUEST = pb.DecideRequest(decision="queue")


def decide(address: str, client: Pair | None = None, roots: bytes = AUTHORITY.pem) -> grpc.StatusCode:
    """Call once on a new connection, and return the status."""
    with channel(address, roots, client) as one:
        try:
            DecisionServiceStub(one).Decide(REQUEST, timeout=60)
        except grpc.RpcError as error:
            return error.code()
    return grpc.StatusCode.OK


def shown(address: str) -> str:
    """Return the name in the certificate of a server."""
    host, _, port = address.rpartition(":")
    with (
        socket.create_connection((host, int(port)), 60) as plain,
        ssl.create_default_context(cadata=AUTHORITY.pem.decode()).wrap_socket(
            plain, server_hostname="localhost"
        ) as secured,
    ):
        return dict(pair for part in secured.getpeercert()["subject"] for pair in part)["commonName"]  # type: ignore[index,union-attr,misc,call-overload]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    with protected(Security(tls=tls_files(tmp_path, FIRST))) as address:
        yield address


class TestServed:
    def test_only_those_who_speak_tls_and_trust_the_authority_get_an_answer(self, served: str) -> None:
        with channel(served) as plain, pytest.raises(grpc.RpcError):
            DecisionServiceStub(plain).Decide(REQUEST, timeout=2)
        assert decide(served) == grpc.StatusCode.OK
        assert decide(served, roots=STRANGER.pem) == grpc.StatusCode.UNAVAILABLE

    def test_a_new_certificate_is_shown_without_a_restart_and_without_a_failed_call(
        self, served: str, tmp_path: Path
    ) -> None:
        failed: list[grpc.StatusCode] = []
        end, asked = threading.Event(), [0]

        def calling() -> None:
            while not end.is_set():
                asked[0] += 1
                if (code := decide(served)) != grpc.StatusCode.OK:
                    failed.append(code)

        callers = [threading.Thread(target=calling) for _ in range(2)]
        for one in callers:
            one.start()
        assert shown(served) == "first.example"
        # As in a renewal: one file after the other, and they do not match in between.
        (tmp_path / "tls.pem").write_bytes(SECOND.pem)
        assert shown(served) == "first.example"
        (tmp_path / "tls.key").write_bytes(SECOND.key)
        assert shown(served) == "second.example"
        since = asked[0]
        wait_until(lambda: asked[0] > since + 4)
        end.set()
        for one in callers:
            one.join()

        assert not failed

    @pytest.mark.parametrize(
        "broken", [b"", b"no certificate", STRANGER.pem, certificate("old", AUTHORITY, days=-1).pem]
    )
    def test_a_broken_certificate_is_refused_and_the_one_before_goes_on(
        self, served: str, tmp_path: Path, broken: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "tls.pem").write_bytes(broken)

        assert [shown(served), shown(served)] == ["first.example"] * 2
        assert sum("cannot be used" in record.message for record in caplog.records) == 1
        assert decide(served) == grpc.StatusCode.OK


class TestClients:
    def test_a_client_without_the_right_certificate_is_rejected(self, tmp_path: Path) -> None:
        (tmp_path / "callers.yaml").write_text(
            "callers:\n  - {name: gateway, roles: [decide], certificates: [gateway.example]}\n"
        )
        security = Security(
            access=AuthConfig(callers=str(tmp_path / "callers.yaml")), tls=tls_files(tmp_path, FIRST, AUTHORITY.pem)
        )
        with protected(security) as address:
            assert decide(address, certificate("gateway.example", AUTHORITY)) == grpc.StatusCode.OK
            assert decide(address, certificate("else.example", AUTHORITY)) == grpc.StatusCode.UNAUTHENTICATED
            for client in (
                None,
                certificate("gateway.example"),
                certificate("gateway.example", STRANGER),
                certificate("gateway.example", AUTHORITY, days=-1),
            ):
                assert decide(address, client) == grpc.StatusCode.UNAVAILABLE

    def test_other_authorities_count_as_soon_as_they_are_there(self, tmp_path: Path) -> None:
        client = certificate("gateway", STRANGER)
        with protected(Security(tls=tls_files(tmp_path, FIRST, AUTHORITY.pem))) as address:
            assert decide(address, client) == grpc.StatusCode.UNAVAILABLE
            (tmp_path / "clients.pem").write_bytes(AUTHORITY.pem + STRANGER.pem)
            assert decide(address, client) == grpc.StatusCode.OK


class TestFiles:
    def test_every_problem_is_reported(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_bytes(FIRST.pem)
        (tmp_path / "ca").write_bytes(b"\xff")
        with pytest.raises(InvalidAuthFiles) as raised:
            read_tls(TlsFiles(str(tmp_path / "none"), str(tmp_path / "key"), str(tmp_path / "ca")))

        assert sorted(problem.message for problem in raised.value.problems) == [
            "cannot be read: No such file or directory",
            "expected a private key in PEM",
            "expected certificates in PEM",
        ]

    def test_a_key_of_another_certificate_is_refused(self, tmp_path: Path) -> None:
        files = tls_files(tmp_path, FIRST)
        (tmp_path / "tls.key").write_bytes(SECOND.key)

        with pytest.raises(InvalidAuthFiles, match="is not the key of the certificate"):
            read_tls(files)

    @pytest.mark.parametrize("days", [-1])
    def test_an_expired_certificate_is_refused(self, tmp_path: Path, days: int) -> None:
        with pytest.raises(InvalidAuthFiles, match="expired on"):
            read_tls(tls_files(tmp_path, certificate("old", days=days)))

    def test_a_certificate_comes_with_its_key(self, tmp_path: Path) -> None:
        files = tls_files(tmp_path, FIRST)
        for half in (TlsFiles(files.certificate, ""), TlsFiles("", files.key), TlsFiles("", "", files.certificate)):
            with pytest.raises(InvalidAuthFiles, match="expected both a certificate and its key"):
                read_tls(half)
