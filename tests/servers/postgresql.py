"""A real PostgreSQL, Debian's, in a temporary folder on a free port; as root it runs as the user `postgres`, as it insists on.

In: nothing. Out: URLs of databases of its own; it may be stopped, killed and started again, and have a standby.
"""

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psycopg

from tests.servers.waiting import until
from watchdog.demo.processes import LOOPBACK, child_environment, free_port

__all__ = ["RealPostgreSQL", "needs_postgresql", "postgresql_installed", "real_postgresql"]

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
"""Debian keeps initdb out of PATH."""
USER = "shop"
EMPTY = """
DO $$
DECLARE found text;
BEGIN
    SELECT string_agg(quote_ident(tablename), ', ') INTO found FROM pg_tables
    WHERE schemaname = 'public' AND tablename NOT IN ('watchdog_schema', 'lease');
    IF found IS NOT NULL THEN
        EXECUTE 'TRUNCATE ' || found || ' RESTART IDENTITY';
        INSERT INTO changes VALUES (0);
        UPDATE lease SET until = '-infinity';
    END IF;
END $$
"""


def postgresql_installed() -> bool:
    """Whether there is a server to start."""
    return bool(PROGRAMS)


needs_postgresql = "PostgreSQL is not installed (`make peers` as root installs it)"
"""Why a test is skipped."""


class RealPostgreSQL:
    """One server. Commits are not flushed: its files need not survive a power cut of the tests' machine."""

    def __init__(self, folder: Path, primary: "RealPostgreSQL | None" = None) -> None:
        """`primary`: whose read-only standby it is."""
        self.folder, self.port = folder, free_port()
        self._as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        self._numbers = itertools.count(1)
        self._shared = ""
        self._process: subprocess.Popen[bytes] | None = None
        if self._as_user:
            shutil.chown(folder, "postgres", "postgres")
        folder.chmod(0o700)
        if primary is not None:
            self._run("pg_basebackup", "-d", primary.url(), "-D", f"{folder}/data", "-R", "-c", "fast", "--no-sync")
            return
        self._run("initdb", "-D", f"{folder}/data", "-U", USER, "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8")

    def configure(self, settings: Mapping[str, object], logins: Sequence[str]) -> None:
        """Before it starts: parameters, and lines of pg_hba.conf, which come before those that trust everybody."""
        with (self.folder / "data" / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        hba = self.folder / "data" / "pg_hba.conf"
        hba.write_text("".join(f"{line}\n" for line in logins) + hba.read_text())

    def start(self) -> None:
        """Start it, and return once it answers."""
        program = str(PROGRAMS[-1] / "postgres")
        options = ["-D", f"{self.folder}/data", "-k", str(self.folder), "-p", str(self.port), "-c", f"listen_addresses={LOOPBACK}", "-F"]
        self._process = subprocess.Popen(
            [*self._as_user, program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder
        )
        until(self._answers, 60, "PostgreSQL to answer")

    def stop(self, sig: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT ends its connections, SIGQUIT is a crash."""
        if self._process is not None:
            self._process.send_signal(sig)
            self._process.wait(60)
            self._process = None

    def url(self, name: str = "postgres", user: str = USER) -> str:
        """The URL of one of its databases."""
        return f"postgresql://{user}@{LOOPBACK}:{self.port}/{name}"

    def new_database(self) -> str:
        """The URL of a database that nobody else uses, and that is empty."""
        name = f"watchdog_{next(self._numbers)}"
        self.administer(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy")
        return self.url(name)

    def emptied_database(self) -> str:
        """The URL of one database that tests use in turn: its tables stay, what is in them does not."""
        if not self._shared:
            self._shared = self.new_database()
        with psycopg.connect(self._shared, autocommit=True) as connection:
            connection.execute(EMPTY.encode())
        return self._shared

    def administer(self, statement: str) -> None:
        """Run one statement as its superuser."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *args: str) -> None:
        _checked([*self._as_user, str(PROGRAMS[-1] / program), *args], self.folder)


@contextlib.contextmanager
def real_postgresql(
    primary: RealPostgreSQL | None = None, settings: Mapping[str, object] | None = None, logins: Sequence[str] = ()
) -> Iterator[RealPostgreSQL]:
    """One that runs."""
    with tempfile.TemporaryDirectory(prefix="watchdog-postgresql-") as path:
        server = RealPostgreSQL(Path(path), primary)
        server.configure(settings or {}, logins)
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGQUIT)


def _checked(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, timeout=60, env=child_environment({}))
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-1000:]}")
