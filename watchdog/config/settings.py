"""The models behind `watchdog.toml`: each key with its type, limits and default.

In: plain values (see `load`). Out: frozen settings; `to_target` gives the part that the core needs, without secrets. Sources and receivers
define their own settings in their own files; here they are only named.
"""

import re
from fnmatch import fnmatchcase
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr, model_validator

from watchdog.config.sections.actions import ActionSettings
from watchdog.config.sections.alertmanager import AlertmanagerSettings
from watchdog.config.sections.engine import EngineSettings
from watchdog.config.sections.heartbeat import HeartbeatSettings
from watchdog.config.sections.http import HttpSettings
from watchdog.config.sections.links import openable, opened_at
from watchdog.config.sections.mutes import MuteSettings
from watchdog.config.sections.objectives import ObjectiveSettings, repeated, to_objectives
from watchdog.config.sections.overrides import OverrideSettings
from watchdog.config.sections.routes import RouteSettings
from watchdog.config.sections.schedules import Schedules, named_twice, to_schedulers, to_schedules
from watchdog.core.model.identity import server_id
from watchdog.core.model.servers.database_url import readable_place
from watchdog.core.model.target import SELF, Target
from watchdog.core.text.durations import format_duration
from watchdog.net.settings_types import Duration, PositiveDuration
from watchdog.sources import EVENTS, SOURCES
from watchdog.sources.celery.source import CelerySettings
from watchdog.sources.django.source import DjangoSettings
from watchdog.sources.flower.source import FlowerSettings
from watchdog.sources.rabbitmq.source import RabbitmqSettings
from watchdog.sources.redis.source import RedisSettings, ResultsSettings

if TYPE_CHECKING:
    from watchdog.receivers.settings import ReceiverSettings
else:
    from watchdog.receivers import RECEIVERS

    ReceiverSettings = Annotated[reduce(or_, (kind.settings for kind in RECEIVERS.values())), Field(discriminator="type")]

__all__ = ["ReceiverSettings", "Settings", "TargetSettings", "servers_of", "to_target"]

SHORTEST_INTERVAL_S = 0.1
LONGEST_NAME = 100


def _long_enough(interval_s: float) -> float:
    if interval_s < SHORTEST_INTERVAL_S:
        raise ValueError(f"expected at least {format_duration(SHORTEST_INTERVAL_S)}, found {format_duration(interval_s)}")
    return interval_s


def _readable(name: str) -> str:
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise ValueError(f"expected a name of 1 to {LONGEST_NAME} printable characters without spaces around it")
    return name


def _importable(app: str) -> str:
    if len(app) > LONGEST_NAME or not re.fullmatch(r"[A-Za-z_][\w.]*(:[A-Za-z_]\w*)?", app):
        raise ValueError('expected what follows `celery -A`, for example "shop" or "shop.celery:app"')
    return app


def _table(value: Any) -> Any:
    """A bare URL is short for a table with only `url`."""
    return {"url": value} if isinstance(value, str) else value


def _each_reached(globs: tuple[str, ...]) -> tuple[str, ...]:
    for place, glob in enumerate(globs):
        wider = next((one for one in globs[:place] if one == glob or fnmatchcase(glob, one)), None)
        if wider is not None:
            raise ValueError(f'"{glob}" is never reached: "{wider}" before it matches the same names; put the narrower one first')
    return globs


Interval = Annotated[Duration, AfterValidator(_long_enough)]
Name = Annotated[StrictStr, AfterValidator(_readable)]
Texts = tuple[StrictStr, ...]


class Strict(BaseModel):
    """Frozen, and without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)


class TargetSettings(Strict):
    """One `[[target]]`: a Celery deployment, polled through Flower, its broker (Redis or RabbitMQ), or both."""

    name: Name
    flower: Annotated[FlowerSettings, BeforeValidator(_table)] | None = None
    redis: Annotated[RedisSettings, BeforeValidator(_table)] | None = None
    rabbitmq: Annotated[RabbitmqSettings, BeforeValidator(_table)] | None = None
    results: Annotated[ResultsSettings, BeforeValidator(_table)] | None = None
    celery: Annotated[CelerySettings, BeforeValidator(_table)] | None = None
    events: Literal["auto", "workers", "all", "off"] = "auto"
    django: Annotated[DjangoSettings, BeforeValidator(_table)] | None = None
    interval: Interval | None = None
    forget_after: PositiveDuration | None = None
    app: Annotated[StrictStr, AfterValidator(_importable)] | None = None
    link: Annotated[StrictStr, AfterValidator(openable)] | None = None
    min_workers: Annotated[StrictInt, Field(ge=0)] | None = None
    min_workers_by_name: dict[str, Annotated[StrictInt, Field(ge=0)]] = Field(default_factory=dict)
    expected_workers: Texts = ()
    schedule: Schedules = ()
    objective: tuple[ObjectiveSettings, ...] = ()
    workers: Texts = ()
    queues: Texts = ()
    kinds: Annotated[Texts, AfterValidator(_each_reached)] = ()
    show_arguments: StrictBool | None = None
    trial: StrictBool = False

    @property
    def events_broker(self) -> RedisSettings | CelerySettings | None:
        """Where the events of its workers are; None if no broker that carries messages is named."""
        return self.redis if self.celery is None or self.celery.url is None else self.celery

    @property
    def hears(self) -> bool:
        """Whether a daemon listens to the events of its workers."""
        return self.events_broker is not None and self.events != "off"

    @property
    def hears_tasks(self) -> bool:
        """Whether it hears of their tasks as well."""
        return self.hears and self.events in ("auto", "all")

    @model_validator(mode="before")
    @classmethod
    def _of_django(cls, values: Any) -> Any:
        """`schedule = {django = "…"}` is short for the database beside `schedule = "django"`."""
        schedule = values.get("schedule") if isinstance(values, dict) else None
        if isinstance(schedule, dict) and set(schedule) == {"django"} and "django" not in values:
            return {**values, "schedule": "django", "django": schedule["django"]}
        return values

    @model_validator(mode="after")
    def _can_be_seen(self) -> "TargetSettings":
        if self.name == SELF:
            raise ValueError(f'the name "{SELF}" is reserved for watchdog itself; choose another name')
        if (
            self.flower is None
            and self.redis is None
            and self.rabbitmq is None
            and not (self.celery and self.celery.url and self.celery.ask_workers)
        ):
            only = "neither" if self.celery is None else "celery alone, whose events `watchdog run` hears but no check"
            raise ValueError(
                f'expected flower, the broker (redis or rabbitmq) or both, found {only}; add for example flower = "http://localhost:5555"'
            )
        if self.redis is None and self.celery is not None and self.celery.url is None and self.celery.ask_workers:
            raise ValueError('expected the broker of celery, found neither `url` in it nor `redis` beside it; add url = "amqp://…"')
        if self.redis is not None and self.rabbitmq is not None:
            raise ValueError(
                "expected one broker, found redis and rabbitmq: where RabbitMQ carries the messages and Redis keeps the results, "
                "write `results` in place of redis"
            )
        return self

    @model_validator(mode="after")
    def _has_what_its_parts_need(self) -> "TargetSettings":
        if self.events in ("workers", "all") and self.events_broker is None:
            raise ValueError(
                f'expected the broker beside events = "{self.events}": redis, or celery = "amqp://…" for RabbitMQ; found neither'
            )
        seen = self.flower is not None or self.hears_tasks
        found = "none of them" if self.events_broker is None else f'events = "{self.events}"'
        if self.schedule and not seen:
            raise ValueError(
                "expected flower, redis or celery beside schedule: whether a task succeeded is read from Flower, or heard from the "
                f'workers (events = "all"); found {found}'
            )
        twice = named_twice(self.schedule)
        if twice is not None:
            raise ValueError(f'expected one schedule for each task, found several for "{twice[:100]}"')
        if self.objective and not seen:
            raise ValueError(
                "expected flower, redis or celery beside objective: when tasks start, and how they end, is read from Flower, or heard from "
                f'the workers (events = "all"); found {found}'
            )
        if (same := repeated(self.objective)) is not None:
            raise ValueError(f'expected a name of its own for each objective, found several "{same[:100]}"; set name')
        if self.redis is None and any(one.from_ == "redbeat" for one in self.schedule):
            raise ValueError('expected redis beside schedule = "redbeat": its entries are there; found none')
        if (self.django is None) == any(one.from_ == "django" for one in self.schedule):
            raise ValueError(
                'expected django = "postgresql://…" (or sqlite:////path) beside schedule = "django": its entries are in that database; '
                f"found {'no django' if self.django is None else 'django alone'}"
            )
        return self

    def of_source(self, name: str) -> Any:
        """The settings in force of one of its sources; None without it. Workers are asked directly wherever the broker is known."""
        if name != "celery":
            return getattr(self, name)
        own = self.celery or CelerySettings()
        if not own.ask_workers or (own.url is None and self.redis is None):
            return None
        return own if self.redis is None else own.beside(self.redis, self.redis.key_prefix)


class Settings(Strict):
    """The whole configuration. Durations are seconds here."""

    interval: Interval = 10.0
    service: Name = "watchdog"
    database: Annotated[StrictStr, AfterValidator(readable_place)] | None = None
    decisions: StrictStr | None = None
    rules: Texts = ()
    shipped_rules: StrictBool = True
    include: Texts = ()
    forget_after: PositiveDuration = 3600.0
    retention: PositiveDuration = 30 * 86400.0
    show_arguments: StrictBool = False
    flap_window: Duration = 1800.0
    flap_quiet: PositiveDuration = 900.0
    history: PositiveDuration = 14 * 86400.0
    history_raw: PositiveDuration = 2 * 3600.0
    history_rows: Duration = 48 * 3600.0
    heartbeat: Annotated[HeartbeatSettings, BeforeValidator(_table)] | None = None
    http: HttpSettings | None = None
    engine: EngineSettings | None = None
    actions: ActionSettings = Field(default_factory=ActionSettings)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "console", "json", "logfmt"] = "auto"
    target: tuple[TargetSettings, ...] = ()
    receiver: tuple[ReceiverSettings, ...] = ()
    alertmanager: tuple[AlertmanagerSettings, ...] = ()
    route: tuple[RouteSettings, ...] = ()
    mute: tuple[MuteSettings, ...] = ()
    override: tuple[OverrideSettings, ...] = ()

    def interval_of(self, target: TargetSettings) -> float:
        """How often a target is polled (seconds)."""
        return self.interval if target.interval is None else target.interval


def to_target(settings: Settings, target: TargetSettings) -> Target:
    """A target as the core sees it: no secrets; what is not set is read from the workers' configuration."""
    redis, rabbitmq = target.redis, target.rabbitmq
    return Target(
        name=target.name,
        sources=frozenset(name for name in SOURCES if target.of_source(name) is not None) | ({EVENTS} if target.hears else set()),
        interval_s=settings.interval_of(target),
        forget_after_s=settings.forget_after if target.forget_after is None else target.forget_after,
        app=target.app,
        link=opened_at(target.link, target.flower.url if target.flower else None),
        workers=target.workers,
        queues=target.queues,
        kinds=target.kinds,
        declared_queues=(redis.queues if redis else ()) + (rabbitmq.queues if rabbitmq else ()),
        min_workers=target.min_workers,
        min_workers_by_name=dict(target.min_workers_by_name),
        expected_workers=target.expected_workers,
        schedules=to_schedules(target.schedule),
        objectives=to_objectives(target.objective),
        schedulers=to_schedulers(target.schedule),
        key_prefix=redis.key_prefix if redis else None,
        priority_steps=tuple(redis.priority_steps) if redis and redis.priority_steps is not None else None,
        separator=redis.separator if redis else None,
        visibility_timeout_s=redis.visibility_timeout if redis else None,
        redis_db=redis.db if redis else None,
        rabbitmq_vhost=rabbitmq.vhost if rabbitmq else "/",
        results_prefix=target.results.key_prefix if target.results else None,
        show_arguments=settings.show_arguments if target.show_arguments is None else target.show_arguments,
        trial=target.trial,
        hears_tasks=target.hears_tasks and target.flower is None,
        hears_beside_flower=target.hears_tasks and target.flower is not None,
    )


def servers_of(target: TargetSettings) -> dict[str, str]:
    """Source -> what identifies its server: targets that name the same one have the same."""
    given = {name: target.of_source(name) for name in SOURCES}
    return {name: server_id(name, settings.server) for name, settings in given.items() if settings is not None}
