"""What a server reports of its calls: metrics, call log, traces, messages."""
