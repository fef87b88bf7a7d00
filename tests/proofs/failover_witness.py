"""What PostgreSQL and the machine saw while two daemons failed over: takings of the lease, writes by who had none, how late threads ran.

In: a database of watchdog's. Out: answers of triggers, which run inside every transaction that writes.
"""

import threading
import time
from types import TracebackType
from typing import Any, Self

import psycopg

from tests.servers.waiting import until
from watchdog.store.postgresql.database import WRITERS

__all__ = ["MachineDelay", "Witness"]

_WATCH = """
CREATE SCHEMA proof;
CREATE TABLE proof.strangers (at TIMESTAMPTZ, who TEXT, did TEXT, to_table TEXT);
CREATE TABLE proof.first_looks (epoch BIGINT PRIMARY KEY, at TIMESTAMPTZ);
CREATE TABLE proof.takings (epoch BIGINT PRIMARY KEY, at TIMESTAMPTZ, had_run_out BOOLEAN);
CREATE FUNCTION proof.written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('application_name') <> (SELECT session FROM public.lease) THEN
        INSERT INTO proof.strangers VALUES (clock_timestamp(), current_setting('application_name'), TG_OP, TG_TABLE_NAME);
    END IF;
    IF TG_TABLE_NAME = 'cycles' THEN
        INSERT INTO proof.first_looks SELECT epoch, clock_timestamp() FROM public.lease ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION proof.taken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO proof.takings VALUES (NEW.epoch, clock_timestamp(), OLD.until <= clock_timestamp());
    RETURN NULL;
END $$;
CREATE TRIGGER taken AFTER UPDATE ON public.lease FOR EACH ROW WHEN (NEW.epoch <> OLD.epoch) EXECUTE FUNCTION proof.taken();
DO $$
DECLARE found text;
BEGIN
    FOR found IN
        SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('lease', 'standbys', 'watchdog_schema')
    LOOP
        EXECUTE format('CREATE TRIGGER written AFTER INSERT OR UPDATE OR DELETE ON public.%I'
            ' FOR EACH STATEMENT EXECUTE FUNCTION proof.written()', found);
    END LOOP;
END $$;
"""


class Witness:
    """The database of two daemons, asked over a connection of its own, which is opened again if it was lost."""

    def __init__(self, url: str) -> None:
        """The tables of watchdog are there already."""
        self._url = url
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute(f"SELECT pg_advisory_xact_lock({WRITERS}); {_WATCH}".encode())  # one transaction, while nobody writes

    def close(self) -> None:
        self._connection.close()

    def _ask(self, sql: str, *given: object) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(sql.encode(), given).fetchall()
        except psycopg.OperationalError:
            self._connection.close()
            self._connection = psycopg.connect(self._url, autocommit=True, connect_timeout=5)
            return self._connection.execute(sql.encode(), given).fetchall()

    def holder(self) -> tuple[int, int]:
        """The epoch, and the pid of who has it."""
        [(epoch, holder)] = self._ask("SELECT epoch, holder FROM lease")
        return int(epoch), int(holder.rpartition(" ")[2])

    def both_connected(self) -> bool:
        """Whether the one that works and the one that stands by are."""
        connected = {name for (name,) in self._ask("SELECT application_name FROM pg_stat_activity WHERE datname = current_database()")}
        [(held, session)] = self._ask("SELECT until > clock_timestamp(), session FROM lease")
        return bool(held) and session in connected and sum(name.startswith("watchdog ") for name in connected) == 2

    def taken_after(self, epoch: int, since: float) -> float:
        """Until a daemon has the lease under a later epoch; how long after `since` (epoch seconds, the machine's) that was."""
        until(lambda: self.holder()[0] > epoch, 60, "a daemon to take the lease", 0.02)
        [(at,)] = self._ask("SELECT extract(epoch FROM min(at)) FROM proof.takings WHERE epoch > %s", epoch)
        return float(at) - since

    def first_look_after(self, epoch: int, since: float) -> float:
        """The same until it has committed a look."""
        until(lambda: self._ask("SELECT 1 FROM proof.first_looks WHERE epoch > %s", epoch), 60, "its first look", 0.02)
        [(at,)] = self._ask("SELECT extract(epoch FROM min(at)) FROM proof.first_looks WHERE epoch > %s", epoch)
        return float(at) - since

    def taken_early(self, epoch: int) -> bool:
        """Whether a lease after this epoch was taken before it had run out."""
        return bool(self._ask("SELECT 1 FROM proof.takings WHERE epoch > %s AND NOT had_run_out", epoch))

    def clocks_apart_h(self) -> float:
        """How far the clocks of the daemons were apart, in hours, by what they wrote within minutes."""
        [(apart,)] = self._ask("SELECT max(at) - min(at) FROM transitions")
        return float(apart) / 3600

    def strangers(self) -> list[tuple[Any, ...]]:
        """What was written by who did not hold the lease at that moment."""
        return self._ask("SELECT * FROM proof.strangers ORDER BY at")


class MachineDelay:
    """How much later than asked for a thread of this machine runs, at worst: what no program can be held to."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, float]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._measure, name="machine-delay", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def since(self, began: float) -> float:
        """The worst since then (monotonic), in seconds."""
        return max((late for at, late in list(self._seen) if at >= began), default=0.0)

    def _measure(self) -> None:
        while not self._ended.is_set():
            asked = time.monotonic() + 0.01
            self._ended.wait(0.01)
            now = time.monotonic()
            self._seen.append((now, now - asked))
