"""A built bundle as bytes, for a worker.

A pickle runs whatever it contains, so only bytes that this program's build process wrote to its parent are read.
"""

from __future__ import annotations

import gc
import pickle
from typing import Final, cast

from engine.version.bundle import Bundle

_PROTOCOL: Final = 5


def pickle_bundle(bundle: Bundle) -> bytes:
    """Return a bundle as bytes."""
    return pickle.dumps(bundle, protocol=_PROTOCOL)


def unpickle_bundle(pickled: bytes) -> Bundle:
    """Return the bundle of these bytes.

    Raises ValueError if they cannot be read, as by a worker that was started before the program was upgraded.
    """
    was_on = gc.isenabled()
    # All values stay: searching them for garbage would double the time.
    gc.disable()
    try:
        return cast("Bundle", pickle.loads(pickled))  # noqa: S301 - written by this program's build process
    except Exception as error:
        raise ValueError(f"the built versions do not match this process: {error}") from error
    finally:
        if was_on:
            gc.enable()
