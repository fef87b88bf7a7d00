"""A short-lived cache of Flower's pages, for targets that share one Flower.

In: a page that one of them got. Out: the same page for another, within `FRESH_S`. Refreshes are never shared: whether a worker answered one
shows in the difference between two answers.
"""

from watchdog.sources.flower.page import Page

__all__ = ["FlowerShared"]

FRESH_S = 2.0
"""Seconds; workers send heartbeats as often, so what Flower shows is hardly newer."""


class FlowerShared:
    """The fresh pages of one Flower. To be used only while holding the lock of that Flower."""

    def __init__(self) -> None:
        self._pages: dict[str, tuple[float, Page]] = {}

    def fresh(self, path: str, now: float) -> Page | None:
        """The page of that path, if it is fresh; `now` here and in `keep` are from the same monotonic clock (seconds)."""
        at, page = self._pages.get(path, (now, None))
        return page if now - at <= FRESH_S else None

    def keep(self, path: str, page: Page, now: float) -> None:
        """Keep a page for the others, and drop old ones."""
        self._pages = {path: entry for path, entry in self._pages.items() if now - entry[0] <= FRESH_S}
        if "refresh=" not in path:
            self._pages[path] = (now, page)
