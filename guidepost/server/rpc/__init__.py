"""The gRPC services and what every call passes through.

Modules::

    admission_interceptor    every call comes through here
    arrivals                 messages that have not arrived completely: how many there may be at once, and for how
                             long
    audit_service            the service for auditors: what was decided, and is the log whole
    batch                    many tickets in one call: each is answered, or told what is wrong with it, in its place
    bytes_handlers           handlers whose answers may be bytes already, beside messages
    decision_service         the service for ticketing systems: a ticket in, a decision out
    evaluate                 how a request is answered
    health_service           the standard health service, which also says that the last reload failed
    limits                   how much one client, and all of them together, may ask of a server
    live_bundle              the bundle that answers now
    observation_interceptor  every call is looked at once, when it ends
    policy_service           the service for policy owners and auditors: what the versions say
    status                   what a call that cannot be answered is told
    streams                  handlers that answer in parts, whichever way they are written
"""
