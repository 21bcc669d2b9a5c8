"""The base of the errors that a caller receives: each one has a gRPC status and a reason.

The text of such an error goes to the caller, so it never contains a secret. ``guidepost.server.rpc.status`` turns it
into a gRPC status, and has a table for the errors of the engine and of the decision log. Nothing here imports gRPC,
which the supervisor of the workers does without.
"""

from __future__ import annotations

from typing import ClassVar


class CallError(Exception):
    """Ends a call with ``status``, the name of a gRPC status code.

    Clients read ``reason`` in the error details (google.rpc.ErrorInfo).

    ``retry_after`` is the number of milliseconds after which a retry can succeed; None if a retry does not help.
    """

    status: ClassVar[str]
    reason: ClassVar[str]
    retry_after: ClassVar[int | None] = None


class InvalidField(CallError, ValueError):
    """A field of a request cannot be used.

    ``path`` names the field, and the message completes its name to a sentence.
    """

    status = "INVALID_ARGUMENT"
    reason = "INVALID_FIELD"

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        super().__init__(message)
