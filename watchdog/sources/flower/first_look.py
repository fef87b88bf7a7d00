"""Flower's first question: does its loop turn, are we let in, which workers are online.

Flower 1.x has no API while authentication is on, only its dashboard and `/metrics`. There the dashboard tells who is online; what only
the API could tell is missing, and every question for it gets the sentence that says why.
"""

from typing import TYPE_CHECKING

from msgspec import Struct

from watchdog.core.model.gaps import Gap
from watchdog.sources.flower.answers import worker_beats, worker_status
from watchdog.sources.flower.page import Page
from watchdog.sources.flower.questions import DASHBOARD, HEALTH, STATUS

if TYPE_CHECKING:
    from watchdog.sources.flower.dashboard_pages import Pages

__all__ = ["First", "first_answer"]

NOT_ALLOWED = 405
UNAUTHORISED = 401


class First(Struct, frozen=True):
    """Worker -> whether it is online, or a gap; and, where Flower has no API, the answer to whatever is asked of it."""

    answer: dict[str, bool] | Gap
    no_api: Gap | None = None


def first_answer(pages: "Pages") -> First:
    """Ask Flower the first question."""
    health = _usable(pages.get(HEALTH))
    if isinstance(health, Gap):
        return First(health)
    page = pages.get(STATUS)
    if not isinstance(page, Gap) and page.status == NOT_ALLOWED:
        return _from_dashboard(pages, Gap(page.refusal))
    usable = _usable(page)
    return First(usable if isinstance(usable, Gap) else worker_status(usable.body))


def _from_dashboard(pages: "Pages", no_api: Gap) -> First:
    """Who is online by the dashboard; where it wants other credentials than ours, that is said first."""
    page = pages.get(DASHBOARD)
    if isinstance(page, Gap) or page.status == UNAUTHORISED:
        gap = _usable(page)
        return First(gap if isinstance(gap, Gap) else no_api, no_api)
    beats = no_api if isinstance(_usable(page), Gap) else worker_beats(page.body)
    if isinstance(beats, Gap):
        return First(no_api, no_api)
    return First({name: beat.online for name, beat in beats.items()}, no_api)


def _usable(page: Page | Gap) -> Page | Gap:
    """The page, or why it cannot be used."""
    return page if isinstance(page, Gap) or not (page.cut or page.refusal) else Gap(page.cut or page.refusal)
