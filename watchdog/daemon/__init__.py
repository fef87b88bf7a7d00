"""The daemon: cycles, delivery, reloads and shutdown.

Empty on purpose: signal handlers are installed before anything else is imported.
"""
