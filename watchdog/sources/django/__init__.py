"""The database of a Django project: the tables in which django-celery-beat keeps its schedule."""
