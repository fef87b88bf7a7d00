"""The first query to Flower: is its event loop running, are our credentials accepted, which workers are online.

Flower 1.x has no API while authentication is on, only its dashboard and `/metrics`. Then the dashboard tells which workers are online; what
only the API could tell is missing, and every query for it gets the reason.
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
    """Worker -> whether it is online, or a gap; and, if Flower has no API, the answer to every API query."""

    answer: dict[str, bool] | Gap
    no_api: Gap | None = None


def first_answer(pages: "Pages") -> First:
    """Ask Flower the first query."""
    health = _usable(pages.get(HEALTH))
    if isinstance(health, Gap):
        return First(health)
    page = pages.get(STATUS)
    if not isinstance(page, Gap) and page.status == NOT_ALLOWED:
        return _from_dashboard(pages, Gap(page.refusal))
    usable = _usable(page)
    return First(usable if isinstance(usable, Gap) else worker_status(usable.body))


def _from_dashboard(pages: "Pages", no_api: Gap) -> First:
    """The online workers from the dashboard. If it rejects our credentials, that is the gap reported."""
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
