"""The roles, which RPC needs which of them, and the caller of the call that is being answered."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a caller may be allowed; none of them includes another."""

    DECIDE = "decide"
    """Ask for decisions."""
    READ_POLICIES = "read_policies"
    """Read the policies, and compare versions of them."""
    READ_LOG = "read_log"
    """Read and verify the decision log."""
    ADMIN = "admin"
    """Reload policies, roll workers, and remove old records."""


class Action(StrEnum):
    """What somebody wants to do to the decision log."""

    READ_LOG = "read the decision log"
    PURGE_LOG = "purge the decision log"


REQUIRED_ROLES: Final[dict[str, Role]] = {
    "guidepost.v1.DecisionService": Role.DECIDE,
    "guidepost.v1.PolicyService": Role.READ_POLICIES,
    "guidepost.v1.AuditService": Role.READ_LOG,
    "guidepost.v1.AdminService": Role.ADMIN,
    "guidepost.v1.AuditService/PurgeRecords": Role.ADMIN,
}
"""The role that each service needs, and each RPC that needs another one than the rest of its service."""

OPEN_SERVICES: Final = frozenset(
    {"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection", "grpc.reflection.v1.ServerReflection"}
)
"""Services that everybody may ask: they say how the server is doing and what it offers, and nothing of a ticket."""

ACTIONS: Final = {Action.READ_LOG: Role.READ_LOG, Action.PURGE_LOG: Role.ADMIN}


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who has proved who he is, and what he may do."""

    name: str
    roles: frozenset[Role]


_CALLER: Final[ContextVar[Caller | None]] = ContextVar("current_caller", default=None)


def current_caller() -> Caller | None:
    """Return whoever makes the call that is being answered; None where nobody has to prove who he is."""
    return _CALLER.get()


def caller_name() -> str:
    """Return the name of whoever makes this call; "" where nobody has to prove who he is."""
    found = _CALLER.get()
    return "" if found is None else found.name


def set_caller(found: Caller | None) -> None:
    """Print who makes this call; it holds for the task that answers it, and what that starts."""
    _CALLER.set(found)


def required_role(method: str) -> Role | None:
    """Return the role that an RPC needs, by its path; None for what is open to all.

    What is listed nowhere needs the most there is.

    >>> needed("/guidepost.v1.AuditService/GetRecord"), needed("/guidepost.v1.AuditService/PurgeRecords")
    (<Role.READ_LOG: 'read_log'>, <Role.ADMIN: 'admin'>)
    >>> needed("/grpc.health.v1.Health/Check")
    """
    service = method.strip("/").partition("/")[0]
    if service in OPEN_SERVICES:
        return None
    return REQUIRED_ROLES.get(method.strip("/")) or REQUIRED_ROLES.get(service, Role.ADMIN)
