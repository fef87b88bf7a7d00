"""`watchdog rules`, and the tables that rules can read: `tables`, `query`."""
