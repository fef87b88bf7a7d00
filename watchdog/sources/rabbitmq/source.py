"""RabbitMQ: sends queries to the management API of one broker and returns replies or gaps.

If it does not answer the first query, or one finds nobody there, the rest of the batch is not tried: one timeout is enough.
"""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query
from watchdog.core.model.servers.rabbitmq_queries import RabbitNodes, RabbitOverview, RabbitQueues
from watchdog.sources.base import Answers
from watchdog.sources.rabbitmq.answers import NODE_COLUMNS, OVERVIEW_COLUMNS, QUEUE_COLUMNS, nodes, overview, queues
from watchdog.sources.rabbitmq.settings import RabbitmqSettings

if TYPE_CHECKING:
    import httpx

    from watchdog.sources.rabbitmq.pages import Pages

__all__ = ["RabbitmqSettings", "RabbitmqSource"]

QUESTIONS_WORTH = 2
"""A batch may take as long as this many queries that time out, so that slow answers cannot add up to a hang."""
ORDER = (RabbitOverview, RabbitNodes, RabbitQueues)


class RabbitmqSource:
    """One RabbitMQ. `transport` exists for tests; the real one is created at the first query and kept."""

    name = "rabbitmq"

    def __init__(
        self, settings: RabbitmqSettings, *, transport: "httpx.BaseTransport | None" = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings, self._transport, self._clock = settings, transport, clock
        self._opened: Pages | None = None

    @property
    def longest_s(self) -> float:
        """The longest that one batch may take (seconds), without name resolution."""
        return (QUESTIONS_WORTH + 1) * self._settings.timeout

    def ask(self, queries: Sequence[Query]) -> Answers:
        """Answer every query with its reply type or a gap. The overview goes first; if it fails, all get its gap."""
        self._pages()  # its import is no part of the latency
        budget_s = QUESTIONS_WORTH * self._settings.timeout
        ends_at = self._clock() + budget_s
        replies: dict[Query, object] = {}
        took_s: dict[Query, float] = {}
        lost: Gap | None = None
        for query in sorted(queries, key=lambda query: ORDER.index(type(query)) if type(query) in ORDER else len(ORDER)):
            began = self._clock()
            if lost is None and began >= ends_at:
                lost = Gap(f"rabbitmq: not queried: the answers before took longer than {budget_s:g}s together")
            if lost is not None:
                replies[query] = lost
                continue
            answer, gone = self._answered(query)
            replies[query], took_s[query] = answer, self._clock() - began
            if isinstance(answer, Gap) and (gone or isinstance(query, RabbitOverview)):
                lost = answer
        first_s = took_s.get(RabbitOverview())
        return Answers(replies, None if first_s is None else first_s * 1000, took_s)

    def close(self) -> None:
        """Close the connection."""
        if self._opened is not None:
            self._opened.close()

    def _answered(self, query: Query) -> tuple[object, bool]:
        """The reply or gap, and whether RabbitMQ is gone: it gave no HTTP answer at all."""
        vhost = ""
        read: Callable[[bytes], object]
        match query:
            case RabbitOverview():
                path, columns, read = "/api/overview", OVERVIEW_COLUMNS, overview
            case RabbitNodes():
                path, columns, read = "/api/nodes", NODE_COLUMNS, nodes
            case RabbitQueues(vhost):
                path, columns, read = f"/api/queues/{quote(vhost, safe='')}", QUEUE_COLUMNS, queues
            case _:
                return Gap(f"rabbitmq: does not know the question {type(query).__name__}"), False
        body = self._pages().get(path, columns, vhost)
        if isinstance(body, bytes):
            return read(body), False
        return body.gap, body.gone

    def _pages(self) -> "Pages":
        if self._opened is None:
            from watchdog.sources.rabbitmq.pages import Pages  # noqa: PLC0415 - imports httpx, which is slow

            self._opened = Pages(self._settings, self._transport, self._clock)
        return self._opened
