"""The roles, the role that each RPC needs, and the caller of the current call."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """A permission of a caller; no role includes another."""

    DECIDE = "decide"
    """Ask for decisions."""
    READ_POLICIES = "read_policies"
    """Read the policies, and compare versions of them."""
    READ_LOG = "read_log"
    """Read and verify the decision log."""
    ADMIN = "admin"
    """Reload policies, roll workers, and remove old records."""


class Action(StrEnum):
    """An action on the decision log."""

    READ_LOG = "read the decision log"
    PURGE_LOG = "purge the decision log"


REQUIRED_ROLES: Final[dict[str, Role]] = {
    "guidepost.v1.DecisionService": Role.DECIDE,
    "guidepost.v1.PolicyService": Role.READ_POLICIES,
    "guidepost.v1.AuditService": Role.READ_LOG,
    "guidepost.v1.AdminService": Role.ADMIN,
    "guidepost.v1.AuditService/PurgeRecords": Role.ADMIN,
}
"""The role that each service needs, and RPCs that need another role than their service."""

OPEN_SERVICES: Final = frozenset(
    {"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection", "grpc.reflection.v1.ServerReflection"}
)
"""Services that are open to all: they report the health and the services of the server, and nothing of a ticket."""

ACTIONS: Final = {Action.READ_LOG: Role.READ_LOG, Action.PURGE_LOG: Role.ADMIN}


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller and their roles."""

    name: str
    roles: frozenset[Role]


_CALLER: Final[ContextVar[Caller | None]] = ContextVar("current_caller", default=None)


def current_caller() -> Caller | None:
    """Return the caller of the current call; None without authentication."""
    return _CALLER.get()


def caller_name() -> str:
    """Return the name of the caller of the current call; "" without authentication."""
    found = _CALLER.get()
    return "" if found is None else found.name


def set_caller(found: Caller | None) -> None:
    """Set the caller of the current call, for its task and the tasks that it starts."""
    _CALLER.set(found)


def required_role(method: str) -> Role | None:
    """Return the role that an RPC needs, by its path; None for open services.

    An RPC that is not listed needs the role ``admin``.

    >>> required_role("/guidepost.v1.AuditService/GetRecord"), required_role("/guidepost.v1.AuditService/PurgeRecords")
    (<Role.READ_LOG: 'read_log'>, <Role.ADMIN: 'admin'>)
    >>> required_role("/grpc.health.v1.Health/Check")
    """
    service = method.strip("/").partition("/")[0]
    if service in OPEN_SERVICES:
        return None
    return REQUIRED_ROLES.get(method.strip("/")) or REQUIRED_ROLES.get(service, Role.ADMIN)
