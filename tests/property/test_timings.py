"""Percentiles of runtimes are within 2 % of the true ones over all runs that were heard, whoever else tells of them, whoever reads."""

from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.both_tell import NAME, World
from watchdog.core.model.servers.timings import Mark
from watchdog.core.model.sketch import Sketch, merged, quantile
from watchdog.sources.events.tasks.messages import TaskEvent
from watchdog.sources.events.tasks.runs import Runs

RUNTIMES = st.lists(st.lists(st.floats(0.0005, 500_000), max_size=120), min_size=1, max_size=4)
"""By the look before which they ended."""
SHARES = {"runtime_p50": 0.5, "runtime_p95": 0.95, "runtime_p99": 0.99}
ALONE = {"sources": frozenset({"events"}), "hears_tasks": True, "hears_beside_flower": False}


def nearest_rank(durations: list[float], share: float) -> float:
    return sorted(durations)[max(ceil(share * len(durations)) - 1, 0)]


def is_near(found: object, true: float) -> bool:
    return isinstance(found, float) and abs(found - true) <= 0.0200001 * true


@given(RUNTIMES, st.booleans())
@settings(max_examples=25, deadline=None)
def test_percentiles_of_tasks_are_within_2_percent_with_flower_and_without(looks: list[list[float]], alone: bool) -> None:
    world = World(tables=("workers", "tasks"), **(ALONE if alone else {}))
    world.look()
    for runtimes in looks:
        for runtime in runtimes:
            world.ends("succeeded", runtime=runtime)
        world.look()
    took = [runtime for runtimes in looks for runtime in runtimes]
    row = next((row for row in world.readings["tasks"].rows if row.cells["name"] == NAME), None)
    if not took:
        assert row is None
        return
    assert row is not None
    assert all(is_near(row.cells[column], nearest_rank(took, share)) for column, share in SHARES.items())
    assert is_near(row.cells["runtime_avg"], sum(took) / len(took))


READERS = st.sampled_from(["prod", "other"])
STEPS = st.lists(st.one_of(st.floats(0.001, 1000.0), READERS), max_size=80)


@given(STEPS)
def test_each_reader_is_told_of_each_run_once(steps: list[float | str]) -> None:
    runs, marks = Runs(), dict[str, Mark]()
    runs.opens(0.0)
    ended: list[float] = []
    told: dict[str, list[Sketch]] = {"prod": [], "other": []}

    def reads(reader: str) -> None:
        heard = runs.timings.read(reader, marks.get(reader))
        marks[reader] = heard.mark
        told[reader] += [timing.runtimes for timing in heard.timings.values()]

    for reader in told:
        reads(reader)
    for at, step in enumerate(steps):
        if isinstance(step, str):
            reads(step)
        else:
            runs.hears(TaskEvent(str(at), "task-succeeded", "celery@one", float(at), NAME, runtime=step))
            ended.append(step)
    for reader in told:
        reads(reader)
    assert [merged(sketches).count for sketches in told.values()] == [len(ended)] * 2
    assert all(not ended or is_near(quantile(merged(sketches), 0.95), nearest_rank(ended, 0.95)) for sketches in told.values())
