"""Who calls, and what he may do: the one place that says so.

``guidepost.server.rpc.admission_interceptor`` asks these for every call; nothing here knows gRPC.

Modules::

    api_keys        API keys: ``gpk_ID_SECRET``
    authenticate    who makes a call: its metadata and certificate in, a Caller out
    callers         the file of callers: who there is, how each proves it, and what he may do
    config          where the files stand that say who may call, as plain values
    errors          how somebody is refused
    jwt             JSON Web Tokens: a token in, what its issuer says of its bearer out
    policy          what callers may do here, by the settings of a server
    reloading_file  files that are read again when they change
    roles           the roles, which RPC needs which of them, and the caller of the call that is being answered
    tls             TLS
"""

from guidepost.server.auth.errors import InvalidAuthFiles, PermissionDenied, Unauthenticated
from guidepost.server.auth.policy import Access, Admission, open_access
from guidepost.server.auth.roles import Action, Caller, Role, current_caller

__all__ = [
    "Access",
    "Action",
    "Admission",
    "Caller",
    "InvalidAuthFiles",
    "PermissionDenied",
    "Role",
    "Unauthenticated",
    "current_caller",
    "open_access",
]
