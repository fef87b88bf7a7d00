"""What `watchdog worker` refuses before it looks, and what it waits for."""

import sys
from pathlib import Path

import pytest

from tests.processes.command_line import watchdog
from watchdog.cli.run.worker import _opened
from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.store import AwayError, Store, StoreError

CONFIG = """
database = "postgresql://127.0.0.1:1/watchdog"
engine = {broker = "redis://127.0.0.1:1/0"}
[[target]]
name = "prod"
redis = "redis://127.0.0.1:2/0"
"""


@pytest.mark.parametrize(
    ("options", "named"),
    [(["-P", "prefork"], "-P"), (["-Pgevent"], "-P"), (["--pool", "eventlet"], "--pool"), (["--pool=prefork"], "--pool")],
)
def test_a_pool_that_shares_no_connections_is_refused_by_the_option_that_names_it(tmp_path: Path, options: list[str], named: str) -> None:
    (tmp_path / "watchdog.toml").write_text(CONFIG)
    done = watchdog("worker", "--", *options, cwd=tmp_path)
    assert done.returncode == 2
    assert f"{named}: expected threads or solo, found another pool" in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-Q", "other"], "-Q: expected no queues here, because `engine.queue`"),
        (["--queues=other"], "--queues: expected no queues here"),
        (["-X", "other"], "-X: expected no queues here"),
        (["-D"], "-D: expected a worker in the foreground"),
        (["--loglevel", "INFO", "--beat"], "--beat: expected no schedule here"),
    ],
)
def test_an_option_of_celery_that_cannot_work_here_is_refused_with_the_reason(tmp_path: Path, options: list[str], said: str) -> None:
    (tmp_path / "watchdog.toml").write_text(CONFIG)
    done = watchdog("worker", "--", *options, cwd=tmp_path)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_without_the_library_for_postgresql_it_ends_and_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "watchdog.toml").write_text(CONFIG)
    for name in [name for name in sys.modules if name.startswith("watchdog.store.postgresql")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    done = watchdog("worker", cwd=tmp_path)
    assert done.returncode == 1
    assert "psycopg is not installed, which speaks to PostgreSQL: pip install 'celery-watchdog[postgres]'" in done.stderr


PLACE = DatabaseUrl("postgresql://127.0.0.1:1/watchdog")


def opening(monkeypatch: pytest.MonkeyPatch, *errors: StoreError) -> None:
    """Fail to open a database with these errors, one after the other, and then open it."""
    left = list(errors)

    def beside_daemon(place: DatabaseUrl) -> Store:
        if left:
            raise left.pop(0)
        return Store(place)

    monkeypatch.setattr(Store, "beside_daemon", beside_daemon)
    monkeypatch.setattr("watchdog.cli.run.worker.WAIT_S", 0.0)


def test_what_may_pass_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    opening(monkeypatch, AwayError("it starts", passes=True), StoreError("no tables yet", passes=True))
    assert _opened(PLACE).path == PLACE


def test_what_does_not_pass_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    opening(monkeypatch, AwayError("it starts", passes=True), AwayError("the password is wrong"))
    with pytest.raises(StoreError, match="the password is wrong"):
        _opened(PLACE)
