"""Policy folders: where versions come from, how they are formatted, released and tested."""
