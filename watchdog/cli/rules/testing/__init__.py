"""`watchdog rules test` and `watchdog rules new`: scenarios found, played, and shown in each format."""
