"""`watchdog receivers` and `watchdog routes`."""
