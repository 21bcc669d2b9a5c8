"""Who calls, and what he may do: the one place that says so.

One module a step::

    roles       RPC -> the role that it needs; who the caller of this call is
    keys        API keys: made, taken apart, hashed
    callers     the file of callers -> Callers    (or every problem with it)
    tokens      a JSON Web Token    -> what its issuer says of its bearer
    proving     metadata, certificate -> Caller   (or Unproven)
    watched     files               -> what they say, read again when they change
    access      the settings        -> Access     (all of the above)
    refusals    how somebody is refused; refused: how files are

``guidepost.server.rpc.admission_interceptor`` asks these for every call; nothing here knows gRPC.
"""

from guidepost.server.auth.errors import Forbidden, NoLog, NotExplained, UnknownRecord, Unproven
from guidepost.server.auth.file_errors import AccessRefused
from guidepost.server.auth.policy import Access, Admission, open_access
from guidepost.server.auth.roles import Action, Caller, Role, caller

__all__ = [
    "Access",
    "AccessRefused",
    "Action",
    "Admission",
    "Caller",
    "Forbidden",
    "NoLog",
    "NotExplained",
    "Role",
    "UnknownRecord",
    "Unproven",
    "caller",
    "open_access",
]
