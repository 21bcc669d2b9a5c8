"""Settings in, every problem that would keep the server from serving out, as far as it can be known without serving."""

from __future__ import annotations

import errno
import importlib.util
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from guidepost.decision_log.database import check_usable, connect
from guidepost.decision_log.log_error import LogError
from guidepost.decision_log.settings import default_url
from guidepost.install_command import install_command
from guidepost.policies.sources.source import SourceError
from guidepost.server.security_checks import security_problems
from guidepost.server.settings.build import log_settings, security
from guidepost.server.settings.load import LoadedSettings, WrongSetting
from guidepost.server.settings.model import key

UNIX: Final = "unix:"


def setting_problems(found: LoadedSettings) -> list[WrongSetting]:
    """Return the problems of settings that contradict each other or name missing files. Opens nothing but files."""
    return [*_together(found), *_log(found), *_traces(found), *_protection(found)]


def environment_problems(found: LoadedSettings) -> list[WrongSetting]:
    """Return the problems of the environment: a decision log that cannot be used, ports in use.

    The log is not changed.
    """
    return [*_database(found), *_ports(found)]


def _together(found: LoadedSettings) -> Iterator[WrongSetting]:
    settings = found.settings
    if settings.workers == 0 and settings.admin:
        yield WrongSetting(
            origin=found.origin("admin"),
            message="a single process has no admin service",
            help="remove the setting, or use workers",
        )
    if settings.host.startswith(UNIX) and settings.workers != 0:
        yield WrongSetting(
            origin=found.origin("host"),
            message="workers cannot share a Unix socket",
            help="`--workers 0` serves from one process",
        )
    if settings.log_sign_key is not None and not settings.log_sign:
        yield WrongSetting(
            origin=found.origin("log_sign_key"),
            message=f"the key is set, but {found.origin('log_sign')} turns signing off",
            help="use only one of them",
        )
    listening = [("port", _own_address(found)), ("admin", settings.admin), ("metrics", settings.metrics)]
    taken: dict[str, str] = {}
    for name, address in listening:
        if address and not address.endswith(":0") and (other := taken.setdefault(address, name)) != name:
            yield WrongSetting(origin=found.origin(name), message=f"{address} is also the address of `{other}`")


def _log(found: LoadedSettings) -> Iterator[WrongSetting]:
    settings = found.settings
    if settings.decision_log and settings.decision_log_file is not None:
        yield WrongSetting(
            origin=found.origin("decision_log_file"),
            message=f"the decision log is also set by {found.origin('decision_log')}",
            help="use only one of them",
        )
    if _has_password(settings.decision_log):
        yield WrongSetting(
            origin=found.origin("decision_log"),
            message="expected a URL without a password",
            help="write the URL to a file that only the server can read, and set `decision-log-file` to it",
        )
    try:
        options = log_settings(settings)
    except (OSError, UnicodeDecodeError) as error:
        yield WrongSetting(
            origin=found.origin("decision_log_file"),
            message=f"{settings.decision_log_file} cannot be read: {getattr(error, 'strerror', None) or error}",
        )
        return
    if options is not None:
        try:
            options.validate()
        except (LogError, SourceError) as error:
            yield WrongSetting(origin="the decision log", message=error.message, help=error.help)


def _traces(found: LoadedSettings) -> Iterator[WrongSetting]:
    if found.settings.traces and importlib.util.find_spec("opentelemetry") is None:
        yield WrongSetting(
            origin=found.origin("traces"),
            message="OpenTelemetry is not installed",
            help=f"install two packages: `{install_command('opentelemetry-sdk', 'opentelemetry-exporter-otlp-proto-grpc')}`",
        )


def _protection(found: LoadedSettings) -> Iterator[WrongSetting]:
    settings = found.settings
    # Metrics have neither TLS nor callers, but no facts of a ticket either, so every address is allowed.
    origins = {
        _own_address(found): found.origin("host"),
        settings.admin: found.origin("admin"),
        **{key(name): found.origin(name) for name in ("audit_purge", "jwt_issuer", "jwt_audience")},
    }
    for one in security_problems(
        security(settings), [address for address in (_own_address(found), settings.admin) if address]
    ):
        yield WrongSetting(
            origin=origins.get(one.place.file, str(one.place)), message=one.message, help=one.help, place=one.place
        )


def _database(found: LoadedSettings) -> Iterator[WrongSetting]:
    try:
        options = log_settings(found.settings)
        if options is not None:
            check_usable(connect(options.url or default_url()))
    except LogError as error:
        yield WrongSetting(origin="the decision log", message=error.message, help=error.help)
    except OSError:
        return  # reported by `_log`


def _ports(found: LoadedSettings) -> Iterator[WrongSetting]:
    for name, address in (
        ("port", _own_address(found)),
        ("admin", found.settings.admin),
        ("metrics", found.settings.metrics),
    ):
        if address.startswith(UNIX):
            folder = Path(address.removeprefix(UNIX)).parent
            if not os.access(folder, os.W_OK):
                yield WrongSetting(origin=found.origin("host"), message=f"cannot create a socket in {folder}")
        elif address and (why := _taken(address)) is not None:
            # Only the first of these addresses serves health checks.
            running = name == "port" and why.errno == errno.EADDRINUSE
            yield WrongSetting(
                origin=found.origin(name),
                message=f"cannot listen on {address}: {why.strerror or why}",
                help=f"check whether a server runs there: `guidepost health {address}`" if running else "",
            )


def _own_address(found: LoadedSettings) -> str:
    host = found.settings.host
    return host if host.startswith(UNIX) else f"{host}:{found.settings.port}"


def _taken(address: str) -> OSError | None:
    """Return the error of binding an address; None if it can be bound."""
    host, _, port = address.rpartition(":")
    try:
        family, _, _, _, where = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, socket.SOCK_STREAM) as alone:
            alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            alone.bind(where)
            alone.listen(1)
    except OSError as error:
        return error
    return None


def _has_password(url: str) -> bool:
    try:
        return bool(url) and make_url(url).password is not None
    except ArgumentError:
        return False
