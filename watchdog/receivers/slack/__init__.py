"""Slack: messages as Slack blocks, in Slack's markup."""
