"""Real workers behind a real RabbitMQ, heard by their events: what they and their tasks do, and what happens when nothing can be heard."""

import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Any

import kombu
import pytest

from tests.integration.without_flower import shares_its_worker
from tests.processes.cluster import Cluster
from tests.processes.looking import Watching
from tests.servers.certificates import make_certificates
from tests.servers.rabbitmq import RabbitMQ, found
from tests.servers.tls_proxy import TlsProxy
from tests.servers.waiting import until
from tests.unit.sources.events.test_messages import HEARTBEAT
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import FailedTasks, HearWorkers, Query, ReadEventCounters, RunningTasks, SucceededTasks
from watchdog.core.model.replies import EventCounters, TaskSeen, WorkerHeard, WorkersHeard
from watchdog.demo.processes import LOOPBACK
from watchdog.sources.celery.settings import CelerySettings
from watchdog.sources.events.amqp_queue import NAME, AmqpQueue
from watchdog.sources.events.amqp_reasons import LostError
from watchdog.sources.events.source import EventsSource, SharedEars

pytestmark = [pytest.mark.xdist_group("rabbitmq-2"), pytest.mark.skipif(found() is None, reason="RabbitMQ is not installed")]

ONE = "celery@one"
OURS = "watchdog: events"
MOST = 5_000
HEARING = """
import sys
from watchdog.sources.celery.settings import CelerySettings
from watchdog.sources.events.amqp_queue import AmqpQueue
AmqpQueue(CelerySettings(url=sys.argv[1])).open(tasks=True)
print("open", flush=True)
sys.stdin.read()
"""
"""A process that listens, until it is killed."""


class Listener:
    """The source of one target; `changes` are what its ear says of itself."""

    def __init__(self, url: str, ears: SharedEars | None = None, target: str = "prod", share: float = inf, **more: object) -> None:
        self.changes: list[str] = []
        shared = ears or SharedEars(lambda _, reason: self.changes.append(reason))
        self.source: EventsSource = shared.source(target, CelerySettings.model_validate({"url": url, **more}), tasks=True, share=share)

    def ask(self, query: Query) -> object:
        return self.source.ask([query]).replies[query]

    def hears(self) -> bool:
        return isinstance(self.ask(HearWorkers("")), WorkersHeard)

    def workers(self) -> dict[str, WorkerHeard]:
        heard = self.ask(HearWorkers(""))
        return dict(heard.workers) if isinstance(heard, WorkersHeard) else {}

    def why(self, query: Query | None = None) -> str:
        answer = self.ask(query or HearWorkers(""))
        return answer.reason if isinstance(answer, Gap) else ""

    def tasks(self, query: Query) -> dict[str, TaskSeen]:
        """Id -> task of a list."""
        listed = self.ask(query)
        assert isinstance(listed, tuple), listed
        return {task.id: task for task in listed}

    def counted(self, task: str) -> dict[str, float]:
        counters = self.ask(ReadEventCounters())
        return {event: count for _, name, event, count in counters.each() if name == task} if isinstance(counters, EventCounters) else {}


@contextlib.contextmanager
def listening(url: str, **more: str) -> Iterator[Listener]:
    listener = Listener(url, None, "prod", inf, **more)
    try:
        until(lambda: listener.hears() or listener.changes, 20, "the first attempt")
        yield listener
    finally:
        listener.source.close()


@pytest.fixture(scope="module")
def rabbit(rabbitmq_server: RabbitMQ) -> RabbitMQ:
    return rabbitmq_server.emptied()


@pytest.fixture(scope="module")
def cluster(rabbit: RabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A worker on the queue `mails`."""
    with Cluster(tmp_path_factory.mktemp("site"), environment={"DEMO_BROKER_URL": rabbit.url, "DEMO_RESULTS_URL": "disabled://"}) as one:
        one.start_worker("one", ["mails"], 3)
        yield one


@pytest.fixture(scope="module")
def ear(rabbit: RabbitMQ, cluster: Cluster) -> Iterator[Listener]:
    with listening(rabbit.url) as listener:
        until(lambda: ONE in listener.workers(), 90, "the worker to be heard")
        yield listener


def send(cluster: Cluster, task: str, *args: object, **options: Any) -> str:
    return str(cluster.app.send_task(task, args=args, queue="mails", **options).id)


def publish(url: str, *bodies: object, key: str = "worker.heartbeat") -> None:
    """As a worker says it; a body of bytes is no JSON."""
    with kombu.Connection(url) as connection, connection.channel() as channel:
        exchange = kombu.Exchange("celeryev", "topic", channel=channel)
        exchange.declare()
        for body in bodies:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            exchange.publish(exchange.Message(raw, content_type="application/json", content_encoding="binary", delivery_mode=1), key)


def beat(name: str) -> dict[str, object]:
    return {**HEARTBEAT, "hostname": name}


def queues(rabbit: RabbitMQ) -> list[dict[str, Any]]:
    """Our queues in the broker."""
    with rabbit.api() as to:
        return [one for one in to.get("queues").json() if one["name"].startswith(NAME)]


# --- workers and tasks ----------------------------------------------------------------------------------------------------


def test_a_success_is_heard_with_its_times_and_its_queue(cluster: Cluster, ear: Listener) -> None:
    task_id, query = send(cluster, "demo.ok", 0.2), SucceededTasks("demo.ok")
    until(lambda: task_id in ear.tasks(query), 20, "the success")
    task = ear.tasks(query)[task_id]
    assert (task.worker, task.routing_key, task.runtime is not None and 0.2 <= task.runtime < 5) == (ONE, "mails", True)
    assert None not in (task.sent, task.received, task.started)


def test_a_hard_time_limit_which_celery_reports_twice_is_one_failure(cluster: Cluster, ear: Listener) -> None:
    task_id = send(cluster, "demo.advance", 1, 30.0, time_limit=1)
    until(lambda: task_id in ear.tasks(FailedTasks()), 30, "the failure")
    after = send(cluster, "demo.ok")
    until(lambda: after in ear.tasks(SucceededTasks("demo.ok")), 20, "a later task, and so both reports")
    assert ear.counted("demo.advance")["failed"] == 1.0


def test_a_failure_is_heard_with_its_exception_and_the_last_line_of_its_traceback(cluster: Cluster, ear: Listener) -> None:
    task_id = send(cluster, "demo.fail", "KeyError")
    until(lambda: task_id in ear.tasks(FailedTasks()), 20, "the failure")
    task = ear.tasks(FailedTasks())[task_id]
    assert ((task.exception or "")[:9], (task.traceback_last or "")[:9]) == ("KeyError(", "KeyError:")


def test_what_runs_is_listed_until_it_ends(cluster: Cluster, ear: Listener) -> None:
    task_id = send(cluster, "demo.hang", 3)
    until(lambda: task_id in ear.tasks(RunningTasks()), 20, "the task to start")
    until(lambda: task_id not in ear.tasks(RunningTasks()), 20, "its end")
    assert ear.counted("demo.hang")["succeeded"] == 1.0


def test_a_killed_worker_is_told_from_one_that_says_goodbye(cluster: Cluster, ear: Listener) -> None:
    for name in ("dies", "leaves"):
        cluster.start_worker(name, [name])
    until(lambda: {"celery@dies", "celery@leaves"} <= ear.workers().keys(), 90, "two more workers")
    cluster.kill_worker("dies")
    cluster.kill_worker("leaves", signal.SIGTERM)
    until(lambda: ear.workers()["celery@leaves"].gone, 20, "the goodbye")
    until(lambda: ear.workers()["celery@dies"].ago_s > 6, 20, "the silence")
    after = ear.workers()
    assert (after["celery@dies"].gone, after[ONE].gone, after[ONE].ago_s < 5) == (False, False, True)


def test_a_connection_that_the_broker_closes_is_a_gap_and_then_counts_begin_anew(rabbit: RabbitMQ, cluster: Cluster, ear: Listener) -> None:
    send(cluster, "demo.ok")
    until(lambda: ear.counted("demo.ok"), 20, "a success")
    ear.changes.clear()
    until(lambda: rabbit.cut(OURS), 20, "the connection to be listed")  # the management API knows it after 5 s
    until(lambda: ear.changes, 20, "the gap")
    assert "was lost; it is being opened again" in ear.changes[0]
    until(ear.hears, 30, "the connection")
    assert ear.counted("demo.ok") == {}
    send(cluster, "demo.ok")
    until(lambda: ear.counted("demo.ok").get("succeeded") == 1.0, 20, "the next success")


# --- what is left in the broker -------------------------------------------------------------------------------------------


def test_the_queue_is_limited_and_belongs_to_the_connection(rabbit: RabbitMQ, ear: Listener) -> None:
    assert ear.hears()
    (queue,) = queues(rabbit)
    assert (queue["exclusive"], queue["auto_delete"], queue["durable"]) == (True, True, False)
    assert {"x-max-length", "x-max-length-bytes", "x-expires"} <= queue["arguments"].keys()


def test_of_a_process_that_is_killed_nothing_stays(rabbit: RabbitMQ) -> None:
    publish(rabbit.url, beat(ONE))
    before = len(queues(rabbit))
    command = [sys.executable, "-c", HEARING, rabbit.url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        assert len(queues(rabbit)) == before + 1
        process.kill()
    until(lambda: len(queues(rabbit)) == before, 20, "the queue to go")


def test_targets_on_one_broker_share_a_queue_which_goes_with_the_last_one(rabbit: RabbitMQ) -> None:
    url = rabbit.let_in("sharing", vhost="shared")
    publish(url, beat(ONE))
    ears = SharedEars(lambda *_: None)
    one, two = Listener(url, ears, "one"), Listener(url, ears, "two")
    until(lambda: one.hears() and two.hears(), 20, "the connection")

    def ours() -> int:
        return sum(queue["vhost"] == "shared" for queue in queues(rabbit))

    assert ours() == 1
    one.source.close()
    assert (two.hears(), ours()) == (True, 1)
    two.source.close()
    until(lambda: not ours(), 10, "the queue to go")


def test_what_the_broker_may_have_dropped_is_a_gap_and_not_passed_over(rabbit: RabbitMQ, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchdog.sources.events.amqp_queue.MOST_MESSAGES", MOST)
    url = rabbit.let_in("slow", vhost="slow")
    publish(url, beat(ONE))
    queue = AmqpQueue(CelerySettings.model_validate({"url": url, "timeout": "20s"}))
    taken: list[object] = []
    try:
        queue.open(tasks=True)
        publish(url, *[beat("celery@flood" + "x" * 400)] * (3 * MOST))  # nobody reads meanwhile
        with pytest.raises(LostError) as raised:
            read_all(queue, taken)
        assert len(taken) < 3 * MOST
        assert "the broker may have dropped the oldest" in queue.fault(raised.value, was_open=True).reason
    finally:
        queue.close()


def read_all(queue: AmqpQueue, taken: list[object]) -> None:
    """Read until nothing more comes."""

    class Hearing:
        ending = False

        def take(self, events: Any) -> None:
            taken.extend(events)

        def tasks_follow(self) -> None:
            raise AssertionError("nobody was refused anything")

    while queue.read(Hearing()):
        pass


# --- what can go wrong ----------------------------------------------------------------------------------------------------

OWN = rf"^{NAME}\."


@pytest.mark.parametrize(
    ("rights", "what"),
    [
        (("^$", OWN, ".*"), "declare a queue"),
        ((OWN, "^$", ".*"), "bind its queue to the exchange"),
        ((OWN, OWN, OWN), "bind its queue to the exchange"),
    ],
)
def test_a_user_without_a_permission_is_told_what_to_grant_once(
    rabbit: RabbitMQ, ear: Listener, rights: tuple[str, ...], what: str
) -> None:
    assert ear.hears()  # a worker has declared the exchange
    url = rabbit.let_in("narrow", *rights)
    with listening(url) as refused:
        assert f"does not let this user {what}" in refused.why()
        assert r"configure and write ^celeryev\.watchdog\., read ^celeryev(\.watchdog\..*)?$" in refused.why()
        assert "hunter2" not in refused.why()
        assert refused.changes == [refused.why()]


def test_a_user_with_the_permissions_that_are_named_may_listen(rabbit: RabbitMQ, ear: Listener) -> None:
    assert ear.hears()
    url = rabbit.let_in("exact", OWN, OWN, r"^celeryev(\.watchdog\..*)?$")
    with listening(url) as listener:
        assert listener.hears()
        assert listener.why(ReadEventCounters()) == ""


def test_a_user_who_may_not_hear_of_tasks_hears_of_workers_and_later_of_tasks(
    rabbit: RabbitMQ, ear: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchdog.sources.events.amqp_queue.DENIED_WAIT_S", 1.0)
    assert ear.hears()
    url = rabbit.let_in("half")
    topics = "topic-permissions/%2F/half"
    with rabbit.api() as to, contextlib.ExitStack() as stack:
        to.put(topics, json={"exchange": "celeryev", "write": "^$", "read": r"^worker\."}).raise_for_status()
        half = stack.enter_context(listening(url))
        until(lambda: ONE in half.workers(), 20, "the worker")
        assert "topic permission" in half.why(ReadEventCounters())
        to.put(topics, json={"exchange": "celeryev", "write": "^$", "read": ".*"}).raise_for_status()
        until(lambda: not half.why(ReadEventCounters()), 20, "tasks to be heard once they may be")
        assert ONE in half.workers()


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [("guest:guest", "guest:wrong", "refused the login"), ("//", "/nowhere", "refused the virtual host")],
)
def test_a_login_and_a_virtual_host_that_are_refused_are_told(rabbit: RabbitMQ, old: str, new: str, what: str) -> None:
    scheme, _, rest = rabbit.url.partition("://")
    with listening(f"{scheme}://{rest.replace(old, new)}") as refused:
        assert what in refused.why()
        assert "wrong" not in refused.why()


def test_where_no_worker_has_ever_started_that_is_said_and_the_first_one_is_heard(rabbit: RabbitMQ) -> None:
    url = rabbit.let_in("early", vhost="empty")
    with listening(url) as early:
        assert "no worker has started on this virtual host yet" in early.why()
        publish(url, beat(ONE))
        until(early.hears, 20, "the exchange to be found")
        publish(url, beat(ONE))
        until(lambda: ONE in early.workers(), 10, "a heartbeat")


def test_messages_that_are_no_json_say_why_nothing_is_known(rabbit: RabbitMQ) -> None:
    url = rabbit.let_in("pickles", vhost="pickles")
    publish(url, beat(ONE))
    with listening(url) as listener:
        publish(url, b"\x80\x04pickled")
        until(lambda: "event_serializer" in listener.why(), 10, "the reason")


def test_it_listens_over_tls(rabbit: RabbitMQ, tmp_path: Path) -> None:
    url = rabbit.let_in("tls", vhost="tls")
    publish(url, beat(ONE))
    certificates = make_certificates(tmp_path)
    port = int(url.rpartition("@")[2].partition("/")[0].rpartition(":")[2])
    with TlsProxy(port, certificates.server_context()) as proxy:
        over_tls = url.replace("amqp://", "amqps://").replace(f":{port}/", f":{proxy.port}/")
        with listening(over_tls, ca_file=str(certificates.ca)) as listener:
            publish(url, *(beat(f"celery@w{number}") for number in range(200)))
            until(lambda: len(listener.workers()) == 200, 20, "200 heartbeats")
        with listening(over_tls) as distrusting:
            assert "set `ca_file` of celery" in distrusting.why()


def test_a_broker_that_hangs_is_a_gap_and_holds_up_no_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchdog.sources.events.amqp_queue.HEARTBEAT_S", 2)
    server = RabbitMQ(tmp_path)
    server.start()
    try:
        publish(server.url, beat(ONE))
        before = set(threading.enumerate())
        with listening(server.url, timeout="0.5s") as listener:
            assert listener.hears()
            server.send(signal.SIGSTOP)
            until(lambda: "no answer from" in listener.why(), 30, "the gap")
            server.send(signal.SIGCONT)
            until(listener.hears, 30, "the connection")
            server.send(signal.SIGSTOP)
        until(lambda: set(threading.enumerate()) <= before, 5, "the thread to end")
    finally:
        server.send(signal.SIGCONT)
        server.kill()


def test_a_broker_that_is_not_there_is_told_and_closing_does_not_wait_for_the_next_attempt() -> None:
    before = set(threading.enumerate())
    with listening(f"amqp://{LOOPBACK}:9//") as listener:
        assert "connection refused" in listener.why()
    assert set(threading.enumerate()) <= before


def test_its_process_needs_no_more_threads_than_one(rabbit: RabbitMQ) -> None:
    url = rabbit.let_in("threads", vhost="threads")
    publish(url, beat(ONE))
    before = set(threading.enumerate())
    with listening(url) as listener:
        assert listener.hears()
        assert len(set(threading.enumerate()) - before) == 1
    assert set(threading.enumerate()) <= before


# --- what they may cost ---------------------------------------------------------------------------------------------------


def test_tasks_that_cost_too_much_are_let_go_and_later_taken_again(
    rabbit: RabbitMQ, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowance = "watchdog.sources.events.tasks.allowance"
    monkeypatch.setattr("watchdog.sources.events.ear.PAUSE_S", 0.1)
    for span in ("MEASURED_S", "PAUSE_S", "TRIAL_S"):
        monkeypatch.setattr(f"{allowance}.{span}", 0.5)
    listener = Listener(rabbit.url, share=1e-6)
    try:
        until(lambda: send(cluster, "demo.ok") and "of tasks cost" in listener.why(ReadEventCounters()), 20, "them to be let go")
        monkeypatch.setattr(f"{allowance}.MEASURED_S", 3600.0)
        until(lambda: not listener.why(ReadEventCounters()), 20, "them to be taken again")
        until(lambda: send(cluster, "demo.ok") and listener.counted("demo.ok"), 20, "tasks to be heard")
        assert [reason[:28] for reason in listener.changes] == ["events: those of tasks cost ", ""]
    finally:
        listener.source.close()


# --- last: it listens beside the others -----------------------------------------------------------------------------------


def test_of_each_queue_it_is_known_what_is_done_with_its_messages(rabbit: RabbitMQ, cluster: Cluster) -> None:
    watching = Watching(rabbitmq=rabbit.api_url.removesuffix("/api/"), celery=rabbit.url, events="auto")
    try:
        until(lambda: watching.workers().get(ONE) == "online", 60, "the worker to be known")
        shares_its_worker(cluster, watching)
    finally:
        watching.close()
