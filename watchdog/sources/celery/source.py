"""Celery: asks workers directly, through the broker, and returns what they say, or gaps.

A broker that hangs hangs nothing here (`line`), and no queue or key of ours stays in it (`mailbox`). Nothing is sent that changes a worker.
"""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query
from watchdog.core.model.servers.worker_queries import HeldByWorkers, InspectWorkers, PingWorkers, PlansOfWorkers, ScheduledByWorkers
from watchdog.net.descriptor_limits import raise_if_own
from watchdog.sources.base import Answers, Source
from watchdog.sources.celery.amqp_address import AmqpAddress
from watchdog.sources.celery.broker import connection_arguments
from watchdog.sources.celery.line import Line
from watchdog.sources.celery.settings import CelerySettings

if TYPE_CHECKING:
    from watchdog.sources.celery.mailbox import Conversation

__all__ = ["CelerySettings", "CelerySource", "share_brokers"]

SLOW = tuple(f"watchdog.sources.celery.{name}" for name in ("answers", "mailbox", "reasons"))
"""They import kombu, at the first question: before the broker's time begins, and never in a thread that is left alone."""
COMMANDS_WORTH = 3
"""A batch may take as long as this many commands that nobody answers."""
OF_INSPECTION: Mapping[str, Mapping[str, object]] = {
    "active_queues": {},
    "active": {"safe": True},
    "conf": {"with_defaults": False},
    "registered": {},
}
"""What is asked of those that answered `stats`. `safe`: without arguments of tasks, which may be large; `registered` has rate limits."""


class CelerySource:
    """The workers of one target. `now` dates their answers (epoch seconds), `clock` limits the time."""

    name = "celery"

    def __init__(
        self, settings: CelerySettings, *, clock: Callable[[], float] = time.monotonic, now: Callable[[], float] = time.time
    ) -> None:
        self._settings, self._clock, self._now = settings, clock, now
        self._replies = str(uuid.uuid4())
        self._line = Line(clock)

    @property
    def longest_s(self) -> float:
        """The longest that one batch may take (seconds): connecting, then the commands."""
        return self._settings.connect_timeout + COMMANDS_WORTH * self._settings.timeout

    def ask(self, queries: Sequence[Query]) -> Answers:
        """Answer every query with its reply type or a gap; if the broker cannot be reached, all get the same gap."""
        for module in SLOW:
            import_module(module)
        try:
            answers = self._line.talk(lambda: self._answers(queries), self.longest_s)
        except Exception as error:  # noqa: BLE001 - kombu and its transports raise what their libraries do
            raise_if_own(error)
            answers = self._refused(error)
        return Answers(dict.fromkeys(queries, answers) if isinstance(answers, Gap) else answers)

    def close(self) -> None:
        """Nothing is kept open."""

    def _answers(self, queries: Sequence[Query]) -> dict[Query, object]:
        """Hold the conversations that these queries need, one for each key prefix. Runs in the background."""
        from watchdog.sources.celery.mailbox import conversation  # noqa: PLC0415 - imports kombu, which is slow

        prefixes = {self._prefix(query): [q for q in queries if self._prefix(q) == self._prefix(query)] for query in queries}
        found: dict[Query, object] = {}
        for prefix, of_prefix in prefixes.items():
            settings = self._settings
            arguments = connection_arguments(
                settings.place, timeout_s=2 * settings.timeout, connect_timeout_s=settings.connect_timeout, key_prefix=prefix
            )
            with conversation(arguments, settings.control_exchange, self._reply_queue(), settings.timeout) as talk:
                found |= {query: self._answer(query, talk) for query in of_prefix}
        return found

    def _answer(self, query: Query, talk: "Conversation") -> object:
        from watchdog.sources.celery.answers import held, inspected, planned, ponged, scheduled  # noqa: PLC0415 - part of what is imported late

        match query:
            case PingWorkers(workers):
                return ponged(talk.ask("ping", workers))
            case InspectWorkers(workers):
                stats = talk.ask("stats", workers)
                more = {name: talk.ask(name, tuple(stats), **kwargs) for name, kwargs in OF_INSPECTION.items()} if stats else {}
                return inspected({"stats": stats, **more}, self._now())
            case PlansOfWorkers(workers):
                confs = talk.ask("conf", workers, **OF_INSPECTION["conf"])
                return planned({"conf": confs, "registered": talk.ask("registered", tuple(confs))}) if confs else {}
            case HeldByWorkers(workers):
                return held(talk.ask("reserved", workers))
            case ScheduledByWorkers(workers):
                return scheduled(talk.ask("scheduled", workers))
        return Gap(f"celery: does not know the question {type(query).__name__}")

    def _prefix(self, query: Query) -> str:
        given = self._settings.key_prefix
        return str(getattr(query, "key_prefix", "")) if given is None else given

    def _reply_queue(self) -> str:
        """On Redis always the same: what a conversation that was cut off left, the next one removes.

        RabbitMQ removes it with its connection. While it does not know that one was lost on the way, it refuses that queue to others.
        """
        return str(uuid.uuid4()) if isinstance(self._settings.place, AmqpAddress) else self._replies

    def _refused(self, error: Exception) -> Gap:
        from watchdog.sources.celery.reasons import refusal  # noqa: PLC0415 - imports kombu

        settings = self._settings
        found = refusal(error, settings.place, settings.timeout, settings.connect_timeout)
        gap = Gap(found.reason)
        self._line.pause(gap, found.quiet_s)
        return gap


def share_brokers(sources: Sequence[Source]) -> None:
    """Let sources with the same settings share one way to their broker. To be called before the first query."""
    lines: dict[CelerySettings, Line] = {}
    for source in sources:
        if isinstance(source, CelerySource):
            source._line = lines.setdefault(source._settings, source._line)  # noqa: SLF001 - same module
