"""Digests of a daemon, by a clock that the test sets: once, late or skipped, for every kind of receiver, whatever restarts."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.builders.outbox import FakeReceiver, opened
from tests.builders.report import a_report
from watchdog.core.report.report import Report, Span
from watchdog.core.report.schedule import LATEST_S, DigestTimes
from watchdog.daemon.beside.digests import Digests
from watchdog.daemon.delivery import Delivery
from watchdog.store import Store, StoreError

DAILY = DigestTimes(frozenset(range(7)), 8 * 3600, UTC, "08:00 UTC")
WEEKLY = DigestTimes(frozenset({0}), 8 * 3600, UTC, "mon 08:00 UTC")
MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC).timestamp()
DAY = 86400.0


class Reports:
    """Makes reports, and remembers of which times."""

    def __init__(self) -> None:
        self.asked: list[Span] = []
        self.fails: Exception | None = None

    def __call__(self, window: Span, times: DigestTimes) -> Report:
        self.asked.append(window)
        if self.fails is not None:
            raise self.fails
        return a_report(since=window.since, until=window.until)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as one:
        yield one


@pytest.fixture
def reports() -> Reports:
    return Reports()


def daemon(store: Store, reports: Reports, **times: DigestTimes) -> Digests:
    """As a daemon builds it, at each start and each reload."""
    return Digests(store, times or {"ops": DAILY}, reports, service="watchdog")


def sent(store: Store, receiver: str = "ops", now: float = MONDAY) -> list[tuple[str, str]]:
    """The times of all digests that a receiver gets now."""
    fake = FakeReceiver(receiver)
    Delivery(store, [fake], clock=lambda: now).drain_once(receiver)
    documents = [json.loads(body)["data"]["report"] for _, body in fake.sent]
    return [(document["since"], document["until"]) for document in documents]


SUNDAY_TO_MONDAY = ("2026-11-22T08:00:00Z", "2026-11-23T08:00:00Z")


def test_a_digest_comes_at_its_time_and_covers_the_day_before(store: Store, reports: Reports) -> None:
    digests = daemon(store, reports)
    assert [digests.send_due(now) for now in (MONDAY - 3600, MONDAY - 1, MONDAY)] == [False, False, True]
    assert sent(store) == [SUNDAY_TO_MONDAY]


def test_it_comes_once(store: Store, reports: Reports) -> None:
    digests = daemon(store, reports)
    for now in (MONDAY - 1, MONDAY, MONDAY + 10, MONDAY + 3600):
        digests.send_due(now)
    assert sent(store) == [SUNDAY_TO_MONDAY]


def test_it_comes_once_through_restarts_and_reloads(store: Store, reports: Reports) -> None:
    for now in (MONDAY - 1, MONDAY, MONDAY + 10, MONDAY + 3600):
        daemon(store, reports).send_due(now)
    assert sent(store) == [SUNDAY_TO_MONDAY]


def test_a_daemon_that_was_down_sends_it_late_and_of_its_own_time(store: Store, reports: Reports) -> None:
    daemon(store, reports).send_due(MONDAY - 3600)
    daemon(store, reports).send_due(MONDAY + LATEST_S)
    assert sent(store, now=MONDAY + LATEST_S) == [SUNDAY_TO_MONDAY]


def test_a_digest_that_would_be_too_late_is_skipped_and_that_is_logged(store: Store, reports: Reports) -> None:
    daemon(store, reports).send_due(MONDAY - 3600)
    with capture_logs() as logs:
        assert not daemon(store, reports).send_due(MONDAY + LATEST_S + 60)
    assert sent(store) == []
    assert [(log["event"], log["receiver"], log["due"]) for log in logs] == [("digest_skipped", "ops", "2026-11-23T08:00:00Z")]


def test_the_next_one_after_a_skipped_one_covers_its_own_day(store: Store, reports: Reports) -> None:
    daemon(store, reports).send_due(MONDAY - 3600)
    daemon(store, reports).send_due(MONDAY + LATEST_S + 60)
    daemon(store, reports).send_due(MONDAY + DAY)
    assert sent(store, now=MONDAY + DAY) == [("2026-11-23T08:00:00Z", "2026-11-24T08:00:00Z")]


def test_each_receiver_has_its_own_times(store: Store, reports: Reports) -> None:
    digests = daemon(store, reports, ops=DAILY, chat=WEEKLY)
    for now in (MONDAY - 1, MONDAY):
        digests.send_due(now)
    assert sent(store, "chat") == [("2026-11-16T08:00:00Z", "2026-11-23T08:00:00Z")]


def test_receivers_with_the_same_times_share_the_work(store: Store, reports: Reports) -> None:
    digests = daemon(store, reports, ops=DAILY, chat=DAILY)
    for now in (MONDAY - 1, MONDAY):
        digests.send_due(now)
    assert (len(reports.asked), len(sent(store, "ops")), len(sent(store, "chat"))) == (1, 1, 1)


def test_a_receiver_that_wants_it_at_another_hour_begins_with_the_next(store: Store, reports: Reports) -> None:
    daemon(store, reports).send_due(MONDAY)
    earlier = DigestTimes(frozenset(range(7)), 7 * 3600, UTC, "07:00 UTC")
    daemon(store, reports, ops=earlier).send_due(MONDAY + 60)
    assert sent(store) == []


def test_a_receiver_that_comes_back_later_begins_anew(store: Store, reports: Reports) -> None:
    daemon(store, reports).send_due(MONDAY - 3600)
    daemon(store, reports, chat=DAILY).send_due(MONDAY - 1800)
    daemon(store, reports).send_due(MONDAY + 60)
    assert sent(store) == []


def test_a_report_that_fails_is_logged_once_and_tried_again(store: Store, reports: Reports) -> None:
    digests = daemon(store, reports)
    digests.send_due(MONDAY - 1)
    reports.fails = StoreError("the database is locked")
    with capture_logs() as logs:
        assert [digests.send_due(MONDAY + second) for second in (0, 10)] == [False, False]
    assert [(log["event"], log["reason"]) for log in logs if log["log_level"] == "error"] == [("digest_failed", "the database is locked")]
    reports.fails = None
    digests.send_due(MONDAY + 20)
    assert sent(store) == [SUNDAY_TO_MONDAY]


def test_an_unexpected_error_reveals_no_text_of_it(store: Store, reports: Reports) -> None:
    digests = daemon(store, reports)
    digests.send_due(MONDAY - 1)
    reports.fails = ValueError("password=secret")
    with capture_logs() as logs:
        digests.send_due(MONDAY)
    [said] = [log["reason"] for log in logs if log["log_level"] == "error"]
    assert said == "unexpected ValueError; please report it"
