"""Benchmarks of servers: ``python -m benchmarks.serve`` writes SERVE.md and serve.json beside RESULTS.md.

They need h2load (Debian: nghttp2-client), and Cerbos for the comparison (npm: ``cerbos``; CERBOS_PROGRAM names another
program). Without a program its part is skipped with a message.

One module a question: ``contestants`` (the servers), ``requests`` (the requests), ``h2load`` (the load, and its cost),
``floor`` (a program: the same kind of server with a constant response), ``coalescing`` (a program: the Python client
with and without coalescing), ``soak`` (memory over a million tickets), ``profile`` (the time of each part of a call).
"""
