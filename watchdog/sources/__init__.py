"""The sources there are, and the recipe for another one."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct
from pydantic import BaseModel

from watchdog.sources.base import Source
from watchdog.sources.flower.source import FlowerSettings, FlowerSource, share_answers
from watchdog.sources.redis.source import RedisSettings, RedisSource, ResultsSettings, ResultsSource

__all__ = ["SOURCES", "SourceKind"]


class SourceKind(Struct, frozen=True):
    """A kind of source: its class, made by `source(settings)`, and the settings it owns (`extra="forbid"`, frozen).

    `together` hears of all sources of its kind, so that targets which share one need not ask it twice.
    """

    source: Callable[[Any], Source]
    settings: type[BaseModel]
    together: Callable[[Sequence[Source]], None] = lambda _: None


SOURCES: dict[str, SourceKind] = {
    "flower": SourceKind(FlowerSource, FlowerSettings, share_answers),
    "redis": SourceKind(RedisSource, RedisSettings),
    "results": SourceKind(ResultsSource, ResultsSettings),
}
"""Kind, as in the configuration and in `Query.source` -> class and settings.

To add a source:

1. Its questions go into `core/model/queries.py` (with `source = "kind"` and what one costs), its replies into `core/model/replies.py`.
2. `sources/kind.py` holds its settings and a class as `base.Source` asks: every query gets a reply or a gap whose reason says what
   was expected, what was found and what to do; nothing is raised, nothing waits longer than `longest_s`, no secret is in a reason.
   Decoding goes into `kind_answers.py`, sentences into `kind_reasons.py`. Its client library is imported on the first question.
3. One line here. `tests/contract/test_sources_*.py` walk this registry and all queries: they fail until every question of the new
   source has been given every wrong answer.
"""
