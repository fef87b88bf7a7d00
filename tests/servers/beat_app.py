"""The demo's Celery app with a schedule, for a real `celery beat`: `demo.ok` each second into the queue `indexing`."""

from watchdog.demo.tasks import app

__all__ = ["app"]

app.conf.beat_schedule = {"tick": {"task": "demo.ok", "schedule": 1.0, "options": {"queue": "indexing"}}}
