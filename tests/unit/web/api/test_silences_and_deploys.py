"""Silences and deploys through the API, and in whose name."""

from pathlib import Path
from typing import Any

import pytest

from tests.builders.api import A, Api, B, an_api
from tests.unit.web.test_access import PASSWORD, PROXY, TOKEN, USERS, basic, bearer

SILENCE: dict[str, Any] = {"matchers": ["rule=QueueBacklogHigh"], "for": "2h"}


def test_a_silence_that_was_added_hides_what_it_selects(tmp_path: Path) -> None:
    added = an_api(tmp_path).wrote("POST", "/silences", SILENCE)["silence"]
    assert (added["state"], added["ends_at"], added["hides"]) == ("active", "2026-11-22T11:16:40Z", [A.id, B.id])


def test_a_silence_may_begin_later(tmp_path: Path) -> None:
    assert an_api(tmp_path).wrote("POST", "/silences", SILENCE | {"in": "1h"})["silence"]["state"] == "later"


def test_a_silence_ends_and_is_listed_among_all(tmp_path: Path) -> None:
    api = an_api(tmp_path)
    added = api.wrote("POST", "/silences", SILENCE)["silence"]["id"]
    api.wrote("DELETE", f"/silences/{added}")
    assert [added in [one["id"] for one in api.got(f"/silences{query}")["silences"]] for query in ("", "?all")] == [False, True]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "body matchers"),
        (SILENCE | {"matchers": []}, "body matchers"),
        (SILENCE | {"matchers": "rule=A"}, "body matchers"),
        (SILENCE | {"matchers": ["rule"]}, "body matchers"),
        (SILENCE | {"matchers": ["rule!=A"]}, "body matchers"),
        (SILENCE | {"for": "2"}, "body for"),
        (SILENCE | {"for": 7200}, "body for"),
        (SILENCE | {"for": "0s"}, "body for"),
        (SILENCE | {"in": "soon"}, "body in"),
        (SILENCE | {"comment": "x" * 1001}, "body comment"),
        (SILENCE | {"coment": "x"}, "body coment"),
        ([], "body"),
    ],
)
def test_a_silence_that_is_wrong_is_refused_where_it_is_wrong(tmp_path: Path, body: object, where: str) -> None:
    assert an_api(tmp_path).refused("POST", "/silences", body)[:2] == (400, where)


def test_a_silence_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    assert an_api(tmp_path).refused("DELETE", "/silences/01X")[0] == 404


def test_a_deploy_ends_those_that_it_replaces(tmp_path: Path) -> None:
    begun = an_api(tmp_path).wrote("POST", "/deploys", {"version": "v513", "for": "5m"})
    assert (begun["deploy"]["targets"], begun["ended"]) == (["*"], ["v512"])


def test_the_only_deploy_that_goes_on_is_ended(tmp_path: Path) -> None:
    assert [one["version"] for one in an_api(tmp_path).wrote("POST", "/deploys/end", {})["deploys"]] == ["v512"]


def test_a_deploy_that_has_ended_already_is_no_error(tmp_path: Path) -> None:
    api = an_api(tmp_path)
    api.wrote("POST", "/deploys/end", {"version": "v512"})
    assert api.wrote("POST", "/deploys/end", {"version": "v512"})["deploys"] == []


@pytest.mark.parametrize(
    ("body", "where"), [({"version": " "}, "body version"), ({"version": "v1", "targets": ["prdo"]}, "body targets"), ({}, "body version")]
)
def test_a_deploy_that_is_wrong_is_refused_where_it_is_wrong(tmp_path: Path, body: object, where: str) -> None:
    assert an_api(tmp_path).refused("POST", "/deploys", body)[:2] == (400, where)


def author(api: Api, headers: dict[str, str], **more: str) -> str:
    return str(api.wrote("POST", "/silences", SILENCE | more, headers=headers)["silence"]["author"])


@pytest.mark.parametrize(
    ("http", "headers", "given", "named"),
    [
        ({}, {}, "", ""),
        ({}, {}, "ada", "ada"),
        ({"users": USERS}, basic("ada", PASSWORD), "", "ada"),
        ({"users": USERS}, basic("ada", PASSWORD), "ada", "ada"),
        (PROXY, {"X-Forwarded-User": "grace"}, "", "grace"),
        ({"token": TOKEN}, bearer(TOKEN), "", "token"),
        ({"token": TOKEN}, bearer(TOKEN), "ci", "ci"),
    ],
)
def test_the_author_is_who_was_let_in(tmp_path: Path, http: dict[str, Any], headers: dict[str, str], given: str, named: str) -> None:
    assert author(an_api(tmp_path, **http), headers, author=given) == named


def test_nobody_acts_in_the_name_of_somebody_else(tmp_path: Path) -> None:
    api = an_api(tmp_path, users=USERS)
    refused = api.refused("POST", "/silences", SILENCE | {"author": "grace"}, headers=basic("ada", PASSWORD))
    assert refused[:2] == (400, "body author")
