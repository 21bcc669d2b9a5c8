"""The metadata of a call that the decision log records: caller, request id and ticket id."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

REQUEST_ID: Final = "guidepost-request-id"
TICKET: Final = "guidepost-ticket"
CALLER: Final = "guidepost-caller"
"""The keys of the metadata. The name in ``CALLER`` is not authenticated: it never replaces an authenticated name."""

MAX_LENGTH: Final = 200
"""The most characters of each value."""


class InvalidMetadata(ValueError):
    """A value in the metadata of a call is rejected; the message contains its key and the reason."""


@dataclass(frozen=True, slots=True)
class CallMetadata:
    """Caller, request id and ticket id of a call; "" for those that are not set."""

    caller: str = ""
    request_id: str = ""
    ticket: str = ""


def recorded_caller(authenticated: str, sent: str) -> str:
    """Return the recorded name of a caller: the authenticated name, then a slash and the name that the caller sent.

    Authenticated names have no slash, so no caller can be recorded under the name of another.

    >>> recorded_caller("portal", "apac"), recorded_caller("portal", "portal"), recorded_caller("", "apac")
    ('portal/apac', 'portal', 'apac')
    """
    return f"{authenticated}/{sent}" if authenticated and sent and sent != authenticated else authenticated or sent


def read_call_metadata(metadata: Iterable[tuple[str, str | bytes]], authenticated: str = "") -> CallMetadata:
    """Read the metadata of a call whose caller may be authenticated.

    Raises InvalidMetadata for a value that is empty, too long or not printable ASCII, or that is sent twice.

    >>> read_call_metadata([("guidepost-ticket", "INC-7"), ("user-agent", "x")])
    CallMetadata(caller='', request_id='', ticket='INC-7')
    """
    found: dict[str, str] = {}
    for name, value in metadata:
        if name not in (REQUEST_ID, TICKET, CALLER):
            continue
        text = value if isinstance(value, str) else value.decode("ascii", "replace")
        if not _fits(text):
            raise InvalidMetadata(f"the metadata `{name}`: expected 1 to {MAX_LENGTH} printable ASCII characters")
        if found.setdefault(name, text) != text:
            raise InvalidMetadata(f"the metadata `{name}`: expected one value, got several")
    caller = recorded_caller(authenticated, found.get(CALLER, ""))
    if len(caller) > MAX_LENGTH:
        raise InvalidMetadata(
            f"the metadata `{CALLER}` and the caller's name: expected at most {MAX_LENGTH} characters together,"
            f" got {len(caller)}"
        )
    return CallMetadata(caller, found.get(REQUEST_ID, ""), found.get(TICKET, ""))


def checked_metadata(call: CallMetadata) -> CallMetadata:
    """Return the ids of one ticket of a batch.

    Raises InvalidMetadata for an id that is too long or not printable ASCII.
    """
    for name, text in (("request_id", call.request_id), ("ticket_id", call.ticket)):
        if text and not _fits(text):
            raise InvalidMetadata(f"`{name}`: expected at most {MAX_LENGTH} printable ASCII characters")
    return call


def _fits(text: str) -> bool:
    return bool(text.strip()) and len(text) <= MAX_LENGTH and text.isascii() and text.isprintable()
