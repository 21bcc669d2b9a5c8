"""Whether a server can be protected as it is told to: what is wrong with files and limits, and where it must not listen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from ipaddress import ip_address

from engine.model.problems import Place, Problem
from guidepost.server.auth import InvalidAuthFiles, open_access
from guidepost.server.auth.config import AuthConfig, TlsFiles
from guidepost.server.auth.tls import read_tls
from guidepost.server.rpc.limits import MOST_TICKETS, Limits
from guidepost.server.security import Security


def security_problems(security: Security, addresses: Iterable[str]) -> tuple[Problem, ...]:
    """Return everything that keeps a server from being protected so on these addresses; nothing stays open."""
    found = [
        *_limits(security.limits),
        *_exposed(security, addresses),
        *_access(security.access),
        *_tls(security.tls),
    ]
    return tuple(sorted(set(found)))


def _exposed(security: Security, addresses: Iterable[str]) -> Iterator[Problem]:
    given = {
        "TLS (--tls-certificate and --tls-key)": security.tls,
        "callers (--callers or --jwt-keys)": security.access.requires_authentication,
    }
    missing = [what for what, there in given.items() if not there]
    if missing and not security.trust_network:
        for address in addresses:
            if not is_local(address):
                yield Problem(
                    place=Place(file=address),
                    code="bad-format",
                    message=f"{address} can be reached from beyond this machine, and the server has no {' and no '.join(missing)}",
                    help="give both, or --trust-network where the network itself lets in only who may come in, as behind a mesh",
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


def _access(settings: AuthConfig) -> Iterable[Problem]:
    try:
        open_access(settings)
    except InvalidAuthFiles as error:
        return error.problems
    return ()


def _tls(files: TlsFiles | None) -> Iterable[Problem]:
    try:
        if files is not None:
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
                message=f"the limit `{one.name}` is {getattr(limits, one.name)}",
                help="a limit is at least 1",
            )
    if limits.batch > MOST_TICKETS:
        yield Problem(
            place=Place(file="batch"), code="bad-format", message=f"one call may have {MOST_TICKETS:,} tickets at most"
        )
