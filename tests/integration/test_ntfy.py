"""The ntfy receiver against a look-alike that enforces ntfy's limits and tokens."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace
from pydantic import ValidationError

from tests.builders.outbox import T0, message, notice
from tests.builders.report import a_report
from tests.servers.receiver import Answer, RecordingReceiver, Request
from watchdog.core.incidents.messages import Event, Message, Notice
from watchdog.core.incidents.outcome import Delivered, Later, Outcome, Refused
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import SELF
from watchdog.receivers.chat.ntfy import NtfyReceiver, NtfySettings

TOPIC, TOKEN = "s3cretT0pic", "tk_s3cretT0ken"
Made = Callable[..., NtfyReceiver]


class Ntfy(RecordingReceiver):
    """Publishing as JSON as docs.ntfy.sh/publish has it; the topic wants the token."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[dict[str, Any]] = []

    def take(self, request: Request) -> Answer:
        programmed = super().take(request)
        if programmed != Answer():
            return programmed
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _said(403, 40301, "forbidden")
        post = json.loads(request.body)
        if post.get("topic") != TOPIC:
            return _said(400, 40009, "invalid request: topic name is invalid")
        if not 1 <= post["priority"] <= 5:
            return _said(400, 40007, "invalid priority parameter")
        if not post["message"] or len(post["message"].encode()) > 4096:
            return _said(413, 41301, "attachment too large, or bandwidth limit reached")
        self.shown.append(post)
        return Answer(200, {}, b'{"id":"x","event":"message"}')


def _said(status: int, code: int, error: str) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps({"code": code, "http": status, "error": error}).encode())


@pytest.fixture
def there() -> Iterator[Ntfy]:
    with Ntfy() as ntfy:
        yield ntfy


@pytest.fixture
def made(there: Ntfy) -> Iterator[Made]:
    ones: list[NtfyReceiver] = []

    def make(**given: Any) -> NtfyReceiver:
        url = f"http://127.0.0.1:{there.port}"
        values = {"type": "ntfy", "name": "ops", "url": url, "topic": TOPIC, "token": TOKEN, "timeout": "5s", **given}
        ones.append(NtfyReceiver(NtfySettings.model_validate(values)))
        return ones[-1]

    yield make
    for one in ones:
        one.close()


def send(to: NtfyReceiver, what: Message | None = None) -> Outcome:
    return to.send(to.render(what or message("1")), "01MESSAGE1", T0)


def test_an_incident_is_a_notification_that_opens_flower(made: Made, there: Ntfy) -> None:
    assert send(made(), message("1", replace(notice(), link="https://flower.example.com/broker"))) == Delivered("200")
    [post] = there.shown
    assert (post["title"], post["click"]) == ("Warning in prod: A holds 60 messages", "https://flower.example.com/broker")
    assert post["message"].splitlines()[0] == "Warning: A holds 60 messages"
    assert post["message"].splitlines()[1].startswith("rule QueueBacklogHigh · name A · length 60")


@pytest.mark.parametrize(
    ("told", "priority", "tag"),
    [
        (notice(severity=Severity.CRITICAL), 5, "rotating_light"),
        (notice(severity=Severity.ERROR), 4, "red_circle"),
        (notice(), 3, "warning"),
        (notice(severity=Severity.INFO), 2, "information_source"),
        (notice(event=Event.RESOLVED, severity=Severity.CRITICAL), 2, "white_check_mark"),
        (replace(notice(event=Event.RESOLVED), ended="rule removed"), 2, "white_circle"),
    ],
)
def test_severity_is_priority_and_an_end_is_low(told: Notice, priority: int, tag: str, made: Made, there: Ntfy) -> None:
    send(made(), message("1", told))
    assert (there.shown[0]["priority"], there.shown[0]["tags"]) == (priority, [tag])


def test_of_fifty_the_most_urgent_are_shown_and_the_others_counted(made: Made, there: Ntfy) -> None:
    fires = [notice(f"q{number:02}") for number in range(49)]
    assert send(made(), message("1", *fires, notice("worst", severity=Severity.CRITICAL))) == Delivered("200")
    lines = there.shown[0]["message"].splitlines()
    assert lines[0] == "Critical: worst holds 60 messages"
    told = sum(" holds 60 messages" in line for line in lines)
    assert lines[-1] == f"… and {50 - told} more; watchdog incidents lists them"


def test_a_report_is_a_notification(made: Made, there: Ntfy) -> None:
    assert send(made(), Message("01DIGEST", "ops", SELF, T0, (), digest=a_report())) == Delivered("200")
    assert there.shown[0]["title"].startswith("Report of ")


HOSTILE = "\x1b[31m\u202e\udc80\n" + '😀"\\' * 3000


def test_texts_of_any_length_and_content_are_within_its_limit(made: Made, there: Ntfy) -> None:
    loud = replace(
        notice(), summary=HOSTILE, rule=HOSTILE, key={HOSTILE: HOSTILE}, values={HOSTILE: HOSTILE}, runbook=HOSTILE, link=HOSTILE
    )
    for count in (1, 3, 60):
        told = replace(message("1", *[replace(loud, incident=f"01{n}") for n in range(count)]), target=HOSTILE)
        assert send(made(), told) == Delivered("200")
    assert not any("\x1b" in post["message"] + post["title"] or "click" in post for post in there.shown)


def test_where_the_token_may_not_write_it_says_so(made: Made) -> None:
    outcome = send(made(token="tk_other"))
    assert isinstance(outcome, Refused)
    assert "answered 403: forbidden; check `token`, and that it may write to the topic" in outcome.reason


def test_while_it_is_busy_it_is_tried_again(made: Made, there: Ntfy) -> None:
    there.then(_said(429, 42901, "limit reached: too many requests"))
    outcome = send(made())
    assert isinstance(outcome, Later)
    assert outcome.never_arrived


def test_no_secret_appears_in_any_outcome_body_or_settings(made: Made, there: Ntfy) -> None:
    outcomes = []
    for status in (200, 302, 400, 401, 403, 404, 429, 500):
        there.then(Answer(status, {"x": "y"}, json.dumps({"error": f"no {TOPIC} {TOKEN}"}).encode()))
        outcomes.append(send(made()))
    settings = NtfySettings.model_validate({"type": "ntfy", "name": "ops", "topic": TOPIC, "token": TOKEN})
    said = f"{outcomes!r} {settings!r} {made().render(message('1'))!r}"
    assert [secret for secret in (TOPIC, TOKEN) if secret in said] == []


@pytest.mark.parametrize("given", [{"topic": "a b"}, {"topic": ""}, {"topic": "x" * 65}, {"token": "a\nb"}])
def test_settings_that_cannot_work_are_faults(given: dict[str, str], made: Made) -> None:
    with pytest.raises(ValidationError, match="expected a"):
        made(**given)
