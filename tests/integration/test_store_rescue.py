"""A damaged file, and what is saved of it."""

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.builders.outbox import T0, commit, incident, message, notice, opened, plan
from tests.processes.command_line import watchdog
from watchdog.core.incidents.outcome import Delivered
from watchdog.core.incidents.payload import encode
from watchdog.store import Store, StoreError
from watchdog.store.migrations import STEPS
from watchdog.store.records import INCIDENT_COLUMNS, incident_cells
from watchdog.store.sqlite.database import DatabaseFile
from watchdog.store.sqlite.repair.rescue import rescue
from watchdog.store.sqlite.schema import bring_up_to_date

NAME = "watchdog.db"
MANY = 200


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("full")
    with opened(folder) as store:
        commit(store, plan(*(message(f"{n}", notice(f"{n}")) for n in range(MANY)), incidents=[incident(f"{n}") for n in range(MANY)]))
        for _ in range(MANY):
            claimed = store.claim("ops", T0, "s1", encode)
            assert claimed is not None
            store.settle(claimed.message.id, Delivered(), T0)
    return folder / NAME


@pytest.fixture
def full(made_once: Path, tmp_path: Path) -> Path:
    """200 incidents, of which `ops` was notified; all in the main file."""
    return Path(shutil.copy(made_once, tmp_path))


def damage(path: Path, *pages: int) -> None:
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * 4096)
            file.write(b"\xff" * 4096)


def damage_some_incidents(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = connection.execute("SELECT pageno FROM dbstat WHERE name = 'incidents' AND pagetype = 'leaf'").fetchall()
    damage(path, pages[1][0])


def data_pages(path: Path) -> range:
    """The pages that came after the schema."""
    (path.parent / "fresh").mkdir()
    with opened(path.parent / "fresh") as empty:
        return range(empty.database_bytes() // 4096 + 1, path.stat().st_size // 4096 + 1)


def rows(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_a_file_that_is_well_is_left_alone(full: Path) -> None:
    before = full.read_bytes()
    assert rescue(full, "watchdog database rescue") is None
    assert full.read_bytes() == before


def test_the_command_says_so(full: Path) -> None:
    said = watchdog("database", "rescue", "--database", full, cwd=full.parent)
    assert (said.returncode, said.stdout) == (0, f"database {full} is not damaged; nothing was changed\n")


def test_what_the_damaged_pages_do_not_hold_is_kept_and_the_rest_is_counted(full: Path) -> None:
    damage(full, *data_pages(full)[::7])
    rescued = rescue(full, "watchdog database rescue")
    assert rescued is not None
    assert rescued.damaged.exists()
    kept, lost, _ = rescued.tables["incidents"]
    assert 0 < kept < MANY
    assert kept + lost <= MANY
    with Store.open(full, create=False) as store:
        assert len(store.incidents()) == kept == rescued.open_incidents


def test_incidents_of_an_older_file_are_kept_though_it_lacks_the_newer_columns(tmp_path: Path) -> None:
    path = tmp_path / NAME
    file = DatabaseFile(path)
    bring_up_to_date(file.database(), path, STEPS[:2])
    columns = [column.name for column in file.database()["incidents"].columns]
    with file.writing() as connection:
        for nth in range(MANY):
            cells = dict(zip(INCIDENT_COLUMNS, incident_cells(incident(f"{nth}")), strict=True))
            names, places = ", ".join(f'"{name}"' for name in columns), ", ".join("?" * len(columns))
            connection.execute(f"INSERT INTO incidents ({names}) VALUES ({places})", [cells[name] for name in columns])
    file.close()
    damage_some_incidents(path)
    rescued = rescue(path, "watchdog database rescue")
    assert rescued is not None
    assert 0 < rescued.open_incidents == rescued.tables["incidents"][0] < MANY
    with opened(tmp_path) as store:
        assert {one.link for one in store.incidents()} == {""}


def columns_of(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


@pytest.mark.parametrize("version", range(1, len(STEPS)))
def test_who_was_told_is_counted_from_the_messages_of_a_file_of_any_version(full: Path, version: int) -> None:
    path = full.parent / "older.db"
    file = DatabaseFile(path)
    bring_up_to_date(file.database(), path, STEPS[:version])
    with closing(sqlite3.connect(full)) as now, file.writing() as older:
        for table in ("incidents", "messages", "notices"):
            names = ", ".join(f'"{name}"' for name in columns_of(older, table) if name in columns_of(now, table))
            for cells in now.execute(f"SELECT {names} FROM {table}"):
                older.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(cells))})", cells)
    file.close()
    damage_some_incidents(path)
    rescued = rescue(path, "watchdog database rescue")
    assert rescued is not None
    assert rows(path, "told") == rescued.tables["notices"][0] == MANY


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_damaged_the_new_file_is_whole_and_holds_nothing_that_was_not_there(full: Path, seed: int) -> None:
    pages, chance = data_pages(full), random.Random(seed)
    damage(full, *chance.sample(pages, k=chance.randint(1, len(pages) // 3)))
    rescued = rescue(full, "watchdog database rescue")
    if rescued is None:  # only free pages were hit
        return
    with closing(sqlite3.connect(full)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    with opened(full.parent) as store:
        assert {found.id for found in store.incidents()} <= {incident(f"{n}").id for n in range(MANY)}
        while store.claim("ops", T0 + 1, "s1", encode):
            pytest.fail("something that was delivered is sent again")


def test_who_was_told_is_counted_anew_from_the_messages(full: Path) -> None:
    with closing(sqlite3.connect(full)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'told'").fetchone()[0]
    damage(full, root)
    rescued = rescue(full, "watchdog database rescue")
    assert rescued is not None
    assert rescued.tables["told"][0] == 0
    assert rows(full, "told") == MANY


def test_what_it_makes_has_the_mode_of_the_file(full: Path) -> None:
    full.chmod(0o600)
    damage(full, *data_pages(full)[::7])
    lock = Path(f"{full}.lock")
    lock.touch(mode=0o644)
    rescued = rescue(full, "watchdog database rescue")
    assert rescued is not None
    assert [path.stat().st_mode & 0o777 for path in (full, rescued.damaged, lock)] == [0o600] * 3


def test_the_lock_of_a_file_that_is_well_is_not_kept_from_its_owner(full: Path) -> None:
    full.chmod(0o660)
    assert rescue(full, "watchdog database rescue") is None
    assert Path(f"{full}.lock").stat().st_mode & 0o777 == 0o660


def test_while_files_are_swapped_there_is_always_one(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damage(full, *data_pages(full)[::7])
    there, replace = [], Path.replace

    def seen(self: Path, target: Path | str) -> Path:
        there.append(full.exists())
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", seen)
    assert rescue(full, "watchdog database rescue") is not None
    assert there
    assert all(there)


def test_a_file_whose_beginning_is_gone_is_left_as_it_is(full: Path) -> None:
    damage(full, 1)
    before = full.read_bytes()
    with pytest.raises(StoreError, match=r"nothing of it can be read .* and it was left as it is; restore a copy"):
        rescue(full, "watchdog database rescue")
    assert full.read_bytes() == before


def test_a_file_that_a_daemon_uses_is_not_touched(full: Path) -> None:
    damage(full, 5)
    with closing(sqlite3.connect(full)), Store(full).lease(), pytest.raises(StoreError, match="another watchdog"):
        rescue(full, "watchdog database rescue")


def test_an_earlier_rescue_is_not_overwritten(full: Path) -> None:
    Path(f"{full}.damaged").touch()
    with pytest.raises(StoreError, match="is there already, from a rescue before; move it elsewhere first"):
        rescue(full, "watchdog database rescue")
