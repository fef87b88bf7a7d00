"""A real PgBouncer, Debian's, before a database of a real PostgreSQL.

In: the database's URL, and the pool mode. Out: the URL to connect by.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.servers.waiting import until
from watchdog.demo.processes import LOOPBACK, free_port

__all__ = ["PGBOUNCER", "needs_pgbouncer", "pgbouncer"]

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
needs_pgbouncer = "PgBouncer is not installed (`make peers` as root installs it)"
"""Why a test is skipped."""
CONFIG = """
[databases]
{name} = host={host} port={port} user={user}
[pgbouncer]
listen_addr = {here}
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
"""


@contextlib.contextmanager
def pgbouncer(url: str, mode: str, folder: Path) -> Iterator[str]:
    """One that runs. It refuses to run as root, and then runs as the user `postgres`."""
    behind, listen = urlsplit(url), free_port()
    name = behind.path.strip("/")
    file = folder / f"{mode}.ini"
    file.write_text(
        CONFIG.format(name=name, host=behind.hostname, port=behind.port, user=behind.username, here=LOOPBACK, listen=listen, mode=mode)
    )
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    with file.open() as given:  # by its descriptor: that user need not reach the folder
        process = subprocess.Popen(
            [*as_user, str(PGBOUNCER), "-q", "/dev/stdin"], stdin=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
        )
    try:
        until(lambda: _answers(listen, name), 20, "PgBouncer to answer")
        yield f"postgresql://{behind.username}@{LOOPBACK}:{listen}/{name}"
    finally:
        process.kill()
        process.wait()


def _answers(port: int, name: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(f"postgresql://{LOOPBACK}:{port}/{name}", autocommit=True):
        return True
    return False
