"""Real tasks on real workers, heard by their events: what they did, what runs, and what is said where they cannot be heard."""

import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.integration.without_flower import leaves_something_unfinished, shares_its_worker
from tests.processes.cluster import Cluster
from tests.processes.looking import Watching
from tests.servers.waiting import until
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import FailedTasks, HearWorkers, Query, ReadEventCounters, RevokedTasks, RunningTasks, SucceededTasks
from watchdog.core.model.replies import EventCounters, TaskSeen, WorkerHeard, WorkersHeard
from watchdog.core.model.servers.heard import CutOff, SentTimes
from watchdog.sources.events.source import EventsSource, SharedEars
from watchdog.sources.events.tasks.messages import task_events
from watchdog.sources.redis.settings import RedisSettings

ONE = "celery@one"


class Site:
    """A worker on the queue `mails` with that many processes, and the source that hears it."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None, processes: int = 3) -> None:
        self.cluster = Cluster(folder, environment=environment)
        self.cluster.start_redis()
        self.cluster.start_worker("one", ["mails"], processes, "prefork", "--prefetch-multiplier=1")
        self.ears = SharedEars(lambda *_: None)
        self.source = self.listen()
        until(lambda: ONE in self.workers(), 60, "the worker to be heard")

    def listen(self, user: str = "") -> EventsSource:
        url = self.cluster.redis_url.replace("//", f"//{user}")
        return self.ears.source(f"prod {user}", RedisSettings.model_validate({"url": url}), tasks=True)

    def workers(self) -> dict[str, WorkerHeard]:
        heard = self.ask(HearWorkers(""))
        return dict(heard.workers) if isinstance(heard, WorkersHeard) else {}

    def ask(self, query: Query) -> object:
        return self.source.ask([query]).replies[query]

    def tasks(self, query: Query) -> dict[str, TaskSeen]:
        """Id -> task of a list."""
        found = self.ask(query)
        assert isinstance(found, tuple), found
        return {task.id: task for task in found}

    def counted(self, task: str) -> dict[str, float]:
        counters = self.ask(ReadEventCounters())
        assert isinstance(counters, EventCounters), counters
        return {event: count for _, name, event, count in counters.each() if name == task}

    def by_worker(self, worker: str) -> dict[str, float]:
        counters = self.ask(ReadEventCounters())
        assert isinstance(counters, EventCounters), counters
        return {event: count for name, _, event, count in counters.each() if name == worker}

    def send(self, task: str, *args: object, **options: Any) -> str:
        return str(self.cluster.app.send_task(task, args=args, queue="mails", **options).id)

    def close(self) -> None:
        self.source.close()
        self.cluster.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    one = Site(tmp_path_factory.mktemp("site"))
    try:
        yield one
    finally:
        one.close()


def test_a_success_is_heard_with_its_times_and_its_queue(site: Site) -> None:
    task_id = site.send("demo.ok", 0.2)
    query = SucceededTasks("demo.ok")
    until(lambda: task_id in site.tasks(query), 20, "the success")
    task = site.tasks(query)[task_id]
    assert (task.worker, task.routing_key, task.runtime is not None and 0.2 <= task.runtime < 5) == (ONE, "mails", True)
    assert None not in (task.sent, task.received, task.started)
    assert (task.received or 0) <= (task.started or 0) <= (task.succeeded or 0)


def test_a_failure_is_heard_with_its_exception_and_the_last_line_of_its_traceback(site: Site) -> None:
    task_id = site.send("demo.fail", "KeyError")
    until(lambda: task_id in site.tasks(FailedTasks()), 20, "the failure")
    task = site.tasks(FailedTasks())[task_id]
    assert (task.name, task.state, (task.exception or "")[:9], (task.traceback_last or "")[:9]) == (
        "demo.fail", "FAILURE", "KeyError(", "KeyError:",
    )  # fmt: skip


def test_a_hard_time_limit_which_celery_reports_twice_is_one_failure(site: Site) -> None:
    task_id = site.send("demo.advance", 1, 30.0, time_limit=1)
    until(lambda: task_id in site.tasks(FailedTasks()), 30, "the failure")
    after = site.send("demo.ok")
    until(lambda: after in site.tasks(SucceededTasks("demo.ok")), 20, "a later task, and so both reports")
    assert site.counted("demo.advance")["failed"] == 1.0


def test_a_task_that_no_worker_registers_fails_without_a_name(site: Site) -> None:
    task_id = site.send("shop.unknown")
    until(lambda: task_id in site.tasks(FailedTasks()), 20, "the failure")
    assert "NotRegistered('shop.unknown')" in str(site.tasks(FailedTasks())[task_id].exception)


def test_a_task_that_expires_is_revoked(site: Site) -> None:
    task_id = site.send("demo.ok", expires=-1)
    until(lambda: task_id in site.tasks(RevokedTasks()), 20, "the revocation")
    assert site.tasks(RevokedTasks())[task_id].expired


def test_what_runs_is_listed_until_it_ends(site: Site) -> None:
    task_id = site.send("demo.hang", 3)
    until(lambda: task_id in site.tasks(RunningTasks()), 20, "the task to start")
    until(lambda: task_id not in site.tasks(RunningTasks()), 20, "its end")
    assert site.counted("demo.hang")["succeeded"] == 1.0


def test_percentiles_are_of_all_runs_not_of_the_last_hundred(site: Site) -> None:
    watching = Watching(redis=site.cluster.redis_url, events="all")
    with redis.Redis.from_url(site.cluster.redis_url) as broker, broker.pubsub() as events:
        events.psubscribe("*celeryev/task.*")
        events.get_message(timeout=5)
        watching.look()
        for _ in range(250):
            site.send("demo.ok", 0.02)
        for _ in range(150):
            site.send("demo.ok")
        until(lambda: watching.cells("tasks", "demo.ok", "succeeded") == [400.0], 60, "all to be counted")
        messages = iter(lambda: events.get_message(timeout=0.1), None)
        told = [event for message in messages for event in task_events(message["data"]) or ()]
    took = sorted(event.runtime for event in told if event.type == "task-succeeded" and event.runtime is not None)
    found = watching.cells("tasks", "demo.ok", "runtime_avg", "runtime_p50", "runtime_p95", "runtime_p99")
    watching.close()
    assert len(took) == 400
    assert found == pytest.approx([sum(took) / 400, took[199], took[379], took[395]], rel=0.0201)


def test_a_user_who_may_not_hear_of_tasks_hears_of_workers_and_is_told_what_to_add(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchdog.sources.events.redis_channels.DENIED_WAIT_S", 1.0)
    with redis.Redis.from_url(site.cluster.redis_url) as broker:
        broker.execute_command("ACL", "SETUSER", "half", "on", ">secret", "resetchannels", "&/0.celeryev/worker.*", "+psubscribe", "+ping")
    source, workers, of_tasks = site.listen("half:secret@"), HearWorkers(""), ReadEventCounters()
    try:
        until(lambda: isinstance(h := source.ask([workers]).replies[workers], WorkersHeard) and h.workers, 20, "the worker")
        why = source.ask([of_tasks]).replies[of_tasks]
        assert isinstance(why, Gap)
        assert "add &/0.celeryev/task.* +psubscribe" in why.reason
        with redis.Redis.from_url(site.cluster.redis_url) as broker:
            broker.execute_command("ACL", "SETUSER", "half", "&/0.celeryev/task.*")
        until(lambda: isinstance(source.ask([of_tasks]).replies[of_tasks], EventCounters), 20, "tasks to be heard once they may be")
        assert isinstance(source.ask([workers]).replies[workers], WorkersHeard)
    finally:
        source.close()


def test_a_prefork_pool_is_heard_while_it_works_and_a_solo_pool_never(site: Site) -> None:
    site.cluster.start_worker("solo", ["alone"], 1, "solo")
    until(lambda: "celery@solo" in site.workers(), 60, "the solo worker")
    for queue, count in (("mails", 30), ("alone", 12)):
        for _ in range(count):
            site.cluster.app.send_task("demo.ok", args=[0.4], queue=queue)
    until(lambda: site.by_worker("celery@solo").get("succeeded") == 12, 60, "all of the solo worker's tasks")
    heard = site.workers()
    assert [(name, one.spoke_busy) for name, one in sorted(heard.items())] == [(ONE, True), ("celery@solo", False)]


@pytest.fixture(scope="module")
def watching(site: Site) -> Iterator[Watching]:
    """The target as a daemon without Flower looks at it."""
    one = Watching(redis=site.cluster.redis_url, events="auto")
    until(lambda: one.workers().get(ONE) == "online", 60, "the worker to be known")
    yield one
    one.close()


def test_of_each_queue_it_is_known_what_is_done_with_its_messages(site: Site, watching: Watching) -> None:
    shares_its_worker(site.cluster, watching)


def test_of_a_message_that_nobody_takes_it_is_heard_when_it_was_sent(site: Site) -> None:
    before = time.time()
    task_id = str(site.cluster.app.send_task("demo.ok", queue="unread").id)
    query = SentTimes((task_id, "unknown"))
    until(lambda: site.ask(query), 20, "the event of its sending")
    sent = site.ask(query)
    assert isinstance(sent, dict)
    assert [(name, before <= at <= time.time()) for name, at in sent.items()] == [(task_id, True)]


def test_what_a_killed_worker_left_unfinished_is_counted(site: Site, watching: Watching) -> None:
    leaves_something_unfinished(site.cluster, watching)


def test_a_task_that_a_cold_shutdown_cuts_off_runs_no_more_and_is_left_unfinished(site: Site) -> None:
    """What REMAP_SIGTERM=SIGQUIT makes of each deploy. Celery says so after the goodbye, and stores the state RETRY of what it has lost."""
    site.cluster.start_worker("cold", ["cold"])
    task_id = str(site.cluster.app.send_task("demo.hang", queue="cold").id)
    until(lambda: task_id in site.tasks(RunningTasks()), 30, "the task to start")
    site.cluster.kill_worker("cold", signal.SIGQUIT)
    until(lambda: site.ask(CutOff()) == {"celery@cold": 1}, 20, "the worker's last word")
    assert task_id not in {*site.tasks(RunningTasks()), *site.tasks(FailedTasks()), *site.tasks(RevokedTasks())}


def test_while_the_broker_is_away_nothing_is_known_and_then_counts_begin_anew(tmp_path: Path) -> None:
    site = Site(tmp_path)
    try:
        for _ in range(5):
            site.send("demo.ok")
        until(lambda: site.counted("demo.ok").get("succeeded") == 5, 20, "five successes")
        site.cluster.stop_redis(signal.SIGKILL)
        until(lambda: isinstance(site.ask(ReadEventCounters()), Gap), 20, "the loss of the connection")
        site.cluster.start_redis()
        until(lambda: not isinstance(site.ask(ReadEventCounters()), Gap), 40, "the connection to be opened again")
        assert site.counted("demo.ok") == {}
    finally:
        site.close()


def test_the_run_of_a_killed_pool_process_fails(site: Site) -> None:
    task_id = site.send("demo.crash")
    until(lambda: task_id in site.tasks(FailedTasks()), 30, "the failure")
    assert "WorkerLostError" in str(site.tasks(FailedTasks())[task_id].traceback_last)


def test_a_message_that_is_delivered_again_while_its_task_runs_is_executed_by_two_workers(tmp_path: Path) -> None:
    site = Site(tmp_path, {"DEMO_VISIBILITY_TIMEOUT_S": "2", "DEMO_ACKS_LATE": "1"}, processes=1)
    try:
        task_id = site.send("demo.hang", 60)
        until(lambda: task_id in site.tasks(RunningTasks()), 20, "the task to start")
        site.cluster.start_worker("two", ["mails"])
        until(lambda: [task.also_on for task in site.tasks(RunningTasks()).values() if task.also_on], 45, "the second worker to start it")
        (task,) = site.tasks(RunningTasks()).values()
        assert {task.worker, *dict(task.also_on or ())} == {ONE, "celery@two"}
    finally:
        site.close()


# --- what they may cost ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["", "busy:secret@"], ids=["by-leaving-the-channels", "by-connecting-anew-where-that-is-denied"])
def test_tasks_that_cost_too_much_are_let_go_and_later_taken_again(site: Site, monkeypatch: pytest.MonkeyPatch, user: str) -> None:
    with redis.Redis.from_url(site.cluster.redis_url) as broker:
        broker.execute_command("ACL", "SETUSER", "busy", "on", ">secret", "allchannels", "+psubscribe", "+ping")
    allowance, said = "watchdog.sources.events.tasks.allowance", list[str]()
    monkeypatch.setattr("watchdog.sources.events.ear.PAUSE_S", 0.1)
    for span in ("MEASURED_S", "PAUSE_S", "TRIAL_S"):
        monkeypatch.setattr(f"{allowance}.{span}", 0.5)
    settings = RedisSettings.model_validate({"url": site.cluster.redis_url.replace("//", f"//{user}")})
    source = SharedEars(lambda _, reason: said.append(reason)).source("busy", settings, tasks=True, share=1e-6)
    try:
        until(lambda: site.send("demo.ok") and of_tasks(source) is None and said and "cost" in said[-1], 20, "them to be let go")
        monkeypatch.setattr(f"{allowance}.MEASURED_S", 3600.0)
        until(lambda: said[-1] == "", 20, "them to be taken again")
        until(lambda: site.send("demo.ok") and of_tasks(source), 20, "tasks to be heard")
        assert [reason[:28] for reason in said] == ["events: those of tasks cost ", ""]
    finally:
        source.close()


def of_tasks(source: EventsSource) -> Mapping[str, object] | None:
    """What was counted; None while it is unknown."""
    counters = source.ask([ReadEventCounters()]).replies[ReadEventCounters()]
    return counters.counts if isinstance(counters, EventCounters) else None
