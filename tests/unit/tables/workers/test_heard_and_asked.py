"""Workers that are both heard and asked directly: what is heard counts first, what is asked fills what no event says."""

from msgspec.structs import replace

from tests.builders.answers import a_beat, a_target, an_inspection
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, cell, gap
from watchdog.core.model.queries import InspectOne
from watchdog.core.model.replies import TaskSeen, WorkerHeard
from watchdog.core.model.servers.worker_queries import InspectWorkers, PingWorkers

WEB, GPU = "celery@web-1", "celery@gpu-1"
MAILBOXES = "_kombu.binding.celery.pidbox"
ALONE = frozenset({"redis", "events", "celery"})
ALL = frozenset({"redis", "events", "celery", "flower"})


def heard(name: str, ago_s: float = 1.0, *, gone: bool = False) -> WorkerHeard:
    return WorkerHeard(a_beat(name), ago_s, gone=gone, spoke_busy=True)


def watching(refused: str = "", sources: frozenset[str] = ALONE) -> Watch:
    cluster = healthy()
    cluster.gaps |= {"celery": refused} if refused else {}
    cluster.heard = {name: heard(name) for name in (WEB, GPU)}
    cluster.sets[MAILBOXES] = frozenset(f"\x06\x16\x06\x16{name}.celery.pidbox" for name in (WEB, GPU))
    watch = Watch(cluster, a_target(sources=sources, key_prefix=""))
    watch.look(0)
    return watch


def deaf(cluster: Cluster, name: str = WEB) -> None:
    """It answers nobody, and its heartbeats come."""
    cluster.answering.discard(name)


def test_without_flower_load_is_known_from_its_heartbeats_and_its_pool_from_its_answer() -> None:
    read = watching().look(10)["workers"]
    assert (cell(read, WEB, "load1"), cell(read, WEB, "pool_size")) == (0.5, 4)


def test_a_worker_that_is_heard_and_does_not_answer_is_online() -> None:
    watch = watching()
    deaf(watch.cluster)
    watch.look(40)
    assert cell(watch.look(40)["workers"], WEB, "state") == "online"


def test_of_a_worker_that_is_heard_and_never_answered_only_what_it_must_say_itself_is_unknown() -> None:
    cluster = healthy()
    cluster.heard = {name: heard(name) for name in (WEB, GPU)}
    cluster.sets[MAILBOXES] = frozenset({f"\x06\x16\x06\x16{WEB}.celery.pidbox"})
    deaf(cluster)
    watch = Watch(cluster, a_target(sources=ALONE))
    watch.look(0)
    read = watch.look(10)["workers"]
    assert (cell(read, WEB, "state"), cell(read, WEB, "hoarded"), gap(read, WEB, "pool_size")) == (
        "online",
        0,
        "celery: the worker has not answered an inspect yet",
    )


def test_a_worker_whose_heartbeats_stopped_and_that_answers_is_online() -> None:
    watch = watching()
    watch.cluster.heard[WEB] = heard(WEB, 60.0)
    assert cell(watch.look(10)["workers"], WEB, "state") == "online"


def test_a_worker_that_is_neither_heard_nor_answers_is_lost() -> None:
    watch = watching()
    watch.cluster.heard[WEB] = heard(WEB, 60.0)
    watch.cluster.dies(WEB)
    for _ in range(3):
        read = watch.look(10)["workers"]
    assert cell(read, WEB, "state") == "lost"


def test_a_worker_that_was_heard_to_say_goodbye_has_left() -> None:
    watch = watching()
    watch.cluster.heard[WEB] = heard(WEB, 5.0, gone=True)
    watch.cluster.dies(WEB)
    assert cell(watch.look(10)["workers"], WEB, "state") == "left"


def test_a_refusal_leaves_what_is_heard_and_says_why_the_rest_is_not_known() -> None:
    watch = watching("celery: the user may not ask workers")
    read = watch.look(10)["workers"]
    assert (cell(read, WEB, "state"), read.idle["pool_size"], read.note) == ("online", *["celery: the user may not ask workers"] * 2)


def test_what_they_said_before_a_refusal_holds_until_it_is_old() -> None:
    watch = watching()
    watch.cluster.gaps["celery"] = "celery: no answer"
    assert cell(watch.look(310)["workers"], WEB, "pool_size") == 4
    assert "last inspected" in gap(watch.look(310)["workers"], WEB, "queues")


def test_while_flower_is_away_the_pool_of_a_worker_is_known_by_its_answer() -> None:
    watch = watching(sources=ALL)
    watch.cluster.gaps["flower"] = "flower: connection refused"
    watch.look(10)
    watch.cluster.inspections[WEB] = an_inspection(WEB, pool_size=8)
    watch.look(300)
    read = watch.look(10)["workers"]
    assert (cell(read, WEB, "state"), cell(read, WEB, "pool_size")) == ("online", 8)


def test_while_flower_answers_a_worker_that_is_heard_is_not_pinged() -> None:
    watch = watching(sources=ALL)
    watch.cluster.online[WEB] = False
    watch.look(10)
    assert not [query for query in watch.cluster.asked if isinstance(query, PingWorkers)]


# --- whom to ask, and when --------------------------------------------------------------------------------------------


def asked(watch: Watch, kind: type[InspectWorkers] | type[PingWorkers]) -> list[tuple[str, ...]]:
    return [query.workers for query in watch.cluster.asked if isinstance(query, kind)]


def pings(watch: Watch, looks: int, after_s: float = 10.0) -> list[bool]:
    """Whether somebody was pinged, in each of so many looks."""
    found = []
    for _ in range(looks):
        watch.look(after_s)
        found.append(bool(asked(watch, PingWorkers)))
    return found


def falls_silent(watch: Watch, name: str = WEB) -> None:
    watch.cluster.heard[name] = heard(name, 60.0)
    watch.cluster.dies(name)


def test_without_flower_a_worker_that_is_heard_is_not_pinged() -> None:
    assert pings(watching(), 3) == [False] * 3


def test_on_another_broker_neither() -> None:
    watch = watching(sources=frozenset({"events", "celery"}))
    assert (pings(watch, 3), watch.look(10)["workers"].note) == ([False] * 3, "workers were asked directly")


def test_of_two_workers_only_the_silent_one_is_pinged() -> None:
    watch = watching()
    falls_silent(watch)
    watch.look(10)
    assert asked(watch, PingWorkers) == [(WEB,)]


def test_a_worker_that_does_not_answer_is_pinged_less_and_less_often() -> None:
    watch = watching()
    falls_silent(watch)
    assert pings(watch, 12) == [True, True, True, False, True, False, False, False, True, False, False, False]


def test_a_worker_that_said_goodbye_is_not_pinged() -> None:
    watch = watching()
    watch.cluster.heard[WEB] = heard(WEB, 5.0, gone=True)
    watch.cluster.dies(WEB)
    assert pings(watch, 2) == [False, False]


def test_a_mailbox_without_a_worker_is_pinged_for_a_minute_and_then_every_five() -> None:
    watch = watching()
    watch.cluster.sets[MAILBOXES] |= {"\x06\x16\x06\x16celery@killed-long-ago.celery.pidbox"}
    found = pings(watch, 36)
    assert (found[:6], sum(found[6:])) == ([True] * 6, 1)


def test_workers_that_are_heard_are_inspected_every_five_minutes() -> None:
    watch, looks = watching(), []
    for _ in range(60):
        watch.look(10)
        looks.append(bool(asked(watch, InspectWorkers)))
    assert [number for number, inspected in enumerate(looks, 1) if inspected] == [30, 60]


def test_a_new_process_is_inspected_at_once() -> None:
    watch = watching()
    watch.cluster.heard[WEB] = WorkerHeard(a_beat(WEB, pid=99), 1.0)
    watch.look(10)
    assert asked(watch, InspectWorkers) == [(WEB,)]


def test_a_worker_that_is_heard_and_answers_no_question_is_asked_less_and_less_often() -> None:
    watch, looks = watching(), []
    watch.cluster.heard["celery@mute"] = heard("celery@mute")
    for _ in range(12):
        watch.look(10)
        looks.append(asked(watch, InspectWorkers) == [("celery@mute",)])
    assert looks == [True, True, True, False, True, False, False, False, True, False, False, False]


def test_a_silent_worker_of_unknown_pool_that_never_answered_is_unknown_for_half_an_hour() -> None:
    watch, states = watching(), []
    watch.cluster.heard["celery@mute"] = WorkerHeard(a_beat("celery@mute"), 1.0)
    watch.look(10)
    watch.cluster.heard["celery@mute"] = WorkerHeard(a_beat("celery@mute"), 60.0)
    for _ in range(240):
        states.append(cell(watch.look(10)["workers"], "celery@mute", "state"))
    assert (states.index("lost") // 6, states[:170]) == (30, [None] * 170)


def test_while_a_queue_stands_still_its_consumers_are_asked_again_whether_they_consume_it() -> None:
    watch = watching()
    watch.cluster.lists["indexing"] = 7
    for _ in range(6):
        watch.look(10)
    watch.cluster.cache[WEB] = replace(watch.cluster.cache[WEB], queues=())
    consumers = [cell(watch.look(10)["queues"], "indexing", "consumers") for _ in range(3)]
    assert consumers[-1] == 1
    watch.look(300)
    assert cell(watch.look(10)["queues"], "indexing", "consumers") == 0


def test_a_cancelled_consumer_is_known_soon_after_its_queue_stands_still() -> None:
    watch = watching()
    watch.cluster.cache[WEB] = replace(watch.cluster.cache[WEB], queues=())
    watch.cluster.lists["indexing"] = 7
    for _ in range(5):
        read = watch.look(10)["queues"]
    assert cell(read, "indexing", "consumers") == 0


def busy_solo(*runs_s: float) -> Watch:
    """A solo worker that fell silent; its last runs, as its events told them."""
    watch = watching()
    watch.target = a_target(sources=ALONE, key_prefix="", hears_tasks=True)
    watch.cluster.cache[WEB] = replace(watch.cluster.cache[WEB], pool="solo")
    watch.look(310)
    watch.cluster.tasks = [TaskSeen(f"id-{took_s}", "shop.pay", "SUCCESS", worker=WEB, runtime=took_s) for took_s in runs_s]
    falls_silent(watch)
    return watch


def states_of_a_silent_worker(*, anew: bool) -> list[object]:
    """Look by look; `anew`: its tasks are counted anew meanwhile."""
    watch = watching()
    watch.target = a_target(sources=ALONE, key_prefix="", hears_tasks=True)
    watch.look(10)
    falls_silent(watch)
    watch.cluster.flower_started_at = watch.cluster.now + 5 if anew else watch.cluster.flower_started_at
    return [cell(watch.look(10)["workers"], WEB, "state") for _ in range(4)]


def test_tasks_that_are_counted_anew_leave_no_doubt_about_workers() -> None:
    assert states_of_a_silent_worker(anew=True) == states_of_a_silent_worker(anew=False)


def test_a_silent_solo_worker_is_believed_to_work_for_as_long_as_its_tasks_were_heard_to_take() -> None:
    watch = busy_solo(4.0, 20.0)
    states = [cell(watch.look(10)["workers"], WEB, "state") for _ in range(12)]
    assert states == ["online"] * 10 + ["lost"] * 2


def test_a_silent_solo_worker_of_whose_tasks_nothing_was_heard_is_believed_to_work() -> None:
    watch = busy_solo()
    assert [cell(watch.look(60)["workers"], WEB, "state") for _ in range(30)] == ["online"] * 30


# --- while the key prefix is unknown, events are heard in the second round ------------------------------------------------


def without_prefix() -> Watch:
    """Flower calls a worker offline that is heard; no worker reports its settings, and none are configured."""
    cluster = healthy()
    cluster.heard = {name: heard(name) for name in (WEB, GPU)}
    cluster.cache = {name: replace(seen, conf=None) for name, seen in cluster.cache.items()}
    watch = Watch(cluster, a_target(sources=ALL))
    watch.look(0)
    cluster.online[WEB] = False
    return watch


def test_a_worker_that_is_heard_in_the_second_round_is_not_pinged() -> None:
    assert pings(without_prefix(), 3) == [False] * 3


def test_nor_while_flower_is_away() -> None:
    watch = without_prefix()
    watch.cluster.gaps["flower"] = "flower: connection refused"
    assert pings(watch, 3) == [False] * 3


def test_one_that_is_silent_is_pinged_and_refreshed_together_in_the_third() -> None:
    watch = without_prefix()
    falls_silent(watch)
    watch.look(10)
    refreshed = [query.worker for query in watch.cluster.asked if isinstance(query, InspectOne)]
    assert (asked(watch, PingWorkers), refreshed) == ([(WEB,)], [WEB])
