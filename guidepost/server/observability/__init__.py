"""What a server reports of its calls: metrics, call log, traces, messages.

Modules::

    call_log  what looks at calls beside the metrics, where it is asked for
    config    how a server is watched, as plain values that travel to its workers
    logging   the messages of a server on standard error
    metrics   what a server measures, for Prometheus: calls, decisions, versions, and the decision log
    tracing   traces of calls for OpenTelemetry
"""
