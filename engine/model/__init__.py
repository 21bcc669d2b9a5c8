"""The nouns of a policy and of an answer, as frozen values."""
