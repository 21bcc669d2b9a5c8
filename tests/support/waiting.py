"""Waiting for what is to become true."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(true: Callable[[], object], seconds: float = 60) -> None:
    """Ask again and again until it is true; fails if it takes too long."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def true_within(seconds: float, wanted: Callable[[], bool]) -> bool:
    """Return whether something comes true in time."""
    end = time.monotonic() + seconds
    while not wanted():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
