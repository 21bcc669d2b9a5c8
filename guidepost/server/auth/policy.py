"""What callers may do here, by the settings of a server; the files behind it are read again when they change."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from engine.model.problems import Place, Problem
from guidepost.server.auth.authenticate import Authenticator, Certificate
from guidepost.server.auth.callers import Callers, read_callers
from guidepost.server.auth.config import AuthConfig
from guidepost.server.auth.errors import InvalidAuthFiles, PermissionDenied, Unauthenticated, invalid_file, read_file
from guidepost.server.auth.reloading_file import ReloadingFile
from guidepost.server.auth.roles import ACTIONS, Action, Caller, current_caller, required_role

if TYPE_CHECKING:
    from guidepost.server.auth.jwt import Tokens


class Access:
    """What callers may do. Without callers and tokens, all but to administer and, unless ``purge``, to remove records."""

    def __init__(
        self,
        purge: bool = False,
        callers: ReloadingFile[Callers] | None = None,
        tokens: ReloadingFile[Tokens] | None = None,
    ) -> None:
        self.purge, self._callers, self._tokens = purge, callers, tokens
        self._authenticator = self._new_authenticator()

    def authenticate(
        self, metadata: Iterable[tuple[str, str | bytes]], certificate: Callable[[], Certificate]
    ) -> Caller | None:
        """Return who makes a call, None if nobody is asked; raises Unproven."""
        return None if self._authenticator is None else self._authenticator.caller(metadata, certificate)

    def authorize(self, method: str, found: Caller | None) -> None:
        """Raise Forbidden if a caller has not the role that an RPC needs."""
        role = required_role(method)
        if found is not None and role is not None and role not in found.roles:
            raise PermissionDenied(f"`{found.name}` has not the role `{role}`, which this call needs")

    @property
    def requires_authentication(self) -> bool:
        """Whether callers have to prove who they are."""
        return self._authenticator is not None

    def require(self, action: Action) -> None:
        """Raise Forbidden if whoever makes this call may not do something to the log."""
        found = current_caller()
        if found is not None:
            if ACTIONS[action] not in found.roles:
                raise PermissionDenied(f"`{found.name}` may not {action}: that needs the role `{ACTIONS[action]}`")
        elif action is Action.PURGE_LOG and not self.purge:
            raise PermissionDenied(
                f"nobody may {action} here; start the server with --audit-purge, or use `guidepost audit purge` where the log is"
            )

    def renew(self) -> None:
        """Read the files again that have changed."""
        # Both are asked, whatever the first one says.
        changed = [one.renew() for one in (self._callers, self._tokens) if one is not None]
        if any(changed):
            # Whatever proved right before is proved again.
            self._authenticator = self._new_authenticator()

    def _new_authenticator(self) -> Authenticator | None:
        if self._callers is None and self._tokens is None:
            return None
        return Authenticator(
            self._callers.value if self._callers else Callers(), self._tokens.value if self._tokens else None
        )


class Admission:
    """A call that is admitted; ``caller`` is who makes it. Creating one raises Unproven or Forbidden."""

    __slots__ = ("_access", "_certificate", "_metadata", "_method", "caller")

    def __init__(
        self,
        access: Access,
        method: str,
        metadata: Iterable[tuple[str, str | bytes]],
        certificate: Callable[[], Certificate],
    ) -> None:
        # The certificate of a connection does not change, and takes long to read.
        self._access, self._method, self._metadata, self._certificate = access, method, metadata, cache(certificate)
        self.caller = self._authorized()

    def renew(self) -> None:
        """Raise Unproven or Forbidden if the call would not be admitted now, or not as the same caller."""
        found = self._authorized()
        if found is not self.caller and found.name != self.caller.name:
            raise Unauthenticated("the key or token now belongs to another caller; open the stream again")
        self.caller = found

    def _authorized(self) -> Caller:
        found = self._access.authenticate(self._metadata, self._certificate)
        if found is None:
            raise AssertionError("callers are asked who they are from the start or never")
        self._access.authorize(self._method, found)
        return found


def open_access(settings: AuthConfig) -> Access:
    """Read what the settings name; raises InvalidAuthFiles with every problem."""
    problems: list[Problem] = []
    callers = tokens = None
    try:
        callers = _callers(Path(settings.callers)) if settings.callers else None
    except InvalidAuthFiles as error:
        problems.extend(error.problems)
    try:
        tokens = _tokens(settings) if settings.jwt_keys else None
    except InvalidAuthFiles as error:
        problems.extend(error.problems)
    if settings.requires_authentication and settings.purge:
        problems.append(
            Problem(
                place=Place(file="audit-purge"),
                code="bad-format",
                message="says nothing where callers have roles",
                help="leave it out: the role `admin` says who may remove records",
            )
        )
    if problems:
        raise InvalidAuthFiles(problems)
    return Access(settings.purge, callers, tokens)


def _callers(file: Path) -> ReloadingFile[Callers]:
    def load() -> Callers:
        try:
            text = read_file(file).decode()
        except UnicodeDecodeError:
            raise invalid_file(file, "is not UTF-8") from None
        found, problems = read_callers(str(file), text)
        if problems:
            raise InvalidAuthFiles(problems)
        return found

    return ReloadingFile([file], load)


def _tokens(settings: AuthConfig) -> ReloadingFile[Tokens]:
    file = Path(settings.jwt_keys)
    missing = [
        name
        for name, value in (("jwt-issuer", settings.jwt_issuer), ("jwt-audience", settings.jwt_audience))
        if not value
    ]
    if missing:
        raise InvalidAuthFiles(
            Problem(
                place=Place(file=name),
                code="missing-key",
                message="is missing",
                help="tokens are taken from one issuer, and for one audience: this server",
            )
            for name in missing
        )

    # Only where tokens are taken: what verifies them is large.
    from guidepost.server.auth.jwt import Tokens, read_keys  # noqa: PLC0415

    def load() -> Tokens:
        try:
            plain = json.loads(read_file(file))
            keys = read_keys(plain if isinstance(plain, dict) else {})
        except (ValueError, RecursionError) as error:
            raise invalid_file(file, f"expected a set of public keys (JWKS): {error}") from error
        return Tokens(
            keys=keys,
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
            leeway=settings.jwt_leeway,
            roles_claim=settings.jwt_roles_claim,
        )

    return ReloadingFile([file], load)
