"""`watchdog status` beside a running daemon, without one, and on a terminal."""

import json
import os
import pty
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import COMMAND, FRESH, environment, running, write_config
from tests.servers.waiting import until

ESCAPE = re.compile(r"\x1b\[[?\d;]*[A-Za-z]")
NOBODY = "http://127.0.0.1:1/hook"


def document(folder: Path, *args: str) -> dict[str, Any]:
    done = watchdog("status", "--json", *args, cwd=folder)
    assert done.returncode == 0, done.stderr
    [target] = json.loads(done.stdout)["targets"]
    return dict(target)


def on_a_terminal(folder: Path, args: Sequence[str], until_seen: str, *, then: signal.Signals | None = None) -> tuple[str, int]:
    """What a terminal of 80 columns gets until it shows a text, and the exit code; `then` is sent once it does."""
    ours, theirs = pty.openpty()
    environ = {**environment(folder, {}), "COLUMNS": "80", "LINES": "40", "TERM": "xterm"}
    with subprocess.Popen([*COMMAND, *args], cwd=folder, env=environ, stdin=theirs, stdout=theirs, stderr=theirs) as child:
        os.close(theirs)
        shown, deadline = b"", time.monotonic() + 60
        while until_seen.encode() not in shown and time.monotonic() < deadline:
            shown += os.read(ours, 100_000)
        if then is not None:
            child.send_signal(then)
        while child.poll() is None or then is None:
            try:
                shown += os.read(ours, 100_000)
            except OSError:
                break
        code = child.wait(30)
    os.close(ours)
    assert until_seen.encode() in shown
    return ESCAPE.sub("", shown.decode(errors="replace")), code


@pytest.fixture
def folder(cluster: Cluster, tmp_path: Path) -> Path:
    write_config(tmp_path, cluster, NOBODY)
    return tmp_path


def test_beside_a_daemon_its_last_look_and_its_counts_are_shown(cluster: Cluster, folder: Path) -> None:
    with running(folder, command=FRESH):
        until(lambda: "tasks" in document(folder)["day"], 30, "a second look")
        before = sum(row["succeeded"] for row in document(folder)["day"]["tasks"]["rows"])
        cluster.flood("indexing", 7, "demo.ok")

        def counted() -> bool:
            rows = document(folder)["day"]["tasks"]["rows"]
            return bool(sum(row["succeeded"] for row in rows) == before + 7)

        until(counted, 60, "the seven tasks in history")
        shown = document(folder)
        assert (shown["live"], shown["watched"], shown["age_s"] < 10) == (False, True, True)
        page = watchdog("status", cwd=folder).stdout
        assert "as watchdog saw it" in page
        assert "\x1b" not in page
        shown_text, code = on_a_terminal(folder, ["status", "--watch"], "overview", then=signal.SIGINT)
        assert code == 0
        assert "╭─ overview" in shown_text
        shown_text, code = on_a_terminal(folder, [], "watchdog --help")
        assert code == 0
        assert "╭─ overview" in shown_text
        assert "╭─ queues" not in shown_text


def test_without_a_daemon_it_looks_itself_and_says_so(folder: Path) -> None:
    shown = document(folder)
    assert (shown["live"], shown["incidents"], shown["day"]) == (True, None, {})
    assert all(row["cells"]["state"] == "online" for row in shown["tables"]["workers"]["rows"])
    assert "looked at just now" in watchdog("status", cwd=folder).stdout


def test_without_a_configuration_a_flower_and_a_redis_are_enough(cluster: Cluster, tmp_path: Path) -> None:
    shown = document(tmp_path, "--flower", cluster.flower_url, "--redis", cluster.redis_url)
    assert (shown["target"], shown["live"]) == ("default", True)


def test_an_unknown_target_is_refused(folder: Path) -> None:
    done = watchdog("status", "--target", "nowhere", cwd=folder)
    assert (done.returncode, done.stderr) == (2, 'no target "nowhere"; configured: prod\n')


def test_watch_needs_a_terminal(folder: Path) -> None:
    done = watchdog("status", "--watch", cwd=folder)
    assert done.returncode == 2
    assert "--watch updates a terminal in place" in done.stderr


def test_alone_in_a_pipe_it_shows_the_help_as_ever(folder: Path) -> None:
    done = watchdog(cwd=folder)
    assert done.returncode == 2
    assert "Usage: watchdog" in done.stderr


def test_alone_on_a_terminal_without_a_configuration_it_shows_the_help(tmp_path: Path) -> None:
    shown, code = on_a_terminal(tmp_path, [], "completion")
    assert (code, "Usage: watchdog" in shown) == (2, True)


def query(folder: Path, sql: str, *args: str) -> dict[str, Any]:
    done = watchdog("query", *args, sql, "--format", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_a_query_beside_a_daemon_answers_from_its_last_look(cluster: Cluster, folder: Path) -> None:
    with running(folder, command=FRESH):
        until(lambda: "tasks" in document(folder)["day"], 30, "a second look")
        cluster.flood("indexing", 3, "demo.ok")
        seen = query(folder, "SELECT name, growth_per_min FROM queues WHERE name = 'indexing'")
        assert seen["seen_at"]["prod"] is not None
        assert seen["gaps"] == []
        assert query(folder, "SELECT name FROM queues", "--live")["seen_at"] == {"prod": None}

        def counted() -> bool:
            rows = query(folder, "SELECT succeeded FROM tasks WHERE name = 'demo.ok'", "--window", "24h")["rows"]
            return bool(sum(row["succeeded"] for row in rows) >= 3)

        until(counted, 60, "the three tasks in a query over 24 h")


def test_a_window_needs_history(folder: Path) -> None:
    done = watchdog("query", "--window", "24h", "SELECT name FROM tasks", cwd=folder)
    assert done.returncode == 2
    assert "--window reads the history that `watchdog run` keeps: there is no database" in done.stderr
    assert watchdog("query", "--window", "24h", "--live", "SELECT name FROM tasks", cwd=folder).returncode == 2
