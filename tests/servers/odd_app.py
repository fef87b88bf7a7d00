"""The demo's Celery app with other settings, for workers that are set up well or badly: a JSON object in `ODD_SETTINGS`."""

import json
import os

from watchdog.demo.tasks import app

__all__ = ["app"]

app.conf.update(json.loads(os.environ.get("ODD_SETTINGS", "{}")))
