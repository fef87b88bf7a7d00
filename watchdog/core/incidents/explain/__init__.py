"""Explaining decisions: why a receiver is, or is not, notified of an incident; now, or at an earlier time."""
