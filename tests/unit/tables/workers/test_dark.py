import pytest
from msgspec.structs import replace

from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, gap
from watchdog.core.model.queries import ReadEventCounters
from watchdog.tables.workers.dark import Heard, dark

WEB = "celery@web-1"


def takes(cluster: Cluster, tasks: int, *, events: int) -> None:
    """web-1 takes so many tasks; Flower hears so many events of them."""
    beat = cluster.beats[WEB]
    cluster.beats[WEB] = replace(beat, processed=(beat.processed or 0) + tasks)
    place = (WEB, "shop.pay", "succeeded")
    cluster.counts[place] = cluster.counts.get(place, 0.0) + events


def watching(cluster: Cluster) -> Watch:
    watch = Watch(cluster)
    for after in (0, 10):
        watch.look(after)
    return watch


def test_a_worker_that_takes_tasks_unheard_makes_what_is_counted_unknown() -> None:
    watch = watching(healthy())
    takes(watch.cluster, 200, events=0)
    seen = watch.look()
    assert "celery@web-1 took 200 tasks, and no event about them was received" in (seen["tasks"].missing or "")
    assert gap(seen["cluster"], "", "error_rate") == seen["tasks"].missing


def test_one_that_is_heard_is_believed() -> None:
    watch = watching(healthy())
    takes(watch.cluster, 200, events=200)
    assert watch.look()["tasks"].missing is None


def test_a_few_tasks_may_be_on_their_way() -> None:
    watch = watching(healthy())
    takes(watch.cluster, 9, events=0)
    assert watch.look()["tasks"].missing is None


def test_once_it_is_heard_again_what_is_counted_is_believed_again() -> None:
    watch = watching(healthy())
    takes(watch.cluster, 200, events=0)
    watch.look()
    takes(watch.cluster, 5, events=5)
    assert watch.look()["tasks"].missing is None


def test_what_is_newer_than_the_counters_is_not_held_against_them() -> None:
    watch = watching(healthy())
    watch.reused = frozenset({ReadEventCounters()})
    takes(watch.cluster, 200, events=200)
    assert watch.look()["tasks"].missing is None


def test_what_was_said_holds_until_the_counters_are_read_again() -> None:
    watch = watching(healthy())
    takes(watch.cluster, 200, events=0)
    said = watch.look()["tasks"].missing
    watch.reused = frozenset({ReadEventCounters()})
    takes(watch.cluster, 5, events=5)
    assert (said is not None, watch.look()["tasks"].missing) == (True, said)


def test_what_was_taken_before_counters_were_reused_is_not_forgotten() -> None:
    watch = watching(healthy())
    watch.reused = frozenset({ReadEventCounters()})
    takes(watch.cluster, 200, events=0)
    watch.look()
    watch.reused = frozenset()
    assert "celery@web-1 took 200 tasks" in (watch.look()["tasks"].missing or "")


def test_one_of_several_is_enough_for_the_cluster_to_be_unknown() -> None:
    watch = watching(healthy())
    takes(watch.cluster, 50, events=0)
    watch.cluster.counts[("celery@gpu-1", "shop.pay", "succeeded")] = 500.0
    assert "took 50 tasks" in gap(watch.look()["cluster"], "", "finished")


@pytest.mark.parametrize(("after_flower", "unheard"), [(True, True), (False, False)])
def test_a_first_look_believes_it_of_a_worker_younger_than_flower_alone(after_flower: bool, unheard: bool) -> None:
    said = dark(Heard(), {}, {WEB: 200.0}, {WEB: after_flower})
    assert (said is not None) is unheard


@pytest.mark.parametrize(("began_after", "said"), [(True, True), (False, False)])
def test_of_one_that_began_under_our_eyes_what_it_took_before_its_first_look_counts_too(began_after: bool, said: bool) -> None:
    why = dark(Heard({WEB: (0.0, 30.0)}), {}, {WEB: 30.0}, {WEB: began_after})
    assert (why is not None and "took 30 tasks" in why) is said
