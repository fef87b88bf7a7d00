"""`usual`: what is learned of tasks and queues while they are watched, and what is not."""

from msgspec.structs import replace

from tests.builders.answers import a_target, a_task
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, a_look
from watchdog.core.model.demand import Demand
from watchdog.core.model.queries import ReadEventCounters
from watchdog.core.model.rows import Reading, Row
from watchdog.tables.past.usual import TABLE

WEB, PAY = "celery@web-1", "shop.pay"


class Watched:
    """A task that is done twice a second, looked at every two and a half minutes."""

    def __init__(self) -> None:
        self.cluster: Cluster = healthy()
        self.watch = Watch(self.cluster, a_target(interval_s=150.0))
        self.per_look, self.runtime = 300.0, 2.0
        self.look(0)

    def look(self, after: float = 150.0) -> Reading:
        count = self.cluster.counts.get((WEB, PAY, "succeeded"), 0.0)
        self.cluster.counts[WEB, PAY, "succeeded"] = count + self.per_look
        at = self.cluster.now + after
        runs = [
            a_task(f"{at}-{nth}", "SUCCESS", name=PAY, worker=WEB, started=at - 9, succeeded=at - 1 - nth / 100, runtime=self.runtime)
            for nth in range(40)
        ]
        self.cluster.tasks = runs
        return self.watch.look(after)["usual"]

    def hours(self, hours: float) -> Reading:
        for _ in range(int(hours * 24) - 1):
            self.look()
        return self.look()


def of_task(reading: Reading) -> Row:
    return next(row for row in reading.rows if row.key(("what", "name")) == ("task", PAY))


def test_a_day_later_the_same_hour_is_known() -> None:
    cells = of_task(Watched().hours(25)).cells
    assert (cells["days"], cells["usual_per_min"]) == (1.0, cells["per_min"])
    assert cells["per_min"] != 0.0


def test_before_an_hour_was_watched_nothing_is_usual() -> None:
    cells = of_task(Watched().hours(1)).cells
    assert (cells["days"], cells["usual_per_min"], cells["usual_runs"]) == (0.0, 0.0, 0.0)


def test_runtimes_are_compared_with_those_of_the_day_before() -> None:
    watched = Watched()
    watched.hours(25)
    watched.runtime = 6.0
    cells = of_task(watched.hours(0.5)).cells
    assert (round(float(cells["runtime_p95"] or 0)), round(float(cells["usual_runtime_p95"] or 0))) == (6, 2)


def test_a_time_in_which_nobody_looked_is_not_learned_from() -> None:
    watched = Watched()
    watched.hours(2)
    watched.look(4 * 3600.0)
    assert of_task(watched.hours(20.5)).cells["days"] == 0.0


def test_queues_have_a_past_too() -> None:
    assert ("queue", "indexing") in {row.key(("what", "name")) for row in Watched().hours(0.2).rows}


def test_while_flower_does_not_answer_every_figure_is_a_gap() -> None:
    watched = Watched()
    watched.hours(0.5)
    watched.cluster.gaps[ReadEventCounters()] = "flower: 503"
    row = of_task(watched.watch.look(150)["usual"])
    assert (row.cells["per_min"], row.gaps["usual_per_min"]) == (None, "flower: 503")


def test_where_nobody_reads_it_nothing_is_learned() -> None:
    reading = TABLE.read(replace(a_look(), demand=Demand({"workers": frozenset({"state"})})))
    assert (bool(reading.idle), reading.memory) == (True, None)
