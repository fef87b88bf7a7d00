"""Remedies: what watchdog does by itself about an incident, if it is allowed to; when, how often, and whether it helped."""
