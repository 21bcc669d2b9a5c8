"""Authenticates and authorizes calls by the settings of a server. Its files are read again when they change."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from engine.model.problems import Place, Problem
from guidepost.server.auth.authenticate import Authenticator, Certificate
from guidepost.server.auth.callers import Callers
from guidepost.server.auth.config import AuthConfig
from guidepost.server.auth.errors import InvalidAuthFiles, PermissionDenied, Unauthenticated, invalid_file, read_file
from guidepost.server.auth.reloading_file import ReloadingFile
from guidepost.server.auth.roles import ACTIONS, Action, Caller, current_caller, required_role

if TYPE_CHECKING:
    from guidepost.server.auth.jwt import Tokens


class Access:
    """What callers may do.

    Without callers and tokens, they may do everything except, unless ``purge``, remove records.
    """

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
        """Return the caller of a call, None without authentication; raises Unauthenticated."""
        return None if self._authenticator is None else self._authenticator.caller(metadata, certificate)

    def authorize(self, method: str, found: Caller | None) -> None:
        """Raise PermissionDenied if a caller lacks the role that an RPC needs."""
        role = required_role(method)
        if found is not None and role is not None and role not in found.roles:
            raise PermissionDenied(f"`{found.name}` lacks the role `{role}`, which this call needs")

    @property
    def requires_authentication(self) -> bool:
        """Whether every call needs a key, a token or a certificate."""
        return self._authenticator is not None

    def require(self, action: Action) -> None:
        """Raise PermissionDenied if the current caller may not perform an action on the log."""
        found = current_caller()
        if found is not None:
            if ACTIONS[action] not in found.roles:
                raise PermissionDenied(
                    f"`{found.name}` lacks the role `{ACTIONS[action]}`, which is needed to {action}"
                )
        elif action is Action.PURGE_LOG and not self.purge:
            raise PermissionDenied(
                f"this server does not let callers {action}; start it with --audit-purge, "
                "or use `guidepost audit purge` with access to the log"
            )

    def renew(self) -> None:
        """Read the files that have changed."""
        # A list, so that both files are checked.
        changed = [one.renew() for one in (self._callers, self._tokens) if one is not None]
        if any(changed):
            # Cached credentials are verified again.
            self._authenticator = self._new_authenticator()

    def _new_authenticator(self) -> Authenticator | None:
        if self._callers is None and self._tokens is None:
            return None
        return Authenticator(
            self._callers.value if self._callers else Callers(), self._tokens.value if self._tokens else None
        )


class Admission:
    """An authorized call. Creating one raises Unauthenticated or PermissionDenied."""

    __slots__ = ("_access", "_certificate", "_metadata", "_method", "caller")

    def __init__(
        self,
        access: Access,
        method: str,
        metadata: Iterable[tuple[str, str | bytes]],
        certificate: Callable[[], Certificate],
    ) -> None:
        # Cached, since the certificate of a connection does not change and is slow to read.
        self._access, self._method, self._metadata, self._certificate = access, method, metadata, cache(certificate)
        self.caller = self._authorized()

    def renew(self) -> None:
        """Raise Unauthenticated or PermissionDenied if the call is no longer authorized for the same caller."""
        found = self._authorized()
        if found is not self.caller and found.name != self.caller.name:
            raise Unauthenticated("the key or token now belongs to another caller; open the stream again")
        self.caller = found

    def _authorized(self) -> Caller:
        found = self._access.authenticate(self._metadata, self._certificate)
        if found is None:
            raise AssertionError("authentication is required from the start or never")
        self._access.authorize(self._method, found)
        return found


def open_access(config: AuthConfig) -> Access:
    """Read the files of a configuration; raises InvalidAuthFiles with every problem."""
    problems: list[Problem] = []
    callers = tokens = None
    try:
        callers = _callers(Path(config.callers)) if config.callers else None
    except InvalidAuthFiles as error:
        problems.extend(error.problems)
    try:
        tokens = _tokens(config) if config.jwt_keys else None
    except InvalidAuthFiles as error:
        problems.extend(error.problems)
    if config.requires_authentication and config.purge:
        problems.append(
            Problem(
                place=Place(file="audit-purge"),
                code="bad-format",
                message="has no effect if callers have roles",
                help="remove the setting: callers with the role `admin` may remove records",
            )
        )
    if problems:
        raise InvalidAuthFiles(problems)
    return Access(config.purge, callers, tokens)


def _callers(file: Path) -> ReloadingFile[Callers]:
    from guidepost.server.auth.callers_file import read_callers  # noqa: PLC0415 - few servers need its YAML reader

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


def _tokens(config: AuthConfig) -> ReloadingFile[Tokens]:
    file = Path(config.jwt_keys)
    missing = [
        name for name, value in (("jwt-issuer", config.jwt_issuer), ("jwt-audience", config.jwt_audience)) if not value
    ]
    if missing:
        raise InvalidAuthFiles(
            Problem(
                place=Place(file=name),
                code="missing-key",
                message="is missing",
                help="set the issuer and the audience of the tokens that this server accepts",
            )
            for name in missing
        )

    # Imported only if tokens are accepted: the library is large.
    from guidepost.server.auth.jwt import Tokens, read_keys  # noqa: PLC0415

    def load() -> Tokens:
        try:
            plain = json.loads(read_file(file))
            keys = read_keys(plain if isinstance(plain, dict) else {})
        except (ValueError, RecursionError) as error:
            raise invalid_file(file, f"expected a set of public keys (JWKS): {error}") from error
        return Tokens(
            keys=keys,
            issuer=config.jwt_issuer,
            audience=config.jwt_audience,
            leeway=config.jwt_leeway,
            roles_claim=config.jwt_roles_claim,
        )

    return ReloadingFile([file], load)
