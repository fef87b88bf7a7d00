"""A small real cluster (Redis, Celery workers, Flower) on loopback, for the demo and for the tests."""
