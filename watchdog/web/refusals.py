"""Answers that refuse: one sentence for people; below `/api/`, the same as JSON (RFC 9457); below `/api/v2/`, as Alertmanager refuses.

In: a status and what is wrong. Out: an answer. Views raise `RefusedError`; the application turns it, and what Flask refuses, into answers.
"""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Response, current_app, request
from msgspec import UNSET, Struct, UnsetType

from watchdog.config.masking import MASKING
from watchdog.status.documents.text import json_text

__all__ = ["ALERTMANAGER", "API", "PROBLEM", "Problem", "RefusedError", "for_programs", "refused"]

API = "/api/"
ALERTMANAGER = "/api/v2"
AS_TEXT = frozenset({400, 404, 500})
"""Statuses with which Alertmanager's own code refuses, by a mere text, which its clients show. With others, what decodes requests does."""
PROBLEM = "application/problem+json"


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
        return Response(MASKING(f"watchdog: {detail}\n"), status, headers, content_type="text/plain; charset=utf-8")
    if request.path.startswith(f"{ALERTMANAGER}/") and "alertmanager" in current_app.blueprints:
        said = detail if status in AS_TEXT else {"code": status, "message": detail}
        return Response(MASKING(json_text(said)) + "\n", status, headers, content_type="application/json")
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, where=where or UNSET)
    return Response(MASKING(json_text(problem)) + "\n", status, headers, content_type=PROBLEM)
