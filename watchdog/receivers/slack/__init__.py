"""Slack: a message in its blocks and its own markup."""
