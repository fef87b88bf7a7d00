"""One route of the API as a value, and how a request to it becomes an answer.

In: a `Route`. Out: a view for Flask: it decodes what was asked, has it answered, and writes the document.
"""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, g, request
from msgspec import Struct

from watchdog.config.masking import MASKING
from watchdog.status.documents.text import json_text
from watchdog.web.access import Person
from watchdog.web.api.decoding import decoded_body, decoded_query
from watchdog.web.site import Site, current_site

__all__ = ["Call", "NoQuery", "Route", "view_of"]


class NoQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


class Call(Struct, frozen=True):
    """One request: the site, who asks, the names in the path, the decoded query and body, and now (epoch seconds)."""

    site: Site
    person: Person
    path: Mapping[str, str]
    query: Any
    body: Any
    now: float


class Route(Struct, frozen=True):
    """One route. `answers`: the document's type; None: any JSON object. `refuses`: statuses beside those that every route may have."""

    method: str
    path: str
    name: str
    summary: str
    answer: Callable[[Call], object]
    answers: type | None
    query: type[Struct] = NoQuery
    body: type[Struct] | None = None
    status: int = 200
    refuses: tuple[int, ...] = ()


def view_of(route: Route) -> Callable[..., Response]:
    """The view of a route."""

    def view(**path: str) -> Response:
        site = current_site()
        query = decoded_query(request, route.query)
        body = None if route.body is None else decoded_body(request, route.body)
        document = route.answer(Call(site, g.person, path, query, body, site.clock()))
        return Response(MASKING(json_text(document)) + "\n", route.status, content_type="application/json")

    return view
