"""A site to serve in tests: a real database, a configuration, and a daemon that is well unless a test says otherwise."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from msgspec.structs import replace
from pydantic import SecretStr

from watchdog.config.sections.http import HttpSettings
from watchdog.config.settings import Settings, TargetSettings
from watchdog.core.model.self_seen import SelfSeen
from watchdog.sources.redis.source import RedisSettings
from watchdog.status.gathering import Days
from watchdog.store import Store
from watchdog.web.acting.attempts import Actor, Attempts
from watchdog.web.application import build_application
from watchdog.web.site import Site

__all__ = ["NOW", "application", "site"]

NOW = 1_790_000_000.0


def site(
    store: Store,
    *targets: str,
    overdue: Callable[[], list[str]] = list,
    ready: Callable[[], bool] = lambda: True,
    delivering: Callable[[], bool] = lambda: True,
    now: float = NOW,
    actor: Actor | None = None,
    **settings: Any,
) -> Site:
    """A site with these targets (one: `prod`); `now` is its clock; with an `actor`, people can act."""
    redis = RedisSettings(url=SecretStr("redis://localhost:6379/0"))
    configured = tuple(TargetSettings(name=name, redis=redis) for name in targets or ("prod",))
    served = Site(Settings(target=configured, **settings), store, Days(), overdue, delivering, ready, SelfSeen, clock=lambda: now)
    return replace(served, attempts=Attempts(store, lambda: now), actor_of=lambda _: actor) if actor else served


def application(folder: Path, given: Site | None = None, **http: Any) -> Flask:
    """Its application, with this `[http]`."""
    shown = given or site(Store.open(folder / "watchdog.db"))
    listen = {"listen": "127.0.0.1:5556"} | http
    return build_application(shown, HttpSettings(**listen), stopwatch=lambda: 0.0).app
