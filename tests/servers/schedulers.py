"""Real schedulers: redbeat and django-celery-beat, in virtual environments of their own (Django alone is 50 MB), and a PostgreSQL.

In: a broker, a folder. Out: processes, and databases with a schedule as Django itself writes it.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.processes.environments import python_with
from watchdog.demo.processes import LOOPBACK, Process, child_environment, free_port

__all__ = ["django_beat", "django_python", "postgresql", "postgresql_installed", "redbeat_beat", "redbeat_python", "run_django"]

CELERY = "celery[redis]>=5.7,<6"
PROJECT = Path(__file__).parent / "django_beat_project.py"
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
"""Debian keeps initdb out of PATH."""


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


def postgresql_installed() -> bool:
    """Whether there is a server to start."""
    return bool(PROGRAMS)


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """A PostgreSQL of its own on a free port: the URL of its database `shop`. As root it runs as the user `postgres`, as it insists on."""
    with tempfile.TemporaryDirectory(prefix="watchdog-postgresql-") as path:
        folder, port = Path(path), free_port()
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        if as_user:
            shutil.chown(folder, "postgres", "postgres")
        folder.chmod(0o700)
        _run([*as_user, str(PROGRAMS[-1] / "initdb"), "-D", f"{path}/data", "-U", "shop", "--auth=trust", "--no-sync"], folder)
        server = [str(PROGRAMS[-1] / "postgres"), "-D", f"{path}/data", "-k", path, "-p", str(port), "-c", f"listen_addresses={LOOPBACK}"]
        with subprocess.Popen([*as_user, *server, "-F"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=path) as process:
            try:
                _run([str(PROGRAMS[-1] / "pg_isready"), "-h", LOOPBACK, "-p", str(port), "-t", "30"], folder, again=50)
                _run([str(PROGRAMS[-1] / "createdb"), "-h", LOOPBACK, "-p", str(port), "-U", "shop", "shop"], folder)
                yield f"postgresql://shop@{LOOPBACK}:{port}/shop"
            finally:
                process.terminate()


def _run(command: Sequence[str], folder: Path, again: int = 0) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, timeout=60, env=child_environment({}))
    if done.returncode and again:
        subprocess.run([sys.executable, "-c", "import time; time.sleep(0.1)"], check=False)
        _run(command, folder, again - 1)
    elif done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-1000:]}")
