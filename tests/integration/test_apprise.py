"""The Apprise receiver, with the real Apprise, against a server that records what it gets."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace
from pydantic import ValidationError

from tests.builders.outbox import T0, message, notice
from tests.servers.receiver import Answer, RecordingReceiver
from tests.servers.waiting import until
from watchdog.core.incidents.messages import Event, Message
from watchdog.core.incidents.outcome import Delivered, Later, Outcome, Refused
from watchdog.core.model.severity import Severity
from watchdog.core.text.secrets import secrets_in
from watchdog.receivers import apprise
from watchdog.receivers.apprise import AppriseReceiver, AppriseSettings, apprise_outcome

SECRETS = ("us3rname", "pa55word", "T0kenInPath", "s3cretKey")


@pytest.fixture(scope="module")
def server() -> Iterator[RecordingReceiver]:
    with RecordingReceiver() as there:
        yield there


def made(server: RecordingReceiver, **given: Any) -> AppriseReceiver:
    url = f"json://us3rname:pa55word@127.0.0.1:{server.port}/T0kenInPath?+X-Key=s3cretKey"
    return AppriseReceiver(AppriseSettings.model_validate({"type": "apprise", "name": "ops", "url": url, "timeout": "5s", **given}))


def send(server: RecordingReceiver, what: Message | None = None, **given: Any) -> Outcome:
    server.requests.clear()
    to = made(server, **given)
    return to.send(to.render(what or message("1")), "01MESSAGE1", T0)


def test_a_message_is_a_title_and_lines_of_text(server: RecordingReceiver) -> None:
    assert send(server, message("1", replace(notice(), link="https://flower.example.com/broker"))) == Delivered("json")
    said = json.loads(server.requests[0].body)
    assert (said["title"], said["type"]) == ("Warning in prod: A holds 60 messages", "warning")
    assert said["message"].splitlines() == [
        "rule QueueBacklogHigh · name A · length 60 · declared yes · oldest_s ?",
        "https://flower.example.com/broker",
    ]


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (notice(severity=Severity.CRITICAL), "failure"),
        (notice(severity=Severity.ERROR), "failure"),
        (notice(severity=Severity.INFO), "info"),
        (notice(event=Event.RESOLVED), "success"),
        (replace(notice(event=Event.RESOLVED), ended="rule removed"), "info"),
    ],
)
def test_what_became_of_it_is_apprises_kind(told: Any, kind: str, server: RecordingReceiver) -> None:
    send(server, message("1", told))
    assert json.loads(server.requests[0].body)["type"] == kind


def test_nobody_is_mentioned_by_the_name_of_a_task(server: RecordingReceiver) -> None:
    send(server, message("1", replace(notice(), summary="@everyone <!channel> celery@web-1")))
    assert json.loads(server.requests[0].body)["title"].endswith("\uff20everyone \u2039!channel> celery@web-1")


def test_a_service_gets_as_many_lines_as_it_takes_and_how_many_there_are_more() -> None:
    told = {"title": "t" * 50, "lines": [f"line {number:03}" for number in range(100)]}
    title, body = apprise._fitting(told, 250, 300)
    assert (title, len(body) <= 300) == ("t" * 50, True)
    assert body.splitlines()[-1] == f"… and {100 - len(body.splitlines()) + 1} more lines"


def test_a_service_without_titles_gets_it_as_the_first_line() -> None:
    assert apprise._fitting({"title": "what", "lines": ["why"]}, 0, 160) == ("", "what\nwhy")


# --- what comes back ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "outcome"), [(400, Refused), (401, Refused), (404, Refused), (500, Later), (503, Later)])
def test_a_status_that_it_logs_counts(status: int, outcome: type[Outcome], server: RecordingReceiver) -> None:
    server.then(Answer(status))
    assert type(send(server)) is outcome


def test_what_it_logs_is_the_reason_without_any_part_of_the_url(server: RecordingReceiver) -> None:
    server.then(Answer(401, body=" ".join(SECRETS).encode()))
    outcome = send(server)
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith("json: Failed to send JSON POST notification: ")
    assert [secret for secret in SECRETS if secret in outcome.reason] == []


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (["Failed to send Discord notification: too many, error=429."], Later("discord: {}", never_arrived=True)),
        (["Failed, error=413."], Refused("discord: {}; check `url` (appriseit.com/services)", too_large=True)),
        (["A Connection error occurred sending Discord notification."], Later("discord: {}")),
        ([], Later("discord: apprise could not notify it, and does not say why")),
    ],
)
def test_other_words_have_their_outcome(said: list[str], expected: Any) -> None:
    assert apprise_outcome("discord", False, said) == replace(expected, reason=expected.reason.format(*said))


def test_a_server_that_hangs_holds_no_longer_than_the_timeout_and_not_for_ever(server: RecordingReceiver) -> None:
    server.then(*[Answer(delay_s=2.0)] * 6)
    to = made(server, timeout="50ms")
    outcomes = [to.send(to.render(message("1")), "1", T0) for _ in range(5)]
    assert outcomes[:4] == [Later("json did not answer within 0.05s")] * 4
    assert outcomes[4] == Later("json: 4 earlier attempts still hang", never_arrived=True)
    until(lambda: not to._thread.full, 10, "an attempt that ends")
    server._then.clear()


def test_its_log_goes_nowhere_else(server: RecordingReceiver, capfd: pytest.CaptureFixture[str]) -> None:
    class Root(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    heard: list[str] = []
    root, handler = logging.getLogger(), Root(logging.DEBUG)
    root.addHandler(handler)
    server.then(Answer(401))
    send(server)
    root.removeHandler(handler)
    assert heard == []
    assert capfd.readouterr() == ("", "")


# --- its settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["nonsense://s3cret", "s3cret", "discord://s3cret"])
def test_what_apprise_does_not_know_is_a_fault_without_the_url(url: str) -> None:
    with pytest.raises(ValidationError) as raised:
        AppriseSettings.model_validate({"type": "apprise", "name": "ops", "url": url})
    assert "expected a URL of a service that apprise knows" in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchdog.receivers.apprise.find_spec", lambda _: None)
    with pytest.raises(ValidationError, match=r"pip install 'celery-watchdog\[apprise\]'"):
        AppriseSettings.model_validate({"type": "apprise", "name": "ops", "url": "json://localhost"})


def test_every_part_of_its_url_is_a_secret_but_a_host() -> None:
    tables = [
        {"type": "apprise", "name": "ops", "url": "discord://webhookid/T0ken"},
        {"type": "apprise", "url": "json://u.example.com/pathpath"},
    ]
    found = secrets_in({"receiver": tables})
    assert {"webhookid", "T0ken", "pathpath"} <= found
    assert "u.example.com" not in found
