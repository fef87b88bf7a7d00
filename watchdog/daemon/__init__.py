"""The order in which things happen while watchdog runs: a cycle, its delivery, reloads, the end.

Empty on purpose: signals are noted before anything else is imported.
"""
