"""The Celery app of the scenes: the demo's, and tasks that live and die in further ways. `SCENE_CONF` (JSON) overrides its settings."""

import json
import os
from collections.abc import Mapping

from celery import Celery
from celery.exceptions import Ignore

from watchdog.demo import tasks as demo

__all__ = ["app", "make_scene_app"]


def make_scene_app(environment: Mapping[str, str]) -> Celery:
    """The demo's app with the settings of the scene: for its workers, and to send from the calling process."""
    made = demo.make_app(environment)
    made.conf.update(json.loads(environment.get("SCENE_CONF", "{}")))
    return made


def ignore() -> None:
    """End without an event: Celery sends none for Ignore."""
    raise Ignore


def capped() -> None:
    """Work that a rate limit holds back."""


app = make_scene_app(os.environ)
for work in (demo.ok, demo.fail, demo.hang, demo.crash):
    app.task(name=f"demo.{work.__name__}")(work)
app.task(name="scene.ignore")(ignore)
app.task(name="scene.capped", rate_limit="6/h")(capped)
