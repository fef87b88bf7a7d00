"""Clusters on which nothing is wrong, however it looks: not one message, and every `check` is 0."""

import itertools
import random
import signal
import time

from celery import chord

from tests.scenes.lab import Lab
from tests.scenes.plays.common import SUFFIX, one_worker, web
from tests.scenes.scene import Scene

__all__ = ["HEALTHY", "all_sorts_of_work"]


def _pools(lab: Lab) -> None:
    lab.cluster.start_worker("main", ["celery"], 2)
    lab.cluster.start_worker("threads", ["threads"], 4, "threads")
    lab.cluster.start_worker("solo", ["solo"], 1, "solo")


def _busy_solo(lab: Lab) -> None:
    lab.traffic(0.5, "celery", delay=0.1)
    lab.traffic(1.0, "threads", delay=0.5)
    lab.rest_until(10)
    lab.send("demo.ok", "solo", count=2, delay=45.0)
    for at in (30, 75):
        lab.rest_until(at)
        lab.check("while a solo pool is busy", (0,))
    lab.rest_until(120)
    lab.check("after it", (0,))


def _solo(lab: Lab) -> None:
    one_worker(lab)
    lab.cluster.start_worker("solo", ["solo"], 1, "solo")


def _long_solo(lab: Lab) -> None:
    """These are the first tasks that watchdog sees, so it cannot know how long they usually take."""
    lab.traffic(1.0, "celery")
    lab.rest_until(10)
    lab.send("demo.ok", "solo", delay=150.0)
    lab.send("demo.ok", "solo", delay=100.0)
    for at in (80, 240):
        lab.rest_until(at)
        lab.check("while a solo pool is busy", (0,))
    lab.rest_until(300)
    lab.check("after it", (0,))


def _many_kinds(lab: Lab) -> None:
    _pools(lab)
    lab.cluster.start_worker("autoscaled", ["autoscaled"], 1, "prefork", "--autoscale=4,1")
    lab.cluster.start_worker("children", ["children"], 2, "prefork", "--max-tasks-per-child=1")
    lab.cluster.start_beat({"tick": {"task": "demo.ok", "schedule": 2.0}})


def all_sorts_of_work(lab: Lab) -> None:
    """Everything Celery offers that looks odd from outside and is not: retries, chords, expired, revoked, countdowns, bursts."""
    app = lab.cluster.app
    turns = itertools.count()

    def send() -> None:
        turn = next(turns)
        lab.send("demo.ok", "celery", delay=0.1)
        lab.send("demo.ok", "children")
        if turn % 4 == 0:
            lab.send("scene.flaky", "celery")
            lab.send("demo.ok", "threads", delay=0.5, countdown_s=20.0)
        if turn % 8 == 0:
            lab.send("demo.ok", "celery", countdown_s=10.0, expires=2.0)
            sums = [app.signature("scene.add", (n, n), queue="celery") for n in range(5)]
            lab.attempt(lambda: chord(sums, app=app)(app.signature("scene.total", queue="celery")))
        if turn % 30 == 0:
            lab.send("demo.ok", "autoscaled", count=15, delay=2.0)
            lab.send("demo.ok", "solo", delay=15.0)
            lab.attempt(lambda: app.send_task("demo.ok", kwargs={"delay": 30.0}, queue="celery", countdown=3).revoke())
            lab.attempt(lambda: _end_by_force(lab))

    lab.every(1.0, send)


def _all_sorts(lab: Lab) -> None:
    all_sorts_of_work(lab)
    for at in (60, 150, 280):
        lab.rest_until(at)
        lab.check("all sorts of work", (0,))


def _end_by_force(lab: Lab) -> None:
    result = lab.cluster.app.send_task("demo.ok", kwargs={"delay": 15.0}, queue="celery")
    time.sleep(0.7)
    result.revoke(terminate=True)


def _pods(lab: Lab) -> None:
    for suffix in ("bcdfg", "hjklm", "npqrs"):
        lab.cluster.start_worker(web("7d9f8b6c5d", suffix), ["web"], 2)


def _replaced_one_by_one(lab: Lab) -> None:
    lab.traffic(0.5, "web", delay=0.2)
    lab.rest_until(10)
    for old, new in (("bcdfg", "tvwxz"), ("hjklm", "24562"), ("npqrs", "bdfhj")):
        lab.cluster.start_worker(web("5c6b7f9d84", new), ["web"], 2)
        lab.cluster.kill_worker(web("7d9f8b6c5d", old), signal.SIGTERM)
        lab.rest_until(lab.now + 25)
    lab.rest_until(120)
    lab.check("after the deploy", (0,))


def _replaced_by_force(lab: Lab) -> None:
    """Pods that hold long tasks are killed after their grace; then all at once; then one is left, and three come back."""
    names = random.Random(8)
    pods = [web("7d9f8b6c5d", suffix) for suffix in ("bcdfg", "hjklm", "npqrs")]

    def one_more(release: str) -> str:
        pod = web(release, "".join(names.choices(SUFFIX, k=5)))
        lab.cluster.start_worker(pod, ["web"], 2)
        return pod

    lab.traffic(1.0, "web", delay=0.2)
    for _ in range(3):
        lab.send("demo.hang", "web", count=4, seconds=40.0)
        lab.rest_until(lab.now + 6)
        old = pods.pop(0)
        lab.cluster.workers[f"celery@{old}"].send(signal.SIGTERM)
        lab.rest_until(lab.now + 5)
        lab.cluster.kill_worker(old)
        pods.append(one_more("5c6b7f9d84"))
        lab.rest_until(lab.now + 25)
    for pod in pods:
        lab.cluster.kill_worker(pod)
    lab.rest_until(lab.now + 8)
    pods = [one_more("6fd8c9b7d5") for _ in range(3)]
    lab.rest_until(lab.now + 70)
    lab.check("after all were replaced at once", (0,))
    for pod in pods[1:]:
        lab.cluster.kill_worker(pod, signal.SIGTERM)
    lab.rest_until(lab.now + 50)  # a single look cannot know now who replaced the dead: who did has left again
    for _ in range(2):
        one_more("6fd8c9b7d5")
    lab.rest_until(lab.now + 40)
    lab.check("scaled up", (0,))


def _rate_limited(lab: Lab) -> None:
    lab.send("scene.capped", "celery", count=20)
    lab.rest_until(340)
    lab.check("a rate limit holds back", (0,))


def _retries_once(lab: Lab) -> None:
    lab.rest_until(20)
    lab.send("scene.once", "celery", count=40)
    lab.rest_until(130)
    lab.check("40 tasks retried once and succeeded", (0,))


def _steady_failures(lab: Lab) -> None:
    lab.every(0.3, lambda: lab.send(f"scene.flip{random.randrange(20):02}", "celery"))
    lab.rest_until(600)


def _steady_errors(lab: Lab) -> None:
    """10 runs a second, of which one in a hundred times out."""
    nth = itertools.count()
    lab.every(0.1, lambda: lab.send("scene.hiccup", "celery", nth=next(nth)))
    lab.rest_until(600)
    lab.check("60 timeouts in 10 minutes, as ever", (0,))


def _beat_behind(lab: Lab) -> None:
    """Ticks expire while their only worker is busy; a run follows each time."""
    for _ in range(2):
        lab.send("demo.ok", "celery", delay=20.0)
        lab.send("demo.ok", "celery", count=9, expires=5.0)
        lab.rest_until(lab.now + 16)
        lab.send("demo.ok", "celery")
        lab.rest_until(lab.now + 14)
    lab.rest_until(130)


def _ignored(lab: Lab) -> None:
    lab.send("scene.ignore", "celery", count=10)
    lab.send("demo.hang", "celery", seconds=5.0)
    lab.rest_until(40)
    lab.send("demo.ok", "celery", delay=30.0)
    lab.rest_until(50)
    lab.check("nothing runs for so long", (0, 3), "--expect", "running: running_s < 30")


def _without_gossip(lab: Lab) -> None:
    lab.cluster.start_worker("alone", ["alone"], 1, "prefork", "--without-gossip")


def _without_heartbeats(lab: Lab) -> None:
    """Flower never lists such a worker as online, so that nobody can wait for it."""
    lab.cluster.start_worker("quiet", ["quiet"], 1, "prefork", "--without-heartbeat")
    lab.rest_until(20)
    lab.traffic(1.0, "quiet", "alone")
    for at in (75, 150):
        lab.rest_until(at)
        lab.check("a worker without heartbeats at work", (0,))


def _blip(lab: Lab) -> None:
    """The scene in `make test`: a queue that nobody reads, seen by one check."""
    lab.step("sent")
    lab.send("demo.ok", "unread", count=5)
    lab.rest_until(3)
    lab.check("nobody reads it, which one look can tell", (1,))


HEALTHY = (
    Scene("healthy", "Three kinds of pool at work, one solo pool busy for 90 s.", 140, _pools, _busy_solo),
    Scene("solo_busy", "The first two tasks of a solo pool take 150 s and 100 s.", 320, _solo, _long_solo),
    Scene(
        "all_sorts", "Beat, autoscale, chords, retries, countdowns, expired and revoked runs, bursts: 280 s.", 310, _many_kinds, _all_sorts
    ),
    Scene("rolling_deploy", "Three pods replaced one after the other.", 140, _pods, _replaced_one_by_one),
    Scene("forced_deploy", "Pods killed after their grace, all at once, scaled down and up.", 330, _pods, _replaced_by_force),
    Scene("rate_limit", "A rate limit of 6 an hour holds messages back by design.", 360, one_worker, _rate_limited),
    Scene("retries_once", "40 tasks retry once, and succeed.", 150, one_worker, _retries_once),
    Scene("steady_failures", "20 tasks at 10 runs a minute, 5 % of which fail, as ever.", 620, one_worker, _steady_failures),
    Scene("steady_errors", "One in a hundred of 600 runs a minute times out, as ever.", 620, one_worker, _steady_errors),
    Scene("beat_behind", "Ticks expire by design behind a busy worker; a run follows each time.", 150, one_worker, _beat_behind),
    Scene("ignored", "Ten runs end by Ignore, beside a worker that goes on.", 80, one_worker, _ignored),
    Scene("no_heartbeats", "Workers without heartbeats and without gossip, at work.", 170, _without_gossip, _without_heartbeats),
    Scene("blip", "Five messages in a queue that nobody reads, for 3 s: too short to be notified.", 15, one_worker, _blip),
)
