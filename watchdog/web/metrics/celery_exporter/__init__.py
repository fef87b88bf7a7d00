"""The names, labels and types of celery-exporter (danihodovic/celery-exporter), with what watchdog knows."""
