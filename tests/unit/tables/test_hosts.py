"""Workers that are lost together: most of a host's, or most of a kind's where each has a host of its own."""

from collections.abc import Iterable
from time import perf_counter

import pytest
from msgspec.structs import replace

from tests.builders.answers import a_target
from tests.builders.cluster import Cluster
from tests.builders.looks import Watch, row
from watchdog.core.model.rows import Cell, Reading, Row
from watchdog.tables.fleet.hosts import loss_of

NODES = ("w1@node1", "w2@node2", "w3@node2", "w4@node2")
PODS = [f"celery@web-7d9f8b6c5d-{suffix}" for suffix in ("bcdfg", "hjklm", "npqrs", "tvwxz")]
NEXT = [f"celery@web-5c6b7d8f94-{suffix}" for suffix in ("bcdfg", "hjklm", "npqrs", "tvwxz")]


def watched(workers: Iterable[str]) -> Watch:
    """A daemon that has watched these; each of the nodes' consumes a queue of its own."""
    cluster = Cluster()
    for name in workers:
        cluster.add(name, queues=(name.partition("@")[0],))
    watch = Watch(cluster, a_target())
    for number in range(3):
        watch.look(10 if number else 0)
    return watch


def mostly_lost(watch: Watch) -> tuple[set[object], set[object]]:
    """The hosts, and the kinds, most of whose workers are lost after another half minute."""
    for _ in range(3):
        readings = watch.look(10)
    hosts, kinds = readings["hosts"], readings["kinds"]
    return {r.cells["host"] for r in hosts.rows if r.cells["mostly_lost"]}, {r.cells["kind"] for r in kinds.rows if r.cells["mostly_lost"]}


def hosts(watch: Watch) -> Reading:
    return watch.look(10)["hosts"]


def test_a_host_whose_workers_all_die_is_lost_and_explains_its_kind() -> None:
    watch = watched(NODES)
    for name in NODES[1:]:
        watch.cluster.dies(name)
    assert mostly_lost(watch) == ({"node2"}, set())
    cells = row(hosts(watch), "node2", table="hosts").cells
    assert [cells[column] for column in ("online", "lost", "workers", "all_workers", "unserved")] == [0.0, 3.0, 3.0, 4.0, "w2,w3,w4"]


def test_pods_are_hosts_of_their_own_and_lost_as_a_kind() -> None:
    watch = watched(PODS)
    for name in PODS[:3]:
        watch.cluster.dies(name)
    assert mostly_lost(watch) == (set(), {"celery@web-*"})


def test_a_kind_that_is_lost_on_a_host_that_works_on_is_lost_as_a_kind() -> None:
    watch = watched([*(f"gpu-{n}@node2" for n in "12"), *(f"web-{n}@node2" for n in "1234")])
    for n in "12":
        watch.cluster.dies(f"gpu-{n}@node2")
    assert mostly_lost(watch) == (set(), {"gpu-*@node*"})


@pytest.mark.parametrize("workers", [("celery@a", "celery@b"), ("w1@node1", "w2@node2", "w3@node2")])
def test_one_worker_that_dies_is_not_a_host_or_a_kind(workers: tuple[str, ...]) -> None:
    watch = watched(workers)
    watch.cluster.dies(workers[-1])
    assert mostly_lost(watch) == (set(), set())


@pytest.mark.parametrize("workers", [NODES, PODS])
def test_scaling_down_loses_nobody(workers: tuple[str, ...]) -> None:
    watch = watched(workers)
    for name in workers[1:]:
        watch.cluster.leaves(name)
    assert mostly_lost(watch) == (set(), set())


@pytest.mark.parametrize("killed", [False, True])
def test_a_rolling_deploy_loses_nobody(killed: bool) -> None:
    watch = watched(PODS)
    for old, new in zip(PODS, NEXT, strict=True):
        watch.cluster.add(new, uptime_s=5, queues=("celery",))
        watch.cluster.dies(old) if killed else watch.cluster.leaves(old)
        assert mostly_lost(watch) == (set(), set())


def test_one_worker_of_unknown_state_hides_only_what_it_could_change() -> None:
    watch = watched(NODES)
    for name in NODES[1:]:
        watch.cluster.dies(name)
    mostly_lost(watch)
    lost = [r for r in watch.look(10)["workers"].rows if r.cells["host"] == "node2"]
    unsure = replace(lost[0], cells={**lost[0].cells, "state": None}, gaps={**lost[0].gaps, "state": "it is silent"})
    two_of_three, gaps = loss_of([unsure, *lost[1:]]).cells()
    assert (two_of_three["mostly_lost"], two_of_three["lost"], gaps["lost"]) == (True, None, "w2@node2: it is silent")
    assert loss_of([unsure, lost[1], _online(lost[2])]).cells()[1]["mostly_lost"] == "w2@node2: it is silent"
    assert loss_of([unsure, _online(lost[1]), _online(lost[2])]).cells()[0]["mostly_lost"] is False


def _online(lost: Row) -> Row:
    return replace(lost, cells={**lost.cells, "state": "online"})


def test_a_host_whose_workers_are_forgotten_has_not_recovered() -> None:
    watch = watched(NODES)
    for name in NODES[1:]:
        watch.cluster.dies(name)
    for _ in range(100):
        reading = watch.look(1000)["hosts"]
        if not reading.rows:
            break
    assert reading.forgotten == {("node2",)}


def test_while_flower_is_down_hosts_are_rows_full_of_gaps() -> None:
    watch = watched(NODES)
    watch.cluster.gaps["flower"] = "flower: connection refused"
    assert row(hosts(watch), "node2", table="hosts").gaps["mostly_lost"] == "flower: connection refused"


def test_a_thousand_workers_are_counted_in_milliseconds() -> None:
    cells: dict[str, Cell] = {"state": "lost", "replaced": False, "unserved": "a,b", "kind": "celery@web-*"}
    rows = [Row({**cells, "name": f"celery@web-{n}", "host": f"node{n % 100}"}) for n in range(1000)]
    begun = perf_counter()
    assert loss_of(rows).lost == 1000
    assert perf_counter() - begun < 0.1
