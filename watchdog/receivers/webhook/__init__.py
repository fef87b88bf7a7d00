"""Webhooks: watchdog's own JSON with the headers of Standard Webhooks, or any form that a template makes of a message."""
