"""`watchdog ack`, `unack` and `close` beside a real daemon: who knows is not reminded, and everybody hears the end."""

import json
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.builders.outbox import incident, look, opened
from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import events_of, running
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until
from watchdog.core.incidents.routing import Recipient

RULE = "QueueBacklogHigh"


def configure(folder: Path, redis_url: str = "redis://127.0.0.1:1/0", url: str = "http://127.0.0.1:1/", keep: str = "1s") -> None:
    """Only backlogs are judged, by the length alone; they are critical, and repeated after 1, 2, 4 … seconds."""
    (folder / "rules.toml").write_text(
        f'[[rule]]\nname = "{RULE}"\nfrom = "queues"\nwhen = "length > 50"\nfor = "0s"\nkeep_firing_for = "{keep}"\nseverity = "critical"\n'
    )
    (folder / "watchdog.toml").write_text(
        'interval = "0.3s"\ndatabase = "watchdog.db"\nshipped_rules = false\nrules = ["rules.toml"]\n'
        f'[[target]]\nname = "prod"\nredis = {{ url = "{redis_url}", queues = ["nobody"] }}\n'
        f'[[receiver]]\nname = "ops"\ntype = "webhook"\nurl = "{url}"\nrepeat = "1s"\n'
    )


def incidents(folder: Path, *args: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(watchdog("incidents", *args, "--format", "json", cwd=folder).stdout)["incidents"]
    return listed


def looked_at(folder: Path) -> float:
    with opened(folder) as store:
        return store.watched().last.get("prod", 0.0)


def drain(cluster: Cluster) -> None:
    with redis.Redis.from_url(cluster.redis_url) as client:
        client.delete("nobody")


def test_an_acknowledged_critical_gets_no_reminder_but_its_end(cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    configure(tmp_path, cluster.redis_url, receiver.url)
    with running(tmp_path) as daemon:
        cluster.flood("nobody", 60)
        until(lambda: events_of(receiver, RULE) == ["first", "reminder"], 20, "a first reminder")
        (one,) = incidents(tmp_path)
        done = watchdog("ack", one["id"], "--comment", "a big import", "--author", "ada", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        (one,) = incidents(tmp_path)
        assert (one["acknowledged"]["by"], one["acknowledged"]["comment"]) == ("ada", "a big import")

        heard, since = events_of(receiver, RULE), looked_at(tmp_path)
        until(lambda: looked_at(tmp_path) > since + 5, 30, "two more reminders would have been due")
        assert events_of(receiver, RULE) == heard
        drain(cluster)
        until(lambda: events_of(receiver, RULE) == [*heard, "resolved"], 20, "its end")
        assert daemon.end() == 0


def test_one_that_is_closed_by_hand_is_told_once_with_the_reason(cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    configure(tmp_path, cluster.redis_url, receiver.url, keep="1h")
    with running(tmp_path) as daemon:
        cluster.flood("nobody", 60)
        until(lambda: events_of(receiver, RULE) != [], 20, "its beginning")
        (one,) = incidents(tmp_path)
        refused = watchdog("close", one["id"], "--reason", "done", cwd=tmp_path)
        assert refused.returncode == 2
        assert "watchdog silence add" in refused.stderr

        drain(cluster)
        until(lambda: [one["state"] for one in incidents(tmp_path)] == ["recovering"], 20, "no breach any more")
        assert watchdog("close", one["id"], "--reason", "nobody needs these", "--author", "ada", cwd=tmp_path).returncode == 0
        until(lambda: "resolved" in events_of(receiver, RULE), 20, "its end")
        since = looked_at(tmp_path)
        until(lambda: looked_at(tmp_path) > since + 1, 20, "some more cycles")
        assert daemon.end() == 0
    assert events_of(receiver, RULE).count("resolved") == 1
    last = json.loads(receiver.requests[-1].body)
    assert last["message"].startswith("Ended (closed by hand by ada, nobody needs these): ")
    assert incidents(tmp_path) == []
    (ended,) = incidents(tmp_path, "--all")
    assert (ended["ended"], ended["closed_by"], ended["closed_because"]) == ("closed by hand", "ada", "nobody needs these")


def test_one_that_is_closed_while_no_daemon_runs_is_told_once_by_the_next_one(
    cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    configure(tmp_path, cluster.redis_url, receiver.url, keep="1h")
    with running(tmp_path) as daemon:
        cluster.flood("nobody", 60)
        until(lambda: events_of(receiver, RULE) != [], 20, "its beginning")
        drain(cluster)
        until(lambda: [one["state"] for one in incidents(tmp_path)] == ["recovering"], 20, "no breach any more")
        assert daemon.end() == 0
    heard = events_of(receiver, RULE)
    (one,) = incidents(tmp_path)
    said = watchdog("close", one["id"], "--reason", "nobody needs these", cwd=tmp_path)
    assert "no `watchdog run` uses this database now" in said.stdout
    with running(tmp_path) as daemon:
        until(lambda: events_of(receiver, RULE) == [*heard, "resolved"], 20, "its end")
        assert daemon.end() == 0
    assert incidents(tmp_path) == []


# --- without a daemon -----------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two open incidents; no daemon runs."""
    configure(tmp_path)
    with opened(tmp_path) as store:
        look(store, [Recipient("ops")], incident("INDEXING"), incident("TRAINING"))
    return tmp_path


def test_who_knows_is_shown_wherever_the_incident_is(folder: Path) -> None:
    assert watchdog("ack", "f00dindexing", "--comment", "on it", "--author", "ada", cwd=folder).returncode == 0
    assert "acknowledged by ada since " in watchdog("incidents", cwd=folder).stdout
    shown = watchdog("incidents", "show", "f00dindexing", cwd=folder).stdout
    assert "known        acknowledged by ada since " in shown
    assert "Acknowledged:" in shown
    document = json.loads(watchdog("incidents", "show", "f00dindexing", "--format", "json", cwd=folder).stdout)
    assert [(one["by"], one["comment"], one["until"]) for one in document["acknowledgements"]] == [("ada", "on it", None)]


def test_several_can_be_named_in_a_pipe(folder: Path) -> None:
    listed = "\n".join(line for line in watchdog("incidents", cwd=folder).stdout.splitlines() if RULE in line)
    done = watchdog("ack", "-", "--format", "json", cwd=folder, stdin=listed)
    assert [one["key"] for one in json.loads(done.stdout)["incidents"]] == [{"name": "INDEXING"}, {"name": "TRAINING"}]
    assert watchdog("unack", "f00dindexing", "f00dtraining", cwd=folder).stdout.count("no longer acknowledged") == 2
    assert all(one["acknowledged"] is None for one in incidents(folder))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["ack", "nope"], 'no incident "nope"'),
        (["ack", "01"], "several incidents begin"),
        (["ack"], "Missing argument"),
        (["ack", "-"], "expected ids of incidents on standard input"),
        (["unack", "f00dindexing"], "is not acknowledged"),
        (["close", "f00dindexing", "--reason", "done"], "cannot be closed: it was in breach"),
        (["close", "f00dindexing", "--reason", " "], "expected a reason"),
        (["close", "f00dindexing"], "--reason"),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_to_do_instead(folder: Path, args: list[str], said: str) -> None:
    done = watchdog(*args, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert all(one["acknowledged"] is None for one in incidents(folder))


def test_what_is_refused_is_a_document_where_one_was_asked_for(folder: Path) -> None:
    done = watchdog("close", "f00dindexing", "--reason", "done", "--format", "json", cwd=folder)
    assert done.returncode == 2
    assert "in breach" in json.loads(done.stdout)["faults"][0]
