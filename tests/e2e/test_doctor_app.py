"""`watchdog doctor --app` on real apps, imported in a process of their own: without a broker, and whatever they do when imported."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.processes.command_line import watchdog
from watchdog.config.rulebook import app_rules
from watchdog.tables import TABLES
from watchdog.tables.celery_app import APP_TABLES

WELL = """
from celery import Celery
from kombu import Queue

app = Celery("well", broker="redis://:brokersecret@127.0.0.1:1/0")
app.conf.update(
    task_time_limit=60,
    task_soft_time_limit=50,
    task_send_sent_event=True,
    task_queues=[Queue("celery"), Queue("mail")],
    task_routes={"proj.send": "mail"},
    beat_schedule={"hourly": {"task": "proj.send", "schedule": 3600.0}},
)

@app.task(autoretry_for=(OSError,), retry_backoff=True)
def send(): ...
"""
BADLY = """
from celery import Celery
from kombu import Queue

print("{ this is no JSON")
app = Celery("badly", broker="redis://:brokersecret@127.0.0.1:1/0", backend="redis://:resultsecret@127.0.0.1:1/1")
app.conf.update(
    task_queues=[Queue("celery"), Queue("mail")],
    task_routes={"proj.report": "reports", "proj.gone": {"queue": "nowhere"}},
    task_create_missing_queues=False,
    task_always_eager=True,
    broker_transport_options={"visibility_timeout": 300},
    result_expires=None,
    worker_pool="threads",
    worker_max_tasks_per_child=10,
    worker_prefetch_multiplier=0,
    worker_eta_task_limit=50,
    beat_schedule={
        "nightly": {"task": "proj.nightly", "schedule": 60.0},
        "late": {"task": "proj.mail", "schedule": 60.0, "options": {"countdown": 900, "queue": "mial"}},
    },
)

@app.task
def mail(): ...

@app.task(time_limit=600, acks_late=True, acks_on_failure_or_timeout=False, reject_on_worker_lost=True)
def report(): ...

@app.task(autoretry_for=(OSError,))
def fetch(): ...

@app.task(autoretry_for=(OSError,), retry_backoff=True, max_retries=None)
def push(): ...

@app.task(bind=True, max_retries=None)
def poll(self): raise self.retry(countdown=3)

@app.task(time_limit=10, soft_time_limit=20)
def stop(): ...
"""


def examined(folder: Path, code: str, *args: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the document for an app of this code."""
    (folder / "proj.py").write_text(code)
    done = watchdog("doctor", "--app", "proj:app", "--format", "json", *args, cwd=folder)
    return done.returncode, json.loads(done.stdout)


def found(document: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(one["rule"], "".join(one["key"].values())) for one in document["firing"]}


@pytest.fixture(scope="module")
def badly(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, Any]]:
    return examined(tmp_path_factory.mktemp("badly"), BADLY, "--queues", "celery,mail", "--queues", "spare")


def test_an_app_that_is_written_well_is_healthy(tmp_path: Path) -> None:
    code, document = examined(tmp_path, WELL)
    assert (code, document["firing"], document["idle"], document["unknown"]) == (0, [], [], [])


def test_everything_that_can_be_wrong_with_an_app_is_found(badly: tuple[int, dict[str, Any]]) -> None:
    assert found(badly[1]) == {
        ("TasksRunWhereSent", ""),
        ("TaskWithoutTimeLimit", "proj.mail"),
        ("TaskWithoutTimeLimit", "proj.fetch"),
        ("TaskWithoutTimeLimit", "proj.push"),
        ("TaskWithoutTimeLimit", "proj.poll"),
        ("SoftLimitTooLate", "proj.stop"),
        ("RetriesWithoutBackoff", "proj.fetch"),
        ("RetriesForEver", "proj.push"),
        ("RetriesForEver", "proj.poll"),
        ("TaskRunsTwice", "proj.report"),
        ("RetryRunsTwice", "proj.push"),
        ("KillerComesBack", "proj.report"),
        ("FailedRunIsDropped", "proj.report"),
        ("ScheduleWithoutTask", "nightly"),
        ("ScheduleRunsTwice", "late"),
        ("SentToNobody", "mial"),
        ("SentToNobody", "nowhere"),
        ("SentToNobody", "reports"),
        ("CannotBeSent", "reports"),
        ("CannotBeSent", "mial"),
        ("ConsumedForNothing", "spare"),
        ("ChildLimitsDoNothing", "proj:app"),
        ("ResultsKeptForEver", "proj:app"),
        ("PrefetchWithoutLimit", "proj:app"),
        ("EtaLimitHoldsAll", "proj:app"),
        ("WaitsNotMeasured", "proj:app"),
    }


def test_what_is_to_mend_is_exit_code_1(badly: tuple[int, dict[str, Any]]) -> None:
    assert badly[0] == 1


def test_no_finding_of_an_app_is_left_out_of_these_tests(badly: tuple[int, dict[str, Any]]) -> None:
    seen = {rule for rule, _ in found(badly[1])}
    assert {rule.name for rule in app_rules(TABLES, APP_TABLES)} - seen == {"AppWithoutTasks", "LimitsDoNothing"}


def test_an_app_without_tasks_and_with_limits_that_its_pool_ignores(tmp_path: Path) -> None:
    _, document = examined(tmp_path, WELL.partition("@app.task")[0] + "app.conf.worker_pool = 'solo'\n")
    assert {("AppWithoutTasks", ""), ("LimitsDoNothing", "proj:app")} <= found(document)


def test_where_workers_must_be_told_their_queues_so_must_the_doctor(tmp_path: Path) -> None:
    code, document = examined(tmp_path, WELL.replace("task_queues=", "worker_hijack_root_logger=not "))
    idle = {one["rule"]: one["reason"] for one in document["idle"]}
    assert (code, set(idle)) == (0, {"SentToNobody", "ConsumedForNothing"})
    assert "say with --queues" in idle["SentToNobody"]


def test_a_finding_can_be_left_out(tmp_path: Path) -> None:
    code, document = examined(tmp_path, WELL.replace("retry_backoff=True", ""), "--skip", "RetriesWithoutBackoff")
    assert (code, document["firing"]) == (0, [])


def test_a_router_that_needs_arguments_makes_its_tasks_queue_unknown(tmp_path: Path) -> None:
    router = "def route(name, args, kwargs, options, task=None, **kw): return args[0]\napp = "
    code, document = examined(tmp_path, WELL.replace("app = ", router, 1).replace('{"proj.send": "mail"}', "route"))
    assert (code, document["firing"]) == (0, [])


@pytest.mark.parametrize("style", ["text", "json", "junit", "github"])
def test_no_format_shows_a_secret_of_the_app(tmp_path: Path, style: str) -> None:
    (tmp_path / "proj.py").write_text(BADLY)
    done = watchdog("doctor", "--app", "proj:app", "--format", style, cwd=tmp_path)
    assert done.returncode == 1
    assert "secret" not in done.stdout + done.stderr


FAILING: Sequence[tuple[str, str, str]] = (
    ("no_such.celery:app", "", "No module named 'no_such'; run it in the folder from which `celery -A no_such.celery:app worker` starts"),
    ("proj:nothing", "app = 3", "name the app as for `celery -A`: module:attribute"),
    ("proj:app", "app = 3", "TypeError: proj:app is of type int, not a Celery app; name the app"),
    ("proj:app", "import no_such", "No module named 'no_such', at proj.py:1; run it in the app's own environment, or name its Python"),
    ("proj:app", "import os\nos.environ['NOT_THERE']", "KeyError: 'NOT_THERE', at proj.py:2; set what the app needs"),
    ("proj:app", "import os\nos._exit(7)", "its process ended with exit code 7 while it was imported"),
    ("proj:app", "raise SystemExit('bye')", "SystemExit: bye, at proj.py:1"),
    ("proj:app", "x = (", "SyntaxError"),
)


@pytest.mark.parametrize(("app", "code", "said"), FAILING)
def test_an_app_that_cannot_be_imported_is_a_sentence_and_exit_code_3(tmp_path: Path, app: str, code: str, said: str) -> None:
    (tmp_path / "proj.py").write_text(code)
    done = watchdog("doctor", "--app", app, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"expected to import the Celery app {app}, found: ")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_text_of_an_apps_exception_is_shown_without_secrets(tmp_path: Path) -> None:
    (tmp_path / "proj.py").write_text(
        "import os\nraise ValueError('no way in with ' + os.environ['DB_PASSWORD'] + ' redis://me:urlsecret@h/0')"
    )
    done = watchdog("doctor", "--app", "proj:app", cwd=tmp_path, environ={"DB_PASSWORD": "hunter2"})
    assert "no way in with *** redis://***@h/0, at proj.py:2" in done.stderr


def test_json_says_too_that_the_app_cannot_be_imported(tmp_path: Path) -> None:
    code, document = examined(tmp_path, "import no_such")
    assert (code, document["exit_code"], len(document["faults"])) == (3, 3, 1)


def test_another_python_reads_the_app_with_its_own_packages(tmp_path: Path) -> None:
    """A Python of another environment, which knows nothing of watchdog: here one that refuses to import it."""
    python = tmp_path / "python"
    python.write_text(
        f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.modules[\'watchdog\'] = None; exec(sys.argv.pop(1))" "$2" "$3" "$4"\n'
    )
    python.chmod(0o755)
    assert subprocess.run([python, "-c", "import watchdog"], capture_output=True, check=False).returncode != 0
    assert examined(tmp_path, WELL, "--python", str(python))[0] == 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--app", "proj:app", "--redis", "redis://h/0"), "found --redis beside it"),
        (("--queues", "mail"), "expected --queues beside --app"),
        (("--app", "proj:app", "--skip", "RetriesForevr"), 'did you mean "RetriesForEver"?'),
    ],
)
def test_options_that_do_not_fit_together_are_refused(tmp_path: Path, args: Sequence[str], said: str) -> None:
    done = watchdog("doctor", *args, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
