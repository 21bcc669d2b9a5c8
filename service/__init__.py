"""The shell around the engine: what is served over gRPC and on the command line, and where policies come from.

- ``store``: policy folders -> a bundle of versions
- ``wire``: protobuf <-> engine nouns
- ``decisions``, ``versions``: the two gRPC services
- ``errors``: exceptions -> gRPC statuses
- ``log``: the decision log (a package with its own map)
- ``diffs``, ``replays``: differences and replays, written for people (packages with their own maps); ``markdown`` and ``page`` have what both need
- ``tickets``: past tickets, out of files and the log (a package with its own map)
- ``metrics``: what a server measures, for Prometheus
- ``app``: the listening server
- ``cli``: the command ``guidepost``
"""
