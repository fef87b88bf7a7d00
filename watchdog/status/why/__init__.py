"""Why somebody was, or was not, notified: what the database and today's configuration say, as values."""
