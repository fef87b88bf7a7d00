"""Pages as values, rendered for a terminal or a pipe."""
