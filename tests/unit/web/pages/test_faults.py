"""What people see instead of a page: what is wrong in a sentence, on a page that finds its way back."""

from pathlib import Path
from typing import NoReturn

import pytest
from werkzeug.test import TestResponse

from tests.builders.web import application, site
from tests.unit.web.pages.builders import HERE, seen
from watchdog.store import Store, StoreError

WHY = "database /var/lib/watchdog.db: the disk is full"


def answered(folder: Path, path: str, error: Exception, **http: str) -> TestResponse:
    """The answer of an application whose database cannot be used now."""

    class Broken(Store):
        def last_looks(self) -> NoReturn:
            raise error

    served = site(Broken.open(folder / "watchdog.db"))
    return application(folder, served, **http).test_client().get(path, base_url=HERE)


@pytest.mark.parametrize("path", ["/", "/targets/prod"])
def test_a_database_that_cannot_be_used_is_said_on_a_page_that_tries_again(tmp_path: Path, path: str) -> None:
    answer = answered(tmp_path, path, StoreError(WHY))
    assert (answer.status_code, answer.mimetype, "Content-Security-Policy" in answer.headers) == (503, "text/html", True)
    assert f"The database cannot be used now D{WHY[1:]}" in seen(answer.text)
    assert 'hx-get="" hx-trigger="every 5s"' in answer.text


def test_what_fails_in_watchdog_is_said_without_its_words(tmp_path: Path) -> None:
    answer = answered(tmp_path, "/", ValueError("secret"))
    assert (answer.status_code, "its log says why" in seen(answer.text), "secret" in answer.text) == (500, True, False)


def test_what_is_not_there_has_a_page_with_a_way_back(tmp_path: Path) -> None:
    answer = answered(tmp_path, "/nothing", StoreError(WHY))
    assert (answer.status_code, '<a href="/">Overview</a>' in answer.text, "hx-get" in answer.text) == (404, True, False)


@pytest.mark.parametrize("path", ["/", "/nothing", "/static/nothing"])
def test_a_stranger_gets_a_sentence_and_no_page(tmp_path: Path, path: str) -> None:
    answer = answered(tmp_path, path, StoreError(WHY), token="a-token-of-24-characters")
    assert (answer.mimetype, answer.status_code in (401, 404), "watch" in answer.text) == ("text/plain", True, True)


def test_prometheus_gets_a_sentence(tmp_path: Path) -> None:
    assert answered(tmp_path, "/metrics", StoreError(WHY)).mimetype == "text/plain"
