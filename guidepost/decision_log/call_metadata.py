"""Who calls, under which request id, about which ticket: a call's metadata in, checked_metadata texts out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

REQUEST_ID: Final = "guidepost-request-id"
TICKET: Final = "guidepost-ticket"
CALLER: Final = "guidepost-caller"
"""The metadata that a call may carry. What a caller calls itself is its own word: it adds to a name that is proved, and never replaces it."""

MAX_LENGTH: Final = 200


class InvalidMetadata(ValueError):
    """A call's metadata cannot be used; says which, and why."""


@dataclass(frozen=True, slots=True)
class CallMetadata:
    """What a call says of itself; each may be ""."""

    caller: str = ""
    request_id: str = ""
    ticket: str = ""


def recorded_caller(proven: str, said: str) -> str:
    """Return the name under which a caller is recorded: the one that is proved, and behind a stroke what he calls himself beside.

    No proven name has a stroke, so nobody can take the name of another.

    >>> recorded_caller("portal", "apac"), recorded_caller("portal", ""), recorded_caller("portal", "portal"), recorded_caller("", "apac")
    ('portal/apac', 'portal', 'portal', 'apac')
    """
    return f"{proven}/{said}" if proven and said and said != proven else proven or said


def read_call_metadata(metadata: Iterable[tuple[str, str | bytes]], proven: str = "") -> CallMetadata:
    """Read the metadata of a call by a caller whose name may be proved; raises InvalidMetadata for values that are empty, too long or not printable ASCII.

    >>> read_call_metadata([("guidepost-ticket", "INC-7"), ("user-agent", "x")])
    CallMetadata(caller='', request_id='', ticket='INC-7')
    """
    found: dict[str, str] = {}
    for name, value in metadata:
        if name not in (REQUEST_ID, TICKET, CALLER):
            continue
        text = value if isinstance(value, str) else value.decode("ascii", "replace")
        if not _fits(text):
            raise InvalidMetadata(f"the metadata `{name}` has 1 to {MAX_LENGTH} printable ASCII characters")
        if found.setdefault(name, text) != text:
            raise InvalidMetadata(f"the metadata `{name}` is sent twice")
    caller = recorded_caller(proven, found.get(CALLER, ""))
    if len(caller) > MAX_LENGTH:
        raise InvalidMetadata(
            f"the metadata `{CALLER}` and the caller's name have {MAX_LENGTH} characters together at most"
        )
    return CallMetadata(caller, found.get(REQUEST_ID, ""), found.get(TICKET, ""))


def checked_metadata(call: CallMetadata) -> CallMetadata:
    """Return what a request says of one of its tickets; raises InvalidMetadata as for the metadata of a call."""
    for name, text in (("request_id", call.request_id), ("ticket_id", call.ticket)):
        if text and not _fits(text):
            raise InvalidMetadata(f"`{name}` has at most {MAX_LENGTH} printable ASCII characters")
    return call


def _fits(text: str) -> bool:
    return bool(text.strip()) and len(text) <= MAX_LENGTH and text.isascii() and text.isprintable()
