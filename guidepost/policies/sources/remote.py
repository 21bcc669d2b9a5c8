"""Bundles from HTTP servers and object stores: fetched through fsspec within limits, and verified before they are read.

An address names a bundle, or with a final ``/`` a folder with an unpacked bundle. It is used only if it has the right
``#sha256=``, or if a trusted key signed it (in the file NAME``.sig``, or ``bundle.sig`` for a folder). A folder is
verified by packing it again, which restores the bytes of its bundle, so that one signature covers both forms.
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
"""How long a server may take for the connection and for each part of the response, in seconds."""

TOTAL_SECONDS: Final = 60.0
"""How long one file may take in total, in seconds."""

PROTOCOLS: Final = ("http", "https", "s3", "gs", "memory")
"""The protocols that are accepted; others that fsspec supports are rejected."""

DRIVERS: Final = {"http": "fsspec[http]", "https": "fsspec[http]", "s3": "s3fs", "gs": "gcsfs", "memory": "fsspec"}
"""The package for each protocol."""

_PIN: Final = "#sha256="
_MAX_DESCRIPTION: Final = 16_000_000


@dataclass(frozen=True, slots=True)
class Fetched:
    """Verified bytes, how they were verified, and the signature if there is one."""

    data: bytes
    by: str
    signature: Signature | None


def read_address(spec: str, trust: Trust) -> Source:
    """Read a bundle, packed or unpacked, from an address; raises SourceError if it cannot be fetched or verified."""
    address, pin = split_pin(spec)
    fetched = fetch(address, pin, trust)
    made = read_bundle(fetched.data, redacted(address))
    if fetched.signature is not None:
        same_digest(fetched.signature, made.ref.digest, redacted(address))
    return Source(files=made.files, root=redacted(address), label=spec, origin=Origin.REMOTE, detail=fetched.by)


def split_pin(spec: str) -> tuple[str, str]:
    """Split a name and its `#sha256=`, which is "" without one; raises SourceError if it is not a SHA-256.

    >>> split_pin("https://desk.example/a.zip")
    ('https://desk.example/a.zip', '')
    """
    name, mark, pin = spec.partition(_PIN)
    if mark and (len(pin) != 64 or set(pin.lower()) - set("0123456789abcdef")):
        raise SourceError(
            f"expected a SHA-256, got `{_PIN}{pin}`",
            "write its 64 hexadecimal digits, as `guidepost build` prints them",
        )
    return name, pin.lower()


def check_pin(data: bytes, pin: str, name: str) -> None:
    """Raise SourceError if bytes do not have a SHA-256."""
    found = hashlib.sha256(data).hexdigest()
    if found != pin:
        raise SourceError(
            f"{name} does not have the expected SHA-256; it has {found}", "do not use it until you know why"
        )


def fetch(address: str, pin: str, trust: Trust) -> Fetched:
    """Fetch and verify the bytes of an address; raises SourceError before fetching if there is no key and no pin."""
    name = redacted(address)
    if not pin and not trust.keys:
        raise SourceError(
            f"{name} is remote, and there is no key or SHA-256 to verify it with",
            f"pass a trusted key with --key, or write its SHA-256: `ADDRESS{_PIN}...`",
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
    """Return an address without the parts that may be secret: the user and the query.

    >>> redacted("https://me:secret@desk.example:8443/a.zip?token=1")
    'https://desk.example:8443/a.zip'
    """
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _beside(address: str) -> str:
    parts = urlsplit(address)
    return urlunsplit(parts._replace(path=parts.path + SUFFIX))


def _fetch_folder(folder: str) -> bytes:
    """Fetch the files that the description of an unpacked bundle lists, and pack them again."""
    described = _fetch_file(folder + DESCRIPTION, _MAX_DESCRIPTION)
    paths = [file["path"] for file in description_of(described, redacted(folder).rstrip("/"))["files"]]
    if len(paths) > MAX_FILES or any(not of_a_version(path) for path in paths):
        raise SourceError(
            f"{redacted(folder)}{DESCRIPTION} lists files that a bundle cannot contain",
            "use the bundle as it was built",
        )
    contents: dict[str, bytes] = {}
    left = MAX_ARCHIVE
    for path in paths:
        contents[path] = _fetch_file(folder + path, left)
        left -= len(contents[path])
    return pack(decode_files(contents, redacted(folder).rstrip("/")), described)


def _fetch_file(address: str, limit: int) -> bytes:
    """Fetch one file; raises SourceError if it does not exist, is too large, or takes too long."""
    protocol, name = urlsplit(address).scheme, redacted(address)
    if protocol not in PROTOCOLS:
        raise SourceError(f"versions cannot be read from `{protocol}://`", f"known: {', '.join(PROTOCOLS)}")
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
            f"{name} timed out ({CONNECT_SECONDS:g} s for the first byte, {TOTAL_SECONDS:g} s in total)"
        ) from None
    except SourceError:
        raise
    except Exception as error:  # noqa: BLE001 - every driver has errors of its own
        raise SourceError(f"{name} cannot be fetched: {_reason(error)}") from None


def _up_to(read: Callable[[int], bytes], limit: int, name: str) -> bytes:
    """Read to the end; raises SourceError beyond the limit, whatever size the server declares."""
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
"""Options for opening a file as a stream, without the requests with which fsspec asks for its size."""


def _options(protocol: str) -> dict[str, Any]:
    """Return the options of a driver: its timeouts."""
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
    """Reject redirects from one protocol to another, such as from https to http."""
    to = asked.response.headers.get("Location", "")
    scheme = urlsplit(to).scheme
    if scheme and scheme != asked.url.scheme:
        raise SourceError(
            f"{redacted(str(asked.url))} redirects to `{scheme}://`, which is not followed",
            f"if that is intended, name {redacted(to)} directly",
        )


def _reason(error: Exception) -> str:
    """Return the error of a driver without addresses, which may contain secrets."""
    if status := getattr(error, "status", None):
        return f"the server answers {status}"
    said = " ".join(word for word in str(error).split() if "://" not in word and "?" not in word)
    return f"{said[:300]} ({type(error).__name__})" if said else type(error).__name__
