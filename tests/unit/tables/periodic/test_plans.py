"""What a scheduler sends, as workers say themselves where there is no Flower; and what is remembered while none says it."""

from msgspec.structs import replace

from tests.builders.answers import a_target
from tests.unit.tables.periodic.watched import BEGAN, EVERY_MINUTE, Watched
from watchdog.core.model.gaps import Gap
from watchdog.core.model.replies import Replies
from watchdog.core.model.rows import Asking, Look, Reading
from watchdog.core.model.schedules.periodic import PeriodicTask, PeriodicTasks, Scheduler, WorkerPlan
from watchdog.core.model.schedules.queries import WorkerPlans
from watchdog.core.model.servers.worker_queries import PingWorkers, PlansOfWorkers
from watchdog.sources.periodic.cron import cron_of
from watchdog.tables.periodic.plans import Plan, plan_now, plan_queries
from watchdog.tables.workers.memory import KnownWorker, KnownWorkers

BEAT, NOTHING = Scheduler("beat"), Plan()
ALONE = a_target(sources=frozenset({"redis", "celery", "events"}), schedulers=(BEAT,))
NIGHTLY = PeriodicTask("nightly", "shop.nightly", cron=cron_of("30", "2", "*", "*", "*"))
WORKERS = KnownWorkers({"w@x": KnownWorker("w@x", BEGAN, "online"), "gone@x": KnownWorker("gone@x", BEGAN, "lost")})


def asked(replies: Replies, workers: KnownWorkers = WORKERS) -> list[object]:
    return list(plan_queries(Asking(ALONE, None, replies, BEGAN, {"workers": workers})))


def planned(answer: object, before: Plan = NOTHING) -> Plan:
    replies = Replies({PlansOfWorkers(("w@x",)): answer})
    return plan_now(BEAT, before, Look(ALONE, None, replies, BEGAN, 300.0, before={"workers": Reading(memory=WORKERS)}), WORKERS)


def test_without_flower_workers_that_are_there_are_asked_themselves() -> None:
    assert asked(Replies()) == [PlansOfWorkers(("w@x",))]


def test_beside_a_flower_they_are_asked_only_while_it_does_not_answer() -> None:
    beside = replace(ALONE, sources=ALONE.sources | {"flower"})

    def asked_beside(said: object) -> list[object]:
        return list(plan_queries(Asking(beside, None, Replies({WorkerPlans(): said}), BEGAN, {"workers": WORKERS})))

    assert [asked_beside({}), asked_beside(Gap("flower: 503"))] == [[WorkerPlans()], [WorkerPlans(), PlansOfWorkers(("w@x",))]]


def test_what_they_say_stands_in_for_a_flower_that_does_not_answer() -> None:
    said = {"w@x": WorkerPlan(frozenset({"shop.tick"}), PeriodicTasks((EVERY_MINUTE,)), "UTC")}
    replies = Replies({WorkerPlans(): Gap("flower: 503"), PlansOfWorkers(("w@x",)): said})
    plan = plan_now(BEAT, NOTHING, Look(ALONE, None, replies, BEGAN, 300.0, before={"workers": Reading(memory=WORKERS)}), WORKERS)
    assert (plan.tasks.entries, plan.gap) == ((EVERY_MINUTE,), "")


def test_in_a_first_look_those_are_asked_that_answered_a_ping() -> None:
    assert asked(Replies({PingWorkers(): frozenset({"new@x"})}), KnownWorkers()) == [PlansOfWorkers(("new@x",))]


def test_where_nobody_is_known_nobody_is_asked() -> None:
    assert asked(Replies(), KnownWorkers()) == []


def test_what_they_say_is_what_beat_sends() -> None:
    plan = planned({"w@x": WorkerPlan(frozenset({"shop.tick"}), PeriodicTasks((EVERY_MINUTE,)), "UTC")})
    assert (plan.tasks.entries, plan.zone, plan.known, plan.gap) == ((EVERY_MINUTE,), "UTC", True, "")


def test_while_none_has_said_it_what_beat_sends_is_unknown_and_not_nothing() -> None:
    assert planned({}) == Plan(gap="no worker has said yet what is in its beat_schedule")


def test_what_was_said_once_stays_known_while_none_answers() -> None:
    before = Plan(PeriodicTasks((EVERY_MINUTE,)), known=True)
    assert [planned({}, before), planned(Gap("celery: refused"), before).tasks] == [before, before.tasks]


def test_the_time_zone_of_a_cron_stays_known_while_no_worker_says_it() -> None:
    watched = Watched(scheduler=Scheduler("redbeat", key_prefix="redbeat:"), entries=(NIGHTLY,))
    watched.look(0.0)
    watched.gap = "flower: 503"
    row, tasks = watched.look(10.0)
    assert (row["entries"], list(tasks)) == (1.0, ["shop.nightly"])


def test_a_worker_that_goes_by_its_hosts_time_ends_what_was_known_of_the_zone() -> None:
    watched = Watched(scheduler=Scheduler("redbeat", key_prefix="redbeat:"), entries=(NIGHTLY,))
    watched.look(0.0)
    watched.zone = None
    row, _ = watched.look(10.0)
    assert row["entries"] != 1.0
