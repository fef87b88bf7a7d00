"""Proof 2: receivers misbehave, alone and mixed. Each message arrives or is a visible dead letter; the healthy see no delay; what is
mended is notified of the open incident. Real sockets everywhere; where an hour passes, it passes on the delivery's clock."""

import json
import signal
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.builders.outbox import T0, incident, load, look, opened, over
from tests.e2e.test_outbox import configure, hook
from tests.processes.running import events_of, running
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.moody_receiver import Arrived, Mood, MoodyReceiver, answers, answers_late, drips, never_answers, resets, well
from tests.servers.receiver import Answer, RecordingReceiver
from tests.servers.waiting import until
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.routing import Recipient, Terms
from watchdog.daemon.delivery import Delivery
from watchdog.net.bounded_thread import MOST_LEFT_ALONE
from watchdog.receivers.http.attempt import HttpAttempt
from watchdog.receivers.pace import Pace
from watchdog.receivers.webhook.receiver import WebhookReceiver
from watchdog.receivers.webhook.settings import WebhookSettings
from watchdog.store import Store

HOUR = 3600.0
RULE = "BrokerUnreachable"
Figure = Callable[[str], None]

pytestmark = pytest.mark.alone


class Clock:
    """Epoch seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Misbehaviour:
    """How a receiver misbehaves, and what comes of it: messages that wait until it behaves, or dead letters until its settings change."""

    mood: Mood = well
    dead: bool = False
    off: bool = False
    deaf: bool = False
    may_have_acted: bool = False
    """It accepts a message, but its answer does not show whether it acted on it."""
    settings: dict[str, Any] = field(default_factory=dict)
    https: bool = False


TIMEOUT = "100ms"
MISBEHAVING = {
    "refused": Misbehaviour(deaf=True),
    "reset half-way": Misbehaviour(resets, may_have_acted=True),
    "one byte a second": Misbehaviour(drips(1.0), may_have_acted=True),
    "never answering": Misbehaviour(never_answers, may_have_acted=True),
    "200 after the timeout": Misbehaviour(answers_late(0.3), may_have_acted=True),
    "301": Misbehaviour(answers(301, "location: http://127.0.0.1:1/"), dead=True),
    "400": Misbehaviour(answers(400), dead=True),
    "401": Misbehaviour(answers(401), dead=True),
    "404": Misbehaviour(answers(404), dead=True),
    "408": Misbehaviour(answers(408), may_have_acted=True),
    "410": Misbehaviour(answers(410), dead=True, off=True),
    "413": Misbehaviour(answers(413), dead=True),
    "425": Misbehaviour(answers(425)),
    "429": Misbehaviour(answers(429)),
    "429 with Retry-After": Misbehaviour(answers(429, "retry-after: 30")),
    "429 with Retry-After 86400": Misbehaviour(answers(429, "retry-after: 86400")),
    "500": Misbehaviour(answers(500), may_have_acted=True),
    "503": Misbehaviour(answers(503), may_have_acted=True),
    "503 with Retry-After 86400": Misbehaviour(answers(503, "retry-after: 86400")),
    "TLS by an unknown authority": Misbehaviour(https=True),
    "a name that does not resolve": Misbehaviour(settings={"url": "http://nowhere.invalid/hook"}),
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as one:
        yield one


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def webhook(name: str, url: str, **more: Any) -> WebhookReceiver:
    given = {"type": "webhook", "name": name, "url": url, "timeout": TIMEOUT, "per_second": 1000, **more}
    return WebhookReceiver(WebhookSettings.model_validate(given))


class Case:
    """One misbehaving receiver: its server, and its settings before and after it is fixed."""

    def __init__(self, name: str, how: Misbehaviour, server: MoodyReceiver, certificates: Certificates) -> None:
        self.how, self.server = how, server
        self.before = webhook(name, **({"url": server.url} | how.settings))
        trusted: dict[str, Any] = {"ca_file": str(certificates.ca)} if how.https else {}
        changed: dict[str, Any] = {"headers": {"x-mended": "yes"}} if how.dead else {}
        self.after = webhook(name, server.url, **trusted, **changed)
        if how.deaf:
            server.go_deaf()

    def mend(self) -> None:
        self.server.mood = well
        if self.how.deaf:
            self.server.hear_again()


@pytest.fixture
def case(certificates: Certificates) -> Iterator[Callable[[str], Case]]:
    with ExitStack() as stack:

        def make(name: str) -> Case:
            how = MISBEHAVING[name]
            context = certificates.server_context() if how.https else None
            made = Case(name, how, stack.enter_context(MoodyReceiver(how.mood, context)), certificates)
            stack.callback(made.before.close)
            stack.callback(made.after.close)
            return made

        yield make


def recipient(receiver: WebhookReceiver) -> Recipient:
    """One that is told at once of what joins a group: its own pace is another matter."""
    return Recipient(receiver.name, settings=receiver.settings, terms=Terms(group_interval_s=0.0))


def states(store: Store, name: str) -> list[str]:
    return [entry.state for entry in store.outbox_shown().messages if entry.receiver == name]


def pass_time(store: Store, receiver: WebhookReceiver, clock: Clock, pace: Pace, until_: float) -> int:
    """Deliver whenever something is due, up to then; how many attempts."""
    delivery, attempts = Delivery(store, [receiver], clock=clock, pace=pace), 0
    while clock.now < until_:
        attempts += delivery.drain_once(receiver.name)
        due = store.next_due(receiver.name, clock.now, receiver.settings)
        clock.now = min(max(due or until_, clock.now + 1.0), until_)
    return attempts


def events(arrived: list[Arrived], of: str) -> list[str]:
    """What was said of one incident; a repeat under the same id counts once."""
    bodies = {one.id: one.body for one in arrived}
    said = [notice for body in bodies.values() for notice in json.loads(body)["data"]["incidents"]]
    return [notice["event"] for notice in said if notice["id"] == of]


def bodies_by_id(arrived: list[Arrived]) -> dict[str, set[bytes]]:
    found: dict[str, set[bytes]] = {}
    for one in arrived:
        found.setdefault(one.id, set()).add(one.body)
    return found


@pytest.mark.parametrize("name", MISBEHAVING)
def test_an_hour_of_misbehaviour_loses_nothing_and_once_mended_the_live_fire_is_told(
    store: Store, case: Callable[[str], Case], name: str, figure: Figure
) -> None:
    """One incident fires all the time; another comes and goes while nobody can be notified."""
    one, clock = case(name), Clock()
    pace = Pace(clock)
    burning, short = incident("A"), incident("B")
    before, after = recipient(one.before), recipient(one.after)
    with capture_logs():
        look(store, [before], burning)
        attempts = pass_time(store, one.before, clock, pace, T0 + 60)
        look(store, [before], burning, short, now=clock.now)
        attempts += pass_time(store, one.before, clock, pace, T0 + 120)
        look(store, [before], burning, over(short, clock.now), now=clock.now)
        attempts += pass_time(store, one.before, clock, pace, T0 + HOUR)
        assert set(states(store, name)) == {"dead" if one.how.dead else "waiting"}
        assert [off.receiver for off in store.outbox_shown().off] == ([name] if one.how.off else [])
        refused = len(one.server.arrived)
        one.mend()
        look(store, [after], burning, now=clock.now)
        pass_time(store, one.after, clock, pace, clock.now + 1000.0)
    accepted = one.server.arrived[refused:]
    assert events(accepted, burning.id) == ["first"]
    assert events(accepted, short.id) in ([], ["first", "resolved"])
    if one.how.may_have_acted:  # then all that ever came in is one story, told under ids of its own
        assert events(one.server.arrived, burning.id) == ["first"]
        assert events(one.server.arrived, short.id) == ["first", "resolved"]
    assert set(states(store, name)) == ({"dead"} if one.how.dead else set())
    assert load(store).notified[(burning.id, name)].event is Event.FIRST
    assert {key for key, bodies in bodies_by_id(one.server.arrived).items() if len(bodies) > 1} == set()
    fate = "given up, told anew once mended" if one.how.dead else "delivered once mended"
    figure(f"{name}: {attempts} attempts in an hour, {fate}")


def test_of_a_message_that_was_answered_too_late_each_repeat_is_the_same_byte_for_byte(
    store: Store, case: Callable[[str], Case], figure: Figure
) -> None:
    one, clock = case("200 after the timeout"), Clock()
    look(store, [recipient(one.before)], incident("A"))
    with capture_logs():
        pass_time(store, one.before, clock, Pace(clock), T0 + HOUR)
    until(lambda: len(one.server.arrived) > 5, 10, "a few repeats")
    [(_, bodies)] = bodies_by_id(one.server.arrived).items()
    assert len(bodies) == 1
    figure(f"200 after the timeout: {len(one.server.arrived)} repeats under one id, all alike")


# --- mixed --------------------------------------------------------------------------------------------------------------

FIRES, EVERY_S, WARM_UP_S, SLOWEST_S = 30, 0.25, 2.0, 5.0
HEALTHY = ("healthy 1", "healthy 2", "healthy 3")


def burn(store: Store, delivery: Delivery, receivers: list[WebhookReceiver]) -> dict[str, float]:
    """One fire after the other; incident -> when it was committed (monotonic seconds)."""
    committed = {}
    fires = []
    for number in range(FIRES):
        fires.append(incident(f"{number:03}"))
        look(store, [recipient(one) for one in receivers], *fires, now=T0 + number * EVERY_S)
        committed[fires[-1].id] = time.monotonic()
        delivery.wake()
        time.sleep(EVERY_S if number else WARM_UP_S)
    del committed[fires[0].id]  # everything is imported and connected by then
    return committed


def latencies(server: MoodyReceiver, committed: dict[str, float]) -> list[float]:
    heard: dict[str, float] = {}
    for one in server.arrived:
        for notice in json.loads(one.body)["data"]["incidents"]:
            heard.setdefault(notice["id"], one.at)
    return [max(heard[fire] - at, 0.0) for fire, at in committed.items()]


def told_all(servers: list[MoodyReceiver]) -> Callable[[], bool]:
    return lambda: all(sum(len(json.loads(one.body)["data"]["incidents"]) for one in server.arrived) >= FIRES for server in servers)


def measured(folder: Path, servers: list[MoodyReceiver], beside: list[WebhookReceiver]) -> list[float]:
    """Latencies at healthy servers (seconds), while the receivers beside them misbehave."""
    healthy = [webhook(name, server.url, timeout="30s") for name, server in zip(HEALTHY, servers, strict=True)]
    folder.mkdir()
    with opened(folder) as store, capture_logs():
        delivery = Delivery(store, [*healthy, *beside])
        delivery.start()
        try:
            committed = burn(store, delivery, [*healthy, *beside])
            until(told_all(servers), 60, "the healthy to be notified")
        finally:
            delivery.stop(2 * SLOWEST_S)
        kept = store.outbox_shown().messages
        told = {key for key, one in load(store).notified.items() if one.event is Event.FIRST}
        unsettled = {(n.incident, entry.receiver) for entry in kept for n in entry.notices}
        lost = {(fire, one.name) for fire in committed for one in beside} - told - unsettled
        assert lost == set()
    return [latency for server in servers for latency in latencies(server, committed)]


def shown(found: list[float]) -> str:
    return f"median {statistics.median(found) * 1000:.0f} ms, 99% {statistics.quantiles(found, n=100)[98] * 1000:.0f} ms"


def test_healthy_receivers_see_no_delay_beside_all_that_misbehave(tmp_path: Path, case: Callable[[str], Case], figure: Figure) -> None:
    """No more, that is, than as many that behave cost them: all share one machine and one database."""
    cases = [case(name) for name in MISBEHAVING]
    slow = [webhook(one.before.name, **({"url": one.server.url} | one.how.settings | {"timeout": f"{SLOWEST_S}s"})) for one in cases]
    with ExitStack() as stack:
        alone, crowd, beside = ([stack.enter_context(MoodyReceiver()) for _ in HEALTHY] for _ in range(3))
        others = [webhook(f"other {number}", stack.enter_context(MoodyReceiver()).url, timeout="30s") for number in range(len(slow))]
        found_alone = measured(tmp_path / "alone", alone, [])
        found_crowd = measured(tmp_path / "crowd", crowd, others)
        found_beside = measured(tmp_path / "beside", beside, slow)
    for one in (*slow, *others):
        one.close()
    figure(f"{len(HEALTHY)} healthy receivers, {FIRES} fires, commit to arrival: alone {shown(found_alone)}")
    figure(f"  beside {len(others)} more that behave: {shown(found_crowd)}")
    figure(f"  beside {len(slow)} that misbehave: {shown(found_beside)}")
    assert statistics.median(found_beside) < SLOWEST_S / 5
    assert max(found_beside) < SLOWEST_S, "somebody waited for an attempt of another receiver"


# --- a real daemon ------------------------------------------------------------------------------------------------------


def test_one_reload_tells_the_live_fire_to_a_fixed_url_and_to_a_new_receiver_and_its_end_to_one_taken_out(tmp_path: Path) -> None:
    with ExitStack() as stack:
        broken, fixed, new, old, steady = (stack.enter_context(RecordingReceiver()) for _ in range(5))
        broken.default = Answer(404)
        configure(tmp_path, hook("mended", broken.url), hook("old", old.url), hook("steady", steady.url))
        daemon = stack.enter_context(running(tmp_path))
        daemon.wait_for("message_refused")
        daemon.wait_for("message_delivered", count=2)
        configure(tmp_path, hook("mended", fixed.url), hook("new", new.url), hook("renamed", steady.url, 'was = "steady"'))
        daemon.send(signal.SIGHUP)
        daemon.wait_for("configuration_reloaded")
        until(lambda: events_of(old, RULE) == ["first", "resolved"], 20, "the final notification")
        until(lambda: [events_of(one, RULE) for one in (fixed, new)] == [["first"]] * 2, 20, "the live fire")
    assert events_of(steady, RULE) == ["first"]


# --- pace and threads ---------------------------------------------------------------------------------------------------


def test_two_receivers_of_one_url_share_its_pace_and_neither_starves(store: Store, figure: Figure) -> None:
    each, per_second = 30, 20.0
    with MoodyReceiver() as server, capture_logs():
        two = [webhook(name, server.url, per_second=per_second, timeout="10s") for name in ("ops", "dev")]
        for number in range(each):  # a message each
            look(store, [recipient(one) for one in two], incident(f"{number:03}"), target=f"t{number}")
        delivery = Delivery(store, two)
        delivery.start()
        until(lambda: len(server.arrived) >= 2 * each, 60, "all of it")
        assert delivery.stop(10)
    at = sorted(one.at for one in server.arrived)
    rate = (len(at) - 1) / (at[-1] - at[0])
    first_half = sorted(server.arrived, key=lambda one: one.at)[:each]
    of_ops = sum(json.loads(one.body)["data"]["receiver"] == "ops" for one in first_half)
    figure(
        f"two receivers of one URL at {per_second:g} a second: {rate:.1f} a second together, {of_ops} of the first {each} for one of them"
    )
    assert rate <= per_second * 1.1
    assert each / 4 <= of_ops <= each * 3 / 4


def attempts_alive() -> int:
    return sum(thread.name == "http-attempt" for thread in threading.enumerate())


def test_an_hour_of_no_answer_leaves_no_threads_behind(store: Store, case: Callable[[str], Case], figure: Figure) -> None:
    one, clock, most = case("never answering"), Clock(), 0
    look(store, [recipient(one.before)], incident("A"))
    delivery = Delivery(store, [one.before], clock=clock, pace=Pace(clock))
    attempts = 0
    with capture_logs():
        while clock.now < T0 + HOUR:
            attempts += delivery.drain_once(one.before.name)
            most = max(most, attempts_alive())
            clock.now = max(store.next_due(one.before.name, clock.now) or 0.0, clock.now + 1.0)
    until(lambda: attempts_alive() == 0, 10, "the last thread to end")
    figure(f"never answering for an hour: {attempts} attempts, at most {most} threads left at once, none after")
    assert most <= MOST_LEFT_ALONE + 1


class Stuck:
    """A client that nothing ends: as one that looks up a name at a server that is not there."""

    def __init__(self, go_on: threading.Event) -> None:
        self._go_on = go_on

    def stream(self, *_: object, **__: object) -> Any:
        self._go_on.wait(60)
        raise OSError("at last")

    def close(self) -> None:
        """Which ends nothing."""


class StuckAttempt(HttpAttempt):
    def __init__(self, go_on: threading.Event) -> None:
        super().__init__("http://stuck.example/hook", timeout_s=0.01)
        self._stuck: Any = Stuck(go_on)

    def _opened(self) -> Any:
        return self._stuck


def test_attempts_that_nothing_ends_are_few_and_then_none_is_begun(figure: Figure) -> None:
    go_on = threading.Event()
    attempt = StuckAttempt(go_on)
    outcomes = [attempt.post(b"body", {}, T0) for _ in range(200)]
    alive = attempts_alive()
    go_on.set()
    until(lambda: attempts_alive() == 0, 10, "their end")
    figure(f"200 attempts of which none ends: {alive} threads")
    assert alive == MOST_LEFT_ALONE
    assert "earlier attempts still hang" in repr(outcomes[-1])
    assert "earlier attempts" not in repr(attempt.post(b"body", {}, T0))
