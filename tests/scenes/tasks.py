"""The Celery app of the scenes: the demo's, and tasks that live and die in further ways. `SCENE_CONF` (JSON) overrides its settings."""

import json
import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from typing import NoReturn

from celery import Celery, Task
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


def hiccup(nth: int) -> None:
    """Every hundredth times out."""
    if nth % 100 == 0:
        raise TimeoutError("no answer within 5 s")


def capped() -> None:
    """Work that a rate limit holds back."""


def flaky(self: Task) -> str:
    """Three in ten are retried once."""
    if not self.request.retries and random.random() < 0.3:
        raise self.retry(exc=ConnectionError("try again"), countdown=1)
    return "done"


def once(self: Task) -> str:
    """What it calls is away for a moment: it is retried once, 10 s later."""
    if not self.request.retries:
        raise self.retry(exc=ConnectionError("a blip"), countdown=10)
    return "done"


def storm(self: Task) -> None:
    """What it calls never comes back."""
    raise self.retry(exc=ConnectionError("downstream is down"), countdown=1)


def flip() -> None:
    """One run in twenty fails, as it always has."""
    if random.random() < 0.05:
        raise ValueError("one in twenty")


def poison() -> None:
    """Kill the worker that runs it, and then its own process."""
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGKILL)


def broken() -> None:
    """Always fail."""
    raise RuntimeError("always")


def exhaust() -> None:
    """Raise MemoryError, which ends the whole worker."""
    raise MemoryError("no more")


class NotToPickleError(Exception):
    """An exception that cannot leave the process of its task."""

    def __reduce__(self) -> NoReturn:
        raise TypeError("cannot pickle this")


def unpicklable() -> None:
    """Fail with an exception that cannot be pickled."""
    raise NotToPickleError("holds a lock")


def hold(seconds: float = 30.0) -> None:
    """Take so long."""
    time.sleep(seconds)


def add(left: int, right: int) -> int:
    """The leaves of a chord."""
    return left + right


def total(numbers: list[int]) -> int:
    """The end of a chord."""
    return sum(numbers)


def carry(load: str, seconds: float = 0.0) -> int:
    """A message that weighs something."""
    time.sleep(seconds)
    return len(load)


app = make_scene_app(os.environ)
WORK: tuple[Callable[..., object], ...] = (demo.ok, demo.fail, demo.hang, demo.crash)
for work in WORK:
    app.task(name=f"demo.{work.__name__}")(work)
OWN: tuple[Callable[..., object], ...] = (ignore, hiccup, add, total, carry, broken, exhaust, unpicklable)
for work in OWN:
    app.task(name=f"scene.{work.__name__}")(work)
for bound in (flaky, once):
    app.task(name=f"scene.{bound.__name__}", bind=True)(bound)
app.task(name="scene.storm", bind=True, max_retries=None)(storm)
app.task(name="scene.capped", rate_limit="6/h")(capped)
app.task(name="scene.hard", time_limit=1)(hold)
app.task(name="scene.soft", soft_time_limit=1, time_limit=8)(hold)
app.task(name="scene.rare")(broken)
app.task(name="scene.late", acks_late=True)(demo.ok)
app.task(name="scene.poison", acks_late=True, reject_on_worker_lost=True)(poison)
for number in range(20):
    app.task(name=f"scene.flip{number:02}")(flip)
