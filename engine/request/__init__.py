"""What a caller sends: facts, instants and holds, read once."""
