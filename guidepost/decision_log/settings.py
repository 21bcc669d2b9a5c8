"""What a server is told about its decision log, and what it is if nobody says anything."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.decision_log.masking import Masking
from guidepost.decision_log.database import LogRefused
from guidepost.decision_log.patience import DEFAULT

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

VARIABLE: Final = "GUIDEPOST_DECISION_LOG"
"""The environment variable that names the log."""

MIN_KEY: Final = 32
"""The fewest bytes of a key for tokens."""


class Durability(StrEnum):
    """What is promised of a decision that was answered."""

    SYNC = "sync"
    BOUNDED = "bounded"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """How decisions are recorded.

    ``records`` and ``milliseconds`` bound what may be lost under ``bounded``. ``patience`` is how many seconds an
    answer waits for its record before the call is refused.
    """

    url: str
    durability: Durability = Durability.SYNC
    writer: str = "main"
    records: int = 1_000
    milliseconds: int = 200
    patience: float = DEFAULT
    masking: Masking = field(default_factory=Masking)
    key: Ed25519PrivateKey | None = field(default=None, repr=False)


def default_url() -> str:
    """Return the URL of the log: $GUIDEPOST_DECISION_LOG, else a SQLite file in the user's state folder."""
    named = os.environ.get(VARIABLE)
    if named:
        return named
    return f"sqlite:///{(state_folder() / 'decisions.db').as_posix()}"


def state_folder() -> Path:
    """Return the folder of what a server keeps where no setting says otherwise: $XDG_STATE_HOME/guidepost, else below ~/.local/state."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "guidepost"


def token_key(path: Path) -> bytes:
    """Read the key of the tokens; raises LogRefused if the file has too few bytes, or cannot be read."""
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise LogRefused(f"the key {path} cannot be read: {error.strerror}") from error
    if len(key) < MIN_KEY:
        raise LogRefused(
            f"the key {path} has {len(key)} bytes; a key for tokens has at least {MIN_KEY}",
            f"`openssl rand -hex 32 > {path}` makes one",
        )
    return key
