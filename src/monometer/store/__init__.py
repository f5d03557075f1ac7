"""SQL, and nothing but: the only floor that knows tables."""
