"""The composition root: settings in, objects out. The only place that constructs objects that access the outside.

What only the daemon needs is imported where it is built: `watchdog check` starts without a log, a scheduler or an outbox.
"""
