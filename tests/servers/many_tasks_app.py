"""The demo's Celery app with five hundred tasks more, each of which fails."""

from watchdog.demo.tasks import app, fail

__all__ = ["NAMES", "app"]

NAMES = tuple(f"shop.task_{nth}" for nth in range(500))

for _name in NAMES:
    app.task(name=_name)(fail)
