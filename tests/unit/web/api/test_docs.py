"""docs/api.md names every route, and what it shows is true."""

import json
import re
from pathlib import Path

import pytest

from tests.builders.api import an_api
from watchdog.web.api.route import Route
from watchdog.web.api.routes import BASE, ROUTES

DOC = (Path(__file__).parents[4] / "docs" / "api.md").read_text(encoding="utf-8")
TABLE = re.findall(r"^\| `(GET|POST|DELETE) (/[^`]*)`(?: `(\{[^`]*\})`)? \| (.*) \|$", DOC, re.MULTILINE)
NAMES = {"NAME": "target", "TABLE": "table", "ID": "id"}


def documented() -> set[tuple[str, str]]:
    found = set()
    for method, path, _, answer in TABLE:
        bare = path.partition("?")[0].removeprefix(BASE)
        for typed, name in NAMES.items():
            bare = bare.replace(f"/{typed}", f"/<{name}>")
        found |= {(method, bare)} | ({("DELETE", bare)} if "`DELETE`" in answer else set())
    return found


def test_every_route_has_a_line_and_no_other() -> None:
    assert documented() == {(route.method, route.path) for route in ROUTES}


@pytest.mark.parametrize(("path", "body"), [(path, body) for method, path, body, _ in TABLE if method == "POST"])
def test_every_body_holds_what_its_route_reads(path: str, body: str) -> None:
    route = next(one for one in ROUTES if one.method == "POST" and one.path == path.removeprefix(BASE).replace("ID", "<id>"))
    assert set(json.loads(body)) <= members(route)


def members(route: Route) -> set[str]:
    return set(route.body.__struct_encode_fields__) if route.body is not None else set()


def test_the_refusal_is_what_is_answered(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", DOC, re.DOTALL)
    assert an_api(tmp_path).ask("GET", "/incidents?limt=3").get_json(force=True) == json.loads(shown)
