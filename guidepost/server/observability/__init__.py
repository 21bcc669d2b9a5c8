"""What a server reports about itself: metrics, messages, the call log and traces.

Modules::

    config    what is measured, logged and traced, as plain values
    metrics   metrics for Prometheus: calls, decisions, versions, and the decision log
    logging   the format of messages on standard error
    call_log  a message for each call, and the list of observers
    tracing   traces for OpenTelemetry
"""
