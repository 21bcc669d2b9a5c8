"""The server: versions of policies, served as decisions over gRPC.

The folders are layers; each imports only those above it in this list.

Modules::

    errors             the errors that a caller receives: status and reason
    defaults           the defaults that several parts share
    wire               protobuf <-> the nouns of the engine
    auth               who calls, and what they may do
    rpc                the gRPC services, and what every call passes through
    observability      metrics, call log, traces, messages
    free_memory        gives free memory back to the system
    security           what protects a server: authentication, TLS, limits
    security_checks    what is wrong with it before the server starts
    listener           the listening ports
    app                one process that serves
    workers            a server of several processes
    settings           what a server is configured with: flags, environment, file
"""
