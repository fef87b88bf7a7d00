"""The kinds of sources, and how to add one."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct
from pydantic import BaseModel

from watchdog.sources.base import Source
from watchdog.sources.celery.source import CelerySettings, CelerySource, share_brokers
from watchdog.sources.django.source import DjangoSettings, DjangoSource
from watchdog.sources.flower.source import FlowerSettings, FlowerSource, share_answers
from watchdog.sources.rabbitmq.source import RabbitmqSettings, RabbitmqSource
from watchdog.sources.redis.source import RedisSettings, RedisSource, ResultsSettings, ResultsSource

__all__ = ["EVENTS", "SOURCES", "SourceKind"]

EVENTS = "events"
"""The source without settings of its own: what the daemon hears from the broker that `redis` or `celery` names (`sources/events/`)."""


class SourceKind(Struct, frozen=True):
    """A kind of source: its class, constructed by `source(settings)`, and its settings class (`extra="forbid"`, frozen).

    `together` receives all sources of its kind, so that targets which share one need not ask it twice.
    """

    source: Callable[[Any], Source]
    settings: type[BaseModel]
    together: Callable[[Sequence[Source]], None] = lambda _: None


SOURCES: dict[str, SourceKind] = {
    "flower": SourceKind(FlowerSource, FlowerSettings, share_answers),
    "redis": SourceKind(RedisSource, RedisSettings),
    "rabbitmq": SourceKind(RabbitmqSource, RabbitmqSettings),
    "results": SourceKind(ResultsSource, ResultsSettings),
    "django": SourceKind(DjangoSource, DjangoSettings),
    "celery": SourceKind(CelerySource, CelerySettings, share_brokers),
}
"""Kind, as in the configuration and in `Query.source` -> class and settings.

To add a source:

1. Its queries go into `core/model/queries.py` (with `source = "kind"` and their cost), its replies into `core/model/replies.py`.
2. `sources/kind/` contains its settings and a class that implements `base.Source`: every query gets a reply or a gap whose reason says what
   was expected, what was found and what to do; nothing is raised, nothing waits longer than `longest_s`, no reason contains a secret.
   Decoding goes into `answers.py`, reasons into `reasons.py`. Its client library is imported at the first query.
3. One line here. `tests/contract/test_sources_*.py` iterate over this registry and all queries: they fail until every query of the new
   source has been tested with every kind of wrong answer.
"""
