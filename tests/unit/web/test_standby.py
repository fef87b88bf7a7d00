"""What a daemon that stands by answers: its probes, and the page of the database that it shares."""

from collections.abc import Callable

import pytest
from structlog.testing import capture_logs
from werkzeug.test import Client
from werkzeug.wrappers import Response

from watchdog.store import StoreError
from watchdog.store.sql import StandBy
from watchdog.web.standby import NoPageError, StandbyApplication

FOR_ONE = StandBy("another watchdog (one, pid 7) uses …", "one, pid 7")
AWAY = StandBy("database …: nothing listens there")


def client(seen: StandBy | None = FOR_ONE, *, stuck_s: float = 0.0, build: Callable[[], Response] | None = None) -> Client:
    return Client(StandbyApplication(lambda: seen, lambda: stuck_s, "/ops", build or (lambda: Response("the page"))))


@pytest.mark.parametrize("path", ["/healthz", "/ops/healthz", "/readyz", "/ops/readyz"])
def test_its_probes_say_for_whom_it_stands_by(path: str) -> None:
    answer = client().get(path)
    assert (answer.status_code, answer.text) == (200, "stands by for one, pid 7\n")


@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/readyz", 503)])
def test_without_the_database_it_lives_and_is_not_ready(path: str, status: int) -> None:
    answer = client(AWAY).get(path)
    assert (answer.status_code, answer.text) == (status, "stands by, and does not reach the database\n")


def test_one_that_waits_for_an_older_one_is_ready() -> None:
    """Or a rolling update would wait for ever."""
    assert client(StandBy("", "one, pid 7", older=True)).get("/readyz").status_code == 200


def test_one_that_does_not_look_at_the_lease_is_to_be_restarted() -> None:
    answer = client(stuck_s=61.0).get("/healthz")
    assert (answer.status_code, answer.text) == (503, "has not looked at the lease for 61s\n")


def test_it_shows_the_page() -> None:
    assert client().get("/ops/incidents").text == "the page"


def test_the_page_is_built_for_its_first_visitor() -> None:
    built = []

    def build() -> Response:
        built.append(1)
        return Response("the page")

    visitor = client(build=build)
    counts = [len(built) for path in ("/healthz", "/", "/") if visitor.get(path)]
    assert counts == [0, 1, 1]


@pytest.mark.parametrize("error", [NoPageError("rules.toml:3: …"), StoreError("database …: is of version 9")])
def test_why_a_page_cannot_be_built_is_for_the_log_and_not_for_whoever_asks(error: Exception) -> None:
    def build() -> Response:
        raise error

    visitor = client(build=build)
    with capture_logs() as logs:
        answers = [visitor.get("/") for _ in range(2)]
    sentence = "stands by for one, pid 7. Its page cannot be shown; its log says why\n"
    assert [(answer.status_code, answer.text) for answer in answers] == [(503, sentence)] * 2
    assert logs == [{"event": "page_not_shown", "reason": str(error), "log_level": "error"}]
