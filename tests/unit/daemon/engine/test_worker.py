"""What Celery says of the broker in a worker's log, and what that means."""

import logging
from collections.abc import Iterator

import pytest
from kombu.exceptions import OperationalError
from structlog.testing import capture_logs
from structlog.typing import EventDict

from watchdog.daemon.engine.worker import _AsOurs

CONNECTING = "consumer: Cannot connect to %s: %s. %s"


@pytest.fixture
def logs() -> Iterator[list[EventDict]]:
    with capture_logs() as captured:
        yield captured


def said(level: int, message: str, *about: object) -> None:
    """Celery writes this."""
    record = logging.LogRecord("celery.worker.consumer", level, "", 0, message, about, None)
    _AsOurs(lambda error: f"means {type(error).__name__}").handle(record)


@pytest.mark.parametrize("error", [ConnectionRefusedError("refused"), OperationalError("refused")])
def test_an_error_of_the_broker_is_explained(logs: list[EventDict], error: Exception) -> None:
    said(logging.ERROR, CONNECTING, "redis://engine:6379/0", error, "Trying again")
    [line] = logs
    assert line["means"] == f"means {type(error).__name__}"
    assert line["reason"] == "consumer: Cannot connect to redis://engine:6379/0: refused. Trying again"


@pytest.mark.parametrize("about", [(), (ValueError("x"),)])
def test_what_is_not_about_the_broker_is_left_as_it_is(logs: list[EventDict], about: tuple[object, ...]) -> None:
    said(logging.WARNING, "something else%s", *(about or ("",)))
    assert [(line["log_level"], "means" in line) for line in logs] == [("warning", False)]
