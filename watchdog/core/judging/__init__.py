"""Rules asked of what was seen: verdicts, findings, and what can never have one."""
