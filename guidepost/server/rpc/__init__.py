"""The gRPC services, and the interceptors that every call passes through.

Modules::

    admission_interceptor    authenticates, authorizes and limits every call
    arrivals                 limits the messages that are arriving
    audit_service            AuditService: the decision log
    batch                    evaluates many tickets in one call
    bytes_handlers           lets methods return encoded responses
    decision_service         DecisionService: a ticket in, decisions out
    evaluate                 evaluates a request and records the answer
    health_service           the standard health service, with the error of the last reload
    limits                   the limits of a server, and slots for calls
    live_bundle              the policy versions that are served now
    observation_interceptor  lets observers see every call
    policy_service           PolicyService: what the versions contain
    status                   exceptions in, gRPC statuses out
    streams                  runs both kinds of streaming handlers
"""
