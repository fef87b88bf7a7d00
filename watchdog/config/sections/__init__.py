"""Tables of `watchdog.toml` that stand on their own: targets, the heartbeat, routes."""
