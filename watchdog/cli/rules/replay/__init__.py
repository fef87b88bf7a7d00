"""`watchdog rules replay`: what rules would have sent for what was recorded, beside what was sent."""
