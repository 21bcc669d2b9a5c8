"""The shell around the engine: what is served over gRPC and on the command line, and where policies come from.

- ``store``: policy folders -> a bundle of versions
- ``wire``: protobuf <-> engine nouns
- ``decisions``, ``versions``: the two gRPC services
- ``errors``: exceptions -> gRPC statuses
- ``log``: the decision log (a package with its own map)
- ``diffs``, ``replays``: differences and replays, written for people (packages with their own maps); ``markdown`` and ``page`` have what both need
- ``tickets``: past tickets, out of files and the log (a package with its own map)
- ``settings``: what a server is told, by flags, environment and file (a package with its own map)
- ``observing``: every call is looked at once: by ``metrics`` for Prometheus, and by ``observers``, which write messages (``logs``) and traces (``tracing``)
- ``app``: the listening server; ``workers`` has several of them under a supervisor (a package with its own map)
- ``cli``: the command ``guidepost``
"""
