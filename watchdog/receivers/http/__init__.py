"""One attempt to send something over HTTP, and its outcome."""
