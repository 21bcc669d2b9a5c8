"""A built bundle in a file. Workers map it into memory, so that they share its arrays.

Only this release of the program writes and reads the file, in a folder that no other user can write to.
"""

from __future__ import annotations

import mmap
import pickle
import struct
from pathlib import Path
from typing import Final, cast

from engine.version.bundle import Bundle

_COUNT: Final = struct.Struct("<Q")
_ALIGNMENT: Final = 64
_PROTOCOL: Final = 5


def write_bundle(bundle: Bundle, path: Path) -> None:
    """Write a bundle: the pickled objects, then the arrays as they are in memory."""
    arrays: list[pickle.PickleBuffer] = []
    frame = pickle.dumps(bundle, protocol=_PROTOCOL, buffer_callback=arrays.append)
    parts: list[bytes | memoryview] = [frame, *(array.raw() for array in arrays)]
    with path.open("wb") as file:
        file.write(_COUNT.pack(len(parts)))
        file.writelines(_COUNT.pack(len(part)) for part in parts)
        for part in parts:
            file.write(bytes(-file.tell() % _ALIGNMENT))
            file.write(part)


def read_bundle(path: Path) -> Bundle:
    """Read a bundle. Its arrays stay in the file until they are used; the file may be removed afterwards.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is truncated or not a bundle.
    """
    with path.open("rb") as file:
        memory = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    try:
        frame, *arrays = _parts(memory)
        return cast("Bundle", pickle.loads(frame, buffers=arrays))  # noqa: S301 - written by this program, in its own folder
    except (pickle.UnpicklingError, struct.error, EOFError, IndexError) as error:
        raise ValueError(f"{path.name} is not a complete bundle: {error}") from error


def _parts(memory: memoryview) -> list[memoryview]:
    (count,) = _COUNT.unpack_from(memory)
    sizes = [_COUNT.unpack_from(memory, _COUNT.size * (at + 1))[0] for at in range(count)]
    parts: list[memoryview] = []
    at = _COUNT.size * (count + 1)
    for size in sizes:
        at += -at % _ALIGNMENT
        parts.append(memory[at : at + size])
        at += size
    if at > len(memory):
        raise ValueError(f"expected {at:,} bytes, found {len(memory):,}")
    return parts
