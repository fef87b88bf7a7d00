import pytest
from msgspec.structs import replace

from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, cell, names
from tests.builders.worker_states import GPU, WEB, refreshed, state, watching, workers
from watchdog.core.model.queries import InspectAll, Inspected, InspectOne
from watchdog.tables.workers.silence import RETURNED


def all_silent(watch: Watch, *, alive: bool) -> None:
    for name in watch.cluster.online:
        watch.cluster.online[name] = False
    if not alive:
        watch.cluster.answering.clear()


def test_when_flower_loses_its_events_workers_that_answer_are_online() -> None:
    watch = watching()
    all_silent(watch, alive=True)
    assert [state(watch) for _ in range(12)] == ["online"] * 12


@pytest.mark.parametrize("skew", [-180.0, 180.0])
def test_lost_events_are_no_lost_workers_whatever_flowers_clock_says(skew: float) -> None:
    watch = Watch(healthy())
    watch.skew = skew
    watch.look(0)
    watch.look()
    all_silent(watch, alive=True)
    assert [state(watch) for _ in range(12)] == ["online"] * 12


def test_when_all_were_killed_all_are_lost_at_once() -> None:
    watch = watching()
    all_silent(watch, alive=False)
    reading = workers(watch)
    assert [cell(reading, WEB, "state"), cell(reading, GPU, "state")] == ["lost", "lost"]


def test_when_all_are_silent_and_cannot_be_asked_they_are_unknown() -> None:
    watch = watching()
    all_silent(watch, alive=False)
    watch.cluster.gaps |= {InspectOne: "flower: no answer within 5s", InspectAll: "flower: no answer within 5s"}
    assert state(watch) == "unknown: flower: no answer within 5s"


def test_while_nobody_is_heard_they_are_asked_once_a_minute() -> None:
    """A Flower whose broker was away is deaf for as long again: only a refresh shows that all is well."""
    watch = watching()
    all_silent(watch, alive=True)
    watch.cluster.gaps[InspectOne] = watch.cluster.gaps[InspectAll] = "flower: no answer within 5s"
    for _ in range(40):
        workers(watch)
    del watch.cluster.gaps[InspectOne], watch.cluster.gaps[InspectAll]
    assert "online" in [state(watch) for _ in range(7)]


def test_who_does_not_answer_at_once_when_a_broker_is_back_is_not_lost_yet() -> None:
    watch = watching()
    all_silent(watch, alive=False)
    watch.cluster.gaps[InspectOne] = watch.cluster.gaps[InspectAll] = "flower: no answer within 5s"
    for _ in range(40):
        workers(watch)
    del watch.cluster.gaps[InspectOne], watch.cluster.gaps[InspectAll]
    states = [state(watch) for _ in range(14)]
    assert "lost" not in states[: states.index(f"unknown: {RETURNED}") + 5]
    assert states[-1] == "lost"


def test_many_silent_workers_are_asked_together() -> None:
    watch = watching(healthy(*(f"celery@web-{n}" for n in range(5))))
    all_silent(watch, alive=True)
    workers(watch)
    assert refreshed(watch) == ["*"]


def test_those_who_answer_are_online_and_the_others_lost() -> None:
    watch = watching()
    all_silent(watch, alive=True)
    watch.cluster.answering.discard(GPU)
    reading = workers(watch)
    assert [cell(reading, WEB, "state"), cell(reading, GPU, "state")] == ["online", "lost"]


def test_a_worker_killed_while_flower_hears_nothing_is_lost_within_half_a_minute() -> None:
    watch = watching()
    all_silent(watch, alive=True)
    workers(watch)
    watch.cluster.answering.discard(WEB)
    assert [state(watch) for _ in range(3)][-1] == "lost"


def test_a_refresh_that_repeats_an_old_answer_is_no_answer() -> None:
    watch = watching()
    watch.cluster.cache[WEB] = replace(watch.cluster.cache[WEB], at=watch.cluster.now + 5)
    watch.cluster.dies(WEB)
    assert state(watch) == "lost"


def refreshed_by_somebody_else(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody presses Refresh in Flower; watchdog reuses the answer that it got before (`Inspected.good_for_s`)."""
    held, answer = dict(watch.cluster.cache), watch.cluster.answer
    monkeypatch.setattr(watch.cluster, "answer", lambda query, source: held if isinstance(query, Inspected) else answer(query, source))
    watch.cluster.cache = {name: replace(seen, at=watch.cluster.now) for name, seen in held.items()}


def test_who_answered_somebody_elses_refresh_and_then_died_does_not_answer_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = watching()
    refreshed_by_somebody_else(watch, monkeypatch)
    watch.cluster.dies(WEB)
    assert state(watch) == "lost"


def test_what_somebody_elses_refresh_found_earlier_says_nothing_of_flowers_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = watching(healthy())
    refreshed_by_somebody_else(watch, monkeypatch)
    watch.cluster.beating(25)
    watch.cluster.dies(WEB)
    assert [row.cells["clock_drift_s"] for row in workers(watch).rows] == [0.0, 0.0]


def test_on_a_first_look_nobody_known_is_a_claim_that_everybody_is_asked_about() -> None:
    cluster = Cluster()
    cluster.answering.add(WEB)
    watch = watching(cluster, 0)
    assert (names(workers(watch, 0)), refreshed(watch)) == ([WEB], ["*"])
