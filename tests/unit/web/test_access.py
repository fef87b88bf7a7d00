"""Who is let in, and who may change something."""

import base64
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from tests.builders.web import application
from watchdog.web.access import Access, Person

TOKEN = "a-token-of-24-characters"
PASSWORD = "correct horse"
USERS = {"ada": generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")}
PROXY: dict[str, Any] = {"user_header": "X-Forwarded-User", "trusted_proxies": ["127.0.0.1"]}


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def asked(app: Flask, headers: dict[str, str] | None = None, *, method: str = "GET", address: str = "127.0.0.1") -> TestResponse:
    """The answer to a request for something that does not exist: 404 for whoever is let in."""
    base = "http://localhost:5556"
    return app.test_client().open("/nothing", method=method, headers=headers, base_url=base, environ_base={"REMOTE_ADDR": address})


@pytest.mark.parametrize(
    ("http", "headers"),
    [
        ({"token": TOKEN}, bearer(TOKEN)),
        ({"token": TOKEN}, basic("anybody", TOKEN)),
        ({"users": USERS}, basic("ada", PASSWORD)),
        (PROXY, {"X-Forwarded-User": "ada"}),
        ({"token": TOKEN, "users": USERS}, basic("ada", PASSWORD)),
    ],
)
def test_each_kind_of_authentication_suffices(tmp_path: Path, http: dict[str, Any], headers: dict[str, str]) -> None:
    assert asked(application(tmp_path, **http), headers).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer(""),
        bearer(TOKEN[:-1]),
        basic("ada", ""),
        basic("ada", PASSWORD + "!"),
        basic("eve", PASSWORD),
        basic("", ""),
        {"X-Forwarded-User": "ada"},
        {"Authorization": "Basic ###"},
        {"Authorization": "Digest ada"},
    ],
)
def test_a_stranger_is_asked_and_told_nothing(tmp_path: Path, headers: dict[str, str]) -> None:
    answer = asked(application(tmp_path, token=TOKEN, users=USERS), headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"].partition(" ")[0]) == (401, "Basic")


def test_the_header_of_a_proxy_counts_only_from_its_address(tmp_path: Path) -> None:
    app = application(tmp_path, **PROXY)
    assert asked(app, {"X-Forwarded-User": "ada"}, address="127.0.0.2").status_code == 401


@pytest.mark.parametrize("host", ["localhost:5556", "127.0.0.1", "[::1]:5556", "LOCALHOST", "watchdog.example.com"])
def test_without_authentication_our_own_names_are_answered(tmp_path: Path, host: str) -> None:
    app = application(tmp_path, hosts=["watchdog.example.com"])
    assert app.test_client().get("/nothing", headers={"Host": host}).status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.example:5556"])
def test_without_authentication_a_name_that_somebody_points_here_is_not(tmp_path: Path, host: str) -> None:
    assert application(tmp_path).test_client().get("/nothing", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_asks_nobody(tmp_path: Path, path: str) -> None:
    assert application(tmp_path, token=TOKEN).test_client().get(path).status_code == 200


def test_a_program_with_the_token_changes_without_a_form(tmp_path: Path) -> None:
    assert asked(application(tmp_path, token=TOKEN), bearer(TOKEN), method="POST").status_code == 404


@pytest.mark.parametrize(("http", "headers"), [({"users": USERS}, basic("ada", PASSWORD)), ({"token": TOKEN}, basic("a", TOKEN)), ({}, {})])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_a_browser_sends_by_itself_changes_nothing(tmp_path: Path, http: dict[str, Any], headers: dict[str, str], method: str) -> None:
    assert asked(application(tmp_path, **http), headers, method=method).status_code == 403


def test_a_form_of_ours_changes(tmp_path: Path) -> None:
    app = application(tmp_path, users=USERS)
    access: Access = app.extensions["access"]
    form = {"X-CSRF-Token": access.csrf(Person("ada"))}
    assert asked(app, basic("ada", PASSWORD) | form, method="POST").status_code == 404


def test_the_form_of_one_person_is_none_of_another(tmp_path: Path) -> None:
    app = application(tmp_path, users=USERS)
    access: Access = app.extensions["access"]
    form = {"X-CSRF-Token": access.csrf(Person("eve"))}
    assert asked(app, basic("ada", PASSWORD) | form, method="POST").status_code == 403


def test_after_ten_wrong_passwords_none_is_compared(tmp_path: Path) -> None:
    app = application(tmp_path, users=USERS)
    for attempt in range(10):
        asked(app, basic("ada", f"guess {attempt}"))
    assert asked(app, basic("ada", PASSWORD)).status_code == 401


def test_who_is_known_stays_known_while_others_guess(tmp_path: Path) -> None:
    app = application(tmp_path, users=USERS)
    asked(app, basic("ada", PASSWORD))
    for attempt in range(10):
        asked(app, basic("ada", f"guess {attempt}"))
    assert asked(app, basic("ada", PASSWORD)).status_code == 404


# --- the API: changes without a form ---------------------------------------------------------------------------------------

JSON = {"Content-Type": "application/json"}
OURS = {"Origin": "http://localhost:5556", "Sec-Fetch-Site": "same-origin"}


def changed(app: Flask, headers: dict[str, str], *, method: str = "POST", path: str = "/api/v1/nothing") -> int:
    """The status of a change of something that does not exist: 404 if it is let through."""
    return app.test_client().open(path, method=method, headers=headers, base_url="http://localhost:5556").status_code


@pytest.mark.parametrize(("http", "who"), [({}, {}), ({"users": USERS}, basic("ada", PASSWORD)), (PROXY, {"X-Forwarded-User": "ada"})])
@pytest.mark.parametrize("page", [{}, OURS, {"Sec-Fetch-Site": "none"}])
def test_a_program_and_a_page_of_ours_change_with_json(
    tmp_path: Path, http: dict[str, Any], who: dict[str, str], page: dict[str, str]
) -> None:
    assert changed(application(tmp_path, **http), who | JSON | page) == 404


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "text/json"])
def test_what_a_form_of_another_site_can_send_changes_nothing(tmp_path: Path, kind: str) -> None:
    assert changed(application(tmp_path), {"Content-Type": kind}) == 403


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize(
    "page",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8080"},
        {"Origin": "http://localhost:5556.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        OURS | {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_page_of_another_site_changes_nothing_with_json(tmp_path: Path, method: str, page: dict[str, str]) -> None:
    assert changed(application(tmp_path), JSON | page, method=method) == 403


def test_no_page_of_another_site_is_allowed_to_ask_with_json(tmp_path: Path) -> None:
    preflight = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = application(tmp_path).test_client().options("/api/v1/silences", headers=preflight, base_url="http://localhost:5556")
    assert [name for name in dict(answer.headers) if name.startswith("Access-Control")] == []


def test_a_token_of_a_page_of_ours_counts_with_any_content(tmp_path: Path) -> None:
    app = application(tmp_path)
    access: Access = app.extensions["access"]
    assert changed(app, {"X-CSRF-Token": access.csrf(Person())}) == 404


def test_json_alone_changes_nothing_outside_the_api(tmp_path: Path) -> None:
    assert changed(application(tmp_path), JSON, path="/nothing") == 403


# --- roles: only of a name that was proved --------------------------------------------------------------------------------

ROLES = {"ada": "operator", "bob": "viewer"}
OPERATORS: dict[str, Any] = {"users": USERS | {"bob": USERS["ada"]}, "token": TOKEN, "roles": ROLES, **PROXY}


def admitted(folder: Path, headers: dict[str, str], *, address: str = "127.0.0.2", **http: Any) -> Person:
    """Who somebody is."""
    app = application(folder, **(OPERATORS | http))
    access: Access = app.extensions["access"]
    with app.test_request_context("/", headers=headers, environ_base={"REMOTE_ADDR": address}) as context:
        found = access.admit(context.request)
    assert isinstance(found, Person)
    return found


def test_a_name_with_its_password_has_its_role(tmp_path: Path) -> None:
    assert admitted(tmp_path, basic("ada", PASSWORD)) == Person("ada", operator=True)


def test_a_name_that_is_remembered_keeps_its_role(tmp_path: Path) -> None:
    app = application(tmp_path, **OPERATORS)
    access: Access = app.extensions["access"]
    with app.test_request_context("/", headers=basic("ada", PASSWORD), environ_base={"REMOTE_ADDR": "127.0.0.2"}) as context:
        access.admit(context.request)
        assert access.admit(context.request) == Person("ada", operator=True)


def test_a_name_by_a_trusted_proxy_has_its_role(tmp_path: Path) -> None:
    assert admitted(tmp_path, {"X-Forwarded-User": "ada"}, address="127.0.0.1") == Person("ada", operator=True)


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        (basic("bob", PASSWORD), "127.0.0.2"),
        (basic("ada", TOKEN), "127.0.0.2"),
        (bearer(TOKEN), "127.0.0.2"),
        (bearer(TOKEN) | {"X-Forwarded-User": "ada"}, "127.0.0.2"),
        ({"X-Forwarded-User": "Ada"}, "127.0.0.1"),
        ({"X-Forwarded-User": "eve"}, "127.0.0.1"),
    ],
)
def test_everybody_else_is_a_viewer(tmp_path: Path, headers: dict[str, str], address: str) -> None:
    assert not admitted(tmp_path, headers, address=address).operator


def test_who_is_asked_nothing_is_a_viewer(tmp_path: Path) -> None:
    app = application(tmp_path)
    access: Access = app.extensions["access"]
    with app.test_request_context("/", base_url="http://localhost:5556") as context:
        assert access.admit(context.request) == Person()
