"""`watchdog check`: one look, its exit code, and the formats that show it."""
