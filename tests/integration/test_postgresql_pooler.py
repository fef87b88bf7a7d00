"""PgBouncer between watchdog and PostgreSQL: its mode `session` serves, and the others are refused in a sentence."""

from pathlib import Path

import pytest

from tests.builders.outbox import commit, incident, load, opened, plan
from tests.servers.pgbouncer import PGBOUNCER, needs_pgbouncer, pgbouncer
from tests.servers.postgresql import RealPostgreSQL
from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.store import Store, StoreError

pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason=needs_pgbouncer)


@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_one_that_shares_sessions_is_refused(postgresql_server: RealPostgreSQL, tmp_path: Path, mode: str) -> None:
    refused = pytest.raises(StoreError, match=f"pool_mode = {mode} does; watchdog needs pool_mode = session")
    with pgbouncer(postgresql_server.emptied_database(), mode, tmp_path) as url, refused:
        Store.open(DatabaseUrl(url))


def test_one_that_keeps_sessions_serves(postgresql_server: RealPostgreSQL, tmp_path: Path) -> None:
    with pgbouncer(postgresql_server.emptied_database(), "session", tmp_path) as url, opened(DatabaseUrl(url)) as store, store.lease():
        commit(store, plan(incidents=[incident()]))
        assert load(store).open == (incident(),)
