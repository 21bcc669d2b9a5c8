"""The decision log: every answer is recorded before it leaves, as far as the chosen durability promises.

- ``tables``: the tables, as SQLAlchemy knows them; ``migrations`` brings a database to them (Alembic)
- ``database``: a URL -> an engine whose commits are on disk when they return
- ``store``: records -> committed entries, in their chain; entries, heads and pages back
- ``writer``: one thread that commits many records at once; a future for each
- ``insert``: many rows in one statement
- ``events``: what happens to the log, for whoever measures it
- ``calls``: a call's metadata -> caller, request id, ticket
- ``keeper``: what the gRPC handlers call: an answer -> its record, and the answer may leave
- ``heads``: what is signed: heads of chains, notes of purges
- ``narrowed``: a filter -> a query that leaves out what cannot pass it
- ``lines``: entries and notes <-> JSON lines
- ``pages``: a search, page by page
- ``verifying``: a log or an export, heads and keys -> what is wrong with it
- ``certificates``: one entry with all that proves it <-> one small file
- ``purging``: the beginning of chains removed, with a note
- ``settings``: what ``guidepost serve`` is told about the log
"""
