"""A zip or tar of a policies folder, as `zip://FOLDER::FILE` or `tar://FOLDER::FILE`; the file may be an address.

Such an archive says nothing of itself, so one that comes from elsewhere is only read if its bytes are verified first.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import fsspec

from engine.load import MANIFEST
from engine.load.files import of_a_version
from guidepost.policies.sources.bundle_archive import MAX_ARCHIVE
from guidepost.policies.sources.remote import check_pin, fetch, redacted, split_pin
from guidepost.policies.sources.signatures import Trust
from guidepost.policies.sources.source import Origin, Source, SourceError
from guidepost.policies.sources.text_files import MAX_BYTES, MAX_FILES, decode_files, size_problem

KINDS: Final = ("zip", "tar")
_GZIP: Final = b"\x1f\x8b"


def read_archive(spec: str, trust: Trust) -> Source:
    """Read a folder of an archive; raises SourceError if it does not exist, or if it is remote and not verified."""
    inner, _, outer = spec.partition("::")
    kind, _, folder = inner.partition("://")
    if kind not in KINDS or not outer or "::" in outer:
        raise SourceError(
            f"`{spec}` is not the name of an archive",
            "write `zip://FOLDER::FILE` or `tar://FOLDER::FILE`; without FOLDER, the top of the archive",
        )
    name, pin = split_pin(outer)
    if "://" in name and not name.startswith("file://"):
        fetched = fetch(name, pin, trust)
        data, name, by = fetched.data, redacted(name), fetched.by
    else:
        data, by = local_bytes(Path(name.removeprefix("file://")), pin), ""
    folder = folder.strip("/")
    root = f"{name}/{folder}".rstrip("/")
    return Source(
        files=decode_files(_contents(kind, data, folder, root), root),
        root=root,
        label=spec,
        origin=Origin.ARCHIVE,
        detail=by,
    )


def local_bytes(path: Path, pin: str = "") -> bytes:
    """Read a file of the size of a bundle; raises SourceError if it is missing, larger, or does not have its pin."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_ARCHIVE + 1)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_ARCHIVE:
        raise SourceError(f"{path} is larger than {MAX_ARCHIVE:,} bytes", "a bundle of policies is smaller")
    if pin:
        check_pin(data, pin, str(path))
    return data


def _contents(kind: str, data: bytes, folder: str, root: str) -> dict[str, bytes]:
    """Return the bytes of a version's files in a folder of an archive."""
    with _archive_errors(f"{root} cannot be read as {kind}"):
        system = fsspec.filesystem(
            kind, skip_instance_cache=True, fo=io.BytesIO(_unpacked(data) if kind == "tar" else data)
        )
        listed = [path for path, about in system.find("", detail=True).items() if about["type"] == "file"]
    prefix = f"{folder}/" if folder else ""
    wanted = {
        path.removeprefix(prefix): path
        for path in listed
        if path.startswith(prefix) and of_a_version(path.removeprefix(prefix))
    }
    if MANIFEST not in wanted:
        raise SourceError(f"no policies in {root}: there is no {MANIFEST}", _folders_help(kind, listed))
    with _archive_errors(f"{root} cannot be read as {kind}"):
        contents = _read(system, wanted)
    if refused := size_problem(len(wanted), sum(map(len, contents.values())), root):
        raise refused
    return contents


@contextmanager
def _archive_errors(what: str) -> Iterator[None]:
    """Raise the various errors of zip, tar and gzip as SourceError."""
    try:
        yield
    except Exception as error:
        raise SourceError(f"{what}: {' '.join(str(error).split())[:200]}") from error


def _unpacked(data: bytes) -> bytes:
    """Decompress gzip, up to the largest archive."""
    if not data.startswith(_GZIP):
        return data
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
        unpacked = packed.read(MAX_ARCHIVE + 1)
    if len(unpacked) > MAX_ARCHIVE:
        raise ValueError(f"it unpacks to more than {MAX_ARCHIVE:,} bytes")
    return unpacked


def _read(system: fsspec.AbstractFileSystem, wanted: dict[str, str]) -> dict[str, bytes]:
    """Read files up to the limits of a version, whatever sizes the archive declares."""
    contents: dict[str, bytes] = {}
    left = MAX_BYTES
    for path, inside in list(wanted.items())[: MAX_FILES + 1]:
        with system.open(inside, "rb") as file:
            contents[path] = file.read(left + 1)
        left -= len(contents[path])
        if left < 0:
            break
    return contents


def _folders_help(kind: str, listed: list[str]) -> str:
    folders = sorted(path.rpartition("/")[0] for path in listed if path.endswith(f"/{MANIFEST}") or path == MANIFEST)
    return "there is one in " + ", ".join(f"`{kind}://{folder}::...`" for folder in folders[:3]) if folders else ""
