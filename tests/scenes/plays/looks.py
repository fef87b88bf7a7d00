"""What a single look must not call fine, because nobody can see it or somebody says otherwise."""

from tests.scenes.lab import Lab
from tests.scenes.plays.common import one_worker
from tests.scenes.scene import Scene

__all__ = ["LOOKS"]

NO_EVENTS = ("--enable_events=False",)  # else Flower switches them on at the workers
QUIET_EVENTS = {"worker_send_task_events": False, "task_send_sent_event": False}


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


LOOKS = (
    Scene("events_off", "50 failures, and workers that send no events.", 60, one_worker, _events_off, conf=QUIET_EVENTS, flower=NO_EVENTS),
    Scene("database_1", "The workers' messages are on database 1, the configuration names 0.", 60, one_worker, _other_database, database=1),
    Scene("single_look", "A queue stood for 35 s when the first look comes.", 60, one_worker, _single_look),
)
