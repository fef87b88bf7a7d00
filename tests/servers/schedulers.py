"""Real schedulers: redbeat and django-celery-beat, in virtual environments of their own (Django alone is 50 MB).

In: a broker, a folder. Out: processes, and databases with a schedule as Django itself writes it.
"""

import subprocess
from pathlib import Path

from tests.processes.environments import python_with
from watchdog.demo.processes import Process, child_environment

__all__ = ["django_beat", "django_python", "redbeat_beat", "redbeat_python", "run_django"]

CELERY = "celery[redis]>=5.7,<6"
PROJECT = Path(__file__).parent / "django_beat_project.py"


def redbeat_python() -> Path:
    """The Python of the environment that holds redbeat."""
    return python_with("redbeat", [CELERY, "celery-redbeat>=2.4,<3"])


def django_python() -> Path:
    """The Python of the environment that holds django-celery-beat."""
    return python_with("django_beat", [CELERY, "django-celery-beat>=2.9,<3", "psycopg[binary]>=3.2,<4"])


def redbeat_beat(broker: str, folder: Path, name: str = "redbeat") -> Process:
    """A beat that keeps its schedule in Redis: `demo.ok` each second into the queue `indexing`."""
    command = [
        str(redbeat_python()),
        "-m",
        "celery",
        "-A",
        "tests.servers.beat_app",
        "beat",
        "-S",
        "redbeat.RedBeatScheduler",
        "--pidfile=",
    ]
    return Process(name, command, folder, _environment(broker))


def run_django(database: str, *statement: str) -> str:
    """Run Python statements in the Django project on this database (an URL), and return what they print."""
    command = [str(django_python()), str(PROJECT), *statement]
    environment = child_environment({"DJANGO_DATABASE": database, "DEMO_BROKER_URL": "memory://"})
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=120)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return done.stdout


def django_beat(broker: str, database: str, folder: Path) -> Process:
    """A beat whose schedule is in that database."""
    scheduler = "django_celery_beat.schedulers:DatabaseScheduler"
    command = [str(django_python()), "-m", "celery", "-A", "tests.servers.django_beat_project", "beat", "-S", scheduler, "--pidfile="]
    return Process("django-beat", command, folder, {**_environment(broker), "DJANGO_DATABASE": database})


def _environment(broker: str) -> dict[str, str]:
    return child_environment({"DEMO_BROKER_URL": broker, "PYTHONPATH": str(Path(__file__).parents[2])})
