"""`watchdog config`: check, show, and compare with the cluster."""
