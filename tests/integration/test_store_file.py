import os
import pwd
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.builders.outbox import FakeReceiver, commit, incident, load, message, opened, plan
from tests.servers.waiting import until
from watchdog.core.incidents.payload import encode
from watchdog.daemon.delivery import Delivery
from watchdog.store import Store, StoreError
from watchdog.store.migrations import STEPS
from watchdog.store.sqlite.database import LARGEST_IDLE_WAL, DatabaseFile
from watchdog.store.sqlite.schema import bring_up_to_date, version_of

if TYPE_CHECKING:
    from sqlite_utils import Database

NAME = "watchdog.db"


def refusal(path: Path, *, create: bool = True, command: str = "watchdog run") -> str:
    """What it says; that it names the file and says what to do, in one line."""
    with pytest.raises(StoreError) as raised:
        Store.open(path, create=create, busy_timeout_s=0.1, command=command)
    said = str(raised.value)
    assert str(path) in said
    assert "\n" not in said
    return said


def raw(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


# --- opening ------------------------------------------------------------------------------------------------------------


def test_a_missing_file_is_created(tmp_path: Path) -> None:
    with opened(tmp_path):
        assert (tmp_path / NAME).exists()


def test_who_only_reads_waits_for_the_tables_of_a_daemon_that_has_just_begun(tmp_path: Path) -> None:
    (tmp_path / NAME).touch()  # as it is for a moment
    begins = threading.Timer(0.2, lambda: Store.open(tmp_path / NAME).close())
    begins.start()
    try:
        with Store.open(tmp_path / NAME, create=False) as store:
            assert store.incidents() == ()
    finally:
        begins.join()


def test_a_name_full_of_marks_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "what?mode=memory#%41 é.db"
    Store.open(path).close()
    assert path.exists()


def test_opening_again_finds_what_was_written(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        commit(store, plan(incidents=[incident()]))
    with opened(tmp_path) as store:
        assert load(store).open == (incident(),)


def test_what_is_committed_survives_a_power_cut(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        connection = store._file.connection()
        pragmas = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert pragmas == ["wal", 2]


# --- refusing -----------------------------------------------------------------------------------------------------------


def test_a_flood_leaves_no_large_journal_behind(tmp_path: Path) -> None:
    file = DatabaseFile(tmp_path / NAME)
    file.open("watchdog run")
    with file.writing() as connection:
        connection.execute("CREATE TABLE flood (text)")
        connection.executemany("INSERT INTO flood VALUES (?)", [("x" * 4000,) for _ in range(5000)])
    journal = Path(f"{tmp_path / NAME}-wal")
    flooded = journal.stat().st_size
    for _ in range(2):  # the first writing after a checkpoint begins the journal anew
        with file.writing() as connection:
            connection.execute("INSERT INTO flood VALUES ('a drop')")
    assert (flooded > 2 * LARGEST_IDLE_WAL, journal.stat().st_size <= LARGEST_IDLE_WAL) == (True, True)
    file.close()


def test_a_file_that_is_not_sqlite_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_text("these are my notes\n" * 100)
    assert "is not an SQLite database, and was left as it is; move it away" in refusal(path)
    assert path.read_text() == "these are my notes\n" * 100


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / NAME
    with raw(path) as other:
        other.execute("CREATE TABLE songs (title TEXT)")
    other.close()
    before = path.read_bytes()
    assert "is an SQLite database of another program" in refusal(path)
    assert path.read_bytes() == before


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        commit(store, plan(*(message(f"{n}") for n in range(200)), incidents=[incident(f"{n}") for n in range(200)]))
    path = tmp_path / NAME
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096 * 10)
    assert f"is damaged; stop watchdog, `watchdog database rescue --database {path}`" in refusal(path)


def test_a_missing_directory_is_named_with_the_line_that_makes_it(tmp_path: Path) -> None:
    assert f"its directory does not exist; `mkdir -p {tmp_path / 'no'}`" in refusal(tmp_path / "no" / NAME)


def test_a_directory_is_not_a_database(tmp_path: Path) -> None:
    assert "is a directory; expected the path of a file" in refusal(tmp_path)


def test_a_path_through_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "is a file, expected a directory" in refusal(tmp_path / "file" / NAME)
    assert "Not a directory" in refusal(tmp_path / "file" / "folder" / NAME)


def test_a_locked_database_is_refused_after_the_busy_timeout(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        other = raw(tmp_path / NAME)
        other.execute("BEGIN IMMEDIATE")
        try:
            said = refusal(tmp_path / NAME)
            with pytest.raises(StoreError, match=r"locked by another process for more than 0\.2s, nothing was written"):
                commit(store, plan(incidents=[incident()]))
        finally:
            other.close()
        assert load(store).open == ()
    assert "locked by another process for more than 0.1s" in said


def test_a_full_disk_is_told_and_nothing_is_half_written(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        connection = store._file.connection()
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StoreError, match=r"the disk is full, nothing was written; `df -h "):
            commit(store, plan(*(message(f"{n}") for n in range(500)), incidents=[incident(f"{n}") for n in range(500)]))
        assert load(store).open == ()
        connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
        commit(store, plan(incidents=[incident()]))
        assert load(store).open == (incident(),)


# --- what this user may not do ------------------------------------------------------------------------------------------


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that others may enter, as pytest's own may not be."""
    folder = Path(tempfile.mkdtemp(prefix="watchdog-test-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def nobody() -> Iterator[None]:
    """Root may do anything, so the rest runs as another user; whoever is not root stays who they are."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_read_only_file_is_refused_to_who_wants_to_write(shared: Path) -> None:
    Store.open(shared / NAME).close()
    (shared / NAME).chmod(0o444)
    with nobody():
        assert "read-only for this user; try `sudo" in refusal(shared / NAME)


def test_a_read_only_directory_is_refused_to_who_wants_to_create(shared: Path) -> None:
    shared.chmod(0o555)
    with nobody():
        assert "may not be created, its directory cannot be written by this user" in refusal(shared / NAME)


def test_a_directory_that_may_not_be_entered_gives_the_line_to_type(shared: Path) -> None:
    Store.open(shared / NAME).close()
    shared.chmod(0o000)
    with nobody():
        said = refusal(shared / NAME, create=False, command="watchdog incidents")
    assert re.search(r"permission denied; try `sudo (-u \S+ )?watchdog incidents`$", said)


def test_a_file_that_may_not_be_read_gives_the_line_with_its_owner(shared: Path) -> None:
    Store.open(shared / NAME).close()
    (shared / NAME).chmod(0o000)
    if os.geteuid() == 0:
        os.chown(shared / NAME, pwd.getpwnam("daemon").pw_uid, -1)
    owner = pwd.getpwuid((shared / NAME).stat().st_uid).pw_name
    with nobody():
        assert refusal(shared / NAME, create=False, command="watchdog incidents").endswith(f"try `sudo -u {owner} watchdog incidents`")


def test_a_database_that_turns_read_only_is_told_at_the_next_commit(tmp_path: Path) -> None:
    Store.open(tmp_path / NAME).close()
    with Store.open(tmp_path / NAME, create=False) as store, pytest.raises(StoreError, match="read-only, nothing was written"):
        commit(store, plan())


# --- deleted or replaced while in use -----------------------------------------------------------------------------------


def delete(folder: Path) -> None:
    for file in folder.glob(f"{NAME}*"):
        file.unlink()


def test_a_file_that_is_deleted_while_in_use_is_put_back_with_all_it_held(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        commit(store, plan(incidents=[incident("A")]))
        delete(tmp_path)
        commit(store, plan(incidents=[incident("B")]))
        assert load(store).open == (incident("A"), incident("B"))
    with opened(tmp_path) as store:
        assert load(store).open == (incident("A"), incident("B"))


def test_a_journal_that_outlived_its_file_is_not_taken_for_that_of_the_new_one(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        commit(store, plan(incidents=[incident("A")]))
        (tmp_path / NAME).unlink()
        commit(store, plan(incidents=[incident("B")]))
        with Store.open(tmp_path / NAME, create=False) as reader:
            assert reader.incidents() == (incident("A"), incident("B"))


def test_a_thread_that_begins_after_the_deletion_finds_what_was_there(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        commit(store, plan(incidents=[incident("A")]))
        delete(tmp_path)
        thread = threading.Thread(target=commit, args=(store, plan(incidents=[incident("B")])))
        thread.start()
        thread.join()
        assert load(store).open == (incident("A"), incident("B"))


def test_what_was_committed_while_another_thread_read_is_put_back_as_well(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        commit(store, plan(incidents=[incident("A")]))

        def begin_to_read() -> None:
            connection = store._file.connection()
            connection.execute("BEGIN")
            connection.execute("SELECT * FROM incidents").fetchall()

        reader = threading.Thread(target=begin_to_read)
        reader.start()
        reader.join()
        commit(store, plan(incidents=[incident("B")]))
        delete(tmp_path)
        commit(store, plan(incidents=[incident("C")]))
        assert load(store).open == (incident("A"), incident("B"), incident("C"))


def test_who_put_a_file_back_is_still_the_only_daemon_on_it(tmp_path: Path) -> None:
    with opened(tmp_path) as store, store.lease():
        delete(tmp_path)
        commit(store, plan(incidents=[incident("A")]))
        with opened(tmp_path) as second, pytest.raises(StoreError, match="another watchdog"), second.lease():
            pass


def test_a_file_whose_folder_is_gone_is_put_back_once_the_folder_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    with opened(folder) as store:
        commit(store, plan(incidents=[incident("A")]))
        shutil.rmtree(folder)
        with pytest.raises(StoreError, match=f"its directory does not exist; `mkdir -p {folder}`"):
            commit(store, plan(incidents=[incident("B")]))
        folder.mkdir()
        commit(store, plan(incidents=[incident("B")]))
        assert load(store).open == (incident("A"), incident("B"))


def test_a_file_that_another_took_the_place_of_is_not_written_over(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        commit(store, plan(incidents=[incident("A")]))
        delete(tmp_path)
        with opened(tmp_path) as other:
            commit(other, plan(incidents=[incident("B")]))
        with pytest.raises(StoreError, match=r"was replaced by another file .* restart watchdog"):
            commit(store, plan(incidents=[incident("C")]))
    with opened(tmp_path) as store:
        assert load(store).open == (incident("B"),)


# --- reading ------------------------------------------------------------------------------------------------------------


def test_reading_creates_nothing(tmp_path: Path) -> None:
    assert "there is no such file; `watchdog run` creates it" in refusal(tmp_path / NAME, create=False)
    assert list(tmp_path.iterdir()) == []


def test_reading_works_beside_a_daemon_that_writes(tmp_path: Path) -> None:
    with opened(tmp_path) as daemon, daemon.lease():
        commit(daemon, plan(incidents=[incident("A")]))
        with Store.open(tmp_path / NAME, create=False) as reader, daemon.cycle() as transaction:
            transaction.commit(plan(incidents=[incident("B")]))
            assert reader.incidents() == (incident("A"),)


def test_reading_works_for_who_may_write_nothing_while_no_daemon_runs(shared: Path) -> None:
    with opened(shared) as daemon:
        commit(daemon, plan(incidents=[incident()]))
    shared.chmod(0o555)
    (shared / NAME).chmod(0o444)
    with nobody(), Store.open(shared / NAME, create=False) as reader:
        assert reader.incidents() == (incident(),)
        assert sorted(file.name for file in shared.iterdir()) == [NAME]


def test_reading_works_for_who_may_write_nothing_while_a_daemon_runs(shared: Path) -> None:
    with opened(shared) as daemon:
        commit(daemon, plan(incidents=[incident()]))
        with nobody(), Store.open(shared / NAME, create=False) as reader:
            assert reader.incidents() == (incident(),)


# --- versions -----------------------------------------------------------------------------------------------------------


def v2_moods(database: "Database") -> None:
    database.execute("ALTER TABLE incidents ADD COLUMN mood TEXT")


def v2_that_fails(database: "Database") -> None:
    database.execute("ALTER TABLE incidents ADD COLUMN mood TEXT")
    database.execute("SELECT * FROM nowhere")


def migrated(path: Path, *steps: object) -> DatabaseFile:
    file = DatabaseFile(path)
    bring_up_to_date(file.database(), path, (*STEPS, *steps))  # type: ignore[arg-type]
    return file


def test_a_newer_database_is_refused_untouched(tmp_path: Path) -> None:
    Store.open(tmp_path / NAME).close()
    migrated(tmp_path / NAME, v2_moods).close()
    before = (tmp_path / NAME).read_bytes()
    for create in (True, False):
        said = refusal(tmp_path / NAME, create=create)
        assert f"is of version {len(STEPS) + 1}, this watchdog knows versions up to {len(STEPS)}" in said
        assert f"install the newer watchdog again, or restore the copy {tmp_path / NAME}.v{len(STEPS)}" in said
    assert (tmp_path / NAME).read_bytes() == before


def test_before_a_migration_the_file_is_copied_with_all_that_was_written(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        commit(store, plan(incidents=[incident()]))
        file = migrated(tmp_path / NAME, v2_moods)  # the store is still open: what was written is in the journal
        assert version_of(file.connection()) == len(STEPS) + 1
        file.close()
    copy = tmp_path / f"{NAME}.v{len(STEPS)}"
    with Store.open(copy) as before:
        assert before.incidents() == (incident(),)
    assert not [left for left in tmp_path.iterdir() if "unfinished" in left.name]


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        commit(store, plan(incidents=[incident()]))
    with pytest.raises(sqlite3.OperationalError):
        migrated(tmp_path / NAME, v2_that_fails)
    with opened(tmp_path) as store:
        assert load(store).open == (incident(),)
        assert "mood" not in {row["name"] for row in store._file.connection().execute("PRAGMA table_info (incidents)")}


def test_a_fresh_file_is_not_copied(tmp_path: Path) -> None:
    opened(tmp_path).close()
    assert not [file for file in tmp_path.iterdir() if ".v" in file.name]


# --- two processes ------------------------------------------------------------------------------------------------------

HOLD = """
import sys, time
from watchdog.store import Store
with Store.open(sys.argv[1]) as store, store.lease():
    print("held", flush=True)
    time.sleep(60)
"""

DIE = """
import os, signal, sys
from tests.builders.outbox import T0, commit, incident, message, plan
from watchdog.core.incidents.payload import encode
from watchdog.store import Store
store = Store.open(sys.argv[1])
with store.lease():
    commit(store, plan(message("1"), incidents=[incident()]))
    if sys.argv[2] == "claimed":
        store.claim("ops", T0, "s1", encode)
    os.kill(os.getpid(), signal.SIGKILL)
"""

ROOT = Path(__file__).parents[2]


@contextmanager
def another_daemon(path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT) as daemon:
        try:
            assert daemon.stdout is not None
            assert daemon.stdout.readline() == "held\n"
            yield daemon
        finally:
            daemon.kill()


def test_a_second_daemon_is_told_at_once_who_is_first(tmp_path: Path) -> None:
    with another_daemon(tmp_path / NAME) as first, opened(tmp_path) as store:
        with pytest.raises(StoreError) as raised, store.lease():
            pass
        assert str(raised.value).startswith(f"another watchdog (pid {first.pid}) uses {tmp_path / NAME}; stop it first")


def test_two_names_of_one_file_are_one_database(tmp_path: Path) -> None:
    opened(tmp_path).close()
    (tmp_path / "alias.db").symlink_to(tmp_path / NAME)
    with opened(tmp_path) as one, Store.open(tmp_path / "alias.db") as two, one.lease(), pytest.raises(StoreError), two.lease():
        pass


def test_a_killed_daemon_leaves_no_lease(tmp_path: Path) -> None:
    with another_daemon(tmp_path / NAME) as first:
        first.send_signal(signal.SIGKILL)
        first.wait()
        with opened(tmp_path) as store, store.lease():
            assert Path(f"{tmp_path / NAME}.lock").read_text() == f"{os.getpid()}\n"


def test_a_lease_that_ended_can_be_taken_again(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for _ in range(2):
            with store.lease():
                pass


def test_an_older_database_is_not_migrated_while_another_watchdog_uses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with another_daemon(tmp_path / NAME):
        monkeypatch.setattr("watchdog.store.sqlite.database.STEPS", (*STEPS, v2_moods))
        monkeypatch.setattr("watchdog.store.sqlite.database.check_version", lambda *_: len(STEPS))
        assert "another watchdog (pid " in refusal(tmp_path / NAME)


@pytest.mark.parametrize("moment", ["committed", "claimed"])
def test_a_message_survives_kill_9_under_its_id(tmp_path: Path, moment: str) -> None:
    died = subprocess.run([sys.executable, "-c", DIE, str(tmp_path / NAME), moment], cwd=ROOT, check=False)
    assert died.returncode == -signal.SIGKILL
    receiver = FakeReceiver()
    with opened(tmp_path) as store, store.lease():
        store.recover()
        delivery = Delivery(store, [receiver])
        delivery.start()
        until(lambda: receiver.sent, 10, "the message")
        assert delivery.stop(5)
    assert receiver.sent == [("01MESSAGE1", encode(message("1")))]


def test_every_thread_that_waits_behind_a_lock_names_the_process_that_holds_it(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        other = raw(tmp_path / NAME)
        other.execute("BEGIN IMMEDIATE")
        said: list[str] = []

        def write() -> None:
            with pytest.raises(StoreError) as raised:
                store.recover()
            said.append(str(raised.value))

        threads = [threading.Thread(target=write) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        other.close()
    assert ["locked by another process" in sentence for sentence in said] == [True] * 3


def test_a_thread_that_waits_for_another_of_watchdogs_own_says_so(tmp_path: Path) -> None:
    with opened(tmp_path) as store, store.cycle():
        said: list[str] = []

        def write() -> None:
            with pytest.raises(StoreError) as raised:
                store.recover()
            said.append(str(raised.value))

        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert "another thread of watchdog writes" in said[0]


def test_a_thread_in_the_middle_of_a_statement_finishes_it_when_the_file_is_closed(tmp_path: Path) -> None:
    file = DatabaseFile(tmp_path / NAME)
    file.open("watchdog run")
    in_statement, closed = threading.Event(), threading.Event()
    found: list[tuple[int]] = []

    def linger() -> int:
        in_statement.set()
        return int(closed.wait(5))

    def read() -> None:
        connection = file.connection()
        connection.create_function("linger", 0, linger)
        found.extend(tuple(row) for row in connection.execute("SELECT linger() UNION ALL SELECT 2"))

    reader = threading.Thread(target=read)
    reader.start()
    in_statement.wait(10)
    file.close()
    closed.set()
    reader.join(10)
    assert found == [(1,), (2,)]
