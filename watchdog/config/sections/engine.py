"""`[engine]`: a broker through which other processes (`watchdog worker`) carry out looks.

In: the table as written, and the settings around it. Out: its settings; the faults of a broker that watchdog must not depend on. What an
engine cannot carry is what a process remembers between two looks: who hears events is looked at by the daemon itself.
"""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StrictStr, field_validator

from watchdog.core.model.servers.database_url import is_database_url
from watchdog.core.rules.toml_lines import Path as TomlPath
from watchdog.sources.redis.other_brokers import OTHER_BROKERS
from watchdog.sources.redis.settings import RedisServerSettings

if TYPE_CHECKING:
    from watchdog.config.settings import Settings

__all__ = ["EngineSettings", "carried_targets", "engine_faults", "without_ears"]

QUEUE = "watchdog.looks"
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_NAME = re.compile(r"[\w.-]{1,100}", re.ASCII)


def _table(value: object) -> object:
    """A bare URL is short for a table with only `url`."""
    return {"url": value} if isinstance(value, str) else value


def _checked_queue(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError('expected a name of 1 to 100 letters, digits, "_", "." and "-"')
    return name


class EngineBrokerSettings(RedisServerSettings):
    """Where looks are published."""

    @field_validator("url", mode="before")
    @classmethod
    def _is_of_no_other_kind(cls, url: object) -> object:
        scheme = url.partition("://")[0].strip().lower() if isinstance(url, str) else ""
        if scheme in OTHER_BROKERS:
            raise ValueError(
                f'expected redis://, rediss://, unix:// or sentinel://, found "{scheme}://"; looks are carried by a small Redis of '
                "watchdog's own, whatever the broker of the watched cluster is"
            )
        return url


class EngineSettings(BaseModel):
    """`[engine]`. `broker` is a Redis of its own; `queue` the name of the one queue that is used there."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    broker: Annotated[EngineBrokerSettings, BeforeValidator(_table)]
    queue: Annotated[StrictStr, AfterValidator(_checked_queue)] = QUEUE


def carried_targets(settings: "Settings") -> frozenset[str]:
    """The targets at which workers look: those between whose looks nobody listens. Without an engine, none."""
    return frozenset() if settings.engine is None else frozenset(target.name for target in settings.target if not target.hears)


def without_ears(settings: "Settings") -> "Settings":
    """With an engine, events are heard only where somebody asked for them, or where nothing else reports tasks."""
    if settings.engine is None:
        return settings
    targets = [
        one.model_copy(update={"events": "off"}) if one.events == "auto" and one.flower is not None else one for one in settings.target
    ]
    return settings.model_copy(update={"target": tuple(targets)})


def engine_faults(settings: "Settings | None", database: str | None, place: Callable[[TomlPath], str]) -> Iterator[str]:
    """Each fault of an engine that watchdog, or its workers, could not rely on. `database`: as it is in force; None: a file by default."""
    if settings is None or settings.engine is None:
        return
    if database is None or not is_database_url(database):
        yield (
            f"{place(('engine',))}: engine: expected a `database` beside it that all workers reach, such as "
            '"postgresql://db.internal/watchdog"; found a file'
        )
    ours = _server(settings.engine.broker.server)
    for target in settings.target:
        watched = {"redis": target.redis, "results": target.results}
        same = next((name for name, one in watched.items() if one is not None and _server(one.server) == ours), None)
        if same is not None:
            yield (
                f"{place(('engine', 'broker'))}: engine.broker: expected a Redis of its own, found the server of target "
                f'"{target.name}" ({same}): when that one hangs, fills up or is emptied, watchdog must still look. Another database of it '
                "is no other server; a small second Redis is enough"
            )
            return


def _server(server: tuple[str, ...]) -> tuple[str, ...]:
    """The same for all names of this machine."""
    host, _, port = server[0].rpartition(":")
    return (f"localhost:{port}", *server[1:]) if host.strip("[]") in LOOPBACK else server
