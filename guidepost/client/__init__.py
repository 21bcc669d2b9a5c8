"""The client: decisions from a server, in threads or under asyncio."""
