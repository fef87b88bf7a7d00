"""Incidents as the API lists them, and what people say of them through it."""

from pathlib import Path

import pytest

from tests.builders.api import A, Api, B, C, an_api
from tests.builders.incidents import a_rule
from tests.builders.outbox import commit, incident, opened, plan
from watchdog.core.incidents.routing import Recipient, Routing
from watchdog.core.rules.overrides import Tuned
from watchdog.status.why.today import Today

NEWEST_FIRST = [B.id, A.id]


def ids(api: Api, query: str = "") -> list[str]:
    return [one["id"] for one in api.got(f"/incidents{query}")["incidents"]]


def test_open_incidents_are_listed_the_newest_first(tmp_path: Path) -> None:
    assert ids(an_api(tmp_path)) == NEWEST_FIRST


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?all", [C.id, *NEWEST_FIRST]),
        ("?all=false", NEWEST_FIRST),
        ("?target=staging", []),
        ("?rule=QueueBacklogHigh&target=prod&target=staging", NEWEST_FIRST),
        ("?state=firing", [A.id]),
        ("?state=resolved", [C.id]),
    ],
)
def test_a_query_selects(tmp_path: Path, query: str, found: list[str]) -> None:
    assert ids(an_api(tmp_path), query) == found


def test_pages_show_each_incident_once(tmp_path: Path) -> None:
    store = opened(tmp_path)
    names = [f"{nth:02}" for nth in range(25)]
    commit(store, plan(incidents=[incident(name) for name in names]))
    api = an_api(tmp_path, store)
    pages = [api.got("/incidents?limit=10")]
    while pages[-1]["next"]:
        pages.append(api.got(f"/incidents?limit=10&cursor={pages[-1]['next']}"))
    assert [one["key"]["name"] for page in pages for one in page["incidents"]] == names[::-1]


@pytest.mark.parametrize(
    ("query", "where", "detail"),
    [
        ("?limt=3", "query parameter limt", 'no query parameter "limt"; did you mean "limit"?'),
        ("?limit=0", "query parameter limit", "expected int >= 1"),
        ("?limit=1001", "query parameter limit", "expected int <= 1000"),
        ("?limit=ten", "query parameter limit", "expected int, got str"),
        ("?all=perhaps", "query parameter all", "expected bool, got str"),
        (
            "?state=burning",
            "query parameter state",
            'expected one of pending, firing, recovering, resolved, dropped, found "burning"',
        ),
        ("?limit=1&limit=2", "query parameter limit", "expected it once, found it 2 times"),
    ],
)
def test_a_query_that_is_wrong_is_refused_where_it_is_wrong(tmp_path: Path, query: str, where: str, detail: str) -> None:
    assert an_api(tmp_path).refused("GET", f"/incidents{query}") == (400, where, detail)


@pytest.mark.parametrize("named", [A.id, "01IncidentA", A.fingerprint])
def test_one_is_found_as_on_the_command_line(tmp_path: Path, named: str) -> None:
    assert an_api(tmp_path).got(f"/incidents/{named}")["incident"]["id"] == A.id


@pytest.mark.parametrize("named", ["01X", "01INCIDENT", "%00", "%25", "_"])
def test_one_that_is_not_there_or_not_unique_is_not_found(tmp_path: Path, named: str) -> None:
    assert an_api(tmp_path).refused("GET", f"/incidents/{named}")[0] == 404


def test_why_nobody_is_told_more_is_said_for_each_receiver(tmp_path: Path) -> None:
    today = Today([Recipient("ops")], Routing(), tuned={"prod": {"QueueBacklogHigh": Tuned(a_rule(), ())}})
    (row,) = an_api(tmp_path, today=today).got(f"/incidents/{A.id}/why")["rows"]
    assert [(told["receiver"], told["why"], told["reason"]["by"]) for told in row["receivers"]] == [("ops", "acknowledged", "ada")]


def test_an_acknowledgement_is_in_the_database(tmp_path: Path) -> None:
    api = an_api(tmp_path)
    api.wrote("POST", f"/incidents/{B.id}/ack", {"comment": " the disk is on its way ", "author": "ada"})
    known = api.got(f"/incidents/{B.id}")["incident"]["acknowledged"]
    assert (known["by"], known["comment"]) == ("ada", "the disk is on its way")


def test_an_acknowledgement_is_taken_back(tmp_path: Path) -> None:
    api = an_api(tmp_path)
    api.wrote("DELETE", f"/incidents/{A.id}/ack")
    assert api.got(f"/incidents/{A.id}")["incident"]["acknowledged"] is None


def test_what_is_not_acknowledged_cannot_be_taken_back(tmp_path: Path) -> None:
    assert an_api(tmp_path).refused("DELETE", f"/incidents/{B.id}/ack")[0] == 409


def test_an_incident_that_is_clear_is_closed_with_its_reason(tmp_path: Path) -> None:
    api = an_api(tmp_path)
    api.wrote("POST", f"/incidents/{B.id}/close", {"reason": "the queue  was retired", "author": "ada"})
    over = api.got(f"/incidents/{B.id}")["incident"]
    assert (over["state"], over["closed_by"], over["closed_because"]) == ("resolved", "ada", "the queue was retired")


@pytest.mark.parametrize("id_", [A.id, C.id])
def test_what_burns_or_has_ended_cannot_be_closed(tmp_path: Path, id_: str) -> None:
    assert an_api(tmp_path).refused("POST", f"/incidents/{id_}/close", {"reason": "gone"})[0] == 409


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " \n"}])
def test_nothing_is_closed_without_a_reason(tmp_path: Path, body: dict[str, str]) -> None:
    assert an_api(tmp_path).refused("POST", f"/incidents/{B.id}/close", body)[:2] == (400, "body reason")
