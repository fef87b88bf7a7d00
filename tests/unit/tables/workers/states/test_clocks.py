import pytest
from msgspec.structs import replace

from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, cell, gap
from tests.builders.worker_states import GPU, WEB, watching, workers
from watchdog.core.model.queries import InspectAll, InspectOne


def shifted(cluster: Cluster, name: str, by: float) -> None:
    """One task event of a worker whose clock is ahead by so much."""
    beat = cluster.beats[name]
    cluster.beats[name] = replace(beat, heartbeats=tuple(sorted((*beat.heartbeats[1:], cluster.now + by))))


def ahead(by: float = 32_400.0) -> Watch:
    """A watched cluster; before each look web-1 has run a task, by a clock that is ahead."""
    watch = watching(healthy())
    watch.cluster.beating(10)
    shifted(watch.cluster, WEB, by)
    watch.at_once()
    return watch


def test_a_heartbeat_that_lies_ahead_of_now_proves_nothing() -> None:
    watch = ahead()
    dead = watch.cluster.beats[WEB]
    watch.cluster.answering.discard(WEB)
    states = []
    for _ in range(4):
        watch.cluster.beating(10)
        watch.cluster.beats[WEB] = dead  # and Flower goes on saying that it is online
        states.append(cell(watch.at_once()["workers"], WEB, "state"))
    assert states[-1] == "lost"


def test_new_heartbeats_show_that_it_lives_whatever_its_clock_says() -> None:
    watch = ahead()
    states = []
    for _ in range(5):
        watch.cluster.beating(10)
        shifted(watch.cluster, WEB, 32_400.0)
        states.append(cell(watch.at_once()["workers"], WEB, "state"))
    assert states == ["online"] * 5


def test_on_a_first_look_whoever_lies_ahead_of_now_is_asked() -> None:
    cluster = healthy()
    shifted(cluster, WEB, 32_400.0)
    watch = Watch(cluster)
    assert cell(watch.at_once()["workers"], WEB, "state") == "online"
    assert any(isinstance(query, InspectOne | InspectAll) for query in cluster.asked)


@pytest.mark.parametrize("by", [90.0, 7200.0, 32_400.0])
def test_a_clock_that_is_ahead_is_known_by_how_much(by: float) -> None:
    assert cell(ahead(by).at_once()["workers"], WEB, "clock_drift_s") == pytest.approx(by, abs=1)


def test_a_heartbeat_that_was_sent_while_a_slow_look_was_asking_is_by_a_right_clock() -> None:
    watch = watching(healthy())
    watch.took_s = 20.0
    watch.cluster.beating(10)
    shifted(watch.cluster, WEB, 18.0)
    assert cell(watch.at_once()["workers"], WEB, "clock_drift_s") == 0.0


def worked(cluster: Cluster, name: str) -> None:
    """Time passes in which it takes a task; the entry that lies ahead of now stays the last in Flower's list."""
    ahead_of_now = cluster.beats[name].heartbeats[-1]
    cluster.beating(10)
    beat = cluster.beats[name]
    cluster.beats[name] = replace(beat, heartbeats=(*beat.heartbeats[1:], ahead_of_now), processed=(beat.processed or 0) + 1)


def test_a_clock_that_was_set_right_is_right_again_once_it_takes_tasks() -> None:
    watch = ahead()
    drifts = []
    for _ in range(3):
        worked(watch.cluster, WEB)
        drifts.append(cell(watch.at_once()["workers"], WEB, "clock_drift_s"))
    assert drifts == [pytest.approx(32_400.0, abs=1), 0.0, 0.0]


def test_a_clock_is_not_taken_for_right_by_the_silence_of_idle_hours() -> None:
    watch = ahead(90.0)
    for _ in range(20):
        reading = workers(watch)
    assert cell(reading, WEB, "clock_drift_s") == pytest.approx(90.0, abs=1)


def test_a_clock_that_is_behind_is_known_once_two_tasks_agree() -> None:
    watch = watching(healthy())
    for _ in range(2):
        watch.cluster.beating(10)
        shifted(watch.cluster, WEB, -18_000.0)
        reading = watch.at_once()["workers"]
    assert cell(reading, WEB, "clock_drift_s") == pytest.approx(-18_000.0, abs=5)


def test_a_pause_between_heartbeats_is_no_clock_that_is_behind() -> None:
    watch = watching(healthy())
    paused = watch.cluster.now - 60
    for _ in range(2):
        watch.cluster.beating(10)
        watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], heartbeats=(paused, watch.cluster.now - 3, watch.cluster.now - 1))
        reading = watch.at_once()["workers"]
    assert cell(reading, WEB, "clock_drift_s") == 0.0


def event_long_ago(watch: Watch, seconds: float) -> object:
    """Its state after a look at a worker that sends no heartbeats, so long after its last event; Flower lists it as online all the same."""
    watch.cluster.beating(10)
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], pulses=0, freq_s=60.0, heartbeats=(watch.cluster.now - seconds,))
    return cell(watch.at_once()["workers"], WEB, "state")


@pytest.mark.parametrize(("seconds", "asked"), [(5.0, False), (20.0, True)])
def test_one_that_sends_no_heartbeats_and_falls_silent_is_asked(seconds: float, asked: bool) -> None:
    watch, seen = watching(healthy()), []
    for _ in range(3):
        event_long_ago(watch, seconds)
        seen.append(InspectOne(WEB) in watch.cluster.asked)
    assert any(seen) is asked


@pytest.mark.parametrize(("answers", "state"), [(True, "online"), (False, "lost")])
def test_one_that_sends_no_heartbeats_is_online_while_it_answers(answers: bool, state: str) -> None:
    watch = watching(healthy())
    if not answers:
        watch.cluster.answering.discard(WEB)
    assert [event_long_ago(watch, 20.0) for _ in range(8)][-1] == state


def test_a_first_look_at_one_that_left_or_that_sends_no_heartbeats_finds_no_drift() -> None:
    cluster = healthy()
    cluster.leaves(GPU)
    del cluster.beats[WEB]
    reading = Watch(cluster).look(0)["workers"]
    assert [(cell(reading, name, "clock_drift_s"), gap(reading, name, "clock_drift_s")) for name in (GPU, WEB)] == [(0.0, ""), (0.0, "")]


@pytest.mark.parametrize("after", [10, 30])
def test_the_pauses_of_a_solo_pool_are_no_clock_that_is_behind(after: float) -> None:
    """Each time it comes back the last heartbeats before its task lie as far before the first one after it."""
    watch = watching(healthy())
    drifts = []
    for _ in range(4):
        watch.cluster.beating(after)
        now = watch.cluster.now
        watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], heartbeats=(now - 21, now - 19, now - 3, now - 1))
        drifts.append(cell(watch.at_once()["workers"], WEB, "clock_drift_s"))
        watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], heartbeats=(now - 19, now - 3, now - 1, now))
        drifts.append(cell(watch.at_once()["workers"], WEB, "clock_drift_s"))
    assert drifts == [0.0] * 8


def test_a_lone_worker_whose_clock_is_ahead_is_the_one_that_is_wrong() -> None:
    watch = watching(healthy(WEB))
    watch.cluster.beating(10)
    shifted(watch.cluster, WEB, 7200.0)
    assert cell(watch.at_once()["workers"], WEB, "clock_drift_s") == pytest.approx(7200.0, abs=2)


def test_a_flower_whose_clock_is_ahead_makes_no_workers_clock_wrong() -> None:
    watch = Watch(healthy())
    watch.skew = -60.0
    for _ in range(3):
        reading = workers(watch)
    assert [cell(reading, WEB, c) for c in ("state", "clock_drift_s")] == ["online", pytest.approx(0.0, abs=2)]
