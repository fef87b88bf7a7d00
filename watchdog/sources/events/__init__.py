"""Celery's events, straight from the broker: an ear that listens all the time, and the source that says what it heard."""
