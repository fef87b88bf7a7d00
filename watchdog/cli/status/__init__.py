"""`watchdog status`: the cluster at a glance."""
