"""Targets that share one Flower: what one has just received, the others need not query."""

from collections import Counter
from collections.abc import Callable

import httpx
import pytest

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import InspectAll, Inspected, Query, WorkerHeartbeats, WorkerStatus
from watchdog.sources.flower.source import FlowerSettings, FlowerSource, share_answers

ANSWERS = {"/healthcheck": "OK", "/": '{"data": []}', "/api/workers": "{}"}


class Flower:
    """Counts what is asked of it, and takes 10 ms for each answer."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.now = 0.0
        self.fails = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked[str(request.url.copy_with(host="f")).removeprefix("http://f")] += 1
        self.now += 0.01
        if self.fails:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, text=ANSWERS[request.url.path])

    def source(self, url: str = "http://flower", **settings: str) -> FlowerSource:
        transport = httpx.MockTransport(self.answer)
        return FlowerSource(FlowerSettings.model_validate({"url": url, **settings}), transport=transport, clock=lambda: self.now)


@pytest.fixture
def two() -> tuple[Flower, FlowerSource, FlowerSource]:
    flower = Flower()
    sources = flower.source(), flower.source()
    share_answers(sources)
    return flower, *sources


QUESTIONS: list[Query] = [WorkerStatus(), WorkerHeartbeats(), Inspected()]
Two = tuple[Flower, FlowerSource, FlowerSource]


def test_what_one_was_just_told_the_other_does_not_ask(two: Two) -> None:
    flower, one, other = two
    assert one.ask(QUESTIONS).replies == other.ask(QUESTIONS).replies
    assert set(flower.asked.values()) == {1}


def test_two_seconds_later_it_is_asked_again(two: Two) -> None:
    flower, one, other = two
    one.ask(QUESTIONS)
    flower.now += 2.1
    other.ask(QUESTIONS)
    assert set(flower.asked.values()) == {2}


def test_one_that_forgets_takes_no_answer_from_before(two: Two) -> None:
    """Another process has looked at its target since: what tables remember is newer."""
    flower, one, other = two
    one.ask(QUESTIONS)
    other.forget()
    other.ask(QUESTIONS)
    assert set(flower.asked.values()) == {2}


def test_one_that_forgot_takes_what_was_asked_after_that(two: Two) -> None:
    flower, one, other = two
    other.forget()
    flower.now += 0.01
    one.ask(QUESTIONS)
    other.ask(QUESTIONS)
    assert set(flower.asked.values()) == {1}


def test_a_shared_answer_took_as_long_as_it_took_flower(two: Two) -> None:
    _, one, other = two
    first, second = one.ask(QUESTIONS), other.ask(QUESTIONS)
    assert (first.latency_ms, first.took_s) == (second.latency_ms, second.took_s)
    assert first.latency_ms == pytest.approx(20.0)


def test_a_refresh_is_each_targets_own(two: Two) -> None:
    """What changed between two answers shows whether a worker answers it."""
    flower, one, other = two
    for source in (one, other):
        source.ask([InspectAll()])
    assert flower.asked["/api/workers?refresh=true"] == 2


def test_a_failure_is_not_shared(two: Two) -> None:
    flower, one, other = two
    flower.fails = True
    assert isinstance(one.ask([WorkerStatus()]).replies[WorkerStatus()], Gap)
    flower.fails = False
    assert other.ask([WorkerStatus()]).replies[WorkerStatus()] == {}


def alone(flower: Flower) -> list[FlowerSource]:
    return [flower.source(), flower.source()]


def of_another_user(flower: Flower) -> list[FlowerSource]:
    sources = [flower.source(), flower.source(username="ops", password="x")]
    share_answers(sources)
    return sources


@pytest.mark.parametrize("strangers", [alone, of_another_user])
def test_strangers_share_nothing(strangers: Callable[[Flower], list[FlowerSource]]) -> None:
    flower = Flower()
    for source in strangers(flower):
        source.ask(QUESTIONS)
    assert set(flower.asked.values()) == {2}


def test_one_target_alone_always_asks() -> None:
    flower = Flower()
    source = flower.source()
    share_answers([source])
    for _ in range(2):
        source.ask(QUESTIONS)
    assert set(flower.asked.values()) == {2}


def test_a_cookie_that_a_proxy_sets_goes_with_the_next_question_and_one_that_it_takes_back_with_none() -> None:
    sent: list[str | None] = []
    answers = iter(["route=a", "route=a; Max-Age=0", None, None])

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("Cookie"))
        cookie = next(answers)
        return httpx.Response(200, content=b"{}", headers={"Set-Cookie": cookie} if cookie else {})

    source = FlowerSource(FlowerSettings(url="http://flower.test"), transport=httpx.MockTransport(answer))
    for _ in range(4):
        source.ask([Inspected()])
    assert sent == [None, "route=a", None, None]


def test_a_cookie_that_no_header_can_carry_is_not_sent_and_no_error() -> None:
    sent: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("Cookie"))
        return httpx.Response(200, content=b"{}", headers=[(b"Set-Cookie", "route=é".encode())])

    source = FlowerSource(FlowerSettings(url="http://flower.test"), transport=httpx.MockTransport(answer))
    for _ in range(2):
        assert source.ask([Inspected()]).replies == {Inspected(): {}}
    assert sent == [None, None]
