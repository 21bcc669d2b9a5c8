"""Returns free memory to the system, which the C library would keep."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any


@cache
def _library() -> Any:
    return ctypes.CDLL(None)


def release() -> None:
    """Return free memory to the system. Only glibc keeps it; with other C libraries this does nothing."""
    trim = getattr(_library(), "malloc_trim", None)
    if trim is not None:
        trim(0)
