"""The settings of a server, as its parts take them."""

from __future__ import annotations

import sys
from pathlib import Path

from service.log.options import LogOptions
from service.log.settings import Durability
from service.settings.model import ServerSettings
from service.watching import Watching
from service.workers.supervisor import Settings, cores


def log_options(settings: ServerSettings) -> LogOptions | None:
    """Give what the decision log is told; None if none is kept. Raises OSError if the file with its URL cannot be read."""
    if settings.log_durability == Durability.OFF:
        return None
    url = settings.decision_log
    if settings.decision_log_file is not None:
        url = settings.decision_log_file.read_text(encoding="utf-8").strip()
    return LogOptions(
        url, settings.log_durability, settings.log_records, settings.log_milliseconds, settings.log_writer, settings.log_patience,
        _path(settings.log_mask_key), settings.log_mask, settings.log_in_clear, _path(settings.log_sign_key),
    )


def watching(settings: ServerSettings) -> Watching:
    """Give how calls are watched."""
    return Watching(bool(settings.metrics), written(settings.messages), settings.log_calls, settings.traces, settings.traces_share)


def written(messages: str) -> str:
    """Give how messages are written: ``auto`` goes by where they are read."""
    return messages if messages != "auto" else "text" if sys.stderr.isatty() else "json"


def supervised(settings: ServerSettings, policies: Path) -> Settings:
    """Give what the supervisor of the workers is told."""
    workers = cores() if settings.workers is None else settings.workers
    return Settings(policies, workers, log_options(settings), settings.grace, settings.admin, settings.metrics, settings.audit_purge, watching(settings))


def _path(path: Path | None) -> str:
    return "" if path is None else str(path)
