"""Flower: its API, dashboard pages and metrics, and the reasons why one of them gives no answer."""
