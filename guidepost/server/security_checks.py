"""The problems of a security configuration: unusable files, wrong limits, and addresses that would be unprotected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from ipaddress import ip_address

from engine.model.problems import Place, Problem
from guidepost.server.auth import InvalidAuthFiles, open_access
from guidepost.server.auth.config import AuthConfig, TlsFiles
from guidepost.server.rpc.limits import MOST_TICKETS, Limits
from guidepost.server.security import Security


def security_problems(security: Security, addresses: Iterable[str]) -> tuple[Problem, ...]:
    """Return every problem of serving with this security on these addresses. Files are read and closed again."""
    found = [
        *_limits(security.limits),
        *_exposed(security, addresses),
        *_access(security.access),
        *_tls(security.tls),
    ]
    return tuple(sorted(set(found)))


def _exposed(security: Security, addresses: Iterable[str]) -> Iterator[Problem]:
    needed = {
        "TLS (--tls-certificate and --tls-key)": security.tls,
        "callers (--callers or --jwt-keys)": security.access.requires_authentication,
    }
    missing = [what for what, there in needed.items() if not there]
    if missing and not security.trust_network:
        for address in addresses:
            if not is_local(address):
                yield Problem(
                    place=Place(file=address),
                    code="bad-format",
                    message=f"{address} is reachable from other machines, "
                    f"but the server has no {' and no '.join(missing)}",
                    help="configure both, or use --trust-network if the network admits only authorized clients, "
                    "as a mesh does",
                )


def is_local(address: str) -> bool:
    """Return whether only this machine can reach an address.

    >>> [is_local(one) for one in ("127.0.0.1:50051", "localhost:1", "[::1]:0", "::1:0", "unix:/run/x")]
    [True, True, True, True, True]
    >>> [is_local(one) for one in ("0.0.0.0:50051", "[::]:1", "desk.example:1", ":1")]
    [False, False, False, False]
    """
    if address.startswith(("unix:", "unix-abstract:")):
        return True
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _access(config: AuthConfig) -> Iterable[Problem]:
    try:
        open_access(config)
    except InvalidAuthFiles as error:
        return error.problems
    return ()


def _tls(files: TlsFiles | None) -> Iterable[Problem]:
    if files is None:
        return ()
    from guidepost.server.auth.tls import read_tls  # noqa: PLC0415 - cryptography takes a tenth of a start

    try:
        read_tls(files)
    except InvalidAuthFiles as error:
        return error.problems
    return ()


def _limits(limits: Limits) -> Iterator[Problem]:
    for one in fields(limits):
        if getattr(limits, one.name) < 1:
            yield Problem(
                place=Place(file=one.name),
                code="bad-format",
                message=f"expected a limit of at least 1, got `{getattr(limits, one.name)}`",
            )
    if limits.batch > MOST_TICKETS:
        yield Problem(
            place=Place(file="batch"),
            code="bad-format",
            message=f"expected at most {MOST_TICKETS:,} tickets of one call, got `{limits.batch}`",
        )
