"""Scenarios: rules tested like code, on rows that people write, by the same judging and deciding as in the daemon."""
