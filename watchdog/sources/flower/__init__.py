"""Flower: its API, dashboard pages and metrics, and reasons where these do not answer."""
