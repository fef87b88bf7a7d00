"""What the daemon writes for people and machines to read: its log, transitions, decisions."""
