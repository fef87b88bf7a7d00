"""The dead man's switch of a real daemon, heard by a real server: what it says, when it falls silent, and that it holds up nothing."""

import contextlib
import json
import signal
import sqlite3
import time
from pathlib import Path

from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import events_of, running, write_config
from tests.servers.receiver import Answer, RecordingReceiver
from tests.servers.waiting import until

QUERY = "?create=1"


def with_heartbeat(folder: Path, cluster: Cluster, hook: str, beats: str, **more: object) -> None:
    """A configuration that pings at most once in half a second."""
    table = {"url": f"{beats}/uuid{QUERY}", "every": "0.5s", **more}
    lines = ["[heartbeat]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    write_config(folder, cluster, hook, short=("QueueBacklogHigh",), more="\n".join(lines) + "\n")


def paths(beats: RecordingReceiver) -> list[str]:
    return [request.path for request in beats.requests]


WELL, FAIL = f"/hook/uuid{QUERY}", f"/hook/uuid/fail{QUERY}"


def test_it_says_well_then_fail_while_nothing_can_be_delivered_then_well_again(
    cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    with RecordingReceiver() as beats:
        with_heartbeat(tmp_path, cluster, receiver.url, beats.url)
        with running(tmp_path) as daemon:
            beats.wait_for(3)
            assert set(paths(beats)) == {WELL}
            assert {(r.method, r.body) for r in beats.requests} == {("GET", b"")}
            receiver.default = Answer(404)
            cluster.flood("beating-1", 60)
            until(lambda: paths(beats)[-1:] == [FAIL], 20, "a fail")
            receiver.default = Answer(200)
            cluster.flood("beating-2", 60)
            until(lambda: paths(beats)[-1:] == [WELL], 20, "a well")
            until(lambda: daemon.own_text.count("event=heartbeat_") == 3, 20, "its line in the log, which follows the answer")
            assert daemon.end() == 0
        for queue in ("beating-1", "beating-2"):
            cluster.app.backend.client.delete(queue)
    times = [request.at for request in beats.requests]
    assert len(times) <= (times[-1] - times[0]) / 0.5 + 2
    lines = [line for line in daemon.own_text.splitlines() if "event=heartbeat_" in line]
    assert [("status=fail" in line, "nothing can be delivered: ops" in line) for line in lines] == [
        (False, False), (True, True), (False, False),
    ]  # fmt: skip


def test_a_cycle_that_cannot_be_written_is_a_fail(cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    with RecordingReceiver() as beats:
        with_heartbeat(tmp_path, cluster, receiver.url, beats.url)
        with running(tmp_path) as daemon:
            beats.wait_for(1)
            with contextlib.closing(sqlite3.connect(tmp_path / "watchdog.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                until(lambda: paths(beats)[-1:] == [FAIL], 40, "a fail")
                other.execute("ROLLBACK")
            until(lambda: paths(beats)[-1:] == [WELL], 40, "a well")
            assert daemon.end() == 0


def test_a_server_that_hangs_holds_up_no_cycle_no_delivery_no_reload_and_no_end(
    cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    with RecordingReceiver(Answer(delay_s=60)) as beats:
        with_heartbeat(tmp_path, cluster, receiver.url, beats.url, timeout="60s")
        with running(tmp_path) as daemon:
            beats.wait_for(1)
            cluster.flood("beating-3", 60)
            until(lambda: events_of(receiver, "QueueBacklogHigh") == ["first"], 20, "the first message")
            daemon.send(signal.SIGHUP)
            daemon.wait_for("configuration_reloaded")
            began = time.monotonic()
            assert daemon.end() == 0
            assert time.monotonic() - began < 10
        cluster.app.backend.client.delete("beating-3")


def test_what_is_not_heard_is_logged_once_and_seen_in_the_table_of_itself(
    cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    rule = '[[rule]]\nname = "Unheard"\nfrom = "self"\nwhen = "heartbeat_error <> \'\'"\nsummary = "{{ heartbeat_error }}"\n'
    (tmp_path / "own.toml").write_text(rule)
    with RecordingReceiver(Answer(200, body=b"OK (not found)")) as beats:
        with_heartbeat(tmp_path, cluster, receiver.url, beats.url)
        config = tmp_path / "watchdog.toml"
        config.write_text('rules = ["own.toml"]\n' + config.read_text())
        with running(tmp_path) as daemon:
            beats.wait_for(3)
            until(lambda: events_of(receiver, "Unheard") == ["first"], 20, "the rule of one's own")
            assert daemon.end() == 0
    assert daemon.own_text.count("heartbeat_failed") == 1
    body = json.loads(next(r.body for r in receiver.requests if b"Unheard" in r.body))
    assert body["message"] == f"http://127.0.0.1:{beats.port} answered 200: OK (not found)"
    assert "uuid" not in daemon.own_text


def test_a_reload_turns_to_the_new_url_and_leaves_the_old_one(cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    with RecordingReceiver() as old, RecordingReceiver() as new:
        with_heartbeat(tmp_path, cluster, receiver.url, old.url)
        with running(tmp_path) as daemon:
            old.wait_for(1)
            with_heartbeat(tmp_path, cluster, receiver.url, new.url, fail_url=f"{new.url}/down", every="1h")
            daemon.send(signal.SIGHUP)
            daemon.wait_for("configuration_reloaded")
            new.wait_for(1)
            heard = len(old.requests)
            daemon.send(signal.SIGHUP)
            daemon.wait_for("configuration_reloaded", count=2)
            daemon.wait_for("configuration_read", count=3)
            assert daemon.end() == 0
        assert paths(new) == [WELL]  # a reload with the same URL is no reason to ping it again before its time
        assert len(old.requests) == heard


def test_the_url_is_shown_masked(tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text(
        'heartbeat = "https://u:p@hc-ping.com/uu1d/slug?create=1"\n[[target]]\nname = "a"\nredis = "redis://localhost"\n'
    )
    shown = watchdog("config", "show", cwd=tmp_path).stdout
    assert 'heartbeat = {url = "https://***@hc-ping.com/***?***", every = "1m"' in shown
