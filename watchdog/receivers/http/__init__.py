"""One attempt to send something by HTTP, and what became of it."""
