"""How the log's database came to be what it is, step by step (Alembic); run whenever a server starts."""
