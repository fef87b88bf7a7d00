"""Repairs of the database file: rescue of a damaged one, and of one that was deleted while in use."""
