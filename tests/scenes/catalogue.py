"""The scenes, each with its truth. Seconds count from the moment the daemon starts, on a cluster that is up.

An end is told a minute after the mend (`keep_firing_for`), so that a scene with an end rests for longer than that."""

import signal
from collections.abc import Callable

from tests.scenes.judge import Also, Need
from tests.scenes.lab import Lab
from tests.scenes.scene import Scene

__all__ = ["SCENES"]

NO_EVENTS = ("--enable_events=False",)  # else Flower switches them on at the workers
GONE = ("WorkerLost", "NoWorkersOnline", "WorkersBelowMinimum")


def _one_worker(lab: Lab) -> None:
    lab.cluster.start_worker("main", ["celery"])


def _two_workers(lab: Lab) -> None:
    _one_worker(lab)
    lab.cluster.start_worker("other", ["other"])


def _healthy_set_up(lab: Lab) -> None:
    lab.cluster.start_worker("main", ["celery"], 2)
    lab.cluster.start_worker("threads", ["threads"], 4, "threads")
    lab.cluster.start_worker("solo", ["solo"], 1, "solo")


def _healthy(lab: Lab) -> None:
    lab.every(0.5, lambda: lab.send("demo.ok", "celery", delay=0.1))
    lab.every(1.0, lambda: lab.send("demo.ok", "threads", delay=0.5))
    lab.rest_until(10)
    lab.send("demo.ok", "solo", count=2, delay=45.0)
    for at in (30, 75):
        lab.rest_until(at)
        lab.check("while a solo pool is busy", (0,))
    lab.rest_until(120)
    lab.check("after it", (0,))


def _pods_set_up(lab: Lab) -> None:
    for pod in ("web-7d9f8b6c5d-bcdfg", "web-7d9f8b6c5d-hjklm", "web-7d9f8b6c5d-npqrs"):
        lab.cluster.start_worker(pod, ["web"], 2)


def _rolling_deploy(lab: Lab) -> None:
    lab.every(0.5, lambda: lab.send("demo.ok", "web", delay=0.2))
    lab.rest_until(10)
    for old, new in (("bcdfg", "tvwxz"), ("hjklm", "24562"), ("npqrs", "bdfhj")):
        lab.cluster.start_worker(f"web-5c6b7f9d84-{new}", ["web"], 2)
        lab.cluster.kill_worker(f"web-7d9f8b6c5d-{old}", signal.SIGTERM)
        lab.rest_until(lab.now + 25)
    lab.rest_until(120)
    lab.check("after the deploy", (0,))


def _worker_killed(lab: Lab) -> None:
    lab.every(1.0, lambda: lab.send("demo.ok", "celery"))
    lab.rest_until(15)
    lab.step("killed")
    lab.cluster.kill_worker("other")
    lab.rest_until(70)
    lab.step("restarted")
    lab.cluster.start_worker("other", ["other"])
    lab.rest_until(150)


def _killed_in_zone(zone: str) -> Scene:
    """A worker whose host lives in another time zone dies after its first task."""

    def set_up(lab: Lab) -> None:
        _one_worker(lab)
        lab.cluster.start_worker("other", ["other"], environment={"TZ": zone})

    def act(lab: Lab) -> None:
        lab.step("zone")
        lab.send("demo.ok", "other")
        lab.rest_until(20)
        lab.step("killed")
        lab.cluster.kill_worker("other")
        lab.rest_until(110)
        lab.check("after the kill", (1,))

    name = "clock_" + zone.rpartition("/")[2].lower()
    return Scene(
        name,
        f"A worker with TZ={zone} runs one task, then is killed: lost, as any worker.",
        130,
        set_up,
        act,
        (Need("killed", GONE, within_s=60),),
        (Also("zone", ("ClockDrift",)), Also("killed", ("QueueNoConsumers",), "other")),
    )


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


def _events_off(lab: Lab) -> None:
    lab.rest_until(10)
    lab.send("demo.fail", "celery", count=50)
    lab.rest_until(30)
    lab.check("an error rate that nobody can see", (3,), "--expect", "cluster: error_rate < 0.1")


def _other_database(lab: Lab) -> None:
    lab.send("demo.hang", "celery")
    lab.rest_until(5)
    lab.send("demo.ok", "celery", count=500)
    lab.rest_until(15)
    lab.check("500 wait on database 1", (1, 3), "--expect", "queues: length < 100")


def _single_look(lab: Lab) -> None:
    lab.send("demo.ok", "unread", count=5)
    lab.rest_until(35)
    lab.check("a queue that stood for 35s", (1, 3), "--expect", "queues: oldest_s < 10")


def _ignored(lab: Lab) -> None:
    lab.send("scene.ignore", "celery", count=10)
    lab.send("demo.hang", "celery", seconds=5.0)
    lab.rest_until(40)
    lab.send("demo.ok", "celery", delay=30.0)
    lab.rest_until(50)
    lab.check("nothing runs for so long", (0, 3), "--expect", "running: running_s < 30")


def _rate_limited(lab: Lab) -> None:
    lab.send("scene.capped", "celery", count=20)
    lab.rest_until(340)
    lab.check("a rate limit holds back", (0,))


def _solo_set_up(lab: Lab) -> None:
    _one_worker(lab)
    lab.cluster.start_worker("gpu", ["gpu"], 1, "solo")


def _solo_killed(lab: Lab) -> None:
    lab.every(1.0, lambda: lab.send("demo.ok", "gpu", delay=0.2))
    lab.rest_until(30)
    lab.step("killed")
    lab.cluster.kill_worker("gpu")
    lab.rest_until(150)


def _crash_loop(lab: Lab) -> None:
    lab.rest_until(15)
    lab.step("loop")
    for _ in range(8):
        lab.cluster.kill_worker("other")
        lab.rest_until(lab.now + 3)
        lab.cluster.start_worker("other", ["other"])
        lab.rest_until(lab.now + 12)


def _redis_emptied(lab: Lab) -> None:
    lab.send("demo.hang", "celery")
    lab.rest_until(3)
    lab.send("demo.ok", "celery", count=200)
    lab.rest_until(20)
    lab.step("emptied")
    lab.cluster.stop_redis(signal.SIGKILL)
    lab.rest_until(22)
    lab.cluster.start_redis()
    lab.rest_until(80)
    lab.check("190 messages are gone", (1,))


def _hang_before_26(lab: Lab) -> None:
    lab.rest_until(5)
    lab.step("hang")
    lab.send("demo.hang", "celery")
    lab.send("demo.ok", "celery", count=26)
    lab.rest_until(700)


def _rare_failing(lab: Lab) -> None:
    lab.step("fails")
    for run in range(6):
        lab.send("demo.fail", "celery")
        lab.rest_until(20.0 * (run + 1))
    lab.rest_until(130)


def _redis_killed(lab: Lab) -> None:
    lab.every(0.5, lambda: lab.send("demo.ok", "celery"))
    lab.rest_until(15)
    lab.step("killed")
    lab.cluster.stop_redis(signal.SIGKILL)
    lab.rest_until(60)
    lab.check("Redis is dead", (1, 3))
    lab.rest_until(75)
    lab.step("back")
    lab.cluster.start_redis()
    lab.rest_until(170)


def _flower_killed(lab: Lab) -> None:
    lab.rest_until(10)
    lab.step("killed")
    lab.cluster.stop_flower(signal.SIGKILL)
    lab.rest_until(60)
    lab.step("back")
    lab.cluster.start_flower()
    lab.rest_until(140)


def _blip(lab: Lab) -> None:
    """What `make test` plays: a queue that nobody reads, seen by one look."""
    lab.step("sent")
    lab.send("demo.ok", "unread", count=5)
    lab.rest_until(3)
    lab.check("nobody reads it, which one look can tell", (1,))


def _scene(name: str, truth: str, budget_s: float, set_up: Callable[[Lab], None], act: Callable[[Lab], None], *needs: Need) -> Scene:
    return Scene(name, truth, budget_s, set_up, act, needs)


_QUIET_EVENTS = {"worker_send_task_events": False, "task_send_sent_event": False}

_ALL = (
    _scene("healthy", "Three kinds of pool at work, one solo pool busy for 90 s.", 140, _healthy_set_up, _healthy),
    _scene("rolling_deploy", "Three pods replaced one after the other.", 140, _pods_set_up, _rolling_deploy),
    Scene(
        "worker_killed",
        "One of two workers is killed; it comes back after 55 s.",
        170,
        _two_workers,
        _worker_killed,
        (Need("killed", GONE, within_s=60, mended="restarted"),),
        (Also("killed", ("QueueNoConsumers",), "other"),),
    ),
    *(_killed_in_zone(zone) for zone in ("Asia/Tokyo", "Europe/Berlin", "America/New_York")),
    Scene(
        "unregistered",
        "120 messages of a task that no worker registers.",
        70,
        _one_worker,
        _unregistered,
        (Need("sent", ("TaskNotRegistered",), within_s=30),),
        (Also("sent", ("ErrorBurst", "TaskFailureRateHigh")),),
        {"task_send_sent_event": False},
    ),
    _scene("expired", "150 runs expire before they start.", 120, _one_worker, _expired, Need("sent", ("TasksExpired",), within_s=75)),
    Scene(
        "events_off", "50 failures, and workers that send no events.", 60, _one_worker, _events_off, conf=_QUIET_EVENTS, flower=NO_EVENTS
    ),
    Scene(
        "database_1", "The workers' messages are on database 1, the configuration names 0.", 60, _one_worker, _other_database, database=1
    ),
    _scene("single_look", "A queue stood for 35 s when the first look comes.", 60, _one_worker, _single_look),
    _scene("ignored", "Ten runs end by Ignore, beside a worker that goes on.", 80, _one_worker, _ignored),
    _scene("rate_limit", "A rate limit of 6 an hour holds messages back by design.", 360, _one_worker, _rate_limited),
    Scene(
        "solo_killed",
        "A solo worker is killed; its queue grows.",
        170,
        _solo_set_up,
        _solo_killed,
        (Need("killed", GONE, within_s=60),),
        (Also("killed", ("QueueNoConsumers",), "gpu"),),
    ),
    _scene(
        "crash_loop",
        "A worker dies every 15 s and is restarted after 3 s.",
        170,
        _two_workers,
        _crash_loop,
        Need("loop", ("WorkerCrashLoop",), within_s=120),
    ),
    Scene(
        "redis_emptied",
        "Redis restarts empty within 2 s; 200 messages are gone.",
        100,
        _one_worker,
        _redis_emptied,
        (Need("emptied", ("Broker*",), within_s=45),),
        (Also("emptied", ("WorkerEnded", *GONE)),),
    ),
    Scene(
        "hang_before_26",
        "The only process of a queue hangs; 26 messages wait behind it.",
        720,
        _one_worker,
        _hang_before_26,
        (Need("hang", ("QueueStuck", "TaskRunningTooLong", "QueueBacklogHigh"), within_s=690),),
    ),
    _scene(
        "rare_failing",
        "A task at one run in 20 s always fails.",
        150,
        _one_worker,
        _rare_failing,
        Need("fails", ("TaskFailureRateHigh", "ErrorBurst"), within_s=100),
    ),
    Scene(
        "redis_killed",
        "Redis is dead for 60 s.",
        190,
        _one_worker,
        _redis_killed,
        (Need("killed", ("BrokerUnreachable",), within_s=45, mended="back"),),
        (Also("killed", ("Results*", "Blind", "WorkerEnded", *GONE)), Also("back", ("Broker*", "QueueNoConsumers"))),
    ),
    _scene(
        "flower_killed",
        "Flower is dead for 50 s.",
        150,
        _one_worker,
        _flower_killed,
        Need("killed", ("FlowerUnreachable",), within_s=60, mended="back"),
    ),
    _scene("blip", "Five messages in a queue that nobody reads, for 3 s: too short to be told.", 15, _one_worker, _blip),
)
SCENES = {scene.name: scene for scene in _ALL}
