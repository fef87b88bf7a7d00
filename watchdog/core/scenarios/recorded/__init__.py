"""Recorded answers of a real cluster: written down without secrets, read strictly, and played through the tables and the rules."""
