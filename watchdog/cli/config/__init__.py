"""`watchdog config`: checked, shown, and compared with what the cluster says."""
