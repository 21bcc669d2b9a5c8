"""How fast a server answers: ``python -m benchmarks.serve`` measures it and writes SERVE.md and serve.json beside RESULTS.md.

It needs h2load (Debian: nghttp2-client), and Cerbos where it is to be compared with (npm: ``cerbos``; CERBOS_PROGRAM names
another program). What is missing is left out, and said.

One module a question: ``contestants`` (what is started), ``requests`` (what is asked), ``h2load`` (the load, and what it
cost), ``floor`` (a program: the same kind of server with an answer that is always the same), ``coalescing`` (a program: the Python client
with and without coalescing), ``soak`` (memory over a million tickets), ``profile`` (where the time of a call goes).
"""
