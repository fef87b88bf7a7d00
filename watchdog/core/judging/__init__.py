"""Apply rules to what was read: verdicts, findings, and what can never have a verdict."""
