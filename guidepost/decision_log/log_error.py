"""Why a decision log or its key cannot be used."""

from __future__ import annotations


class LogError(Exception):
    """A decision log or its key cannot be used; has a message and a help, which may be ""."""

    def __init__(self, message: str, help_: str = "") -> None:
        self.message, self.help = message, help_
        super().__init__(f"{message}; {help_}" if help_ else message)
