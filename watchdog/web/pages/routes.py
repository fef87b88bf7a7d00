"""What the page shows: `/`, `/targets/NAME`, `/incidents`, `/incidents/ID`.

In: the site. Out: HTML, drawn on the server.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from flask import Blueprint, current_app, g, render_template, request

from watchdog.core.model.target import SELF
from watchdog.status.gathering import gathered
from watchdog.status.shown import TargetShown
from watchdog.store import NotFoundError
from watchdog.web.access import CSRF_FIELD
from watchdog.web.acting.routes import offered_to
from watchdog.web.pages.drawn import FILTERS
from watchdog.web.pages.incidents import PARTS, incident_view, listed
from watchdog.web.pages.targets import OF_TARGET, Paged, condition_of_all, incidents_alone, overview_view, target_view
from watchdog.web.site import current_site

__all__ = ["incident_page", "pages"]

pages = Blueprint("pages", __name__)
for _name, _filter in FILTERS.items():
    pages.add_app_template_filter(_filter, _name)

DURATIONS = ("30m", "1h", "2h", "4h", "8h", "1d", "3d", "1w")
LAST_PAGE = 1_000_000
NOTHING_TYPED: Mapping[str, str] = MappingProxyType({})
DEAF = "A receiver's thread has ended: it notifies nobody until watchdog is restarted. The log says why."
DONE = {
    "acknowledged": "Acknowledged. Nobody is reminded until it ends or gets worse.",
    "unacknowledged": "No longer acknowledged. What is due to be sent is sent with the next cycle that sees a breach.",
    "closed": "Closed. Everybody who was notified of the beginning is notified of the end with the next cycle.",
    "silenced": "Silenced from the next cycle on. What still fires when the silence ends is sent then.",
    "unsilenced": "The silence has ended. What it hid and still fires is sent with the next cycle.",
}
"""What is said after a change."""


@pages.app_context_processor
def of_every_page() -> dict[str, Any]:
    """What every page shows."""
    return {
        "service": current_site().settings.service,
        "person": g.get("person"),
        "csrf_field": CSRF_FIELD,
        "targets": current_site().targets,
        "stands_by": current_site().stands_by(),
    }


@pages.get("/")
def overview() -> str:
    """All targets."""
    *shown, itself = _gathered(*current_site().targets, SELF)
    views = [overview_view(one) for one in shown]
    condition = condition_of_all([view.condition for view in views])
    notice = "" if current_site().delivering() else DEAF
    return render_template("overview.html", targets=views, itself=incidents_alone(itself), condition=condition, notice=notice)


@pages.get("/targets/<path:name>")
def target(name: str) -> str | tuple[str, int]:
    """One target with its panels."""
    if name not in current_site().targets:
        return _no_target(name)
    paged = Paged(_all_of(OF_TARGET), _page())
    acts = offered_to(current_site(), g.person)
    return render_template("target.html", target=target_view(_gathered(name)[0], OF_TARGET, paged), paged=paged, acts=acts)


@pages.get("/incidents")
def incidents() -> str:
    """What is open, and what ended of late."""
    part = _all_of(PARTS)
    page = _page() if part else 1
    return render_template("incidents.html", listed=listed(current_site(), part, page), part=part, page=page)


@pages.get("/incidents/<named>")
def incident(named: str) -> str:
    """One incident."""
    return incident_page(named, done=DONE.get(request.args.get("done", ""), ""))


def incident_page(named: str, *, done: str = "", refused: str = "", typed: Mapping[str, str] = NOTHING_TYPED) -> str:
    """One incident, and what was just done or refused."""
    view = incident_view(current_site(), named)
    csrf = current_app.extensions["access"].csrf(g.person)
    acts = offered_to(current_site(), g.person)
    return render_template("incident.html", view=view, done=done, refused=refused, typed=typed, csrf=csrf, durations=DURATIONS, acts=acts)


@pages.errorhandler(NotFoundError)
def no_incident(error: NotFoundError) -> tuple[str, int]:
    """An id that does not exist."""
    return render_template("fault.html", title="No such incident", words=str(error)), 404


def _all_of(lists: Collection[str]) -> str:
    """The list of the page that was asked for as a whole; empty: none, each is cut."""
    asked = request.args.get("all", "")
    return asked if asked in lists else ""


def _page() -> int:
    """The page of that list, from 1 on; what is no page is the first."""
    page = request.args.get("page", 1, type=int)
    return page if 1 <= page <= LAST_PAGE else 1


def _no_target(name: str) -> tuple[str, int]:
    there = ", ".join(current_site().targets)
    return render_template("fault.html", title="No such target", words=f'There is no target "{name}"; configured: {there}.'), 404


def _gathered(*names: str) -> tuple[TargetShown, ...]:
    site = current_site()
    return gathered(site.store, site.settings, names, site.days, site.clock(), site.store.last_looks())
