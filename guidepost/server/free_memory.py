"""Memory that is free is given back to the system, where the C library keeps it for later."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any


@cache
def _library() -> Any:
    return ctypes.CDLL(None)


def release() -> None:
    """Give free memory back. Only glibc is known to keep it; elsewhere this does nothing."""
    trim = getattr(_library(), "malloc_trim", None)
    if trim is not None:
        trim(0)
