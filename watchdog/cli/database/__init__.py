"""Commands that read or mend the database file: incidents, outbox, database."""
