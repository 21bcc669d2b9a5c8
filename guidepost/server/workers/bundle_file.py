"""A built bundle in a file: written once, mapped into the memory of every worker, which share its arrays.

The file is made and read by this release of the program only, in a folder that nobody else can write.
"""

from __future__ import annotations

import mmap
import pickle
import struct
from pathlib import Path
from typing import Final, cast

from engine.version.bundle import Bundle

_COUNT: Final = struct.Struct("<Q")
_ALIGNED: Final = 64
_PROTOCOL: Final = 5


def write_bundle(built: Bundle, path: Path) -> None:
    """Write a bundle: its arrays as they lie in memory, and what holds them together."""
    arrays: list[pickle.PickleBuffer] = []
    frame = pickle.dumps(built, protocol=_PROTOCOL, buffer_callback=arrays.append)
    parts: list[bytes | memoryview] = [frame, *(array.raw() for array in arrays)]
    with path.open("wb") as file:
        file.write(_COUNT.pack(len(parts)))
        file.writelines(_COUNT.pack(len(part)) for part in parts)
        for part in parts:
            file.write(bytes(-file.tell() % _ALIGNED))
            file.write(part)


def read_bundle(path: Path) -> Bundle:
    """Read a bundle; its arrays stay in the file, and are read when they are looked at. The file may be removed afterwards.

    Raises OSError if it cannot be read, and ValueError if it is not whole.
    """
    with path.open("rb") as file:
        memory = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    try:
        frame, *arrays = _parts(memory)
        return cast("Bundle", pickle.loads(frame, buffers=arrays))  # noqa: S301 - made by this program, in a folder of its own
    except (pickle.UnpicklingError, struct.error, EOFError, IndexError) as error:
        raise ValueError(f"{path.name} is not whole: {error}") from error


def _parts(memory: memoryview) -> list[memoryview]:
    (count,) = _COUNT.unpack_from(memory)
    sizes = [_COUNT.unpack_from(memory, _COUNT.size * (at + 1))[0] for at in range(count)]
    parts: list[memoryview] = []
    at = _COUNT.size * (count + 1)
    for size in sizes:
        at += -at % _ALIGNED
        parts.append(memory[at : at + size])
        at += size
    if at > len(memory):
        raise ValueError(f"it ends after {len(memory):,} of {at:,} bytes")
    return parts
