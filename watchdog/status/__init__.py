"""What people are shown of targets and incidents: gathered from the database, in words and as JSON documents."""
