"""Reads for people and for watchdog itself: what is, and what was."""
