"""Who is told what a remedy did, and when."""

from msgspec.structs import replace

from tests.builders.answers import NOW
from tests.builders.incidents import a_message, a_told, an_incident
from watchdog.core.incidents.messages import Event, Notified
from watchdog.core.incidents.notify import notice_of
from watchdog.core.incidents.payload import payload
from watchdog.core.incidents.quiet.reasons import NOT_QUIET
from watchdog.core.incidents.routing import Recipient, Routing
from watchdog.core.incidents.wanted import JudgedIncident, decision
from watchdog.core.judging.findings import Verdict

FAILED = an_incident(remedy="it did not help", remedy_news_at=NOW)


def event(told_at: float, **changes: object) -> Event | None:
    notified: Notified = replace(a_told(Event.FIRST), at=told_at, **changes)
    one = JudgedIncident(FAILED, Verdict.BREACH)
    return decision(one, notified, Recipient("ops"), NOW, routing=Routing(), quiet=NOT_QUIET).event


def test_who_was_notified_before_is_told_that_it_did_not_help() -> None:
    assert event(NOW - 30) is Event.REMINDER


def test_that_is_told_once() -> None:
    assert event(NOW) is None


def test_who_refused_the_last_message_is_not_bothered() -> None:
    assert event(NOW - 30, refused=Event.REMINDER) is None


def test_the_payload_says_it() -> None:
    assert payload(a_message(notice_of(FAILED, Event.REMINDER, 2)))["data"]["incidents"][0]["remedy"] == "it did not help"
