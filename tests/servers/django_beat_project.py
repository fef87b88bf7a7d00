"""A Django project with nothing but django-celery-beat, on the database that `DJANGO_DATABASE` names. As a program: runs its arguments.

Runs in an environment of its own: watchdog's has no Django.
"""

import os
import sys
from typing import Any
from urllib.parse import urlsplit

import django  # type: ignore[import-not-found]
from celery import Celery
from django.conf import settings  # type: ignore[import-not-found]

__all__ = ["app"]


def _database(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": parts.path[1:]}
    place = {"HOST": parts.hostname, "PORT": parts.port, "USER": parts.username}
    return {"ENGINE": "django.db.backends.postgresql", "NAME": parts.path[1:], **place}


settings.configure(
    DATABASES={"default": _database(os.environ["DJANGO_DATABASE"])},
    INSTALLED_APPS=["django_celery_beat"],
    USE_TZ=True,
    TIME_ZONE="UTC",
    SECRET_KEY="of a test",
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)
django.setup()
app = Celery("django_beat", broker=os.environ["DEMO_BROKER_URL"])

if __name__ == "__main__":
    from django.core.management import call_command  # type: ignore[import-not-found]

    call_command("migrate", verbosity=0)
    for statement in sys.argv[1:]:
        exec(statement)
