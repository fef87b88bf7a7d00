"""`watchdog rules replay`: what rules would have told of what was recorded, beside what was told."""
