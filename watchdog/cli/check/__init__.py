"""`watchdog check`: one poll, its exit code, and its output formats."""
