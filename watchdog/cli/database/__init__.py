"""Commands that read or repair the database file: incidents, outbox, database."""
