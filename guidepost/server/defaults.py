"""Defaults that several parts of a server share. Other defaults are those of the class that uses them."""

from __future__ import annotations

from typing import Final

HOST: Final = "127.0.0.1"
"""The address to listen on."""

PORT: Final = 50051
"""The port to listen on."""

GRACE: Final = 5.0
"""Seconds that calls under way have to complete when a server stops."""
