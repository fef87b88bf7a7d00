"""Workers counted by host, by kind, and by configured group."""
