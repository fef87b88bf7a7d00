"""Looks that Celery carries: a daemon publishes them, workers take them, and the daemon looks itself where nobody does."""
