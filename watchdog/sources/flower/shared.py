"""A short-lived cache of Flower's pages, for targets that share one Flower.

In: a page that one of them got. Out: the same page for another, within `FRESH_S`. Refreshes are never shared: whether a worker answered one
shows in the difference between two answers.
"""

from math import inf

from watchdog.sources.flower.page import Page

__all__ = ["FlowerShared"]

FRESH_S = 2.0
"""Seconds; workers send heartbeats as often, so what Flower shows is hardly newer."""


class FlowerShared:
    """The fresh pages of one Flower. To be used only while holding the lock of that Flower."""

    def __init__(self) -> None:
        self._pages: dict[str, tuple[float, Page]] = {}

    def fresh(self, path: str, now: float, since: float = -inf) -> Page | None:
        """The page of that path, if it is fresh, and was asked for after `since`; all times are of one monotonic clock (seconds)."""
        at, page = self._pages.get(path, (now, None))
        return page if page is not None and now - at <= FRESH_S and at - page.took_s > since else None

    def keep(self, path: str, page: Page, now: float) -> None:
        """Keep a page for the others, and drop old ones."""
        self._pages = {path: entry for path, entry in self._pages.items() if now - entry[0] <= FRESH_S}
        if "refresh=" not in path:
            self._pages[path] = (now, page)
