"""Flower: sends queries to one Flower's HTTP API and returns replies or gaps.

Everything but `refresh` runs on Flower's only event loop, so there is one request at a time per Flower, whoever asks, and cheap ones go
first. If Flower does not answer at all, the rest of the batch is not tried: one timeout is enough.
"""

import time
from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from watchdog.core.model.gaps import UNCOUNTABLE, Gap
from watchdog.core.model.queries import InspectOne, Query, QueueLengths, WholeTask, WorkerStatus
from watchdog.core.model.replies import WholeTaskSeen
from watchdog.core.model.servers.flower_queries import HasWorkersPage
from watchdog.sources.base import Answers, Source
from watchdog.sources.flower.first_look import first_answer
from watchdog.sources.flower.questions import API, asking, rank
from watchdog.sources.flower.settings import FlowerSettings
from watchdog.sources.flower.shared import FlowerShared

if TYPE_CHECKING:
    import httpx

    from watchdog.sources.flower.access.tokens import Tokens
    from watchdog.sources.flower.dashboard_pages import Pages

__all__ = ["FlowerSettings", "FlowerSource", "share_answers"]

QUESTIONS_WORTH = 3
"""A batch may take as long as this many queries that time out, so that slow answers cannot add up to a hang."""


NOT_FOUND = 404
UNKNOWN_WORKER = b"Unknown worker"
"""Flower's answer for a worker that is not in its inspect cache: 2.x as text, 1.x within an HTML page."""
UNKNOWN_TASK = b"Unknown task"
"""The same for a task that it does not list; before 2.2 the answer is empty."""
UNSUPPORTED = b"broker is not supported"
"""The same for the lengths of queues, if it was started with a broker that is neither Redis nor RabbitMQ."""


class FlowerSource:
    """One Flower. `transport` exists for tests; the real one is created at the first query and kept."""

    name = "flower"

    def __init__(
        self, settings: FlowerSettings, *, transport: "httpx.BaseTransport | None" = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._opened: Pages | None = None
        self._shared: FlowerShared | None = None
        self._tokens = _tokens(settings, clock)
        self._no_api: Gap | None = None

    @property
    def longest_s(self) -> float:
        """The longest that one batch may take (seconds), without name resolution."""
        asking_s = (QUESTIONS_WORTH + 3) * self._settings.timeout  # the first query has up to three pages, each with a wait for the lock
        return asking_s + self._settings.longest_for_token_s

    def ask(self, queries: Sequence[Query]) -> Answers:
        """Answer every query with its reply type or a gap. `WorkerStatus` goes first; if it fails, all get its gap."""
        budget_s = QUESTIONS_WORTH * self._settings.timeout
        ends_at = self._clock() + budget_s
        replies: dict[Query, object] = {}
        took_s: dict[Query, float] = {}
        lost: Gap | None = None
        for query in sorted(queries, key=rank):
            began = self._clock()
            if lost is None and began >= ends_at:
                lost = Gap(f"flower: not queried: the answers before took longer than {budget_s:g}s together")
            if lost is not None:
                replies[query] = lost
                continue
            answer, gone = self._answered(query)
            replies[query], took_s[query] = answer, self._pages().took_s
            if gone and isinstance(answer, Gap):
                lost = answer
        first_s = took_s.get(WorkerStatus())
        return Answers(replies, None if first_s is None else first_s * 1000, took_s)

    def interrupt(self) -> None:
        """From any thread, for a stop: wait for no command that is to give a token."""
        if self._tokens is not None:
            self._tokens.interrupt()

    def forget(self) -> None:
        """Answer with no page that another target asked for before now."""
        if self._shared is not None:
            self._pages().forget()

    def close(self) -> None:
        """Close the connection."""
        if self._opened is not None:
            self._opened.close()

    def _answered(self, query: Query) -> tuple[object, bool]:
        """The reply or gap, and whether Flower is gone: it gave no HTTP answer at all, or none to its first query."""
        self._pages().took_s = 0.0
        if isinstance(query, WorkerStatus):
            first = first_answer(self._pages())
            self._no_api = first.no_api
            return first.answer, isinstance(first.answer, Gap)
        question = asking(query)
        if question is None:
            return Gap(f"flower: does not know the question {type(query).__name__}"), False
        path, read = question
        if self._no_api is not None and path.startswith(API):
            return self._no_api, False
        page = self._pages().get(path)
        if isinstance(page, Gap):
            return page, True
        if isinstance(query, InspectOne) and page.status == NOT_FOUND and UNKNOWN_WORKER in page.body:
            return {}, False
        if isinstance(query, WholeTask) and page.status == NOT_FOUND and (UNKNOWN_TASK in page.body or not page.body):
            return WholeTaskSeen(query.id), False
        if isinstance(query, HasWorkersPage) and page.status == NOT_FOUND:
            return False, False
        if isinstance(query, QueueLengths) and page.status == NOT_FOUND and UNSUPPORTED in page.body:
            return Gap(UNCOUNTABLE), False
        return Gap(page.cut or page.refusal) if page.cut or page.refusal else read(page.body), False

    def _pages(self) -> "Pages":
        if self._opened is None:
            from watchdog.sources.flower.dashboard_pages import Pages  # noqa: PLC0415 - imports httpx, which is slow

            self._opened = Pages(self._settings, self._transport, self._clock, self._shared, self._tokens)
        return self._opened


def _tokens(settings: FlowerSettings, clock: Callable[[], float]) -> "Tokens | None":
    if not settings.token_source:
        return None
    from watchdog.sources.flower.access.tokens import Tokens  # noqa: PLC0415 - most need none

    return Tokens(settings, settings.url, clock, time.time)


def share_answers(sources: Sequence[Source]) -> None:
    """Let sources with the same settings use one token, and each other's answers while these are fresh. Before the first query."""
    groups: dict[str, list[list[FlowerSource]]] = {}  # by URL: a thousand settings are not compared with each other
    for source in sources:
        if isinstance(source, FlowerSource):
            at_url = groups.setdefault(source._settings.url, [])  # noqa: SLF001 - same class
            same = next((group for group in at_url if group[0]._settings == source._settings), None)  # noqa: SLF001 - same class
            if same is None:
                at_url.append([source])
            else:
                same.append(source)
    for group in chain.from_iterable(groups.values()):
        shared = FlowerShared() if len(group) > 1 else None
        for source in group:
            source._shared, source._tokens = shared, group[0]._tokens  # noqa: SLF001 - same class
