"""The API described for programs: OpenAPI 3.1, made of the routes and of the types that they decode and answer.

In: the routes, where they are served, `[http]`. Out: the description as JSON values.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from watchdog import __version__
from watchdog.config.sections.http import HttpSettings
from watchdog.web.api.route import Route
from watchdog.web.refusals import PROBLEM, Problem

__all__ = ["described"]

Schema = dict[str, Any]
_NAMES = re.compile(r"<(\w+)>")
_OF_QUERY, _OF_BODY = (400,), (400, 413, 415)
_OF_CHANGE, _OF_ALL = (403,), (401, 421, 500, 503)


def described(routes: Sequence[Route], url: str, settings: HttpSettings | None) -> Schema:
    """The description."""
    schemas = _schemas(routes)
    paths: dict[str, Schema] = {}
    for route in routes:
        paths.setdefault(_NAMES.sub(r"{\1}", route.path), {})[route.method.lower()] = _operation(route, schemas)
    queries = {route.query.__name__ for route in routes}
    kept = {name: schema for name, schema in schemas.items() if name not in queries}
    ways = _ways(settings)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "watchdog",
            "version": __version__,
            "description": "Times are ISO 8601 in UTC. Durations that end in _s are seconds.",
        },
        "servers": [{"url": url}],
        "security": [{name: []} for name in ways],
        "paths": paths,
        "components": {"schemas": kept, "securitySchemes": ways},
    }


def _schemas(routes: Sequence[Route]) -> Mapping[str, Schema]:
    types: list[type] = [Problem]
    for route in routes:
        types += [kind for kind in (route.query, route.body, route.answers) if kind is not None]
    _, schemas = msgspec.json.schema_components(dict.fromkeys(types), ref_template="#/components/schemas/{name}")
    return schemas


def _operation(route: Route, schemas: Mapping[str, Schema]) -> Schema:
    answers = {"type": "object"} if route.answers is None else _reference(route.answers)
    operation: Schema = {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": [*_of_path(route), *_of_query(schemas[route.query.__name__])],
        "responses": {
            str(route.status): {"description": route.summary, "content": {"application/json": {"schema": answers}}},
            **{str(status): _refusal() for status in sorted(_refusals(route))},
        },
    }
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _reference(route.body)}}}
    return operation


def _refusals(route: Route) -> set[int]:
    changes = _OF_CHANGE if route.method != "GET" else ()
    return {*_OF_ALL, *_OF_QUERY, *changes, *(_OF_BODY if route.body is not None else ()), *route.refuses}


def _refusal() -> Schema:
    return {"description": "Refused; `detail` says why.", "content": {PROBLEM: {"schema": _reference(Problem)}}}


def _reference(kind: type) -> Schema:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def _of_path(route: Route) -> list[Schema]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}} for name in _NAMES.findall(route.path)
    ]


def _of_query(schema: Schema) -> list[Schema]:
    required = set(schema.get("required", ()))
    return [
        {"name": name, "in": "query", "required": name in required, "schema": of_value, **_without_value(of_value)}
        for name, of_value in schema.get("properties", {}).items()
    ]


def _without_value(schema: Schema) -> Schema:
    """A flag needs no value: `?all`."""
    return {"allowEmptyValue": True} if schema.get("type") == "boolean" else {}


def _ways(settings: HttpSettings | None) -> Schema:
    """How to be let in."""
    ways: Schema = {}
    if settings is not None and settings.token is not None:
        ways["bearer"] = {"type": "http", "scheme": "bearer"}
    if settings is not None and (settings.token is not None or settings.users):
        ways["basic"] = {"type": "http", "scheme": "basic"}
    return ways
