"""Redis and Flower that die, fill up, lose what they held or turn read-only."""

import signal

from tests.scenes.judge import Also, Need
from tests.scenes.lab import Lab
from tests.scenes.plays.common import GONE, one_worker, two_workers
from tests.scenes.scene import Scene
from watchdog.demo.processes import free_port

__all__ = ["BROKERS"]


def _traffic(lab: Lab) -> None:
    lab.traffic(0.5, "celery")
    lab.rest_until(15)


def _redis_killed(lab: Lab) -> None:
    _traffic(lab)
    lab.step("killed")
    lab.cluster.stop_redis(signal.SIGKILL)
    lab.rest_until(60)
    lab.check("Redis is dead", (1, 3))
    lab.rest_until(75)
    lab.step("back")
    lab.cluster.start_redis()
    lab.rest_until(170)


def _redis_frozen(lab: Lab) -> None:
    _traffic(lab)
    lab.step("frozen")
    lab.cluster.stop_redis(signal.SIGSTOP)
    lab.rest_until(60)
    lab.check("Redis does not answer", (1, 3))
    lab.rest_until(75)
    lab.step("thawed")
    lab.cluster.resume_redis()
    lab.rest_until(170)


def _redis_emptied(lab: Lab) -> None:
    lab.send("demo.hang", "celery")
    lab.rest_until(3)
    lab.send("demo.ok", "celery", count=200)
    lab.rest_until(45)
    lab.step("emptied")
    lab.cluster.stop_redis(signal.SIGKILL)
    lab.rest_until(47)
    lab.cluster.start_redis()
    lab.rest_until(110)


def _redis_flushed(lab: Lab) -> None:
    """Somebody's tests clean up the wrong server."""
    lab.send("demo.hang", "celery")
    lab.rest_until(3)
    lab.send("demo.ok", "celery", count=200)
    lab.rest_until(45)
    lab.step("flushed")
    lab.ask_redis("FLUSHALL")
    lab.rest_until(90)


def _redis_full(lab: Lab) -> None:
    lab.traffic(1.0, "celery")
    lab.rest_until(20)
    lab.step("full")
    lab.ask_redis("CONFIG", "SET", "maxmemory-policy", "noeviction")
    lab.ask_redis("CONFIG", "SET", "maxmemory", "6mb")
    lab.send("scene.carry", "other", count=300, seconds=5.0, load="x" * 20_000)
    lab.rest_until(130)
    lab.check("Redis takes no more", (1,))
    lab.step("roomy")
    lab.ask_redis("CONFIG", "SET", "maxmemory", "0")
    lab.ask_redis("DEL", "other")
    lab.rest_until(230)


def _read_only(lab: Lab) -> None:
    """A failover moved the master elsewhere, to where nothing is: this one is a replica now."""
    _traffic(lab)
    port = free_port()
    lab.cluster.start_second_redis(port)
    lab.step("replica")
    lab.ask_redis("REPLICAOF", "127.0.0.1", str(port))
    lab.rest_until(130)
    lab.check("nothing can be queued", (1,))
    lab.step("master")
    lab.ask_redis("REPLICAOF", "NO", "ONE")
    lab.rest_until(230)


def _flower_killed(lab: Lab) -> None:
    lab.rest_until(10)
    lab.step("killed")
    lab.cluster.stop_flower(signal.SIGKILL)
    lab.rest_until(60)
    lab.step("back")
    lab.cluster.start_flower()
    lab.rest_until(140)


def _flower_restarted_over_a_death(lab: Lab) -> None:
    """The new Flower has never heard of the worker that died just before it started."""
    lab.traffic(1.0, "celery", "other")
    lab.rest_until(30)
    lab.step("died")
    lab.cluster.kill_worker("other")
    lab.rest_until(33)
    lab.cluster.stop_flower(signal.SIGKILL)
    lab.cluster.start_flower()
    lab.rest_until(130)
    lab.step("back")
    lab.cluster.start_worker("other", ["other"])
    lab.rest_until(220)


BROKERS = (
    Scene(
        "redis_killed",
        "Redis is dead for 60 s.",
        190,
        one_worker,
        _redis_killed,
        (Need("killed", ("BrokerUnreachable",), within_s=45, mended="back"),),
        (Also("killed", ("Results*", "Blind", "WorkerEnded", *GONE)), Also("back", ("Broker*", "QueueNoConsumers"))),
    ),
    Scene(
        "redis_frozen",
        "Redis is stopped for 60 s and goes on.",
        190,
        one_worker,
        _redis_frozen,
        (Need("frozen", ("BrokerUnreachable",), within_s=60, mended="thawed"),),
        (Also("frozen", ("Results*", "Blind", "WorkerEnded", *GONE)),),
    ),
    Scene(
        "redis_emptied",
        "Redis restarts empty within 2 s; 200 messages are gone.",
        130,
        one_worker,
        _redis_emptied,
        (Need("emptied", ("Broker*",), within_s=45),),
        (Also("emptied", ("WorkerEnded", *GONE)),),
    ),
    Scene(
        "redis_flushed",
        "FLUSHALL takes 200 messages that waited.",
        110,
        one_worker,
        _redis_flushed,
        (Need("flushed", ("BrokerLostMessages",), within_s=30),),
        (Also("flushed", ("WorkerEnded", *GONE)),),
    ),
    Scene(
        "redis_full",
        "Redis is full and refuses writes for 110 s.",
        250,
        two_workers,
        _redis_full,
        (Need("full", ("BrokerMemoryHigh",), within_s=90, most=2, mended="roomy"),),
        (Also("full", ("Results*", "WorkerEnded", "QueueNoConsumers", *GONE)),),
    ),
    Scene(
        "read_only",
        "Redis is a read-only replica of an empty one for 115 s.",
        250,
        one_worker,
        _read_only,
        (Need("replica", ("BrokerReadOnly",), within_s=90, mended="master"),),
        (Also("replica", ("BrokerLostMessages", "Results*", "WorkerEnded", *GONE)),),
    ),
    Scene(
        "flower_killed",
        "Flower is dead for 50 s.",
        150,
        one_worker,
        _flower_killed,
        (Need("killed", ("FlowerUnreachable",), within_s=60, mended="back"),),
    ),
    Scene(
        "forgotten",
        "A worker dies, and Flower is restarted 3 s later, which so never knew it.",
        240,
        two_workers,
        _flower_restarted_over_a_death,
        (Need("died", (*GONE, "QueueNoConsumers"), within_s=75, mended="back"),),
        (Also("died", ("QueueNoConsumers",), "other"),),
    ),
)
