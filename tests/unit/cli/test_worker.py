"""What `watchdog worker` refuses before it connects to anything."""

from pathlib import Path

import pytest

from tests.processes.command_line import watchdog

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
