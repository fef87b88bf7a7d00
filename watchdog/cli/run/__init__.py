"""`watchdog run`, and `watchdog worker`, which looks for it."""
