"""The broker as Celery itself names it, for what goes through kombu; and the workers behind it, asked over their remote control."""
