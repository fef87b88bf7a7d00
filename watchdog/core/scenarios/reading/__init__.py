"""Scenario files read strictly: TOML to scenarios, or every fault with its line."""
