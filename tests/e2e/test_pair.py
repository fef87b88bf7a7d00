"""Two daemons on one PostgreSQL, as an operator of both sees them: who works, who stands by, what each serves, and what it costs."""

import json
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.processes.command_line import watchdog
from tests.processes.running import Daemon, running
from tests.servers.postgresql import RealPostgreSQL
from tests.servers.waiting import until

CONFIG = """
interval = "1s"
database = "{url}"
log_format = "logfmt"
[[target]]
name = "prod"
redis = "redis://127.0.0.1:1/0"
[http]
listen = "127.0.0.1:0"
"""
MOST_MB = 60
_SERVED = re.compile(r"http_served .*\bport=(\d+)")


def place_of(daemon: Daemon) -> str:
    found = _SERVED.search(daemon.own_text)
    assert found, daemon.own_text
    return f"http://127.0.0.1:{found[1]}"


def name_of(daemon: Daemon) -> str:
    return f", pid {daemon.process.pid}"


@pytest.fixture(scope="module")
def pair(postgresql_server: RealPostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Daemon, Daemon, ExitStack]]:
    """One that works, and one that stands by; the stack ends the first."""
    url, folders = postgresql_server.new_database(), [tmp_path_factory.mktemp(name) for name in ("one", "two")]
    for folder in folders:
        (folder / "watchdog.toml").write_text(CONFIG.format(url=url))
    with ExitStack() as one:
        first = one.enter_context(running(folders[0]))
        with running(folders[1], until="standing_by") as second:
            yield first, second, one


@pytest.mark.parametrize("path", ["healthz", "readyz"])
def test_the_probes_of_who_stands_by_name_who_works(pair: tuple[Daemon, Daemon, ExitStack], path: str) -> None:
    first, second, _ = pair
    answer = httpx.get(f"{place_of(second)}/{path}")
    assert (answer.status_code, answer.text.strip().endswith(name_of(first))) == (200, True), answer.text


def test_who_stands_by_is_small(pair: tuple[Daemon, Daemon, ExitStack]) -> None:
    """Its page has not been asked for yet. The process began anew, and kept its pid."""
    status = Path(f"/proc/{pair[1].process.pid}/status").read_text()
    assert int(status.split("VmHWM:")[1].split()[0]) / 1000 < MOST_MB


def test_status_names_both(pair: tuple[Daemon, Daemon, ExitStack]) -> None:
    first, second, _ = pair

    def both() -> bool:
        shown = watchdog("status", cwd=second.folder).stdout
        return f"{name_of(first)} works" in shown and f"{name_of(second)} stands by" in shown

    until(both, 20, "both names")
    daemons = json.loads(watchdog("status", "--json", cwd=first.folder).stdout)["daemons"]
    assert (daemons["works"].endswith(name_of(first)), len(daemons["stand_by"])) == (True, 1)


def test_who_stands_by_serves_the_page_and_says_so(pair: tuple[Daemon, Daemon, ExitStack]) -> None:
    first, second, _ = pair
    page = httpx.get(place_of(second), timeout=20).text
    assert "prod" in page
    assert f"{name_of(first)}. What you see" in page


def test_what_is_silenced_there_is_silenced(pair: tuple[Daemon, Daemon, ExitStack]) -> None:
    silence = {"matchers": ["rule=QueueBacklogHigh"], "for": "1h", "comment": "known", "author": "ann"}
    made = httpx.post(f"{place_of(pair[1])}/api/v1/silences", json=silence, timeout=20)
    assert made.status_code == 201, made.text
    assert "known" in watchdog("silence", "list", cwd=pair[0].folder).stdout


def test_metrics_say_which_one_works(pair: tuple[Daemon, Daemon, ExitStack]) -> None:
    works, stands_by = (httpx.get(f"{place_of(one)}/metrics", timeout=20).text for one in pair[:2])
    assert [text.split("\nwatchdog_standing_by ")[1][:3] for text in (works, stands_by)] == ["0.0", "1.0"]
    assert ["\nwatchdog_ready " in text for text in (works, stands_by)] == [True, False]


def test_at_the_end_of_one_the_other_takes_over_and_serves_at_the_same_address(pair: tuple[Daemon, Daemon, ExitStack]) -> None:
    _, second, one = pair
    place = place_of(second)
    one.close()
    second.wait_for("took_over")
    second.wait_for("watchdog_started")
    until(lambda: httpx.get(f"{place}/readyz").text == "ok\n", 20, "it to be ready")
    assert second.end(signal.SIGTERM) == 0
