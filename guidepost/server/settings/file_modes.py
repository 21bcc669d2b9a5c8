"""Settings in, warnings out: files with secrets or recorded facts that other users can read or change.

A group may read them, since servers often get their keys through a group.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import make_url

from guidepost.decision_log.default_key import PRIVATE_FILE
from guidepost.decision_log.settings import default_url, state_folder
from guidepost.server.settings.build import log_settings
from guidepost.server.settings.load import LoadedSettings, WrongSetting
from guidepost.server.settings.model import ServerSettings
from guidepost.server.settings.signing_key import signs

_WRITE = stat.S_IWGRP | stat.S_IWOTH
_SECRET = _WRITE | stat.S_IROTH


def file_mode_warnings(found: LoadedSettings) -> list[WrongSetting]:
    """Return a warning for each file of a server that others can read or change.

    Missing files are reported elsewhere.
    """
    settings = found.settings
    named = [
        (found.origin(name), getattr(settings, name), _SECRET)
        for name in ("tls_key", "callers", "decision_log_file", "log_mask_key", "log_sign_key")
    ]
    # These are public, but who can change them controls who may call.
    named += [
        (found.origin(name), getattr(settings, name), _WRITE)
        for name in ("tls_certificate", "tls_client_ca", "jwt_keys")
    ]
    named += [("the decision log", path, _SECRET) for path in _log_files(settings)]
    if signs(settings) and settings.log_sign_key is None:
        named.append(("the signing key", state_folder() / PRIVATE_FILE, _SECRET))
    return [
        WrongSetting(origin=origin, message=problem[0], help=problem[1])
        for origin, path, unwanted in named
        if path is not None and (problem := _problem(path, unwanted))
    ]


def _problem(path: Path, unwanted: int) -> tuple[str, str] | None:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None  # reported by the checks of settings
    wide = mode & unwanted
    if not wide:
        return None
    who = " and ".join(
        what
        for bits, what in ((stat.S_IROTH, "every user can read it"), (_WRITE, "other users can change it"))
        if wide & bits
    )
    return f"{path} has the mode {mode:04o}: {who}", f"chmod {mode & ~unwanted & ~stat.S_IXOTH:o} {path}"


def _log_files(settings: ServerSettings) -> Iterator[Path]:
    """Yield the files of a log in SQLite: the database, its WAL and its shared memory."""
    try:
        options = log_settings(settings)
    except (OSError, UnicodeDecodeError):
        return  # reported by the checks of settings
    if options is None:
        return
    url = make_url(options.url or default_url())
    if url.get_backend_name() == "sqlite" and url.database:
        yield from (Path(url.database + ending) for ending in ("", "-wal", "-shm"))
