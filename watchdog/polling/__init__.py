"""Polling the sources of a target: the poll pace and the time limit."""
