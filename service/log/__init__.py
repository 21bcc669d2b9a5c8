"""The decision log: every answer is recorded before it leaves, as far as the chosen durability promises.

- ``tables``: the tables, as SQLAlchemy knows them; ``migrations`` brings a database to them (Alembic)
- ``database``: a URL -> an engine whose commits are on disk when they return
- ``store``: records -> committed entries, in their chain; entries, heads and pages back
- ``writer``: one thread that commits many records at once; a future for each
- ``calls``: a call's metadata -> caller, request id, ticket
- ``keeper``: what the gRPC handlers call: an answer -> its record, and the answer may leave
- ``heads``: signed heads of chains
- ``settings``: what ``guidepost serve`` is told about the log
"""
