"""What watchdog costs, beside the least that the same work can cost. `make bench`; see docs/performance.md."""
