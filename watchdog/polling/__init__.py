"""Asking the sources of a target: at which pace, and within which time."""
