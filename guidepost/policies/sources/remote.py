"""Bytes from elsewhere: fetched within limits through fsspec, and verified before anything is made of them.

An address is that of a bundle, or ends with ``/`` and is that of a folder which holds an unpacked bundle. It is used only if
its ``#sha256=`` fits, or if a trusted key signed it (``.sig`` behind the name; ``bundle.sig`` in a folder). A folder is
verified by packing it again: that gives the bytes of the bundle it came from, so one signature covers both forms.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import fsspec

from engine.load.files import of_a_version
from guidepost.install_command import install_command
from guidepost.policies.sources.bundle_archive import DESCRIPTION, MAX_ARCHIVE, description_of, pack, read_bundle
from guidepost.policies.sources.signatures import (
    MAX_SIGNATURE,
    SUFFIX,
    Signature,
    Trust,
    read_signature,
    same_digest,
    verify,
)
from guidepost.policies.sources.source import Origin, Source, SourceError
from guidepost.policies.sources.text_files import MAX_FILES, decode_files

CONNECT_SECONDS: Final = 10.0
"""How long a server may take to say its first word."""

TOTAL_SECONDS: Final = 60.0
"""How long one file may take in all."""

PROTOCOLS: Final = ("http", "https", "s3", "gs", "memory")
"""Where bytes may come from; other protocols that fsspec knows are refused."""

DRIVERS: Final = {"http": "fsspec[http]", "https": "fsspec[http]", "s3": "s3fs", "gs": "gcsfs", "memory": "fsspec"}
"""The package that reads each protocol."""

_PIN: Final = "#sha256="
_MAX_DESCRIPTION: Final = 16_000_000


@dataclass(frozen=True, slots=True)
class Fetched:
    """Bytes that are verified: by what, and by which signature if it was one."""

    data: bytes
    by: str
    signature: Signature | None


def read_address(spec: str, trust: Trust) -> Source:
    """Read the bundle, packed or unpacked, at an address; raises SourceError if it cannot be fetched or is not verified."""
    address, pin = split_pin(spec)
    fetched = fetch(address, pin, trust)
    made = read_bundle(fetched.data, redacted(address))
    if fetched.signature is not None:
        same_digest(fetched.signature, made.ref.digest, redacted(address))
    return Source(files=made.files, root=redacted(address), label=spec, origin=Origin.REMOTE, detail=fetched.by)


def split_pin(spec: str) -> tuple[str, str]:
    """Split what stands behind `#sha256=` from a name; raises SourceError if it is no SHA-256.

    >>> split_pin("https://desk.example/a.zip")
    ('https://desk.example/a.zip', '')
    """
    name, mark, pin = spec.partition(_PIN)
    if mark and (len(pin) != 64 or set(pin.lower()) - set("0123456789abcdef")):
        raise SourceError(
            f"expected a SHA-256, got `{_PIN}{pin}`", "write its 64 hexadecimal digits; `guidepost build` says them"
        )
    return name, pin.lower()


def check_pin(data: bytes, pin: str, name: str) -> None:
    """Hold bytes against the SHA-256 that was asked for; raises SourceError if they differ."""
    found = hashlib.sha256(data).hexdigest()
    if found != pin:
        raise SourceError(
            f"{name} has another SHA-256 than the one asked for: {found}", "do not use it before you know why"
        )


def fetch(address: str, pin: str, trust: Trust) -> Fetched:
    """Fetch an address and verify it; nothing is fetched if nothing could verify it."""
    name = redacted(address)
    if not pin and not trust.keys:
        raise SourceError(
            f"{name} is remote, and nothing is here to verify it by",
            f"name a trusted key with --key, or its SHA-256: `ADDRESS{_PIN}...`",
        )
    data, signature_at = (
        (_fetch_folder(address), f"{address}bundle{SUFFIX}")
        if urlsplit(address).path.endswith("/")
        else (_fetch_file(address, MAX_ARCHIVE), _beside(address))
    )
    if pin:
        check_pin(data, pin, name)
        return Fetched(data, f"pinned by sha256 {pin}", None)
    signature = read_signature(_fetch_file(signature_at, MAX_SIGNATURE), redacted(signature_at))
    by = verify(hashlib.sha256(data).hexdigest(), signature, trust, name)
    return Fetched(data, f"signed by {by.id} ({by.name})", signature)


def redacted(address: str) -> str:
    """Return an address without what may be secret in it: who asks, and what stands behind the `?`.

    >>> redacted("https://me:secret@desk.example:8443/a.zip?token=1")
    'https://desk.example:8443/a.zip'
    """
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _beside(address: str) -> str:
    parts = urlsplit(address)
    return urlunsplit(parts._replace(path=parts.path + SUFFIX))


def _fetch_folder(folder: str) -> bytes:
    """Fetch an unpacked bundle, file by file as its description lists them, and pack it again."""
    described = _fetch_file(folder + DESCRIPTION, _MAX_DESCRIPTION)
    paths = [file["path"] for file in description_of(described, redacted(folder).rstrip("/"))["files"]]
    if len(paths) > MAX_FILES or any(not of_a_version(path) for path in paths):
        raise SourceError(
            f"{redacted(folder)}{DESCRIPTION} lists files that no bundle has", "take the bundle as it was built"
        )
    contents: dict[str, bytes] = {}
    left = MAX_ARCHIVE
    for path in paths:
        contents[path] = _fetch_file(folder + path, left)
        left -= len(contents[path])
    return pack(decode_files(contents, redacted(folder).rstrip("/")), described)


def _fetch_file(address: str, limit: int) -> bytes:
    """Fetch one file; raises SourceError if it is not there, too large, or takes too long."""
    protocol, name = urlsplit(address).scheme, redacted(address)
    if protocol not in PROTOCOLS:
        raise SourceError(f"no version is read from `{protocol}://`", f"known: {', '.join(PROTOCOLS)}")
    try:
        system = fsspec.filesystem(protocol, skip_instance_cache=True, **_options(protocol))
        with system.open(address, "rb", **_OPENED.get(protocol, {})) as file:
            return _up_to(file.read, limit, name)
    except ImportError as error:
        raise SourceError(
            f"{name} cannot be read without a driver for `{protocol}://`",
            f"install the one for it: `{install_command(DRIVERS[protocol])}`",
        ) from error
    except FileNotFoundError:
        raise SourceError(f"there is nothing at {name}") from None
    except TimeoutError:
        raise SourceError(
            f"{name} did not come in time ({CONNECT_SECONDS:g} s for the first word, {TOTAL_SECONDS:g} s in all)"
        ) from None
    except SourceError:
        raise
    except Exception as error:  # noqa: BLE001 - every driver has errors of its own
        raise SourceError(f"{name} cannot be fetched: {_reason(error)}") from None


def _up_to(read: Callable[[int], bytes], limit: int, name: str) -> bytes:
    """Read to the end, or refuse what goes on beyond the limit: what a server says of its size is not relied on."""
    parts, size = [], 0
    while part := read(min(1 << 20, limit + 1 - size)):
        parts.append(part)
        size += len(part)
        if size > limit:
            raise SourceError(
                f"{name} is larger than {limit:,} bytes", "a bundle of policies, or its signature, is smaller"
            )
    return b"".join(parts)


_OPENED: Final[dict[str, dict[str, Any]]] = {protocol: {"block_size": 0, "size": 1} for protocol in ("http", "https")}
"""How a file is opened: as a stream, and without the requests that fsspec makes first to learn a size."""


def _options(protocol: str) -> dict[str, Any]:
    """Return what a driver is made with: its limits on time."""
    if protocol == "memory":
        return {}
    if protocol == "s3":
        return {"config_kwargs": {"connect_timeout": CONNECT_SECONDS, "read_timeout": TOTAL_SECONDS}}
    import aiohttp  # noqa: PLC0415 - it belongs to the extra `remote`

    timeout = aiohttp.ClientTimeout(total=TOTAL_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=CONNECT_SECONDS)
    if protocol == "gs":
        return {"access": "read_only", "requests_timeout": timeout}
    watch = aiohttp.TraceConfig()
    watch.on_request_redirect.append(_same_scheme)
    return {"client_kwargs": {"timeout": timeout, "trace_configs": [watch]}, "headers": {"Accept-Encoding": "identity"}}


async def _same_scheme(_session: object, _context: object, asked: Any) -> None:
    """Refuse to be led from https to http, or anywhere else than asked for."""
    to = asked.response.headers.get("Location", "")
    scheme = urlsplit(to).scheme
    if scheme and scheme != asked.url.scheme:
        raise SourceError(
            f"{redacted(str(asked.url))} leads to `{scheme}://`, and is not followed there",
            f"if that is right, name {redacted(to)} itself",
        )


def _reason(error: Exception) -> str:
    """Return what a driver says, but for addresses, which may hold secrets."""
    if status := getattr(error, "status", None):
        return f"the server answers {status}"
    said = " ".join(word for word in str(error).split() if "://" not in word and "?" not in word)
    return f"{said[:300]} ({type(error).__name__})" if said else type(error).__name__
