"""`watchdog report` and `digest`, as their users run them: a daemon that was down when a digest was due sends it once it is back."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.processes.command_line import watchdog
from tests.processes.running import running
from tests.servers.receiver import Answer, RecordingReceiver
from tests.servers.waiting import until

DAY = 86400.0
TARGET = 'interval = "0.3s"\ndatabase = "watchdog.db"\n[[target]]\nname = "prod"\nredis = "redis://127.0.0.1:1/0"\n'
FIRE = '[[override]]\nrule = "BrokerUnreachable"\nfor = "0s"\n'


def configured(folder: Path, receiver: RecordingReceiver, kind: str = "webhook") -> datetime:
    """A configuration whose digest was due a few minutes ago; when that was."""
    due = (datetime.now(UTC) - timedelta(minutes=5)).replace(second=0, microsecond=0)
    text = f'{TARGET}{FIRE}[[receiver]]\nname = "ops"\ntype = "{kind}"\nurl = "{receiver.url}"\ndigest = "{due:%H:%M}"\n'
    (folder / "watchdog.toml").write_text(text)
    return due


def as_if_running_since_yesterday(folder: Path, due: datetime) -> None:
    """What a daemon remembers that sent yesterday's digest, and was down when today's was due."""
    with closing(sqlite3.connect(folder / "watchdog.db", isolation_level=None)) as connection:
        connection.execute("INSERT OR REPLACE INTO digests VALUES ('ops', ?, ?)", (f"{due:%H:%M} UTC", due.timestamp() - DAY))


def digests(receiver: RecordingReceiver) -> list[dict[str, Any]]:
    bodies = [json.loads(request.body) for request in receiver.requests]
    return [body for body in bodies if body.get("type") == "digest"]


def iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def test_a_daemon_that_was_down_at_its_hour_sends_the_digest_once(receiver: RecordingReceiver, tmp_path: Path) -> None:
    due = configured(tmp_path, receiver)
    with running(tmp_path) as daemon:
        until(lambda: bool(receiver.requests), 30, "the fire is told")
        assert daemon.end() == 0
    assert digests(receiver) == []  # a new receiver begins with the next one
    as_if_running_since_yesterday(tmp_path, due)
    for _ in range(2):
        with running(tmp_path) as daemon:
            until(lambda: len(digests(receiver)) == 1, 30, "the digest")
            assert daemon.end() == 0
    [body] = digests(receiver)
    report = body["data"]["report"]
    assert (report["since"], report["until"]) == (iso(due - timedelta(days=1)), iso(due))
    assert [target["target"] for target in report["targets"]] == ["prod"]
    assert report["targets"][0]["processed"] is None  # nobody could count: there is no Flower
    assert "digest_queued" in daemon.text


def test_slack_gets_a_digest_in_its_form(receiver: RecordingReceiver, tmp_path: Path) -> None:
    receiver.default = Answer(body=b"ok")
    due = configured(tmp_path, receiver, "slack")
    with running(tmp_path) as daemon:
        assert daemon.end() == 0
    as_if_running_since_yesterday(tmp_path, due)
    with running(tmp_path) as daemon:
        until(lambda: any(b"Report of 1d" in request.body for request in receiver.requests), 30, "the digest")
        assert daemon.end() == 0


def reported(folder: Path) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(watchdog("report", "--last", "1h", "--format", "json", cwd=folder).stdout)
    return answer


def test_a_report_tells_what_fires_and_that_nobody_acted_until_somebody_does(receiver: RecordingReceiver, tmp_path: Path) -> None:
    configured(tmp_path, receiver)
    with running(tmp_path):
        until(lambda: bool(reported(tmp_path)["told"]), 30, "the fire is told, and that is stored")
        before = reported(tmp_path)
        [incident] = before["incidents"]
        watchdog("ack", incident["id"], "--comment", "on it", "--author", "ada", cwd=tmp_path)
        page = watchdog("report", cwd=tmp_path).stdout
    assert (incident["rule"], incident["burning"], incident["acted"]) == ("BrokerUnreachable", True, [])
    assert [rule["rule"] for rule in before["told"]] == ["BrokerUnreachable"]
    assert "acknowledged by ada" in page


def test_a_digest_can_be_looked_at_before_its_hour(receiver: RecordingReceiver, tmp_path: Path) -> None:
    configured(tmp_path, receiver)
    with running(tmp_path) as daemon:
        until(lambda: bool(receiver.requests), 30, "the fire is told")
        assert daemon.end() == 0
    done = watchdog("receivers", "test", "ops", "--digest", cwd=tmp_path)
    [body] = digests(receiver)
    assert (done.returncode, [one["rule"] for one in body["data"]["report"]["incidents"]]) == (0, ["BrokerUnreachable"])


def test_a_report_without_a_database_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text(TARGET)
    done = watchdog("report", cwd=tmp_path)
    assert (done.returncode, "watchdog run" in done.stderr) == (2, True)
