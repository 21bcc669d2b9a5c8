"""Settings in, configurations of the server's parts out."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from guidepost.decision_log.settings import Durability, LogSettings
from guidepost.server.auth.config import AuthConfig, TlsFiles
from guidepost.server.observability.config import ObservabilityConfig
from guidepost.server.rpc.limits import Limits
from guidepost.server.security import Security
from guidepost.server.settings.model import ServerSettings
from guidepost.server.workers.supervisor import SupervisorConfig, cores


def log_settings(settings: ServerSettings) -> LogSettings | None:
    """Return the settings of the decision log; None without one.

    Raises OSError if the file with its URL cannot be read.
    """
    if settings.log_durability == Durability.OFF:
        return None
    url = settings.decision_log
    if settings.decision_log_file is not None:
        url = settings.decision_log_file.read_text(encoding="utf-8").strip()
    return LogSettings(
        url=url,
        durability=Durability(settings.log_durability),
        records=settings.log_records,
        milliseconds=settings.log_milliseconds,
        writer=settings.log_writer,
        timeout=settings.log_timeout,
        mask_key=_path(settings.log_mask_key),
        mask=settings.log_mask,
        clear=settings.log_unmasked,
        sign_key=_path(settings.log_sign_key),
    )


def observability(settings: ServerSettings) -> ObservabilityConfig:
    """Return what the server measures, logs and traces."""
    return ObservabilityConfig(
        metrics=bool(settings.metrics),
        log_format=log_format(settings.messages),
        log_calls=settings.log_calls,
        traces=settings.traces,
        sample_ratio=settings.traces_sample_ratio,
    )


def log_format(messages: str) -> str:
    """Return the format of messages; ``auto`` is text on a terminal, else JSON."""
    return messages if messages != "auto" else "text" if sys.stderr.isatty() else "json"


def supervisor_config(settings: ServerSettings, policies: Path, sign_key: str) -> SupervisorConfig:
    """Return the configuration of the supervisor; ``sign_key`` is the file of the key that signs heads, "" for none."""
    workers = cores() if settings.workers is None else settings.workers
    log = log_settings(settings)
    return SupervisorConfig(
        policies=policies,
        workers=workers,
        log=replace(log, sign_key=sign_key) if log else None,
        grace=settings.grace,
        admin=settings.admin,
        metrics=settings.metrics,
        observability=observability(settings),
        security=security(settings),
    )


def security(settings: ServerSettings) -> Security:
    """Return the security of the server: authentication, TLS and limits."""
    files = TlsFiles(_path(settings.tls_certificate), _path(settings.tls_key), _path(settings.tls_client_ca))
    access = AuthConfig(
        callers=_path(settings.callers),
        jwt_keys=_path(settings.jwt_keys),
        jwt_issuer=settings.jwt_issuer,
        jwt_audience=settings.jwt_audience,
        jwt_leeway=settings.jwt_leeway,
        jwt_roles_claim=settings.jwt_roles_claim,
        purge=settings.audit_purge,
    )
    limits = Limits(
        in_flight=settings.max_in_flight,
        streams=settings.max_streams,
        watches=settings.max_health_watches,
        incomplete=settings.max_incomplete,
        open_incomplete=settings.max_incomplete_open,
        message_timeout=settings.message_timeout,
        batch=settings.max_batch,
        request=settings.max_request_bytes,
        metadata=settings.max_metadata_bytes,
        connections=settings.max_connections,
        connection_streams=settings.max_connection_streams,
        connection_idle=settings.max_connection_idle,
        connection_age=settings.max_connection_age,
        connection_age_grace=settings.max_connection_age_grace,
        ping_interval=settings.min_ping_interval,
    )
    return Security(
        access=access,
        tls=files if any((files.certificate, files.key, files.client_ca)) else None,
        limits=limits,
        reflection=settings.reflection,
        trust_network=settings.trust_network,
    )


def _path(path: Path | None) -> str:
    return "" if path is None else str(path)
