"""Checks one address where Flower or a broker may be: does it answer, and what does it report about itself.

In: a place. Out: what was found, as a sentence without secrets; the source's own reason if it does not answer.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from watchdog.cli.init.places import USUAL, Place

if TYPE_CHECKING:
    from watchdog.config.settings import TargetSettings
    from watchdog.core.model.queries import Query
    from watchdog.sources.base import Answers

    Look = tuple[list[Query], Callable[[Place, Answers], "Found"]]

__all__ = ["Found", "look", "unusable", "unusable_name"]

_BINDINGS = "_kombu.binding.*"
"""Keys that Celery leaves in a Redis for each queue that a worker has consumed (kombu/transport/redis.py)."""
_BUDGET = 1000
_WANTS_CREDENTIALS = ("requires credentials", "requires a password", "does not accept")
_LOCKED = (*_WANTS_CREDENTIALS, "has no tag", "requires no password", "its API is switched off", "answered with the login page")
"""Parts of the reasons for a server that is there but refuses access (`flower.reasons`, `redis.reasons`)."""


class Found(Struct, frozen=True):
    """The result of one check. `workers`: how many are online according to Flower, if known."""

    place: Place
    answers: bool
    said: str
    workers: int | None = None

    @property
    def wants_credentials(self) -> bool:
        """Whether it is there but requires a valid user and password."""
        return not self.answers and any(words in self.said for words in _WANTS_CREDENTIALS)

    @property
    def there(self) -> bool:
        """Whether it answers, or at least exists."""
        return self.answers or any(words in self.said for words in _LOCKED)


def unusable(place: Place) -> str | None:
    """What is wrong with the URL itself, or None; no source is asked."""
    settings = _settings(place)
    return settings if isinstance(settings, str) else None


def unusable_name(name: str) -> str | None:
    """What is wrong with a target's name, or None."""
    settings = _target({"name": name, "flower": USUAL["flower"]})
    return settings if isinstance(settings, str) else None


def look(place: Place) -> Found:
    """Ask the source its first query, and others that show whether it is the right one."""
    settings = _settings(place)
    if isinstance(settings, str):
        return Found(place, answers=False, said=settings)
    from watchdog.app.polling import build_sources  # noqa: PLC0415

    source = build_sources(settings)[place.kind]
    queries, read = {"flower": _of_flower, "redis": _of_redis, "rabbitmq": _of_rabbitmq}[place.kind](place)
    try:
        answers = source.ask(queries)
    finally:
        source.close()
    return read(place, answers)


def _of_flower(_: Place) -> "Look":
    from watchdog.core.model.queries import WorkerStatus  # noqa: PLC0415

    return [WorkerStatus()], _flower


def _of_redis(_: Place) -> "Look":
    from watchdog.core.model.queries import Ping, ReadServer, ScanKeys  # noqa: PLC0415

    return [Ping(), ReadServer(), ScanKeys(0, _BINDINGS, _BUDGET)], _redis


def _of_rabbitmq(place: Place) -> "Look":
    from watchdog.core.model.servers.rabbitmq_queries import RabbitNodes, RabbitOverview, RabbitQueues  # noqa: PLC0415

    return [RabbitOverview(), RabbitNodes(), RabbitQueues(place.vhost)], _rabbitmq


def _settings(place: Place) -> "TargetSettings | str":
    """The settings of a target with only this source; or what is wrong with the URL."""
    if not place.url.isprintable() or not place.url.isascii():
        return "expected a URL of plain ASCII characters; others are written %-escaped"
    if "@" in place.url.partition("://")[2].partition("/")[2] and ";sentinel://" not in place.url:
        return "expected no @ after the host, found one: are / and @ in the password %-escaped?"
    given = {"url": place.url, "vhost": place.vhost} if place.kind == "rabbitmq" else place.url
    return _target({"name": "one", place.kind: given})


def _target(values: dict[str, object]) -> "TargetSettings | str":
    """The settings of a target, or all of their faults."""
    from pydantic import ValidationError  # noqa: PLC0415

    from watchdog.config.faults import sentences  # noqa: PLC0415
    from watchdog.config.settings import TargetSettings  # noqa: PLC0415

    try:
        return TargetSettings.model_validate(values)
    except ValidationError as error:
        return "; ".join(dict.fromkeys(said for _, said in sentences(error, TargetSettings, values, {})))


def _flower(place: Place, answers: "Answers") -> Found:
    from watchdog.core.model.gaps import Gap  # noqa: PLC0415
    from watchdog.core.model.queries import WorkerStatus  # noqa: PLC0415

    status = answers.replies[WorkerStatus()]
    if isinstance(status, Gap):
        return Found(place, answers=False, said=_reason(status))
    online = sum(map(bool, status.values())) if isinstance(status, dict) else 0
    said = f"answers, {online} {'worker' if online == 1 else 'workers'} online"
    return Found(place, answers=True, said=said if online else f"{said}: start one, or is it another cluster's Flower?", workers=online)


def _redis(place: Place, answers: "Answers") -> Found:
    from watchdog.core.model.gaps import Gap  # noqa: PLC0415
    from watchdog.core.model.queries import Ping, ReadServer, ScanKeys  # noqa: PLC0415
    from watchdog.core.model.replies import KeysFound, RedisServer  # noqa: PLC0415

    pong, server, bindings = (answers.replies[query] for query in (Ping(), ReadServer(), ScanKeys(0, _BINDINGS, _BUDGET)))
    if isinstance(pong, Gap):
        return Found(place, answers=False, said=_reason(pong))
    version = f", version {server.version}" if isinstance(server, RedisServer) and server.version else ""
    denied = next((f"; but {_reason(gap)}" for gap in (server, bindings) if isinstance(gap, Gap)), "")
    empty = isinstance(bindings, KeysFound) and not bindings.keys and bindings.cursor == 0
    hint = "; no queue of Celery's in this database yet: is it the one that broker_url names?" if empty else ""
    return Found(place, answers=True, said=f"answers{version}{denied}{hint}")


def _rabbitmq(place: Place, answers: "Answers") -> Found:
    from watchdog.core.model.gaps import Gap  # noqa: PLC0415
    from watchdog.core.model.servers.rabbitmq_queries import RabbitNodes, RabbitOverview, RabbitQueues  # noqa: PLC0415
    from watchdog.core.model.servers.rabbitmq_replies import OverviewSeen  # noqa: PLC0415

    overview, nodes, queues = (answers.replies[query] for query in (RabbitOverview(), RabbitNodes(), RabbitQueues(place.vhost)))
    if isinstance(overview, Gap):
        return Found(place, answers=False, said=_reason(overview))
    version = f", version {overview.version}" if isinstance(overview, OverviewSeen) and overview.version else ""
    denied = next((f"; but {_reason(gap)}" for gap in (nodes, queues) if isinstance(gap, Gap)), "")
    hint = "" if queues else f'; no queue in the virtual host "{place.vhost}" yet: is it the one that broker_url names?'
    return Found(place, answers=True, said=f"answers{version}{denied}{hint}")


def _reason(gap: object) -> str:
    """A gap's reason without the name of the source, which is printed before it."""
    return str(getattr(gap, "reason", gap)).partition(": ")[2]
