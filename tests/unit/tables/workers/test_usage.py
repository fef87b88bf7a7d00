"""What the columns `cpu_ratio` and `rss_max_bytes` say of a worker's main process, and when they say nothing."""

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, an_inspection
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, cell, gap
from watchdog.core.model.rows import Reading
from watchdog.tables.workers.inspected.usage import ONCE, CpuUse, cpu_after

WEB = "celery@web-1"


def inspected(cluster: Cluster, **changes: object) -> None:
    """Flower's cache holds an inspection made now."""
    cluster.cache[WEB] = replace(cluster.cache[WEB], at=cluster.now, **changes)


def after_a_minute(cpu_s: float, **changes: object) -> Reading:
    """The table after two inspections a minute apart; the first had counted 12 s."""
    cluster = healthy()
    inspected(cluster)
    watch = Watch(cluster)
    watch.look(0)
    cluster.beating(60)
    inspected(cluster, cpu_s=cpu_s, **changes)
    return watch.at_once()["workers"]


def test_cpu_is_what_was_used_between_two_inspections() -> None:
    assert cell(after_a_minute(42.0), WEB, "cpu_ratio") == 0.5


def test_one_inspection_says_nothing_of_cpu() -> None:
    assert gap(Watch(healthy()).look(0)["workers"], WEB, "cpu_ratio") == ONCE


def test_cpu_is_kept_while_no_newer_inspection_comes() -> None:
    cluster = healthy()
    inspected(cluster)
    watch = Watch(cluster)
    watch.look(0)
    cluster.beating(60)
    inspected(cluster, cpu_s=18.0)
    watch.at_once()
    assert cell(watch.look(100)["workers"], WEB, "cpu_ratio") == pytest.approx(0.1)


def test_an_old_inspection_says_nothing_of_cpu() -> None:
    reading = after_a_minute(42.0)
    assert reading.rows
    cluster = healthy()
    cluster.answering.clear()
    watch = Watch(cluster)
    watch.look(0)
    assert gap(watch.look(700)["workers"], WEB, "cpu_ratio").startswith("flower: last inspected")


def test_another_process_begins_anew() -> None:
    before = CpuUse(17, NOW, 100.0, 0.5)
    assert cpu_after(before, an_inspection(at=NOW + 60, pid=18, cpu_s=3.0)) == CpuUse(18, NOW + 60, 3.0)


def test_a_pid_that_a_new_process_was_given_again_is_known_by_its_cpu_time() -> None:
    assert cpu_after(CpuUse(17, NOW, 100.0), an_inspection(at=NOW + 60, cpu_s=3.0)) == CpuUse(17, NOW + 60, 3.0)


def test_two_inspections_at_nearly_the_same_time_are_not_compared() -> None:
    before = CpuUse(17, NOW, 100.0, 0.5)
    assert cpu_after(before, an_inspection(at=NOW + 1, cpu_s=101.0)) == before


@pytest.mark.parametrize(("system", "in_bytes"), [("Linux", 61_440_000.0), ("Darwin", 60_000.0)])
def test_memory_is_counted_in_the_unit_of_the_system(system: str, in_bytes: float) -> None:
    cluster = healthy()
    cluster.beats[WEB] = replace(cluster.beats[WEB], system=system)
    assert cell(Watch(cluster).look(0)["workers"], WEB, "rss_max_bytes") == in_bytes


@pytest.mark.parametrize("column", ["cpu_ratio", "rss_max_bytes"])
def test_a_system_that_does_not_count_leaves_a_gap(column: str) -> None:
    cluster = healthy()
    cluster.cache[WEB] = replace(cluster.cache[WEB], cpu_s=None, max_rss=None)
    assert gap(Watch(cluster).look(0)["workers"], WEB, column) == "its system does not report it"


def test_memory_in_an_unknown_unit_is_a_gap() -> None:
    cluster = healthy()
    cluster.beats[WEB] = replace(cluster.beats[WEB], system=None)
    assert "names its system" in gap(Watch(cluster).look(0)["workers"], WEB, "rss_max_bytes")
