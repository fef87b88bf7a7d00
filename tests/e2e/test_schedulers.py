"""Tasks taken from real schedulers: a redbeat that ends and is back, the tables of django-celery-beat."""

import json
import signal
from pathlib import Path

from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import FRESH, events_of, running, write_config
from tests.servers.receiver import RecordingReceiver
from tests.servers.schedulers import redbeat_beat, run_django
from tests.servers.waiting import until

SOON = '[[override]]\nrule = "BeatSilent"\nparams = { runs = 1, at_least = "5s" }\n'


def configured(folder: Path, cluster: Cluster, url: str, schedule: str) -> None:
    config = write_config(folder, cluster, url)
    config.write_text(config.read_text().replace("[[target]]\n", f"[[target]]\nschedule = {schedule}\n", 1) + SOON)


def rows(folder: Path, columns: str, table: str) -> list[list[object]]:
    asked = watchdog("query", f"SELECT {columns} FROM {table}", "--format", "json", cwd=folder)
    return [list(row.values()) if isinstance(row, dict) else row for row in json.loads(asked.stdout)["rows"]]


def test_a_redbeat_that_ends_is_told_and_its_return_ends_it(own_cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    configured(tmp_path, own_cluster, receiver.url, '"redbeat"')
    first = redbeat_beat(own_cluster.redis_url, tmp_path)
    try:
        with running(tmp_path, command=FRESH):
            until(lambda: rows(tmp_path, "locked", "schedulers WHERE tasks > 0") == [[True]], 60, "a beat that holds the lock")
            expected = rows(tmp_path, "task, origin, entries", "schedules WHERE task = 'demo.ok'")
            before = events_of(receiver, "BeatSilent")
            first.end(signal.SIGTERM)
            until(lambda: events_of(receiver, "BeatSilent") == ["first"], 120, "the silence to be told")
            lock = rows(tmp_path, "locked", "schedulers")
            second = redbeat_beat(own_cluster.redis_url, tmp_path, "second")
            try:
                until(lambda: events_of(receiver, "BeatSilent") == ["first", "resolved"], 60, "its end")
            finally:
                second.end(signal.SIGKILL)
    finally:
        first.end(signal.SIGKILL)
    assert (before, expected, lock) == ([], [["demo.ok", "redbeat", "tick"]], [[False]])


def test_the_tasks_of_django_are_those_of_its_tables(own_cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/db.sqlite3"
    span = 'from django_celery_beat.models import *; span = IntervalSchedule.objects.create(every=5, period="minutes")'
    run_django(database, span, 'PeriodicTask.objects.create(name="tick", task="demo.ok", interval=span)')
    configured(tmp_path, own_cluster, receiver.url, f'{{ django = "{database}" }}')
    assert rows(tmp_path, "task, origin, entries, every_s", "schedules WHERE task = 'demo.ok'") == [["demo.ok", "django", "tick", 300.0]]
