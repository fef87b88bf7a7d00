"""Silences that clients of Alertmanager set: what is stored, in whose name, and what is refused because watchdog cannot hold it."""

import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from werkzeug.test import Client

from tests.builders.api import BASE, NOW
from tests.builders.outbox import commit, incident, opened, plan
from tests.builders.web import site
from tests.unit.web.alertmanager.client import AlertmanagerClient
from tests.unit.web.test_access import PASSWORD, PROXY, TOKEN, USERS, basic, bearer
from watchdog.config.sections.http import HttpSettings
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.web.application import build_application

A = incident("A")
MATCHER = {"name": "alertname", "value": "QueueBacklogHigh", "isRegex": False}
BODY: dict[str, Any] = {
    "matchers": [MATCHER],
    "startsAt": "2026-11-22T09:00:00Z",
    "endsAt": "2026-11-22T11:00:00.123456789+01:00",
    "createdBy": "root",
    "comment": " an import ",
}


def matching(name: str, value: str, **more: bool) -> dict[str, Any]:
    return BODY | {"matchers": [{"name": name, "value": value, "isRegex": False} | more]}


def asking(folder: Path, *incidents: Any, **http: Any) -> AlertmanagerClient:
    store = opened(folder)
    commit(store, plan(incidents=incidents or [A], at=NOW - 10))
    return AlertmanagerClient(folder, store, **http)


def stored(api: AlertmanagerClient, body: object = None, **more: Any) -> Silence:
    answer = api.ask("POST", "/silences", BODY if body is None else body, **more)
    assert answer.status_code == 200, answer.text
    return next(one for one in api.store.silences() if one.id == answer.get_json()["silenceID"])


def test_it_is_a_silence_of_watchdog_that_hides_what_it_selects(tmp_path: Path) -> None:
    silence = stored(asking(tmp_path))
    assert [str(one) for one in silence.matchers] == ['rule="QueueBacklogHigh"']
    assert (silence.starts_at, round(silence.ends_at, 3), silence.comment, silence.author) == (NOW, 1795341600.123, "an import", "root")
    assert silence.hides(A)


def test_its_times_come_back_to_the_millisecond(tmp_path: Path) -> None:
    api = asking(tmp_path)
    shown = api.got(f"/silence/{stored(api, BODY | {'startsAt': '2026-11-22T09:59:59.001Z'}).id}")
    assert (shown["startsAt"], shown["endsAt"]) == ("2026-11-22T09:59:59.001Z", "2026-11-22T10:00:00.123Z")


OPERATORS = [
    ({}, "="), ({"isEqual": True}, "="), ({"isEqual": False}, "!="), ({"isRegex": True}, "=~"), ({"isRegex": True, "isEqual": False}, "!~"),
]  # fmt: skip


@pytest.mark.parametrize(("flags", "operator"), OPERATORS)
def test_each_kind_of_matcher_can_be_held(tmp_path: Path, flags: dict[str, bool], operator: str) -> None:
    body = matching("name", "A", **flags)
    silence = stored(asking(tmp_path), body | {"matchers": [*body["matchers"], MATCHER]})
    assert str(silence.matchers[0]) == f'name{operator}"A"'


def test_what_other_clients_send_along_is_ignored(tmp_path: Path) -> None:
    body = BODY | {"id": "", "updatedAt": "2026-11-22T09:00:00Z", "status": {"state": "active"}, "accessControl": {}}
    assert stored(asking(tmp_path), body).comment == "an import"


def test_the_same_asked_for_twice_is_two_silences(tmp_path: Path) -> None:
    later, body = asking(tmp_path), BODY | {"startsAt": "2026-11-22T09:30:00Z"}
    assert stored(later, body).id != stored(AlertmanagerClient(tmp_path, later.store, now=NOW + 1), body).id


CANNOT_BE_HELD = [
    (matching("severity", "info", isEqual=False), "would silence nearly everything"),
    (matching("rule", "WorkerLost"), 'no alert has a label "rule"; it is called "alertname"'),
    (matching("name", "(a+)+", isRegex=True), "could take for ever"),
    (matching("name", "x" * 1001, isRegex=True), "at most 1,000 are allowed"),
    (BODY | {"comment": "x" * 1001}, "expected at most 1000 characters of comment, found 1001"),
    (BODY | {"createdBy": "x" * 101}, "expected at most 100 characters of createdBy, found 101"),
    (BODY | {"matchers": [MATCHER] * 51}, "expected at most 50 matchers, found 51"),
]


@pytest.mark.parametrize(("body", "why"), CANNOT_BE_HELD)
def test_what_cannot_be_held_is_refused_with_the_reason(tmp_path: Path, body: object, why: str) -> None:
    api = asking(tmp_path)
    status, said = api.refused("POST", "/silences", body)
    assert (status, why in said, said, api.store.silences()) == (400, True, said, ())


@pytest.mark.parametrize(("column", "name", "value"), [("größe", "gr__e", "A"), ("name", "name", "A\x1b")])
def test_a_silence_that_would_not_hide_the_alert_that_it_names_is_refused(tmp_path: Path, column: str, name: str, value: str) -> None:
    api = asking(tmp_path, replace(A, key={column: value}))
    (alert,) = api.got("/alerts")
    status, said = api.refused("POST", "/silences", matching(name, alert["labels"][name]))
    assert (status, f"would not silence alert {alert['fingerprint']}" in said) == (400, True)


def test_no_body_of_another_kind_or_of_any_length_is_read(tmp_path: Path) -> None:
    api = asking(tmp_path)
    assert api.refused("POST", "/silences", BODY | {"comment": "x" * 70_000})[0] == 413
    assert api.refused("POST", "/silences", data="x", content_type="text/plain")[0] == 403


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 10_000, b'{"startsAt": "9999-99-99T00:00:00Z"}', b'"\\ud800"'])
def test_what_is_no_silence_is_refused(tmp_path: Path, body: bytes) -> None:
    assert asking(tmp_path).refused("POST", "/silences", data=body, content_type="application/json")[0] in (400, 422)


EDGES = ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00", "9999-12-31T23:59:59.000Z"]


@pytest.mark.parametrize("starts", EDGES[:2])
def test_the_edges_of_time_are_taken(tmp_path: Path, starts: str) -> None:
    api = asking(tmp_path)
    silence = stored(api, BODY | {"startsAt": starts, "endsAt": EDGES[-1]})
    shown = api.got(f"/silence/{silence.id}")
    assert (silence.starts_at, shown["endsAt"], shown["status"]) == (NOW, EDGES[-1], {"state": "active"})


WHO = [
    ({}, {}, "root"),
    ({"token": TOKEN}, bearer(TOKEN), "root"),
    ({"users": USERS}, basic("ada", PASSWORD), "ada"),
    (PROXY, {"X-Forwarded-User": "ada"}, "ada"),
]


@pytest.mark.parametrize(("http", "headers", "author"), WHO)
def test_the_author_is_who_was_let_in_by_name_or_else_who_the_client_names(
    tmp_path: Path, http: dict[str, Any], headers: dict[str, str], author: str
) -> None:
    assert stored(asking(tmp_path, **http), headers=headers).author == author


REFUSED = [
    ({"token": TOKEN}, {}, 401),
    ({"users": USERS}, basic("ada", PASSWORD + "!"), 401),
    ({"users": USERS}, basic("ada", PASSWORD) | {"Origin": "https://elsewhere.example"}, 403),
    ({}, {"Sec-Fetch-Site": "cross-site"}, 403),
    ({}, {"Host": "elsewhere.example"}, 421),
]


@pytest.mark.parametrize(("http", "headers", "status"), REFUSED)
def test_whoever_may_not_change_the_page_may_set_no_silence(
    tmp_path: Path, http: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    api = asking(tmp_path, **http)
    assert (api.refused("POST", "/silences", BODY, headers=headers)[0], api.store.silences()) == (status, ())


def test_the_beginning_of_an_id_names_no_silence(tmp_path: Path) -> None:
    api = asking(tmp_path)
    silence = stored(api)
    assert api.refused("DELETE", f"/silence/{silence.id[:-1]}") == (500, "silence not found")
    assert api.store.silences() == (silence,)


def test_a_silence_that_is_ended_here_is_ended_in_watchdog(tmp_path: Path) -> None:
    api = asking(tmp_path)
    silence = stored(api)
    assert api.ask("DELETE", f"/silence/{silence.id}").status_code == 200
    assert api.store.silences() == (replace(silence, ends_at=NOW),)


def test_alerts_are_not_taken(tmp_path: Path) -> None:
    status, said = asking(tmp_path).refused("POST", "/alerts", [])
    assert (status, "watchdog takes no alerts" in said) == (400, True)


def test_nothing_of_it_is_there_or_imported_unless_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in sys.modules if one.startswith("watchdog.web.alertmanager")]:
        monkeypatch.delitem(sys.modules, name)
    answer = asking(tmp_path, alertmanager_api=False).ask("GET", "/alerts")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert not [one for one in sys.modules if one.startswith("watchdog.web.alertmanager")]


def test_it_is_below_the_prefix(tmp_path: Path) -> None:
    app = build_application(
        site(opened(tmp_path), now=NOW), HttpSettings(listen="127.0.0.1:0", prefix="/watchdog", alertmanager_api=True), float
    )
    assert Client(app).get("/watchdog/api/v2/alerts", base_url=BASE).json == []
