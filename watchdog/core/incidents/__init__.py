"""The life of an incident, who is notified of it, and what a message says."""
