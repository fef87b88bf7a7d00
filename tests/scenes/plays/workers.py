"""Workers that die, freeze, or stop consuming."""

import functools
import signal

from tests.scenes.faketime import clock_off_by
from tests.scenes.judge import Also, Need
from tests.scenes.lab import Lab
from tests.scenes.plays.common import GONE, JOINS_S, one_worker, two_workers
from tests.scenes.scene import Scene

__all__ = ["WORKERS"]

CLOCKS = {"ahead": 90, "behind": -90, "hour": 3600}
NODES = {"w1": "w1@node1", "w2": "w2@node2", "w3": "w3@node2", "w4": "w4@node2"}


def _worker_killed(lab: Lab) -> None:
    lab.traffic(1.0, "celery")
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
        one_worker(lab)
        lab.cluster.start_worker("other", ["other"], environment={"TZ": zone})

    def act(lab: Lab) -> None:
        lab.step("zone")
        lab.send("demo.ok", "other")
        lab.rest_until(20)
        lab.step("killed")
        lab.cluster.kill_worker("other")
        lab.rest_until(110)
        lab.check("after the kill", (1,))

    return Scene(
        "clock_" + zone.rpartition("/")[2].lower(),
        f"A worker with TZ={zone} runs one task, then is killed: lost, as any worker.",
        130,
        set_up,
        act,
        (Need("killed", GONE, within_s=60),),
        (Also("zone", ("ClockDrift",)), Also("killed", ("QueueNoConsumers",), "other")),
    )


def _wrong_clocks(lab: Lab) -> None:
    one_worker(lab)
    for queue, seconds in CLOCKS.items():
        lab.cluster.start_worker(queue, [queue], environment=clock_off_by(seconds))


def _clocks_killed(lab: Lab) -> None:
    lab.step("clocks")
    lab.traffic(2.0, "celery")
    for queue in CLOCKS:
        lab.every(2.0, functools.partial(lab.send, "scene.add", queue, left=1, right=1))
    lab.rest_until(130)
    lab.check("three clocks are off", (1,))
    lab.step("hour killed")
    lab.cluster.kill_worker("hour")
    lab.rest_until(210)
    lab.step("behind killed")
    lab.cluster.kill_worker("behind")
    lab.rest_until(290)


def _with_hoarder(lab: Lab) -> None:
    lab.cluster.start_worker("hoarder", ["celery"], 1, "prefork", "--prefetch-multiplier=100")


def _hoarding(lab: Lab) -> None:
    lab.send("demo.ok", "celery", count=60, delay=10.0)
    lab.rest_until(10)
    lab.cluster.start_worker("idle", ["celery"])
    lab.step("hoarding")
    lab.rest_until(60)
    lab.check("one worker hoards, the other is idle", (1,))
    lab.rest_until(235)
    lab.step("returned")
    lab.cluster.kill_worker("hoarder", signal.SIGTERM)
    lab.rest_until(340)


def _memory_set_up(lab: Lab) -> None:
    one_worker(lab)
    lab.cluster.start_worker("forked", ["forked"])
    lab.cluster.start_worker("alone", ["alone"], 1, "solo")


def _out_of_memory(lab: Lab) -> None:
    lab.traffic(1.0, "celery")
    lab.rest_until(20)
    lab.step("exhausted")
    lab.send("scene.exhaust", "forked")
    lab.send("scene.exhaust", "alone")
    lab.rest_until(270)
    lab.check("two workers ended", (1,))


def _with_solo(lab: Lab) -> None:
    one_worker(lab)
    lab.cluster.start_worker("gpu", ["gpu"], 1, "solo")


def _solo_killed(lab: Lab) -> None:
    lab.traffic(1.0, "gpu", delay=0.2)
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


def _crash_loop_renamed(lab: Lab) -> None:
    lab.rest_until(15)
    lab.step("loop")
    for suffix in ("bcdfg", "hjklm", "npqrs", "tvwxz", "24562", "bdfhj"):
        pod = f"web-7d9f8b6c5d-{suffix}"
        lab.cluster.start_worker(pod, ["other"])
        lab.rest_until(lab.now + 14)
        lab.cluster.kill_worker(pod)
        lab.rest_until(lab.now + 2)
    lab.rest_until(lab.now + 20)


def _poison(lab: Lab) -> None:
    """One message that kills the worker which runs it, which a supervisor starts again 3 s later."""
    lab.rest_until(15)
    lab.step("sent")
    lab.send("scene.poison", "other")
    deaths = 0
    while lab.now < 330 and deaths < 8:
        lab.rest_until(lab.now + 1)
        if not lab.cluster.workers["celery@other"].running:
            deaths += 1
            lab.rest_until(lab.now + 3)
            lab.cluster.start_worker("other", ["other"])


def _frozen(lab: Lab) -> None:
    lab.traffic(1.0, "other")
    lab.rest_until(20)
    lab.step("frozen")
    lab.cluster.workers["celery@other"].send(signal.SIGSTOP)
    lab.rest_until(110)
    lab.check("a frozen worker", (1,))
    lab.step("thawed")
    lab.cluster.workers["celery@other"].send(signal.SIGCONT)
    lab.rest_until(210)


def _quiet_killed(lab: Lab) -> None:
    lab.cluster.start_worker("other", ["other"], 1, "prefork", "--without-heartbeat")  # Flower never lists it as online
    lab.traffic(1.0, "other")
    lab.rest_until(60)
    lab.step("killed")
    lab.cluster.kill_worker("other")
    lab.rest_until(210)


def _cancelled(lab: Lab) -> None:
    lab.rest_until(20)
    lab.step("cancelled")
    lab.cluster.app.control.cancel_consumer("other", destination=["celery@other"])
    lab.rest_until(21)
    lab.send("demo.ok", "other", count=20)
    lab.rest_until(360)
    lab.check("nobody consumes", (1,))


def _nodes(lab: Lab) -> None:
    for queue, name in NODES.items():
        lab.cluster.start_worker(name, [queue])


def _host_gone(lab: Lab) -> None:
    lab.traffic(0.5, *NODES, delay=0.1)
    lab.rest_until(20)
    lab.step("gone")
    for queue in ("w2", "w3", "w4"):
        lab.cluster.kill_worker(NODES[queue])
    lab.rest_until(140)
    lab.check("three of four workers are lost", (1,))
    lab.step("back")
    for queue in ("w2", "w3", "w4"):
        lab.cluster.start_worker(NODES[queue], [queue])
    lab.rest_until(240)


def _first_of_a_name(lab: Lab) -> None:
    lab.cluster.start_worker("twin@h1", ["first"])


def _second_of_a_name(lab: Lab) -> None:
    lab.rest_until(20)
    lab.step("begin")
    lab.cluster.workers["the first"] = lab.cluster.workers.pop("twin@h1")  # its process is ended with the scene all the same
    lab.cluster.start_worker("twin@h1", ["second"])
    lab.traffic(1.0, "first", "second")
    lab.rest_until(150)


WORKERS = (
    Scene(
        "worker_killed",
        "One of two workers is killed; it comes back after 55 s.",
        170,
        two_workers,
        _worker_killed,
        (Need("killed", GONE, within_s=60, mended="restarted"),),
        (Also("killed", ("QueueNoConsumers",), "other"),),
    ),
    *(_killed_in_zone(zone) for zone in ("Asia/Tokyo", "Europe/Berlin", "America/New_York")),
    Scene(
        "clocks_seconds",
        "The clocks of three workers are off by 90 s, -90 s and an hour; two of these workers are killed.",
        310,
        _wrong_clocks,
        _clocks_killed,
        (
            *(Need("clocks", ("ClockDrift",), f"celery@{name}", within_s=90 + JOINS_S) for name in CLOCKS),
            Need("hour killed", GONE, "celery@hour", within_s=60),
            Need("behind killed", GONE, "celery@behind", within_s=60),
        ),
        (Also("hour killed", ("QueueNoConsumers",), "hour"), Also("behind killed", ("QueueNoConsumers",), "behind")),
        faked_clocks=True,
    ),
    Scene(
        "hoarding",
        "A worker has prefetched 60 tasks of 10 s while another is idle; stopped, it returns them.",
        350,
        _with_hoarder,
        _hoarding,
        (Need("hoarding", ("WorkerHoarding",), "celery@hoarder", within_s=220, mended="returned"),),
    ),
    Scene(
        "out_of_memory",
        "A MemoryError ends a prefork worker and a solo worker; nobody restarts them.",
        290,
        _memory_set_up,
        _out_of_memory,
        tuple(Need("exhausted", ("WorkerEnded", *GONE), f"celery@{name}", within_s=220) for name in ("forked", "alone")),
        (Also("exhausted", ("QueueNoConsumers",)),),
    ),
    Scene(
        "solo_killed",
        "A solo worker is killed; its queue grows.",
        170,
        _with_solo,
        _solo_killed,
        (Need("killed", GONE, within_s=110),),  # a solo pool may be at work for a minute before anybody can know
        (Also("killed", ("QueueNoConsumers",), "gpu"),),
    ),
    Scene(
        "quiet_killed",
        "A worker without heartbeats is killed.",
        230,
        one_worker,
        _quiet_killed,
        (Need("killed", (*GONE, "QueueNoConsumers"), within_s=150),),
        (Also("killed", ("QueueNoConsumers",), "other"),),
    ),
    Scene(
        "crash_loop",
        "A worker dies every 15 s and is restarted after 3 s.",
        170,
        two_workers,
        _crash_loop,
        (Need("loop", ("WorkerCrashLoop",), within_s=120),),
    ),
    Scene(
        "crash_loop_renamed",
        "A pod dies every 16 s and comes back under another name.",
        190,
        one_worker,
        _crash_loop_renamed,
        (Need("loop", ("WorkerKindCrashLoop",), within_s=110),),
        (Also("loop", ("WorkerLost",)),),
    ),
    Scene(
        "poison",
        "One message kills the worker that runs it, again and again.",
        350,
        two_workers,
        _poison,
        (Need("sent", ("WorkerCrashLoop", "TaskStartsAgain"), within_s=320),),
        (Also("sent", ("UnackedStale", "WorkerEnded", *GONE)),),
        visibility_timeout_s=20.0,
    ),
    Scene(
        "frozen",
        "A worker is stopped for 90 s and goes on.",
        230,
        two_workers,
        _frozen,
        (Need("frozen", GONE, within_s=60, mended="thawed"),),
        (Also("frozen", ("QueueNoConsumers",), "other"),),
    ),
    Scene(
        "cancelled",
        "The only consumer of a queue is cancelled; 20 messages wait.",
        380,
        two_workers,
        _cancelled,
        (Need("cancelled", ("QueueNoConsumers",), "other", within_s=330),),
    ),
    Scene(
        "host_gone",
        "Three of four workers die at once with their host; they come back after 120 s.",
        260,
        _nodes,
        _host_gone,
        (Need("gone", GONE, within_s=60, mended="back"),),
        (Also("gone", ("QueueNoConsumers",), "w[234]"),),
    ),
    Scene(
        "same_name",
        "Two workers have one name and two queues.",
        170,
        _first_of_a_name,
        _second_of_a_name,
        (Need("begin", ("DuplicateWorkerName",), within_s=120),),
    ),
)
