"""Beats that die, hang or change: what they should have sent leaves nothing behind."""

import signal

from tests.scenes.judge import Need
from tests.scenes.lab import Lab
from tests.scenes.plays.common import one_worker, two_workers
from tests.scenes.scene import Scene

__all__ = ["BEATS"]

SCHEDULE = {
    "tick": {"task": "demo.ok", "schedule": 5.0},
    "add": {"task": "scene.add", "schedule": 20.0, "kwargs": {"left": 1, "right": 1}},
}
TYPO = {**SCHEDULE, "typo": {"task": "demo.okay", "schedule": 3600.0}}


def _with_beat(lab: Lab) -> None:
    one_worker(lab)
    lab.cluster.start_beat(SCHEDULE)


def _dies(lab: Lab) -> None:
    lab.rest_until(40)
    lab.check("beat sends", (0,))
    lab.step("killed")
    lab.cluster.kill_beat()
    lab.rest_until(205)
    lab.check("a single look cannot know of silence", (0,))
    lab.step("restarted")
    lab.cluster.start_beat(SCHEDULE)
    lab.rest_until(260)
    lab.check("beat is back", (0,))


def _hangs(lab: Lab) -> None:
    lab.rest_until(40)
    lab.step("stopped")
    lab.cluster.signal_beat(signal.SIGSTOP)
    lab.rest_until(205)
    lab.step("goes on")
    lab.cluster.signal_beat(signal.SIGCONT)
    lab.rest_until(260)


def _typo(lab: Lab) -> None:
    one_worker(lab)
    lab.cluster.start_beat(TYPO)
    lab.step("online")


def _says_typo(lab: Lab) -> None:
    lab.rest_until(375)
    lab.check("a scheduled task that nobody registers", (1,))


def _deployed(lab: Lab) -> None:
    """Beat restarts four times, twice killed; a new worker comes with it; an entry is edited and one deleted, as in a deploy."""
    schedules = (SCHEDULE, SCHEDULE, {**SCHEDULE, "tick": {"task": "demo.ok", "schedule": 2.0}}, {"tick": SCHEDULE["tick"]})
    for nth, schedule in enumerate(schedules):
        lab.rest_until(lab.now + 30)
        if nth % 2:
            lab.cluster.signal_beat(signal.SIGTERM)
        lab.cluster.kill_beat()
        lab.rest_until(lab.now + 20)
        lab.cluster.start_worker(f"other{nth}", ["other"], environment=lab.cluster.with_beat_schedule(schedule))
        lab.cluster.start_beat(schedule)
    lab.rest_until(330)
    lab.check("after four deploys of beat", (0,))


def _two_with_beat(lab: Lab) -> None:
    two_workers(lab)
    lab.cluster.start_beat(SCHEDULE)


TICKS = {"tick": {"task": "demo.ok", "schedule": 15.0}, "add": SCHEDULE["add"]}


def _with_two(lab: Lab) -> None:
    one_worker(lab)
    lab.cluster.start_beat(TICKS)


def _twice(lab: Lab) -> None:
    lab.rest_until(7)
    lab.step("a second one")
    lab.cluster.start_beat(TICKS, "second")
    lab.rest_until(450)


CONF = {"beat_schedule": SCHEDULE}
BEATS = (
    Scene(
        "beat_dead",
        "beat is killed, and started again 165 s later: one message, and its end.",
        270,
        _with_beat,
        _dies,
        (Need("killed", ("BeatSilent",), "beat", within_s=150, mended="restarted", end_within_s=45),),
        conf=CONF,
        schedule="beat",
    ),
    Scene(
        "beat_hangs",
        "beat is suspended for 165 s: it runs, and sends nothing.",
        270,
        _with_beat,
        _hangs,
        (Need("stopped", ("BeatSilent",), "beat", within_s=150, mended="goes on", end_within_s=45),),
        conf=CONF,
        schedule="beat",
    ),
    Scene(
        "beat_typo",
        "The schedule names a task that no worker registers: told before its first run.",
        390,
        _typo,
        _says_typo,
        (Need("online", ("ScheduledTaskNotRegistered",), "demo.okay", within_s=370),),
        conf={"beat_schedule": TYPO},
        schedule="beat",
    ),
    Scene(
        "beat_twice",
        "A second beat runs beside the first: told once five minutes of double runs were seen.",
        460,
        _with_two,
        _twice,
        (Need("a second one", ("TwoBeats",), "beat", within_s=430),),
        conf={"beat_schedule": TICKS},
        schedule="beat",
    ),
    Scene(
        "beat_deploys",
        "beat restarts four times; entries are edited and deleted.",
        340,
        _two_with_beat,
        _deployed,
        conf=CONF,
        schedule="beat",
    ),
)
