"""The settings of a decision log and their defaults, as plain values that can be sent to another process.

Keys are the paths of their files: each process that needs a key reads it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.records.masking import Masking
from guidepost.decision_log.log_error import LogError
from guidepost.decision_log.time_limits import DEFAULT_TIMEOUT
from guidepost.policies.sources.signatures import private_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

VARIABLE: Final = "GUIDEPOST_DECISION_LOG"
"""The environment variable that names the log."""

MIN_KEY: Final = 32
"""The fewest bytes of a key for tokens."""

MAX_NAME: Final = 200
"""The most characters of the name of a chain, and of the name of a person who purges."""


class Durability(StrEnum):
    """When an answer may leave: after its record is on disk, at most so many records ahead of it, or unrecorded."""

    SYNC = "sync"
    BOUNDED = "bounded"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """How decisions are recorded.

    Attributes:
        url: the database; "" stands for :func:`default_url`.
        durability: when an answer may leave.
        records: under ``bounded``, the most answers that may be ahead of their records.
        milliseconds: under ``bounded``, the longest that an answer may be ahead of its record.
        writer: the name of the chain; each worker of a server adds its number to it.
        timeout: how many seconds an answer waits for its record before the call is refused.
        mask_key: the file with the key for tokens of masked texts; without one, masked texts have no token.
        mask: facts whose unlisted values are masked, in addition to free texts.
        clear: texts that are recorded as they were sent.
        sign_key: the file with the private key that signs heads; "" for none.
    """

    url: str = ""
    durability: Durability = Durability.SYNC
    records: int = 1_000
    milliseconds: int = 200
    writer: str = "main"
    timeout: float = DEFAULT_TIMEOUT
    mask_key: str = ""
    mask: tuple[str, ...] = ()
    clear: tuple[str, ...] = ()
    sign_key: str = ""

    def for_worker(self, number: int) -> LogSettings:
        """Return the settings of one worker, which writes a chain of its own; 0 stands for a server without workers.

        Raises LogError if the name of the chain is empty or too long.
        """
        writer = f"{self.writer}-{number}" if number and self.writer else self.writer
        if not 0 < len(writer) <= MAX_NAME:
            raise LogError(f"expected a chain name of 1 to {MAX_NAME} characters, got {len(writer)}")
        # Settings that came from another process as JSON have their durability as text.
        return replace(self, url=self.url or default_url(), writer=writer, durability=Durability(self.durability))

    def validate(self) -> None:
        """Raise LogError or SourceError if the name of the chain is empty or too long, or a key cannot be read."""
        self.for_worker(0)
        self.masking()
        self.signing_key()

    def masking(self) -> Masking:
        """Read the key for tokens, and return how facts are masked; raises LogError if the key cannot be read."""
        key = token_key(Path(self.mask_key)) if self.mask_key else b""
        return Masking(key, frozenset(self.clear), frozenset(self.mask))

    def signing_key(self) -> Ed25519PrivateKey | None:
        """Read the key that signs heads, None without one; raises SourceError if it cannot be read."""
        return private_key(Path(self.sign_key)) if self.sign_key else None


DEFAULTS: Final = LogSettings()
"""The settings of a log for which none are set."""


def default_url() -> str:
    """Return $GUIDEPOST_DECISION_LOG, else the URL of the SQLite file ``decisions.db`` in the user's state folder."""
    named = os.environ.get(VARIABLE)
    if named:
        return named
    return f"sqlite:///{(state_folder() / 'decisions.db').as_posix()}"


def state_folder() -> Path:
    """Return $XDG_STATE_HOME/guidepost, else ~/.local/state/guidepost: where a server keeps its log and its key."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "guidepost"


def token_key(path: Path) -> bytes:
    """Read a key for tokens; raises LogError if the file cannot be read or holds fewer than 32 bytes."""
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise LogError(f"the key {path} cannot be read: {error.strerror}") from error
    if len(key) < MIN_KEY:
        raise LogError(
            f"expected a key of at least {MIN_KEY} bytes, got {len(key)} in {path}",
            f"`openssl rand -hex 32 > {path}` makes one",
        )
    return key
