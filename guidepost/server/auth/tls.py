"""TLS: certificate files in, gRPC credentials out that follow changes of the files, without a restart or a failed call.

gRPC asks for the certificate in every handshake. If new files cannot be used, the previous certificate stays in use.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from engine.model.problems import Problem
from guidepost.server.auth.config import TlsFiles
from guidepost.server.auth.errors import InvalidAuthFiles, invalid_file, read_file
from guidepost.server.auth.reloading_file import ReloadingFile


@dataclass(frozen=True, slots=True)
class Certificates:
    """The checked contents of the files, in PEM."""

    certificate: bytes
    key: bytes
    client_ca: bytes | None

    @property
    def configuration(self) -> grpc.ServerCertificateConfiguration:
        """The configuration for gRPC."""
        return grpc.ssl_server_certificate_configuration(
            [(self.key, self.certificate)], root_certificates=self.client_ca
        )


def read_tls(files: TlsFiles) -> Certificates:
    """Read the files and check that they match; raises InvalidAuthFiles with every problem."""
    problems: list[Problem] = []
    found: list[bytes | None] = []
    for path, check in (
        (files.certificate, _check_chain),
        (files.key, _check_key),
        (files.client_ca, _check_authorities),
    ):
        try:
            found.append(check(Path(path)) if path else None)
        except InvalidAuthFiles as error:
            problems.extend(error.problems)
    if problems:
        raise InvalidAuthFiles(problems)
    certificate, key, client_ca = found
    if certificate is None or key is None:
        raise invalid_file(
            Path(files.certificate or files.key or files.client_ca), "expected both a certificate and its key"
        )
    mine = x509.load_pem_x509_certificates(certificate)[0].public_key()
    if _public(mine) != _public(load_pem_private_key(key, None).public_key()):
        raise invalid_file(
            Path(files.key),
            f"is not the key of the certificate in {files.certificate}",
            "the server's own certificate must be the first in its file",
        )
    return Certificates(certificate, key, client_ca)


def credentials(files: TlsFiles) -> grpc.ServerCredentials:
    """Return credentials that follow the files; raises InvalidAuthFiles if the first ones cannot be used."""
    paths = [Path(one) for one in (files.certificate, files.key, files.client_ca) if one]
    file = ReloadingFile(paths, lambda: read_tls(files))

    def newer() -> grpc.ServerCertificateConfiguration | None:
        return file.value.configuration if file.renew() else None

    return grpc.dynamic_ssl_server_credentials(file.value.configuration, newer, bool(files.client_ca))  # type: ignore[arg-type]  # None means no change


def _check_chain(path: Path) -> bytes:
    pem = read_file(path)
    mine = _certificates(path, pem)[0]
    now = datetime.now(UTC)
    if mine.not_valid_after_utc <= now:
        raise invalid_file(path, f"the certificate expired on {mine.not_valid_after_utc:%Y-%m-%d}")
    if mine.not_valid_before_utc > now:
        raise invalid_file(path, f"the certificate is not valid before {mine.not_valid_before_utc:%Y-%m-%d %H:%M} UTC")
    return pem


def _check_authorities(path: Path) -> bytes:
    pem = read_file(path)
    _certificates(path, pem)
    return pem


def _certificates(path: Path, pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise invalid_file(path, "expected certificates in PEM") from None


def _check_key(path: Path) -> bytes:
    pem = read_file(path)
    try:
        load_pem_private_key(pem, None)
    except TypeError:
        raise invalid_file(path, "the key is encrypted", "decrypt it: `openssl pkey -in KEY -out PLAIN`") from None
    except (ValueError, UnsupportedAlgorithm):
        raise invalid_file(path, "expected a private key in PEM") from None
    return pem


def _public(key: object) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined,no-any-return]
