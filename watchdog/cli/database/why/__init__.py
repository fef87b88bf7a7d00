"""`watchdog why`: why somebody was, or was not, notified."""
