"""Certificates, authorities, files of callers, token issuers and servers with security, for tests."""

from __future__ import annotations

import base64
import ipaddress
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from guidepost.decision_log.settings import LogSettings
from guidepost.server.app import listening
from guidepost.server.auth.api_keys import NewKey, new_key
from guidepost.server.auth.config import TlsFiles
from guidepost.server.security import Security
from tests.support.servers import NOW, counter_bundle, run_coroutine


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, each as PEM, too."""

    certificate: x509.Certificate
    secret: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key(self) -> bytes:
        return self.secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def certificate(name: str, authority: Pair | None = None, days: float = 1) -> Pair:
    """Make a certificate for localhost, signed by an authority or by itself."""
    secret, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = x509.SubjectAlternativeName(
        [x509.DNSName(name), x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.certificate.subject if authority else subject)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(authority is None, None), critical=True)
        .add_extension(names, critical=False)
        .sign(authority.secret if authority else secret, hashes.SHA256())
    )
    return Pair(made, secret)


def tls_files(folder: Path, pair: Pair, client_ca: bytes = b"") -> TlsFiles:
    """Write the files of a server."""
    (folder / "tls.pem").write_bytes(pair.pem)
    (folder / "tls.key").write_bytes(pair.key)
    if client_ca:
        (folder / "clients.pem").write_bytes(client_ca)
    return TlsFiles(str(folder / "tls.pem"), str(folder / "tls.key"), str(folder / "clients.pem") if client_ca else "")


def entry(key: NewKey, expires: str = "") -> str:
    return f"{{id: {key.id}, sha256: {key.sha256}{f', expires: {expires}' if expires else ''}}}"


class Issuer:
    """Issues tokens, and publishes its key."""

    def __init__(self, name: str = "https://id.desk.example", kid: str = "k1") -> None:
        self.name, self.kid, self.secret = name, kid, ec.generate_private_key(ec.SECP256R1())

    @property
    def jwks(self) -> str:
        plain = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.secret.public_key()))
        return json.dumps({"keys": [{**plain, "kid": self.kid, "use": "sig", "alg": "ES256"}]})

    def token(self, subject: str = "anna", roles: Any = ("decide",), seconds: float = 86_400, **claims: Any) -> str:
        """Return a token; a claim that is None is left out."""
        plain = {
            "iss": self.name,
            "aud": "guidepost",
            "sub": subject,
            "exp": datetime.now(UTC) + timedelta(seconds=seconds),
            "guidepost_roles": roles,
            **claims,
        }
        return jwt.encode(
            {name: value for name, value in plain.items() if value is not None},
            self.secret,
            "ES256",
            headers={"kid": self.kid},
        )


def unsigned(token: str) -> str:
    """Return a token with what it says, and the algorithm `none`."""
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": "k1"}).encode()).rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."


@contextmanager
def protected(security: Security, log: LogSettings | None = None, bundle: Any = None) -> Iterator[str]:
    """Serve the second desk while the block runs; give the address."""
    server = listening(
        bundle or counter_bundle(), "127.0.0.1:0", clock=lambda: NOW, grace=0.1, log=log, security=security
    )
    address = run_coroutine(server.__aenter__())
    try:
        yield address
    finally:
        run_coroutine(server.__aexit__(None, None, None))


def channel(
    address: str, roots: bytes | None = None, client: Pair | None = None, *options: tuple[str, Any]
) -> grpc.Channel:
    """Open a connection of its own, with TLS if there are roots."""
    alone = (("grpc.use_local_subchannel_pool", 1), *options)
    if roots is None:
        return grpc.insecure_channel(address, alone)
    secured = grpc.ssl_channel_credentials(roots, client.key if client else None, client.pem if client else None)
    return grpc.secure_channel(address, secured, alone)


__all__ = ["Issuer", "Pair", "certificate", "channel", "entry", "new_key", "protected", "tls_files", "unsigned"]
