"""The Slack receiver against a server that answers as Slack does, and what waits for it while it asks for a pause."""

import gzip
import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.builders.outbox import T0, incident, message, opened, over, plan
from tests.servers.receiver import Answer, RecordingReceiver
from tests.servers.tcp_server import TcpServer
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.notify import decide_notifications
from watchdog.core.incidents.outcome import Delivered, Later, Outcome, Refused
from watchdog.core.incidents.routing import Recipient
from watchdog.core.incidents.wanted import JudgedIncident
from watchdog.core.judging.findings import Verdict
from watchdog.daemon.delivery import Delivery
from watchdog.receivers.http.attempt import LARGEST_TEXT, _beginning
from watchdog.receivers.pace import Pace
from watchdog.receivers.slack.receiver import GONE, MEND, SlackReceiver
from watchdog.receivers.slack.settings import SlackSettings
from watchdog.store import Store

OK = Answer(body=b"ok")
PATH = "T0ken/B0t/s3cretpath"


class Time:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


Made = Callable[..., SlackReceiver]


@pytest.fixture
def slack(receiver: RecordingReceiver) -> Iterator[Made]:
    made: list[SlackReceiver] = []

    def make(**given: Any) -> SlackReceiver:
        url = f"http://127.0.0.1:{receiver.port}/services/{PATH}"
        settings = SlackSettings.model_validate({"type": "slack", "name": "ops", "url": url, "timeout": "2s", **given})
        made.append(SlackReceiver(settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


def send(to: SlackReceiver, now: float = T0) -> Outcome:
    return to.send(to.render(message("1")), "01MESSAGE1", now)


def answered(slack: Made, receiver: RecordingReceiver, answer: Answer) -> Outcome:
    receiver.then(answer)
    return send(slack())


# --- what Slack answers -------------------------------------------------------------------------------------------------


def test_ok_is_delivered(slack: Made, receiver: RecordingReceiver) -> None:
    assert answered(slack, receiver, OK) == Delivered("200")
    [request] = receiver.requests
    assert (request.path, request.headers["content-type"]) == (f"/services/{PATH}", "application/json; charset=utf-8")
    assert json.loads(request.body)["text"] == "Warning in prod: A holds 60 messages"


COMPATIBLE = {
    "Mattermost": Answer(headers={"content-type": "text/plain"}, body=b"ok"),
    "Rocket.Chat": Answer(body=b'{"success":true}'),
    "Zulip": Answer(body=b'{"result":"success","msg":"","id":42}'),
    "Discord": Answer(204),
    "Discord, waiting": Answer(body=b"OK\n"),
    "no word": Answer(),
    "packed, though nobody asked": Answer(headers={"content-encoding": "gzip"}, body=gzip.compress(b"ok")),
    "packed JSON": Answer(headers={"content-encoding": "deflate"}, body=zlib.compress(b'{"ok": true}')),
    "created": Answer(201, body=b'{"status":"ok"}'),
}


@pytest.mark.parametrize("server", COMPATIBLE)
def test_the_success_of_a_compatible_server_is_one(server: str, slack: Made, receiver: RecordingReceiver) -> None:
    assert isinstance(answered(slack, receiver, COMPATIBLE[server]), Delivered)


ERRORS = [
    b"error", b"<html>login</html>", b"ok, later", b"[]", b"true", b'{"ok": false, "error": "no_service"}', b'{"success": false}',
    b'{"result": "error", "msg": "Invalid API key"}', b'{"ok": true, "status": "failed"}', b'{"message": "ok"}',
]  # fmt: skip


@pytest.mark.parametrize("body", ERRORS)
def test_any_other_word_is_an_error_even_with_200(body: bytes, slack: Made, receiver: RecordingReceiver) -> None:
    outcome = answered(slack, receiver, Answer(body=body))
    assert isinstance(outcome, Refused)
    assert "expected `ok`: check that `url` is an incoming webhook of Slack" in outcome.reason


def test_a_packed_body_is_never_unpacked_further_than_anybody_reads() -> None:
    assert len(_beginning(gzip.compress(b" " * 5_000_000), "gzip")) == LARGEST_TEXT


def test_what_cannot_be_unpacked_says_nothing(slack: Made, receiver: RecordingReceiver) -> None:
    assert isinstance(answered(slack, receiver, Answer(500, {"content-encoding": "gzip"}, b"not packed")), Later)


@pytest.mark.parametrize("status", [200, 400, 403, 404, 410])
@pytest.mark.parametrize("word", MEND)
def test_each_word_of_slack_says_what_to_mend(word: str, status: int, slack: Made, receiver: RecordingReceiver) -> None:
    outcome = answered(slack, receiver, Answer(status, body=word.encode()))
    gone = word in GONE or status == 410
    assert outcome == Refused(f"http://127.0.0.1:{receiver.port} answered {status}: {word}: {MEND[word]}", gone)


def test_a_word_with_a_fault_of_the_server_is_tried_again(slack: Made, receiver: RecordingReceiver) -> None:
    outcome = answered(slack, receiver, Answer(500, body=b"no_service"))
    assert isinstance(outcome, Later)
    assert not outcome.never_arrived


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry-after": "30"}, b"", 30.0),
        ({}, b'{"retry_after": 7, "ok": false, "error": "rate_limited"}', 7.0),
        ({"retry-after": "30"}, b'{"retry_after": 7}', 30.0),
        ({}, b"rate_limited", None),
        ({}, b'{"retry_after": -1}', None),
        ({}, b'{"retry_after": true}', None),
        ({}, b'{"retry_after": 1' + b"0" * 400 + b"}", None),
        ({}, b'{"retry_after": NaN}', None),
        ({}, b"[" * 4000, None),
        ({}, b"[7]", None),
    ],
)
def test_too_many_is_later_and_says_how_much(
    headers: dict[str, str], body: bytes, seconds: float | None, slack: Made, receiver: RecordingReceiver
) -> None:
    outcome = answered(slack, receiver, Answer(429, headers, body))
    assert isinstance(outcome, Later)
    assert (outcome.retry_after_s, outcome.never_arrived) == (seconds, True)


def test_a_yes_whose_body_does_not_come_is_tried_again_and_may_have_arrived(slack: Made) -> None:
    def half(connection: socket.socket, closing: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no")
        closing.wait(10)

    with TcpServer(half) as slow:
        outcome = send(slack(url=f"http://127.0.0.1:{slow.port}/hook", timeout="300ms"))
        assert outcome == Later(f"http://127.0.0.1:{slow.port} answered 200, but the rest of its answer did not come in time")


def test_a_server_that_hangs_is_tried_again_and_may_have_got_it(slack: Made, receiver: RecordingReceiver) -> None:
    receiver.then(Answer(delay_s=5.0))
    assert send(slack(timeout="200ms")) == Later(f"http://127.0.0.1:{receiver.port} did not answer within 0.2s")


def test_no_secret_appears_in_any_outcome(slack: Made, receiver: RecordingReceiver) -> None:
    echo = f"/services/{PATH} {PATH}".encode()
    outcomes = [answered(slack, receiver, Answer(status, body=echo)) for status in (200, 302, 400, 404, 429, 500)]
    assert "s3cretpath" not in repr(outcomes)


def test_no_secret_appears_in_its_settings_or_in_an_error_about_them() -> None:
    good = SlackSettings.model_validate({"type": "slack", "name": "ops", "url": f"https://hooks.slack.com/services/{PATH}"})
    with pytest.raises(ValidationError) as raised:
        SlackSettings.model_validate({"type": "slack", "name": "ops", "url": f"hooks.slack.com/services/{PATH}"})
    assert "s3cretpath" not in f"{good!r} {good} {raised.value}"


# --- what waits for it --------------------------------------------------------------------------------------------------


def cycle(store: Store, to: SlackReceiver, incidents: Sequence[Incident], now: float) -> None:
    """The notifications of one cycle: what fires was seen in breach; what is over ended."""
    with store.cycle() as transaction:
        loaded = transaction.load("prod")
        judged = [JudgedIncident(one, Verdict.BREACH if one.open else Verdict.CLEAR) for one in incidents]
        messages, withdrawn = decide_notifications(judged, loaded, [Recipient(to.name, to.human, to.settings)], "prod", now, "watchdog")
        transaction.commit(plan(*messages, incidents=incidents, withdrawn=withdrawn, at=now))


def test_what_waits_is_merged_and_what_ended_untold_is_not_told(
    tmp_path: Path, slack: Made, receiver: RecordingReceiver, time: Time
) -> None:
    """Slack asks for pauses; three begin one after the other and one ends: then one message contains the two that fire."""
    receiver.then(*[Answer(429, {"retry-after": "10"})] * 3)
    receiver.default = OK
    to = slack()
    fires = [incident(name, started_at=T0 + number) for number, name in enumerate(("alpha", "beta", "gamma"))]
    with opened(tmp_path) as store:
        delivery = Delivery(store, [to], clock=time, pace=Pace(time))
        for begun in (fires[:1], fires[:2], fires):
            cycle(store, to, begun, time.now)
            assert delivery.drain_once("ops") == 1
            time.now += 10
        cycle(store, to, [fires[0], over(fires[1], time.now), fires[2]], time.now)
        assert delivery.drain_once("ops") == 1
        assert delivery.drain_once("ops") == 0
    *early, told = [request.body.decode() for request in receiver.requests]
    assert [[name in body for name in ("alpha", "beta", "gamma")] for body in early] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
    assert ["alpha" in told, "beta" in told, "gamma" in told] == [True, False, True]
    assert json.loads(told)["text"].startswith("Warning in prod: 2 incidents: ")


def test_what_ended_is_told_where_its_beginning_was(tmp_path: Path, slack: Made, receiver: RecordingReceiver, time: Time) -> None:
    receiver.default = OK
    to, fire = slack(), incident("alpha")
    with opened(tmp_path) as store:
        delivery = Delivery(store, [to], clock=time, pace=Pace(time))
        for state in (fire, over(fire, T0 + 60)):
            cycle(store, to, [state], time.now)
            delivery.drain_once("ops")
    assert [json.loads(request.body)["text"] for request in receiver.requests] == [
        "Warning in prod: alpha holds 60 messages",
        "Resolved after 1m in prod: alpha holds 60 messages",
    ]
