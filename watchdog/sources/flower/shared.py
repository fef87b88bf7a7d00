"""What several targets that share one Flower need not ask twice: its pages, while they are fresh.

In: a page that one of them got. Out: the same page for another, within `FRESH_S`. A refresh is never shared: whether a worker answers it
is told by what changed between two answers.
"""

from watchdog.sources.flower.page import Page

__all__ = ["FlowerShared"]

FRESH_S = 2.0
"""As often as workers beat: what Flower shows is hardly newer."""


class FlowerShared:
    """The fresh pages of one Flower. Used by whoever has the turn to ask it, and by nobody else."""

    def __init__(self) -> None:
        self._pages: dict[str, tuple[float, Page]] = {}

    def fresh(self, path: str, now: float) -> Page | None:
        """The page of that path, where it is fresh; `now` and the time of `keep` are of one monotonic clock (seconds)."""
        at, page = self._pages.get(path, (now, None))
        return page if now - at <= FRESH_S else None

    def keep(self, path: str, page: Page, now: float) -> None:
        """Keep a page for the others, and drop what is old."""
        self._pages = {path: entry for path, entry in self._pages.items() if now - entry[0] <= FRESH_S}
        if "refresh=" not in path:
            self._pages[path] = (now, page)
