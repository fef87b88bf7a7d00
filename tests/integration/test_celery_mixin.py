"""The alerts of celery-mixin on what watchdog serves under the names of celery-exporter, judged by the real promtool.

Forty minutes in the life of a cluster are scraped from the real application, a minute apart by its clock. The rules ask what the mixin's
three ask, with their selectors, groups, limits and times.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.builders.metrics import MIXIN_ALERTS, look_at
from tests.builders.recorded_series import recorded
from tests.builders.web import NOW, application, site
from watchdog.core.model.rows import Reading, Row
from watchdog.store import Store
from watchdog.tables.tasks.counters import TaskCounters
from watchdog.tables.tasks.failures import Failure, Failures

PROMTOOL = shutil.which("promtool")
pytestmark = pytest.mark.skipif(PROMTOOL is None, reason="no promtool on PATH (Debian: prometheus)")

MINUTES = 41
JOB = {"job": "celery-exporter", "namespace": "staging"}
TASKS = {"shop.charge": ("payments", 10, 10), "shop.never": ("payments", 10, 0), "mail.send": ("emails", 1, 99)}
"""Task -> its queue, how often it fails a minute, how often it succeeds."""


def of_minute(minute: int) -> tuple[dict[str, Reading], TaskCounters]:
    """What is seen in that minute: one worker is lost, one queue grows, two tasks fail too often."""
    workers = (
        Row({"name": "celery@up", "state": "online", "active": 1.0, "pool_size": 4.0, "queues": "payments,emails", "silent_s": 1.0}),
        Row({"name": "celery@down", "state": "lost", "active": None, "pool_size": 4.0, "queues": "", "silent_s": 60.0 * minute}),
    )
    queues = (Row({"name": "payments", "length": 1000.0 + 200.0 * minute}), Row({"name": "emails", "length": 1.0}))
    counts = {
        task: {"received": (failed + succeeded) * minute, "failed": failed * minute, "succeeded": succeeded * minute}
        for task, (_, failed, succeeded) in TASKS.items()
    }
    listed = {
        f"{task}-{nth}": Failure(task, "KeyError", NOW + 60.0 * (nth // failed + 1), 1.0, queue, "KeyError('x')", worker="celery@up")
        for task, (queue, failed, _) in TASKS.items()
        for nth in range(failed * minute)
    }
    errors = tuple(Row({"task": task, "exception": "KeyError", "queue": queue}) for task, (queue, _, _) in TASKS.items())
    floats = {task: {event: float(count) for event, count in events.items()} for task, events in counts.items()}
    memory = TaskCounters(NOW + 60.0 * minute, counts={"celery@up": floats}, failures=Failures(listed))
    return {"workers": Reading(workers), "queues": Reading(queues), "tasks": Reading(), "errors": Reading(errors)}, memory


@pytest.fixture(scope="module")
def fired(tmp_path_factory: pytest.TempPathFactory) -> "Fired":
    """The alerts, as promtool judges them on what was scraped."""
    folder = tmp_path_factory.mktemp("mixin")
    store, clock = Store.open(folder / "watchdog.db"), [NOW]
    client = application(folder, replace(site(store), clock=lambda: clock[0])).test_client()
    scrapes = []
    for minute in range(MINUTES):
        clock[0] = NOW + 60.0 * minute
        readings, memory = of_minute(minute)
        look_at(store, "prod", readings, clock[0], {"tasks": memory})
        scrapes.append(client.get("/metrics/celery-exporter", base_url="http://127.0.0.1:5556").text)
    return Fired(folder, recorded(scrapes, JOB))


class Fired:
    """Recorded series, and which alerts fire on them."""

    def __init__(self, folder: Path, series: list[dict[str, str]]) -> None:
        self._folder, self._series = folder, series
        rules = [{"alert": name, "expr": expression, "for": lasts} for name, (expression, lasts) in MIXIN_ALERTS.items()]
        (folder / "rules.json").write_text(json.dumps({"groups": [{"name": "celery", "rules": rules}]}))

    def complaints(self, alert: str, minute: int, *labels: Mapping[str, str]) -> str:
        """What promtool says if exactly the alerts with these labels are expected; empty: they are what fires."""
        expected = {"eval_time": f"{minute}m", "alertname": alert, "exp_alerts": [{"exp_labels": JOB | dict(one)} for one in labels]}
        test = {"interval": "1m", "input_series": self._series, "alert_rule_test": [expected]}
        path = self._folder / f"{alert}-{minute}.json"
        path.write_text(json.dumps({"rule_files": ["rules.json"], "evaluation_interval": "1m", "tests": [test]}))
        judged = subprocess.run([str(PROMTOOL), "test", "rules", path.name], cwd=self._folder, capture_output=True, text=True, check=False)
        return "" if judged.returncode == 0 else judged.stdout + judged.stderr


def test_a_task_that_fails_too_often_fires_and_so_does_one_that_never_succeeds(fired: Fired) -> None:
    of_tasks = [{"name": name, "queue_name": "payments"} for name in ("shop.charge", "shop.never")]
    assert fired.complaints("TaskFails", 15, *of_tasks) == ""


def test_a_queue_that_stays_long_fires_after_twenty_minutes(fired: Fired) -> None:
    assert (fired.complaints("QueueLong", 19), fired.complaints("QueueLong", 40, {"queue_name": "payments"})) == ("", "")


def test_a_lost_worker_fires_after_fifteen_minutes(fired: Fired) -> None:
    down = {"hostname": "down", "target": "prod"}
    assert (fired.complaints("WorkerDown", 14), fired.complaints("WorkerDown", 20, down)) == ("", "")


def test_promtool_does_complain_of_what_is_not_so(fired: Fired) -> None:
    assert "exp:[" in fired.complaints("QueueLong", 40).replace(" ", "")
