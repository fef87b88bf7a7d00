"""Rules replayed over what was recorded, by the same judging and deciding as in the daemon, beside what happened."""
