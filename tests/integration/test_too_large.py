"""Receivers that take no large bodies (413): everything arrives all the same, once, in order, in messages that they take."""

import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from tests.builders.outbox import T0, commit, incident, load, look, message, notice, opened, over, plan
from tests.servers.receiver import Answer, RecordingReceiver, Request
from tests.servers.tcp_server import Conversation, TcpServer
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.routing import Recipient, Terms
from watchdog.core.incidents.wanted import REFUSED_AGAIN_S
from watchdog.daemon.delivery import Delivery
from watchdog.receivers.slack.receiver import SlackReceiver
from watchdog.receivers.slack.settings import SlackSettings
from watchdog.receivers.webhook.receiver import WebhookReceiver
from watchdog.receivers.webhook.settings import WebhookSettings
from watchdog.store import Store

EXPRESS, SMALL, TINY = 100_000, 10_000, 1_200
"""Bytes: Express' own limit, a careful one, and one that takes a single incident at most."""


class LimitedReceiver(RecordingReceiver):
    """Answers 413 to bodies beyond its limit, and keeps what it took apart."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self.taken: list[Request] = []

    def take(self, request: Request) -> Answer:
        answer = super().take(request)
        if len(request.body) > self.limit:
            return Answer(413, body=b"PayloadTooLargeError: request entity too large")
        if answer.status < 300:
            self.taken.append(request)
        return answer


class Clock:
    """Epoch seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as one:
        yield one


@pytest.fixture
def limited() -> Iterator[Callable[[int], LimitedReceiver]]:
    with ExitStack() as stack:
        yield lambda limit: stack.enter_context(LimitedReceiver(limit))


def webhook(url: str, **more: Any) -> WebhookReceiver:
    given = {"type": "webhook", "name": "ops", "url": url, "timeout": "5s", "per_second": 1000, **more}
    return WebhookReceiver(WebhookSettings.model_validate(given))


def recipient(receiver: WebhookReceiver | SlackReceiver) -> Recipient:
    """What joins or ends is told at once, although others of its group burn."""
    return Recipient(receiver.name, receiver.human, receiver.settings, terms=Terms(group_interval_s=0.0))


def fires(count: int, description: str = "What it means, at some length. " * 12, runbook: str = "1. Look at it.\n") -> list[Incident]:
    return [replace(incident(f"{number:03}"), description=description, runbook=runbook) for number in range(count)]


def deliver(store: Store, receiver: WebhookReceiver | SlackReceiver, clock: Clock) -> None:
    """All that is due, with whatever pauses it takes."""
    delivery = Delivery(store, [receiver], clock=clock)
    with capture_logs():
        while store.next_due(receiver.name, clock.now, receiver.settings) is not None:
            clock.now = max(clock.now, store.next_due(receiver.name, clock.now, receiver.settings) or 0.0)
            delivery.drain_once(receiver.name)


def attempted(store: Store, receiver: WebhookReceiver, clock: Clock, *, settled: bool = True) -> None:
    """One attempt of what is due, if anything is; not `settled`: watchdog dies before it can write what was answered."""
    claimed = store.claim("ops", clock.now, receiver.settings, receiver.render)
    if claimed is not None:
        outcome = receiver.send(claimed.body, claimed.message.id, clock.now)
        if settled:
            store.settle(claimed.message.id, outcome, clock.now)


def told(requests: Sequence[Request]) -> list[tuple[str, str]]:
    """(incident, event) in the order in which they arrived."""
    return [(one["id"], one["event"]) for request in requests for one in json.loads(request.body)["data"]["incidents"]]


def bodies_of_one_id(requests: Sequence[Request]) -> int:
    """The most bodies that any id had."""
    found: dict[str, set[bytes]] = {}
    for request in requests:
        found.setdefault(request.headers["webhook-id"], set()).add(request.body)
    return max(map(len, found.values()))


def said_once(burning: Sequence[Incident], *events: str) -> Counter[tuple[str, str]]:
    return Counter((one.id, event) for one in burning for event in events)


def dead(store: Store) -> list[str]:
    return [entry.last_error or "" for entry in store.outbox_shown().messages if entry.state == "dead"]


# --- all of it arrives --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [EXPRESS, SMALL, TINY])
def test_a_hundred_incidents_arrive_once_each_and_so_do_their_ends(
    store: Store, clock: Clock, limited: Callable[[int], LimitedReceiver], limit: int
) -> None:
    server, burning = limited(limit), fires(100)
    receiver = webhook(server.url)
    look(store, [recipient(receiver)], *burning)
    deliver(store, receiver, clock)
    assert Counter(told(server.taken)) == said_once(burning, "first")
    look(store, [recipient(receiver)], *(over(one, clock.now) for one in burning), now=clock.now)
    deliver(store, receiver, clock)
    assert Counter(told(server.taken)) == said_once(burning, "first", "resolved")
    assert (dead(store), bodies_of_one_id(server.requests)) == ([], 1)
    assert load(store).unsettled == ()


def test_to_a_server_as_express_is_by_itself_nothing_is_sent_in_vain(
    store: Store, clock: Clock, limited: Callable[[int], LimitedReceiver]
) -> None:
    server = limited(EXPRESS)
    receiver = webhook(server.url)
    look(store, [recipient(receiver)], *fires(100))
    deliver(store, receiver, clock)
    assert len(server.requests) == len(server.taken)


def test_messages_are_no_smaller_than_they_have_to_be(store: Store, clock: Clock, limited: Callable[[int], LimitedReceiver]) -> None:
    """Halved until they fit: the smallest is more than a quarter of what would have been taken."""
    server = limited(SMALL)
    receiver = webhook(server.url)
    look(store, [recipient(receiver)], *fires(64))
    deliver(store, receiver, clock)
    assert min(len(request.body) for request in server.taken) > SMALL / 4


def test_one_incident_that_is_too_large_alone_goes_without_description_and_runbook(
    store: Store, clock: Clock, limited: Callable[[int], LimitedReceiver]
) -> None:
    server, [burning] = limited(SMALL), fires(1, description="x" * 20_000)
    receiver = webhook(server.url)
    look(store, [recipient(receiver)], burning)
    deliver(store, receiver, clock)
    [said] = json.loads(server.taken[0].body)["data"]["incidents"]
    assert (said["summary"], said["description"], said["runbook"]) == (burning.summary, "", "")
    look(store, [recipient(receiver)], over(burning, clock.now), now=clock.now)
    deliver(store, receiver, clock)
    assert told(server.taken) == [(burning.id, "first"), (burning.id, "resolved")]
    assert (len(server.requests), bodies_of_one_id(server.requests)) == (4, 1)


def test_among_others_only_the_one_that_is_too_large_loses_its_details(
    store: Store, clock: Clock, limited: Callable[[int], LimitedReceiver]
) -> None:
    server, small, [large] = limited(SMALL), fires(3), fires(1, description="x" * 20_000)
    receiver = webhook(server.url)
    look(store, [recipient(receiver)], *small, replace(large, id="01INCIDENTX"))
    deliver(store, receiver, clock)
    said = [one for request in server.taken for one in json.loads(request.body)["data"]["incidents"]]
    assert {one["id"]: bool(one["description"]) for one in said} == {**{one.id: True for one in small}, "01INCIDENTX": False}


def test_a_server_that_answers_before_it_has_read_all_of_it_is_understood(store: Store, clock: Clock) -> None:
    """As nginx and many others do: by the length in the headers; what they did not read breaks the connection."""
    burning, taken = fires(100), list[bytes]()
    with TcpServer(_by_its_length(SMALL, taken)) as server:
        receiver = webhook(f"http://127.0.0.1:{server.port}/hook")
        look(store, [recipient(receiver)], *burning)
        deliver(store, receiver, clock)
    said = [one["id"] for body in taken for one in json.loads(body)["data"]["incidents"]]
    assert sorted(said) == sorted(one.id for one in burning)


def _by_its_length(limit: int, taken: list[bytes]) -> Conversation:
    def converse(connection: socket.socket, _closing: threading.Event) -> None:
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(512)
        head, _, body = received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if length > limit:
            connection.sendall(b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            return
        while len(body) < length:
            body += connection.recv(65536)
        taken.append(body)
        connection.sendall(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")

    return converse


# --- refused all the same -----------------------------------------------------------------------------------------------


def test_what_cannot_be_smaller_is_refused_as_anything_else_and_told_anew_after_an_hour(
    store: Store, clock: Clock, limited: Callable[[int], LimitedReceiver]
) -> None:
    server, [burning] = limited(10), fires(1)
    receiver = webhook(server.url)
    look(store, [recipient(receiver)], burning)
    deliver(store, receiver, clock)
    [why] = dead(store)
    assert (len(server.requests), "answered 413" in why, "64 KiB" in why) == (2, True, True)
    look(store, [recipient(receiver)], burning, now=clock.now + 60)
    assert store.next_due("ops", clock.now) is None
    server.limit = EXPRESS
    look(store, [recipient(receiver)], burning, now=clock.now + REFUSED_AGAIN_S)
    deliver(store, receiver, clock)
    assert told(server.taken) == [(burning.id, "first")]


def test_of_many_only_those_that_cannot_be_smaller_are_refused(
    store: Store, clock: Clock, limited: Callable[[int], LimitedReceiver]
) -> None:
    server, small, [large] = limited(SMALL), fires(3), fires(1)
    receiver = webhook(server.url)
    look(store, [recipient(receiver)], *small, replace(large, id="01INCIDENTX", summary="x" * 20_000))
    deliver(store, receiver, clock)
    assert Counter(told(server.taken)) == said_once(small, "first")
    [entry] = store.outbox_shown().messages
    assert [one.incident for one in entry.notices] == ["01INCIDENTX"]


# --- in order, and through crashes --------------------------------------------------------------------------------------


def test_an_end_that_waits_behind_a_message_that_is_split_waits_behind_its_halves(
    store: Store, clock: Clock, limited: Callable[[int], LimitedReceiver]
) -> None:
    """A first attempt may have arrived, so that the end is owed; the next one is too large."""
    server, burning = limited(EXPRESS), fires(20)
    receiver = webhook(server.url)
    server.then(Answer(503))
    look(store, [recipient(receiver)], *burning)
    attempted(store, receiver, clock)
    server.limit = SMALL
    look(store, [recipient(receiver)], *burning[:10], *(over(one) for one in burning[10:]), now=clock.now)
    deliver(store, receiver, clock)
    said = told(server.taken)
    assert Counter(said) == said_once(burning, "first") + said_once(burning[10:], "resolved")
    assert [event for of, event in said if of == burning[15].id] == ["first", "resolved"]


def test_what_was_not_yet_sent_is_merged_with_what_is_new_and_nothing_is_said_twice(
    store: Store, clock: Clock, limited: Callable[[int], LimitedReceiver]
) -> None:
    server, burning = limited(SMALL), fires(60)
    receiver = webhook(server.url)
    for count in range(20, 61, 4):
        look(store, [recipient(receiver)], *burning[:count], now=clock.now)
        for _ in range(3):  # a few requests between two looks
            attempted(store, receiver, clock)
        clock.now += 10
    deliver(store, receiver, clock)
    assert Counter(told(server.taken)) == said_once(burning, "first")


@pytest.mark.parametrize("dies_after", range(1, 12))
def test_a_crash_after_any_answer_loses_nothing_and_says_nothing_twice(
    tmp_path: Path, clock: Clock, limited: Callable[[int], LimitedReceiver], dies_after: int
) -> None:
    """The daemon dies between an answer and its settling; what was taken by then comes again under its id, byte for byte."""
    server, burning = limited(SMALL), fires(40)
    receiver = webhook(server.url)
    with opened(tmp_path) as store:
        look(store, [recipient(receiver)], *burning)
        for step in range(dies_after):
            attempted(store, receiver, clock, settled=step < dies_after - 1)
    with opened(tmp_path) as store:
        store.recover()
        deliver(store, receiver, clock)
        assert dead(store) == []
    by_id = {request.headers["webhook-id"]: request for request in server.taken}
    assert Counter(told(list(by_id.values()))) == said_once(burning, "first")
    assert bodies_of_one_id(server.requests) == 1


def test_halves_are_tried_no_longer_than_the_message_would_have_been(
    store: Store, clock: Clock, limited: Callable[[int], LimitedReceiver]
) -> None:
    commit(store, plan(message("1", notice("A"), notice("B")), incidents=[incident("A"), incident("B")]))
    with store.cycle() as transaction:
        transaction.leave_by("ops", T0 + 3600)
    receiver = webhook(limited(10).url)
    attempted(store, receiver, clock)
    assert [(entry.state, entry.expires_at) for entry in store.outbox_shown().messages] == [("waiting", T0 + 3600)] * 2


# --- what is said of it -------------------------------------------------------------------------------------------------


def test_each_step_is_a_line_of_the_log_and_no_dead_letter(store: Store, clock: Clock, limited: Callable[[int], LimitedReceiver]) -> None:
    server = limited(SMALL)
    receiver = webhook(server.url)
    look(store, [recipient(receiver)], *fires(2, description="x" * 20_000))
    with capture_logs() as logs:
        Delivery(store, [receiver], clock=clock).drain_once("ops")
    assert [log["event"] for log in logs] == ["message_split", *("message_split", "message_delivered") * 2]
    assert str(logs[0]["reason"]).endswith("; it goes as two messages")
    assert str(logs[1]["reason"]).endswith("; it goes without description and runbook")
    assert [seen.dead for seen in store.receivers_seen()] == [0]


def test_what_people_read_is_not_split_it_goes_without_details(
    store: Store, clock: Clock, limited: Callable[[int], LimitedReceiver]
) -> None:
    server = limited(1_600)
    given = {"type": "slack", "name": "ops", "url": server.url, "timeout": "5s", "per_second": 1000}
    receiver = SlackReceiver(SlackSettings.model_validate(given))
    server.default = Answer(body=b"ok")
    look(store, [recipient(receiver)], *fires(3, runbook="1. Look at it, with patience.\n" * 20))
    deliver(store, receiver, clock)
    [body] = [request.body.decode() for request in server.taken]
    assert (len(server.requests), "with patience" in body, body.count("holds 60 messages") >= 3) == (2, False, True)
    assert {heard.event for heard in load(store).notified.values()} == {Event.FIRST}
