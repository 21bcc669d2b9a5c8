"""Authentication and authorization: who calls, and what they may do.

``guidepost.server.rpc.admission_interceptor`` applies it to every call; nothing here imports gRPC but ``tls``.

Modules::

    config          the files and settings of authentication, as plain values
    errors          errors for callers, and for operators
    roles           the roles, the role that each RPC needs, and the caller of the current call
    api_keys        API keys: ``gpk_ID_SECRET``
    callers         callers, by their keys, certificates and subjects
    callers_file    the file of callers: their keys, certificates, subjects and roles
    jwt             JSON Web Tokens: a token in, its subject and roles out
    authenticate    metadata and certificate of a call in, its caller out
    policy          authenticates and authorizes calls by the settings of a server
    reloading_file  files that are read again when they change
    tls             TLS certificates that are read again when they change
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
