"""`/healthz` and `/readyz`, and what stands on every answer."""

from pathlib import Path

import pytest
from werkzeug.test import Client

from tests.builders.web import application, site
from watchdog.config.sections.http import HttpSettings
from watchdog.store import Store
from watchdog.web.application import build_application


def got(folder: Path, path: str, **daemon: object) -> tuple[int, str]:
    given = site(Store.open(folder / "watchdog.db"), **daemon)  # type: ignore[arg-type]
    answer = application(folder, given).test_client().get(path)
    return answer.status_code, answer.text


def test_a_daemon_that_works_is_healthy(tmp_path: Path) -> None:
    assert got(tmp_path, "/healthz") == (200, "ok\n")


def test_cycles_that_do_not_finish_are_told_without_names(tmp_path: Path) -> None:
    assert got(tmp_path, "/healthz", overdue=lambda: ["prod"]) == (503, "cycles of 1 of 2 targets do not finish\n")


def test_a_receivers_thread_that_ended_is_told(tmp_path: Path) -> None:
    assert got(tmp_path, "/healthz", delivering=lambda: False) == (503, "a receiver's thread has ended\n")


def test_it_is_ready_after_the_first_cycles(tmp_path: Path) -> None:
    done = iter([False, True])
    assert [got(tmp_path, "/readyz", ready=lambda: next(done))[0] for _ in range(2)] == [503, 200]


@pytest.mark.parametrize("path", ["/watchdog/healthz", "/healthz"])
def test_a_prefix_may_be_kept_or_removed_by_the_proxy(tmp_path: Path, path: str) -> None:
    settings = HttpSettings(listen="127.0.0.1:1", prefix="/watchdog")
    served = build_application(site(Store.open(tmp_path / "watchdog.db")), settings, stopwatch=lambda: 0.0)
    assert Client(served).get(path).status_code == 200


def test_what_crashes_is_one_sentence(tmp_path: Path) -> None:
    def crash() -> list[str]:
        raise RuntimeError("redis://user:hunter2@host")

    assert got(tmp_path, "/healthz", overdue=crash) == (500, "watchdog: this could not be answered; its log says why.\n")


def test_no_answer_may_be_framed_or_load_from_elsewhere(tmp_path: Path) -> None:
    headers = application(tmp_path).test_client().get("/nothing").headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
