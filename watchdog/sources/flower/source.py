"""Flower: carries questions to one Flower's HTTP API and brings back replies or gaps.

Everything but `refresh` runs on Flower's only event loop, so one question at a time is put to one Flower, whoever asks, and
the cheap ones go first. Where Flower does not answer at all, the rest of the batch is not tried: one timeout is enough.
"""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import InspectOne, Query, WorkerStatus
from watchdog.sources.base import Answers, Source
from watchdog.sources.flower.first_look import first_answer
from watchdog.sources.flower.questions import API, asking, rank
from watchdog.sources.flower.settings import FlowerSettings
from watchdog.sources.flower.shared import FlowerShared

if TYPE_CHECKING:
    import httpx

    from watchdog.sources.flower.dashboard_pages import Pages

__all__ = ["FlowerSettings", "FlowerSource", "share_answers"]

QUESTIONS_WORTH = 3
"""A batch may take as long as so many questions that time out: slow answers cannot add up to a hang."""


NOT_FOUND = 404
UNKNOWN_WORKER = b"Unknown worker"
"""What Flower says of a worker that its inspect cache lacks: Flower 2.x as a text, 1.x within an HTML page."""


class FlowerSource:
    """One Flower. `client` is a seam for tests; the real one is made on the first question and kept."""

    name = "flower"

    def __init__(
        self, settings: FlowerSettings, *, client: "httpx.Client | None" = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._client = client
        self._clock = clock
        self._opened: Pages | None = None
        self._shared: FlowerShared | None = None
        self._no_api: Gap | None = None

    @property
    def longest_s(self) -> float:
        """The longest that one batch may take (seconds), name resolution aside."""
        return (QUESTIONS_WORTH + 3) * self._settings.timeout  # the first question has up to three pages, each with a wait for its turn

    def ask(self, queries: Sequence[Query]) -> Answers:
        """Every query gets its reply type or a gap. `WorkerStatus` goes first; where it fails, all fail for its reason."""
        budget_s = QUESTIONS_WORTH * self._settings.timeout
        ends_at = self._clock() + budget_s
        replies: dict[Query, object] = {}
        took_s: dict[Query, float] = {}
        lost: Gap | None = None
        for query in sorted(queries, key=rank):
            began = self._clock()
            if lost is None and began >= ends_at:
                lost = Gap(f"flower: not asked: the answers before took longer than {budget_s:g}s together")
            if lost is not None:
                replies[query] = lost
                continue
            answer, gone = self._answered(query)
            replies[query], took_s[query] = answer, self._pages().took_s
            if gone and isinstance(answer, Gap):
                lost = answer
        first_s = took_s.get(WorkerStatus())
        return Answers(replies, None if first_s is None else first_s * 1000, took_s)

    def close(self) -> None:
        """Give back the connection."""
        if self._opened is not None:
            self._opened.close()

    def _answered(self, query: Query) -> tuple[object, bool]:
        """The reply or gap, and whether Flower is gone: it gave no HTTP answer at all, or none to its first question."""
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
        return Gap(page.cut or page.refusal) if page.cut or page.refusal else read(page.body), False

    def _pages(self) -> "Pages":
        if self._opened is None:
            from watchdog.sources.flower.dashboard_pages import Pages  # noqa: PLC0415 - with httpx, slow to import

            self._opened = Pages(self._settings, self._client, self._clock, self._shared)
        return self._opened


def share_answers(sources: Sequence[Source]) -> None:
    """Let those that ask the same Flower, in the same way, use each other's answers while these are fresh. Before the first question."""
    groups: list[list[FlowerSource]] = []
    for source in sources:
        if isinstance(source, FlowerSource):
            same = next((group for group in groups if group[0]._settings == source._settings), None)  # noqa: SLF001 - its own kind
            if same is None:
                groups.append([source])
            else:
                same.append(source)
    for group in groups:
        shared = FlowerShared() if len(group) > 1 else None
        for source in group:
            source._shared = shared  # noqa: SLF001 - its own kind
