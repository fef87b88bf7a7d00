"""`/metrics` as a scraper meets it: its formats, its guard, its targets, and looks that are too old to stand for now."""

import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
from msgspec.structs import replace
from werkzeug.test import TestResponse

from tests.builders.metrics import looked_at
from tests.builders.web import NOW, application
from watchdog.config.sections.http import HttpSettings
from watchdog.core.model.rows import Reading, Row

QUEUES = {"queues": Reading((Row({"name": "emails", "length": 7.0}),))}
LENGTH = 'watchdog_queues_length{name="emails",target="prod"} 7.0'
TOKEN = "t" * 20


def got(folder: Path, path: str = "/metrics", *, at: float = NOW, headers: dict[str, str] | None = None, **http: object) -> TestResponse:
    return application(folder, looked_at(folder, QUEUES, at), **http).test_client().get(path, headers=headers)


def test_it_shows_what_the_last_look_saw(tmp_path: Path) -> None:
    assert LENGTH in got(tmp_path).text.splitlines()


def test_it_is_text_for_whoever_asks_for_nothing_else(tmp_path: Path) -> None:
    assert got(tmp_path).content_type == "text/plain; version=0.0.4; charset=utf-8"


def test_it_is_open_metrics_for_whoever_asks_for_it(tmp_path: Path) -> None:
    answer = got(tmp_path, headers={"Accept": "application/openmetrics-text;version=1.0.0"})
    assert answer.text.endswith("# EOF\n")


def test_a_stranger_is_shown_nothing(tmp_path: Path) -> None:
    assert got(tmp_path, token=TOKEN).status_code == 401


def test_a_scraper_with_the_token_is_let_in(tmp_path: Path) -> None:
    assert got(tmp_path, headers={"Authorization": f"Bearer {TOKEN}"}, token=TOKEN).status_code == 200


def test_an_old_look_is_not_what_is_there_now(tmp_path: Path) -> None:
    assert "watchdog_queues_length" not in got(tmp_path, at=NOW - 300).text


def test_a_table_of_an_old_look_is_unread(tmp_path: Path) -> None:
    assert 'watchdog_table_unread{table="queues",target="prod"} 1.0' in got(tmp_path, at=NOW - 300).text.splitlines()


def test_it_says_how_old_the_look_is(tmp_path: Path) -> None:
    assert 'watchdog_last_look_age_seconds{target="prod"} 12.0' in got(tmp_path, at=NOW - 12).text.splitlines()


@pytest.mark.parametrize(("query", "shown"), [("", {"a", "b"}), ("?target=b", {"b"})])
def test_one_target_can_be_asked_for_alone(tmp_path: Path, query: str, shown: set[str]) -> None:
    client = application(tmp_path, looked_at(tmp_path, QUEUES, NOW, "a", "b")).test_client()
    lines = [line for line in client.get(f"/metrics{query}").text.splitlines() if line.startswith("watchdog_queues_length")]
    assert {line.partition('target="')[2][0] for line in lines} == shown


def test_a_target_that_is_not_there_is_named(tmp_path: Path) -> None:
    answer = got(tmp_path, "/metrics?target=nowhere")
    assert (answer.status_code, "'nowhere'" in answer.text) == (404, True)


def test_the_library_is_not_loaded_before_the_first_scrape() -> None:
    code = "import sys, watchdog.web.application; sys.exit('prometheus_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("path", "form", "theirs"),
    [
        ("/metrics", "watchdog", False),
        ("/metrics", "celery-exporter", True),
        ("/metrics/watchdog", "celery-exporter", False),
        ("/metrics/celery-exporter", "watchdog", True),
    ],
)
def test_names_are_those_of_the_address_or_else_of_the_configuration(
    tmp_path: Path, path: str, form: Literal["watchdog", "celery-exporter"], theirs: bool
) -> None:
    shown = looked_at(tmp_path, QUEUES)
    http = HttpSettings(listen="127.0.0.1:5556", metrics=form)
    given = replace(shown, settings=shown.settings.model_copy(update={"http": http}))
    text = application(tmp_path, given).test_client().get(path).text
    assert ('celery_queue_length{queue_name="emails",target="prod"} 7.0' in text.splitlines()) == theirs
