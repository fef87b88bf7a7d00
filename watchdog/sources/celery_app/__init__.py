"""A Celery app, imported in its own environment: what it declares, without a worker and without a broker."""
