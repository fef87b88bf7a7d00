"""Pages as values, shown on a terminal or written to a pipe."""
