from tests.builders.answers import a_task
from tests.builders.cluster import healthy
from tests.builders.looks import Watch, cell
from tests.builders.worker_states import DEAF, state, states, watching, workers
from watchdog.core.model.queries import WorkersTasks


def solo(*runtimes: float, pool: str | None = "solo", unlisted: str = "") -> Watch:
    """A watched cluster with a worker that falls silent; its last runs took so long."""
    cluster = healthy()
    cluster.add(DEAF, pool=pool)
    watch = watching(cluster)
    cluster.dies(DEAF)
    cluster.tasks = [a_task(f"s{nth}", "SUCCESS", worker=DEAF, runtime=runtime) for nth, runtime in enumerate(runtimes)]
    cluster.gaps |= {WorkersTasks: unlisted} if unlisted else {}
    return watch


def test_a_solo_worker_that_is_silent_is_believed_to_be_at_work() -> None:
    watch = solo()
    reading = workers(watch)
    assert [cell(reading, DEAF, c) for c in ("state", "active", "queues")] == ["online", 1.0, "indexing"]


def test_it_is_believed_for_an_hour_where_nothing_is_known_of_its_tasks() -> None:
    seen = states(solo(), 370)
    assert (set(seen[:358]), seen[-1]) == ({"online"}, "lost")


def test_it_is_believed_for_as_long_as_its_tasks_may_plausibly_run() -> None:
    seen = states(solo(20.0, 3.0), 13)
    assert (set(seen[:9]), seen[-1]) == ({"online"}, "lost")


def test_one_whose_tasks_are_short_is_lost_soon() -> None:
    assert states(solo(0.2), 8)[-1] == "lost"


def test_a_silence_that_it_came_back_from_once_is_believed_the_next_time() -> None:
    watch = solo(0.2)
    states(watch, 15)
    watch.cluster.online[DEAF] = True
    watch.cluster.answering.add(DEAF)
    assert state(watch, DEAF) == "online"
    watch.cluster.dies(DEAF)
    seen = states(watch, 26)
    assert (set(seen[:15]), seen[-1]) == ({"online"}, "lost")


def test_once_lost_it_is_no_replaced_worker() -> None:
    watch = solo(0.2)
    for _ in range(9):
        reading = workers(watch)
    assert cell(reading, DEAF, "replaced") is False


def test_where_it_cannot_be_asked_how_long_its_tasks_run_it_is_unknown_for_a_while() -> None:
    seen = states(solo(unlisted="flower: 503"), 40)
    assert ("solo pool" in str(seen[0]), seen[-1]) == (True, "lost")


def test_a_worker_of_unknown_pool_is_not_lost_by_silence_alone() -> None:
    assert "solo pool" in str(states(solo(pool=None), 1)[0])


def test_green_threads_that_do_not_yield_are_believed_for_two_minutes() -> None:
    seen = states(solo(pool="gevent"), 15)
    assert (seen[0], seen[-1]) == ("online", "lost")


def test_a_prefork_worker_is_never_silent_for_a_task() -> None:
    assert states(solo(pool="prefork"), 3)[-1] == "lost"
