"""`/healthz` and `/readyz`: for supervisors and load balancers, without authentication and without names.

`/healthz` is 200 while cycles finish and receivers' threads run: a restart would help once it is not. A Flower that is down is no reason.
`/readyz` is 200 once every target has been looked at.
"""

from flask import Blueprint, Response

from watchdog.web.site import current_site

__all__ = ["health"]

health = Blueprint("health", __name__)


@health.get("/healthz")
def healthz() -> Response:
    """Whether the daemon does its work."""
    site = current_site()
    overdue = len(site.overdue())
    if overdue:
        return _said(503, f"cycles of {overdue} of {len(site.targets) + 1} targets do not finish")
    return _said(200, "ok") if site.delivering() else _said(503, "a receiver's thread has ended")


@health.get("/readyz")
def readyz() -> Response:
    """Whether every target has been looked at."""
    site = current_site()
    return _said(200, "ok") if site.ready() else _said(503, "the first cycles are not done")


def _said(status: int, text: str) -> Response:
    return Response(f"{text}\n", status, content_type="text/plain; charset=utf-8")
