"""A version and a ticket in, an answer out."""
