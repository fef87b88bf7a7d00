"""watchdog: alerting and health checks for Celery clusters."""

__version__ = "0.1.0"
