"""Answers that refuse: a page for people, one sentence for those who are not let in; below `/api/`, the same as JSON (RFC 9457), below
`/api/v2/` as Alertmanager refuses.

In: a status and what is wrong. Out: an answer. Views raise `RefusedError`; the application turns it, and what Flask refuses, into answers.
"""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Response, current_app, g, render_template, request
from msgspec import UNSET, Struct, UnsetType

from watchdog.config.masking import MASKING
from watchdog.status.documents.text import json_text

__all__ = ["ALERTMANAGER", "API", "PROBLEM", "Problem", "RefusedError", "for_programs", "refused"]

API = "/api/"
ALERTMANAGER = "/api/v2"
AS_TEXT = frozenset({400, 404, 500})
"""Statuses with which Alertmanager's own code refuses, by a mere text, which its clients show. With others, what decodes requests does."""
PLAIN = "text/plain; charset=utf-8"
PROBLEM = "application/problem+json"
FOR_PEOPLE = frozenset({"pages", "changes", "acting"})
TITLES = {404: "Not found", 500: "This could not be shown", 503: "The database cannot be used now"}
AGAIN_S = 5
"""A page that the database keeps from being shown is tried again so often."""


class Problem(Struct, frozen=True, kw_only=True):
    """Why a request was refused. `detail` says what was expected, what was found and what to do; `where`: the part of the request."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    where: str | UnsetType = UNSET


class RefusedError(Exception):
    """A request that cannot be answered. `where`: the parameter, member or header that is wrong; empty: the request as a whole."""

    def __init__(self, status: int, detail: str, where: str = "") -> None:
        super().__init__(detail)
        self.status, self.detail, self.where = status, detail, where


def for_programs() -> bool:
    """Whether the request is to the API."""
    return request.path.startswith(API)


def refused(status: int, detail: str, where: str = "", headers: Mapping[str, str] | None = None) -> Response:
    """The answer."""
    if not for_programs():
        text = f"watchdog: {detail}\n"
        return _page(status, detail, headers) if _for_people() else Response(MASKING(text), status, headers, content_type=PLAIN)
    if request.path.startswith(f"{ALERTMANAGER}/") and "alertmanager" in current_app.blueprints:
        said = detail if status in AS_TEXT else {"code": status, "message": detail}
        return Response(MASKING(json_text(said)) + "\n", status, headers, content_type="application/json")
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, where=where or UNSET)
    return Response(MASKING(json_text(problem)) + "\n", status, headers, content_type=PROBLEM)


def _for_people() -> bool:
    """Whether somebody who was let in wanted to see a page."""
    return g.get("person") is not None and (request.endpoint is None or request.blueprint in FOR_PEOPLE)


def _page(status: int, detail: str, headers: Mapping[str, str] | None) -> Response:
    """A page that says so. Nothing on it needs the database."""
    title, words = TITLES.get(status, "Refused"), f"{detail[:1].upper()}{detail[1:]}"
    again_s = AGAIN_S if status == HTTPStatus.SERVICE_UNAVAILABLE and request.method == "GET" else None
    return Response(
        render_template("fault.html", title=title, words=words, again_s=again_s), status, headers, content_type="text/html; charset=utf-8"
    )
