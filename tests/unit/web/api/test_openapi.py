"""The description of the API is right: for every route, every answer fits it."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.builders.api import A, Api, B, an_api
from tests.unit.web.test_access import TOKEN, USERS, bearer
from watchdog.web.api.route import Route
from watchdog.web.api.routes import BASE, ROUTES

ASKED: dict[str, tuple[str, object]] = {
    "status": ("/status", None),
    "targets": ("/targets", None),
    "table": ("/targets/prod/tables/queues", None),
    "history": ("/targets/prod/history?table=tasks", None),
    "incidents": ("/incidents?all", None),
    "incident": (f"/incidents/{A.id}", None),
    "why": (f"/incidents/{A.id}/why", None),
    "acknowledge": (f"/incidents/{B.id}/ack", {"comment": "on it"}),
    "take_back": (f"/incidents/{A.id}/ack", None),
    "close": (f"/incidents/{B.id}/close", {"reason": "gone"}),
    "silences": ("/silences", None),
    "add_silence": ("/silences", {"matchers": ["rule=WorkerLost"], "for": "2h"}),
    "expire_silence": ("/silences/0", None),
    "deploys": ("/deploys", None),
    "start_deploy": ("/deploys", {"version": "v513"}),
    "end_deploy": ("/deploys/end", {}),
    "openapi": ("/openapi.json", None),
}
"""Route -> a request that it answers."""


def description(api: Api, headers: dict[str, str] | None = None) -> dict[str, Any]:
    answer = api.ask("GET", "/openapi.json", headers=headers)
    return dict(answer.get_json())


@pytest.fixture
def api(tmp_path: Path) -> Api:
    return an_api(tmp_path)


@pytest.fixture
def spec(api: Api) -> dict[str, Any]:
    return description(api)


def fits(document: object, schema: object, spec: dict[str, Any]) -> None:
    Draft202012Validator({"allOf": [schema], "components": spec["components"]}).validate(document)


def test_it_is_openapi(spec: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(spec).validate()


def test_it_describes_every_route_and_no_other(api: Api, spec: dict[str, Any]) -> None:
    served = {
        (rule.rule.removeprefix(BASE).replace("<", "{").replace(">", "}"), method.lower())
        for rule in api.app.url_map.iter_rules()
        if rule.rule.startswith(f"{BASE}/") and rule.endpoint != "api.start"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(path, method) for path, operations in spec["paths"].items() for method in operations} == served


def test_every_route_is_asked_below() -> None:
    assert set(ASKED) == {route.name for route in ROUTES}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_answer_fits_its_description(api: Api, spec: dict[str, Any], route: Route) -> None:
    answer = api.ask(route.method, *ASKED[route.name])
    operation = next(one for of_path in spec["paths"].values() for one in of_path.values() if one["operationId"] == route.name)
    fits(answer.json, operation["responses"][str(answer.status_code)]["content"]["application/json"]["schema"], spec)


def test_a_refusal_fits_its_description(api: Api, spec: dict[str, Any]) -> None:
    refused = api.ask("GET", "/incidents?limit=0").get_json(force=True)
    fits(refused, {"$ref": "#/components/schemas/Problem"}, spec)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.body is not None], ids=lambda route: route.name)
def test_every_body_that_is_answered_fits_its_description(spec: dict[str, Any], route: Route) -> None:
    assert route.body is not None
    fits(ASKED[route.name][1], {"$ref": f"#/components/schemas/{route.body.__name__}"}, spec)


def test_a_query_is_described_by_its_parameters(spec: dict[str, Any]) -> None:
    parameters = {one["name"]: one["schema"] for one in spec["paths"]["/incidents"]["get"]["parameters"]}
    assert parameters["limit"] == {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}


@pytest.mark.parametrize(
    ("http", "ways"), [({"token": TOKEN}, {"bearer", "basic"}), ({"users": USERS, "token": TOKEN}, {"bearer", "basic"}), ({}, set())]
)
def test_it_says_how_to_be_let_in(tmp_path: Path, http: dict[str, Any], ways: set[str]) -> None:
    assert set(description(an_api(tmp_path, **http), bearer(TOKEN))["components"]["securitySchemes"]) == ways


def test_it_is_what_the_bare_path_leads_to(api: Api) -> None:
    answer = api.app.test_client().get("/api/", base_url="http://localhost")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/api/v1/openapi.json")
