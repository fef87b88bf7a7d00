"""The broker as Celery itself names it, for what goes through kombu."""
