"""What people say of the decision log, as plain values, before any key is read: it travels to the workers of a server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.decision_log.masking import Masking
from guidepost.decision_log.database import LogRefused
from guidepost.decision_log.patience import DEFAULT
from guidepost.decision_log.settings import Durability, LogSettings, default_url, token_key
from guidepost.policies.sources.signatures import private_key

MAX_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    """The options of a server's log; see :class:`~guidepost.decision_log.settings.LogSettings`. Keys are the paths of their files, "" for none."""

    url: str = ""
    durability: str = Durability.SYNC.value
    records: int = 1_000
    milliseconds: int = 200
    writer: str = "main"
    patience: float = DEFAULT
    mask_key: str = ""
    mask: tuple[str, ...] = ()
    clear: tuple[str, ...] = ()
    sign_key: str = ""

    def settings(self, worker: int | None = None) -> LogSettings:
        """Read the keys, and give the settings; each worker of a server writes a chain of its own.

        Raises LogRefused or SourceError if a key cannot be read.
        """
        writer = self.writer if worker is None else f"{self.writer}-{worker}"
        if not len(self.writer) > 0 or len(writer) > MAX_NAME:
            raise LogRefused(f"the name of a chain has 1 to {MAX_NAME} characters")
        masking = Masking(
            token_key(Path(self.mask_key)) if self.mask_key else b"", frozenset(self.clear), frozenset(self.mask)
        )
        key = private_key(Path(self.sign_key)) if self.sign_key else None
        return LogSettings(
            url=self.url or default_url(),
            durability=Durability(self.durability),
            writer=writer,
            records=self.records,
            milliseconds=self.milliseconds,
            patience=self.patience,
            masking=masking,
            key=key,
        )
