"""Work that fails, never runs, runs again, or never ends."""

import itertools
from collections.abc import Callable

from tests.scenes.judge import Also, Need
from tests.scenes.lab import Lab
from tests.scenes.plays.common import JOINS_S, one_worker, two_workers
from tests.scenes.scene import Scene

__all__ = ["RUNS"]


def _unregistered(lab: Lab) -> None:
    lab.rest_until(10)
    lab.step("sent")
    lab.send("shop.new_task", "celery", count=120)
    lab.rest_until(45)
    lab.check("120 runs of what nobody knows", (1,))


def _expired(lab: Lab) -> None:
    lab.rest_until(10)
    lab.step("sent")
    lab.send("demo.ok", "celery", count=150, expires=-5.0)
    lab.rest_until(100)


def _expired_few(lab: Lab) -> None:
    lab.rest_until(10)
    lab.step("sent")
    lab.send("demo.ok", "celery", count=15, expires=-5.0)
    lab.rest_until(110)


def _rare_failing(lab: Lab) -> None:
    lab.step("fails")
    for run in range(6):
        lab.send("demo.fail", "celery")
        lab.rest_until(20.0 * (run + 1))
    lab.rest_until(130)


def _jump(lab: Lab) -> None:
    """A task that has always worked fails every second time."""
    failing = {"kind": ""}
    turns = iter(range(10_000))

    def send() -> None:
        lab.send("demo.fail", "celery", kind=failing["kind"] if next(turns) % 2 else "")

    lab.every(1.0, send)
    lab.rest_until(60)
    lab.step("broken")
    failing["kind"] = "ConnectionError"
    lab.rest_until(180)
    lab.check("every second run fails", (1,))


def _retry_storm(lab: Lab) -> None:
    lab.rest_until(20)
    lab.step("down")
    lab.send("scene.storm", "celery", count=30)
    lab.rest_until(170)


def _hard_limit(lab: Lab) -> None:
    """A run that its hard time limit ends fails once, though Celery says so twice."""
    lab.rest_until(10)
    for _ in range(6):
        lab.send("scene.hard", "other", count=9, seconds=0.01)
        lab.send("scene.hard", "other")
        lab.rest_until(lab.now + 4)
    lab.rest_until(55)
    lab.check("6 of 60 failed", (0, 1), "--expect", "tasks: name <> 'scene.hard' or failed <= 6")


def _hang_before_26(lab: Lab) -> None:
    lab.rest_until(5)
    lab.step("hang")
    lab.send("demo.hang", "celery")
    lab.send("demo.ok", "celery", count=26)
    lab.rest_until(700)


def _nobody_reads(lab: Lab) -> None:
    """A queue whose name is a typing error."""
    lab.traffic(1.0, "celery")
    lab.rest_until(15)
    lab.step("sent")
    lab.traffic(1.0, "defualt")
    lab.rest_until(340)


def _outlives_the_timeout(lab: Lab) -> None:
    """A task that runs for longer than the visibility timeout and acknowledges late runs again and again."""
    lab.rest_until(10)
    lab.step("sent")
    lab.send("scene.late", "other", delay=150.0)
    lab.rest_until(190)


def _late_set_up(lab: Lab) -> None:
    one_worker(lab)
    lab.cluster.start_worker("other", ["other"], 6)


def _kinds_of_failure(lab: Lab) -> None:
    for queue in ("celery", "limits", "killed"):
        lab.cluster.start_worker(queue, [queue], 4)


def _fails_in_all_ways(lab: Lab) -> None:
    """Each kind of failure starts at its own time and continues."""
    turns = itertools.count()
    ways: dict[str, tuple[float, Callable[[], None]]] = {
        "one in twenty": (0.5, lambda: lab.send("scene.flip00", "celery")),
        "half": (2.0, lambda: lab.send("demo.fail", "celery", kind="KeyError" if next(turns) % 2 else "")),
        "all": (3.0, lambda: lab.send("scene.broken", "celery")),
        "rare": (20.0, lambda: lab.send("scene.rare", "celery")),
        "soft limit": (8.0, lambda: lab.send("scene.soft", "limits", seconds=3.0)),
        "hard limit": (8.0, lambda: lab.send("scene.hard", "limits")),
        "killed": (15.0, lambda: lab.send("demo.crash", "killed")),
        "unpicklable": (8.0, lambda: lab.send("scene.unpicklable", "celery")),
    }
    lab.rest_until(15)
    lab.step("storm")
    lab.send("scene.storm", "celery", count=30)
    for way, (seconds, send) in ways.items():
        lab.rest_until(lab.now + 12)
        lab.step(way)
        lab.every(seconds, send)
    lab.rest_until(240)
    lab.check("all sorts of failures", (1,))
    lab.rest_until(330)


def _fails(way: str, task: str, within_s: float) -> Need:
    """A task that fails too often is notified once, by the first rule with enough evidence: five failures without a success, three kills.

    `within_s` counts from its first message and includes at least 20 s, because a Flower that holds thousands of tasks is asked less often.
    """
    return Need(way, ("TaskFailureRateHigh", "ErrorBurst"), f"{task}*", within_s)


def _unheard(lab: Lab) -> None:
    """Flower enables the events of such a worker."""
    lab.traffic(1.0, "celery")
    lab.rest_until(20)
    lab.step("broken")
    lab.every(1.0, lambda: lab.send("demo.fail", "celery"))
    lab.rest_until(90)


def _hours_ahead(lab: Lab) -> None:
    lab.traffic(2.0, "celery")
    lab.rest_until(10)
    lab.send("demo.ok", "celery", count=60, countdown_s=3 * 3600.0)
    lab.rest_until(200)
    lab.check("60 that are due in 3 h", (0,))


def _far_eta(lab: Lab) -> None:
    lab.rest_until(10)
    lab.step("sent")
    lab.send("demo.ok", "other", count=20, countdown_s=300.0)
    lab.rest_until(120)


RUNS = (
    Scene(
        "unregistered",
        "120 messages of a task that no worker registers.",
        70,
        one_worker,
        _unregistered,
        (Need("sent", ("TaskNotRegistered",), within_s=30),),
        (Also("sent", ("ErrorBurst", "TaskFailureRateHigh")),),
        {"task_send_sent_event": False},
    ),
    Scene("expired", "150 runs expire before they start.", 120, one_worker, _expired, (Need("sent", ("TasksExpired",), within_s=75),)),
    Scene("expired_few", "15 of 15 runs expire.", 120, one_worker, _expired_few, (Need("sent", ("TasksExpired",), within_s=95),)),
    Scene(
        "rare_failing",
        "A task at one run in 20 s always fails.",
        150,
        one_worker,
        _rare_failing,
        (Need("fails", ("TaskFailureRateHigh", "ErrorBurst"), within_s=100),),
    ),
    Scene(
        "half_failing",
        "A task that worked fails every second time, at one run a second.",
        200,
        one_worker,
        _jump,
        (Need("broken", ("TaskFailureRateHigh",), within_s=90),),
        (Also("broken", ("ErrorBurst",)),),
    ),
    Scene(
        "retry_storm",
        "30 tasks retry each second, for ever.",
        190,
        one_worker,
        _retry_storm,
        (Need("down", ("RetryStorm",), within_s=120),),
        (Also("down", ("ErrorBurst", "QueueBacklogHigh")),),
    ),
    Scene(
        "fails_in_all_ways",
        "Tasks fail in nine ways: one in twenty, half, all, rarely but all, retried for ever, by either time limit, killed, unpicklable.",
        360,
        _kinds_of_failure,
        _fails_in_all_ways,
        (
            Need("storm", ("RetryStorm",), "scene.storm", within_s=120),
            _fails("half", "demo.fail", 90 + JOINS_S),
            _fails("all", "scene.broken", 60 + JOINS_S),
            _fails("rare", "scene.rare", 120 + JOINS_S),
            _fails("soft limit", "scene.soft", 75 + JOINS_S),
            _fails("hard limit", "scene.hard", 75 + JOINS_S),
            _fails("killed", "demo.crash", 70 + JOINS_S),
            _fails("unpicklable", "scene.unpicklable", 75 + JOINS_S),
        ),
        (Also("one in twenty", ("TaskFailureRateHigh",), "scene.flip00"), Also("storm", ("ErrorBurst",), "scene.storm*")),
    ),
    Scene(
        "without_events",
        "A worker is started without events of tasks, and every run of a task fails.",
        110,
        one_worker,
        _unheard,
        (_fails("broken", "demo.fail", 30),),
        conf={"worker_send_task_events": False},
    ),
    Scene(
        "hours_ahead", "60 tasks are due in 3 h. Redis delivers them again after 1 h, which is not news yet.", 220, one_worker, _hours_ahead
    ),
    Scene("hard_limit", "6 of 60 runs end by their hard time limit: 6 failures, not 12.", 80, _late_set_up, _hard_limit),
    Scene(
        "hang_before_26",
        "The only process of a queue hangs; 26 messages wait behind it.",
        720,
        one_worker,
        _hang_before_26,
        (Need("hang", ("QueueStuck", "TaskRunningTooLong", "QueueBacklogHigh"), within_s=690),),
    ),
    Scene(
        "nobody_reads",
        "One message a second goes to a queue that nobody reads.",
        360,
        two_workers,
        _nobody_reads,
        (Need("sent", ("QueueNoConsumers",), "defualt", within_s=310),),
    ),
    Scene(
        "runs_again",
        "A task that acknowledges late runs for longer than the visibility timeout.",
        210,
        _late_set_up,
        _outlives_the_timeout,
        (Need("sent", ("TaskStartsAgain", "UnackedStale"), within_s=150),),
        (Also("sent", ("TaskStartsAgain", "UnackedStale")),),
        visibility_timeout_s=20.0,
    ),
    Scene(
        "far_eta",
        "20 tasks have a countdown that is longer than the visibility timeout.",
        140,
        two_workers,
        _far_eta,
        (Need("sent", ("UnackedStale",), within_s=60, most=2),),
        (Also("sent", ("TaskStartsAgain",)),),
        visibility_timeout_s=30.0,
    ),
)
