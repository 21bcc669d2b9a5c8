"""Keys, tokens and certificates authenticate a caller, and each RPC needs a role; with real servers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import guidepost
from guidepost.cli.app import app
from guidepost.decision_log.call_metadata import CallMetadata, InvalidMetadata, read_call_metadata, recorded_caller
from guidepost.decision_log.settings import LogSettings
from guidepost.server.auth import Access, InvalidAuthFiles, Role, Unauthenticated, open_access
from guidepost.server.auth.api_keys import key_id, new_key
from guidepost.server.auth.authenticate import CACHE_SIZE
from guidepost.server.auth.callers import expired_keys
from guidepost.server.auth.callers_file import read_callers
from guidepost.server.auth.config import AuthConfig, TlsFiles
from guidepost.server.auth.roles import OPEN_SERVICES, REQUIRED_ROLES, required_role
from guidepost.server.security import Security
from guidepost.server.security_checks import security_problems
from guidepost.server.workers.admin_link import AdminLink
from guidepost.server.workers.messages import Built, Reloaded
from guidepost.server.workers.pickled_bundle import pickle_bundle
from guidepost.server.workers.process import CannotServe
from guidepost.server.workers.shared_port import reserve_port
from guidepost.server.workers.supervisor import Supervisor, SupervisorConfig
from guidepost.v1 import admin_service_pb2, audit_service_pb2, decision_service_pb2, policy_service_pb2
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1.admin_service_pb2_grpc import AdminServiceStub
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from tests.support.certificates import Issuer, certificate, entry, protected, tls_files, unsigned
from tests.support.log_servers import PATIENT
from tests.support.paths import ROOT
from tests.support.servers import counter_bundle, run_coroutine
from tests.support.waiting import wait_until

ISSUER = Issuer()
PORTAL, OFFICE, OLD, NOBODY = new_key(), new_key(), new_key(), new_key()

CALLERS = f"""\
callers:
  - name: portal
    roles: [decide]
    keys:
      - {entry(PORTAL)}
      - {entry(OLD, "2020-01-01")}
  - name: office
    roles: [read_policies, read_log, admin]
    keys: [{entry(OFFICE)}]
  - {{name: auditors, roles: [read_log], subjects: [anna]}}
"""


def settings(folder: Path, callers: str = CALLERS) -> AuthConfig:
    (folder / "callers.yaml").write_text(callers, encoding="utf-8")
    (folder / "jwks.json").write_text(ISSUER.jwks, encoding="utf-8")
    return AuthConfig(
        callers=str(folder / "callers.yaml"),
        jwt_keys=str(folder / "jwks.json"),
        jwt_issuer=ISSUER.name,
        jwt_audience="guidepost",
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("access")


@pytest.fixture(scope="module")
def access(folder: Path) -> Access:
    return open_access(settings(folder))


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[str]:
    with protected(
        Security(access=settings(folder)), LogSettings(timeout=PATIENT, url=f"sqlite:///{folder}/log/decisions.db")
    ) as address:
        yield address


def prove(access: Access, secret: str) -> Any:
    return access.authenticate([("authorization", f"Bearer {secret}")], dict)


def refusal(call: Callable[[], object]) -> tuple[grpc.StatusCode, str, str]:
    """Return status, reason and message of a rejected call."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    status = rpc_status.from_call(raised.value)
    info = error_details_pb2.ErrorInfo()
    assert status is not None
    assert status.details[0].Unpack(info)
    return raised.value.code(), info.reason, raised.value.details()


class TestRoles:
    def test_every_rpc_needs_a_role_and_an_unlisted_one_needs_admin(self) -> None:
        modules = (decision_service_pb2, policy_service_pb2, audit_service_pb2, admin_service_pb2)
        services = {
            name
            for module in modules
            for name in (one.full_name for one in module.DESCRIPTOR.services_by_name.values())
        }
        files = {path.stem for path in (ROOT / "proto/guidepost/v1").glob("*_service.proto")}

        assert services <= set(REQUIRED_ROLES)
        assert not services & OPEN_SERVICES
        assert {module.DESCRIPTOR.name.rpartition("/")[2].removesuffix(".proto") for module in modules} == files
        assert required_role("/guidepost.v2.Anything/Goes") is Role.ADMIN

    def test_what_removes_or_administers_needs_admin(self) -> None:
        assert {
            required_role(f"/guidepost.v1.{one}")
            for one in ("AuditService/PurgeRecords", "AdminService/Reload", "AdminService/GetStatus")
        } == {Role.ADMIN}


class TestServed:
    def test_a_caller_may_do_what_their_roles_allow_and_nothing_else(self, served: str) -> None:
        with guidepost.Client(served, token=PORTAL.text) as portal:
            assert portal.decide("queue", vip=True).status
            assert refusal(portal.versions) == (
                grpc.StatusCode.PERMISSION_DENIED,
                "PERMISSION_DENIED",
                "`portal` lacks the role `read_policies`, which this call needs",
            )
        with guidepost.Client(served, token=OFFICE.text) as office:
            assert office.versions().versions
            assert refusal(lambda: office.decide("queue", vip=True))[0] == grpc.StatusCode.PERMISSION_DENIED
            listed = office.policies.ListVersions(
                policy_service_pb2.ListVersionsRequest(), metadata=office.metadata, timeout=60
            )
            assert listed.versions

    def test_streams_are_guarded_like_other_calls(self, served: str) -> None:
        with grpc.insecure_channel(served) as channel:
            code, reason, _ = refusal(
                lambda: list(DecisionServiceStub(channel).TriageStream(iter([pb.TriageStreamRequest()]), timeout=60))
            )

        assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")

    @pytest.mark.parametrize(
        "token",
        [
            "",
            NOBODY.text,
            OLD.text,
            PORTAL.text[:-1] + ("a" if PORTAL.text[-1] != "a" else "b"),
            f"gpk_{PORTAL.id}_",
            "x",
        ],
        ids=["none", "unknown", "expired", "altered", "cut short", "no key"],
    )
    def test_a_call_without_credentials_is_rejected_with_instructions(self, served: str, token: str) -> None:
        with guidepost.Client(served, token=token) as client:
            code, reason, message = refusal(lambda: client.decide("queue", vip=True))

        assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")
        assert token == "" or token not in message

    def test_health_is_open_to_all(self, served: str) -> None:
        with grpc.insecure_channel(served) as channel:
            assert (
                health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=60).status
                == health_pb2.HealthCheckResponse.SERVING
            )

    def test_the_log_records_the_authenticated_name_before_the_name_that_was_sent(self, served: str) -> None:
        with guidepost.Client(served, token=PORTAL.text, caller="office") as portal:
            portal.decide("queue", vip=True, ticket_id="T-1")
        with guidepost.Client(served, token=ISSUER.token("b/ob", ["decide"])) as bob:
            bob.decide("queue", vip=True, ticket_id="T-2")
        with guidepost.Client(served, token=OFFICE.text) as office:
            entries = list(office.audit.records())

        assert {one.content.ticket: one.content.caller for one in entries if one.content.ticket} == {
            "T-1": "portal/office",
            "T-2": "jwt:b%2Fob",
        }

    def test_without_authentication_everything_but_purging_is_open(self, tmp_path: Path) -> None:
        with (
            protected(Security(), LogSettings(timeout=PATIENT, url=f"sqlite:///{tmp_path}/decisions.db")) as address,
            guidepost.Client(address) as client,
        ):
            assert client.decide("queue", vip=True).status
            assert [one.content.caller for one in client.audit.records()] == [""]
            assert client.versions().versions
            with pytest.raises(grpc.RpcError) as raised:
                client.audit.stub.PurgeRecords(audit_service_pb2.PurgeRecordsRequest(), timeout=60)
        assert raised.value.code() == grpc.StatusCode.PERMISSION_DENIED

    def test_a_changed_file_of_callers_counts_within_seconds_and_a_broken_one_changes_nothing(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO", "guidepost.auth")
        file = tmp_path / "callers.yaml"
        with (
            protected(Security(access=settings(tmp_path))) as address,
            guidepost.Client(address, token=PORTAL.text) as portal,
            guidepost.Client(address, token=NOBODY.text) as newcomer,
        ):
            file.write_text(CALLERS.replace("roles", "rolls"), encoding="utf-8")
            wait_until(lambda: any("cannot be used" in record.message for record in caplog.records))
            assert portal.decide("queue", vip=True).status
            file.write_text(CALLERS.replace(entry(PORTAL), entry(NOBODY)), encoding="utf-8")
            wait_until(lambda: any("was read again" in record.message for record in caplog.records))
            assert newcomer.decide("queue", vip=True).status
            assert refusal(lambda: portal.decide("queue", vip=True))[0] == grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.faults
class TestWorkers:
    def test_workers_and_the_admin_service_ask_for_the_same_certificates_keys_and_roles(self, tmp_path: Path) -> None:
        authority = certificate("authority")
        security = Security(access=settings(tmp_path), tls=tls_files(tmp_path, certificate("desk", authority)))
        secured = grpc.ssl_channel_credentials(authority.pem)
        with reserve_port("127.0.0.1", 0) as address:
            supervisor = Supervisor(
                SupervisorConfig(policies=Path(), workers=1, log=None, grace=0.5, security=security), address, _making
            )
            admin_link = AdminLink(supervisor, "127.0.0.1:0")
            try:
                assert isinstance(run_coroutine(supervisor.start()), Reloaded)
                run_coroutine(admin_link.open())
                with guidepost.Client(address, credentials=secured, token=PORTAL.text, channels=1) as portal:
                    assert portal.decide("queue", vip=True, timeout=60).status
                with guidepost.Client(address, credentials=secured, token=OFFICE.text, channels=1) as office_client:
                    assert (
                        refusal(lambda: office_client.decide("queue", vip=True))[0] == grpc.StatusCode.PERMISSION_DENIED
                    )
                with grpc.secure_channel(admin_link.admin, secured) as channel:
                    ask = AdminServiceStub(channel).GetStatus
                    for token, code in (
                        (None, grpc.StatusCode.UNAUTHENTICATED),
                        (PORTAL, grpc.StatusCode.PERMISSION_DENIED),
                    ):
                        metadata = [("authorization", f"Bearer {token.text}")] if token else []
                        assert (
                            refusal(
                                lambda metadata=metadata: ask(
                                    admin_service_pb2.GetStatusRequest(), metadata=metadata, timeout=60
                                )
                            )[0]
                            == code
                        )
                    assert ask(
                        admin_service_pb2.GetStatusRequest(),
                        metadata=[("authorization", f"Bearer {OFFICE.text}")],
                        timeout=60,
                    ).workers
            finally:
                run_coroutine(admin_link.close())
                run_coroutine(supervisor.stop())

    def test_a_worker_with_an_unreadable_file_of_callers_does_not_serve(self, tmp_path: Path) -> None:
        with reserve_port("127.0.0.1", 0) as address:
            supervisor = Supervisor(
                SupervisorConfig(
                    policies=Path(),
                    workers=1,
                    log=None,
                    security=Security(access=AuthConfig(callers=str(tmp_path / "none.yaml"))),
                ),
                address,
                _making,
            )
            try:
                with pytest.raises(CannotServe, match=r"none\.yaml:1:1: cannot be read"):
                    run_coroutine(supervisor.start())
            finally:
                run_coroutine(supervisor.stop())


async def _making() -> Built:
    return Built(counter_bundle().refs, pickle_bundle(counter_bundle()))


class TestTokens:
    def test_a_token_gives_the_roles_it_names_and_a_subject_in_the_file_those_of_the_file(self, access: Access) -> None:
        assert prove(access, ISSUER.token("bob", ["decide", "cook"])).roles == {Role.DECIDE}
        assert prove(access, ISSUER.token("bob", "decide read_log")).roles == {Role.DECIDE, Role.READ_LOG}
        assert (
            prove(access, ISSUER.token("anna", ["admin"])).name,
            prove(access, ISSUER.token("anna", ["admin"])).roles,
        ) == ("auditors", {Role.READ_LOG})

    def test_a_token_cannot_take_the_name_of_a_caller(self, access: Access) -> None:
        assert prove(access, ISSUER.token("portal")).name == "jwt:portal"

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [
            (ISSUER.token(seconds=-60), "expired"),
            (ISSUER.token(iss="https://elsewhere.example"), "not valid"),
            (ISSUER.token(aud="payroll"), "not valid"),
            (ISSUER.token(exp=None), "not valid"),
            (ISSUER.token(aud=None), "not valid"),
            (ISSUER.token(sub=None), "not valid"),
            (ISSUER.token("x" * 101), "subject"),
            (ISSUER.token(nbf=2_000_000_000_0), "not valid"),
            (Issuer().token(), "not valid"),
            (Issuer(kid="k2").token(), "unknown key"),
            (unsigned(ISSUER.token()), "not valid"),
            ("a.b.c", "not valid"),
            ("x" * 9_000, "too long"),
        ],
    )
    def test_a_token_with_anything_wrong_proves_nothing(self, access: Access, wrong: str, why: str) -> None:
        with pytest.raises(Unauthenticated, match=why):
            prove(access, wrong)

    def test_clocks_may_differ_by_the_leeway(self, access: Access) -> None:
        assert prove(access, ISSUER.token("bob", seconds=-10)).name == "jwt:bob"

    def test_the_public_key_of_the_issuer_is_no_secret_to_sign_with(self, access: Access) -> None:
        """A known attack: a token signed by HMAC with the text of the public key."""
        import base64
        import hashlib
        import hmac

        def part(plain: dict[str, Any]) -> str:
            return base64.urlsafe_b64encode(json.dumps(plain).encode()).rstrip(b"=").decode()

        signed = f"{part({'alg': 'HS256', 'kid': 'k1'})}.{part({'iss': ISSUER.name, 'aud': 'guidepost', 'sub': 'eve', 'exp': 4_000_000_000})}"
        mac = (
            base64.urlsafe_b64encode(hmac.new(ISSUER.jwks.encode(), signed.encode(), hashlib.sha256).digest())
            .rstrip(b"=")
            .decode()
        )
        with pytest.raises(Unauthenticated, match="not valid"):
            prove(access, f"{signed}.{mac}")

    def test_what_proved_right_is_kept_until_it_expires_and_not_without_end(
        self, access: Access, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        authenticator: Any = access._authenticator
        token = ISSUER.token("bob", seconds=5)
        prove(access, token)
        monkeypatch.setattr(authenticator, "_tokens", None)

        assert prove(access, token).name == "jwt:bob"
        authenticator._clock, before = (lambda: time.time() + 60), authenticator._clock
        with pytest.raises(Unauthenticated):
            prove(access, token)
        authenticator._clock = before
        for number in range(CACHE_SIZE):
            authenticator._cache.put(str(number).encode(), (prove(access, PORTAL.text), 0.0))
        assert prove(access, OFFICE.text).name == prove(access, OFFICE.text).name
        assert len(authenticator._cache) <= CACHE_SIZE

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            ("[", "JWKS"),
            ("[]", "expected a key"),
            ('{"keys": []}', "expected a key"),
            ('{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "a"}]}', "secret"),
            ('{"keys": [{"kty": "EC", "kid": "a"}]}', "cannot be used"),
            (ISSUER.jwks.replace('"k1"', '""'), "no `kid`"),
        ],
    )
    def test_a_file_of_keys_that_cannot_be_used_is_refused(self, tmp_path: Path, content: str, why: str) -> None:
        (tmp_path / "jwks.json").write_text(content, encoding="utf-8")

        with pytest.raises(InvalidAuthFiles, match=why):
            open_access(AuthConfig(jwt_keys=str(tmp_path / "jwks.json"), jwt_issuer="i", jwt_audience="a"))


class TestMetadata:
    @pytest.mark.parametrize(
        "metadata",
        [
            [("authorization", PORTAL.text)],
            [("authorization", f"Basic {PORTAL.text}")],
            [("authorization", f"Bearer {PORTAL.text}")] * 2,
            [("authorization", b"\xff")],
        ],
    )
    def test_a_key_is_sent_once_and_as_bearer(self, access: Access, metadata: list[tuple[str, Any]]) -> None:
        with pytest.raises(Unauthenticated):
            access.authenticate(metadata, dict)

    @given(st.text(max_size=60))
    def test_nothing_that_is_made_up_proves_anything(self, secret: str) -> None:
        with pytest.raises(Unauthenticated):
            prove(_ONLY, secret)

    @given(proven=st.from_regex(r"[a-z][a-z0-9.-]{0,20}", fullmatch=True), said=st.text("ab/:", max_size=10))
    def test_what_a_caller_calls_himself_never_makes_him_another(self, proven: str, said: str) -> None:
        assert recorded_caller(proven, said).partition("/")[0] == proven

    def test_both_names_together_are_not_longer_than_one_may_be(self) -> None:
        assert read_call_metadata([("guidepost-caller", "apac")], "portal") == CallMetadata("portal/apac")
        with pytest.raises(InvalidMetadata):
            read_call_metadata([("guidepost-caller", "x" * 195)], "portal")


class TestCertificates:
    def test_a_certificate_proves_the_caller_whom_the_file_names_for_it(self, tmp_path: Path) -> None:
        (tmp_path / "c.yaml").write_text(
            "callers:\n  - {name: gateway, roles: [decide], certificates: [gateway.example]}\n  - {name: other, roles: [decide], certificates: [two.example]}\n"
        )
        access = open_access(AuthConfig(callers=str(tmp_path / "c.yaml")))

        assert access.authenticate([], lambda: {"x509_common_name": [b"gateway.example"]}).name == "gateway"  # type: ignore[union-attr]
        for shown in (
            {},
            {"x509_common_name": [b"else.example"]},
            {"x509_subject_alternative_name": [b"gateway.example", b"two.example"]},
        ):
            with pytest.raises(Unauthenticated):
                access.authenticate([], lambda shown=shown: shown)  # type: ignore[misc]

    def test_a_wrong_key_is_not_made_good_by_a_certificate(self, tmp_path: Path) -> None:
        (tmp_path / "c.yaml").write_text(
            "callers:\n  - {name: gateway, roles: [decide], certificates: [gateway.example]}\n"
        )
        access = open_access(AuthConfig(callers=str(tmp_path / "c.yaml")))

        with pytest.raises(Unauthenticated):
            access.authenticate(
                [("authorization", f"Bearer {NOBODY.text}")], lambda: {"x509_common_name": [b"gateway.example"]}
            )


class TestCallersFile:
    def test_every_problem_is_reported_with_its_place(self, golden: Callable[[str, str], None]) -> None:
        _, problems = read_callers(
            "callers.yaml",
            """\
callers:
  - {name: portal, roles: [decied], keys: [{id: 0123456789ab, sha256: my secret}]}
  - {name: portal, roles: decide, kees: [], subjects: [anna]}
  - {name: a/b, roles: []}
  - {name: two, roles: [admin], subjects: [anna], keys: [{id: x, sha256: y, expires: tomorrow}, {}, 7]}
  - [name]
  - {roles: [decide]}
caller: x
""",
        )

        golden("access/callers.txt", "\n".join(map(str, problems)) + "\n")
        assert "my secret" not in str(problems)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "x",
            "[]",
            "callers: 7",
            "callers: [{name: [a]}]",
            "callers: [{name: x, roles: [[]]}]",
            "callers:\n- &a {}\n- *a",
            "a: [" * 40,
        ],
    )
    def test_no_text_makes_it_fail(self, text: str) -> None:
        _, problems = read_callers("c.yaml", text)

        assert problems

    def test_a_key_says_its_id_and_the_file_has_only_its_hash(self) -> None:
        made = new_key()

        assert key_id(made.text) == made.id
        assert made.text.rpartition("_")[2] not in entry(made)
        assert len({new_key().text for _ in range(100)}) == 100


class TestExposed:
    """Without TLS and callers, a server listens on loopback only."""

    BOTH = Security(access=AuthConfig(), tls=TlsFiles("a", "b"))

    @pytest.mark.parametrize("address", ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "desk.example:1"])
    def test_beyond_loopback_it_needs_both_or_a_trusted_network(self, address: str, tmp_path: Path) -> None:
        tls = tls_files(tmp_path, certificate("desk"))
        access = settings(tmp_path)

        assert [
            bool(security_problems(one, [address]))
            for one in (
                Security(),
                Security(tls=tls),
                Security(access=access),
                Security(access=access, tls=tls),
                Security(trust_network=True),
            )
        ] == [
            True,
            True,
            True,
            False,
            False,
        ]

    def test_the_command_says_what_is_missing_and_what_to_do(self) -> None:
        said = CliRunner().invoke(app, ["serve", "--host", "0.0.0.0", "--admin", "0.0.0.0:7"])

        assert said.exit_code == 2
        assert "--host: 0.0.0.0:50051 is reachable from other machines, but the server has no TLS" in said.output
        assert "--admin: 0.0.0.0:7 is reachable" in said.output
        assert "--trust-network" in said.output

    def test_purging_for_everybody_does_not_go_with_callers(self, tmp_path: Path) -> None:
        access = settings(tmp_path)
        both = AuthConfig(callers=access.callers, purge=True)

        assert "role `admin`" in security_problems(Security(access=both), [])[0].help


class TestCommand:
    def test_a_new_key_is_one_that_the_file_with_its_entry_takes(self, tmp_path: Path) -> None:
        made = json.loads(
            CliRunner()
            .invoke(app, ["access", "new-key", "portal", "--role", "read_log", "--expires", "2999-01-01", "-o", "json"])
            .output
        )
        (tmp_path / "c.yaml").write_text(
            f"callers:\n  - {{name: portal, roles: [read_log], keys: [{{id: {made['id']}, sha256: {made['sha256']}, expires: {made['expires']}}}]}}\n"
        )

        assert prove(open_access(AuthConfig(callers=str(tmp_path / "c.yaml"))), made["key"]).roles == {Role.READ_LOG}
        hashed = CliRunner().invoke(app, ["access", "hash"], input=made["key"] + "\n").output
        assert hashed == f"{{id: {made['id']}, sha256: {made['sha256']}}}\n"
        assert (
            "key " + made["id"] + " until 2999-01-01"
            in CliRunner().invoke(app, ["access", "check", str(tmp_path / "c.yaml")]).output
        )

    def test_a_key_that_expired_is_a_warning(self, tmp_path: Path) -> None:
        made = new_key()
        (tmp_path / "c.yaml").write_text(
            f"callers:\n  - {{name: portal, roles: [decide], keys: [{entry(made, '2025-07-01')}]}}\n"
        )
        done = CliRunner().invoke(app, ["access", "check", str(tmp_path / "c.yaml")])

        assert (done.exit_code, done.stderr) == (
            0,
            f"warning: the key {made.id} of `portal`: expired on 2025-07-01\n",
        )
        at = datetime(2025, 7, 1, tzinfo=UTC)
        callers, _ = read_callers("c.yaml", (tmp_path / "c.yaml").read_text())
        assert [len(expired_keys(callers, now)) for now in (at - timedelta(seconds=1), at)] == [0, 1]

    @pytest.mark.parametrize(
        "arguments",
        [["new-key", "a/b"], ["new-key", "a", "--expires", "soon"], ["new-key", "a", "--role", "king"], ["hash"]],
    )
    def test_wrong_usage_is_refused(self, arguments: list[str]) -> None:
        assert CliRunner().invoke(app, ["access", *arguments], input="secret\n").exit_code == 2

    def test_a_file_with_problems_ends_with_3(self, tmp_path: Path) -> None:
        (tmp_path / "c.yaml").write_text("callers: 7\n")

        assert CliRunner().invoke(app, ["access", "check", str(tmp_path / "c.yaml")]).exit_code == 3


_ONLY = Access()


@pytest.fixture(scope="module", autouse=True)
def _an_access_for_made_up_secrets(folder: Path) -> None:
    global _ONLY  # noqa: PLW0603 - hypothesis takes no fixtures beside what it draws
    _ONLY = open_access(settings(folder))
