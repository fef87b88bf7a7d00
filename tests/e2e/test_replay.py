"""A threshold tuned by replay: a real daemon on a real Redis reports a queue that fills, and what it recorded is replayed beside it."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import running
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until

CONFIG = """
interval = "0.2s"
database = "watchdog.db"
rules = ["rules.toml"]
[[target]]
name = "prod"
redis = {{ url = "{redis}", queues = ["mail", "indexing"] }}
[[target]]
name = "gone"
redis = "redis://127.0.0.1:1/0"
[[receiver]]
name = "ops"
type = "webhook"
url = "{hook}"
[[override]]
rule = "*"
for = "0.6s"
keep_firing_for = "0.6s"
"""
RULES = """
[[rule]]
name   = "LongQueue"
from   = "queues"
when   = "length > :limit"
params = { limit = 20 }
summary = "{{ name }} holds {{ length | number }} messages"
"""


def told(receiver: RecordingReceiver, event: str) -> list[str]:
    """The queues whose incidents were told with that event, in order."""
    found = [one for request in receiver.requests for one in json.loads(request.body)["data"]["incidents"]]
    return [one["key"]["name"] for one in found if one["rule"] == "LongQueue" and one["event"] == event]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a daemon recorded: 30 messages in one queue and 90 in another, told and over; a broker that was never there."""
    folder = tmp_path_factory.mktemp("recorded")
    with Cluster() as cluster, RecordingReceiver() as receiver:
        cluster.start_redis()
        (folder / "rules.toml").write_text(RULES)
        (folder / "watchdog.toml").write_text(CONFIG.format(redis=cluster.redis_url, hook=receiver.url))
        with running(folder), redis.Redis.from_url(cluster.redis_url) as broker:
            for queue, count in (("mail", 30), ("indexing", 90)):
                broker.lpush(queue, *["x"] * count)
                until(lambda: queue in told(receiver, "first"), 30, "the beginning")  # noqa: B023 - called at once
                broker.delete(queue)
                until(lambda: queue in told(receiver, "resolved"), 30, "the end")  # noqa: B023
    return folder


@pytest.fixture
def lived(recorded: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return shutil.copytree(recorded, tmp_path / "lived")


def replayed(folder: Path, *args: str) -> tuple[int, dict[str, Any]]:
    done = watchdog("rules", "replay", "--format", "json", *args, cwd=folder)
    return done.returncode, json.loads(done.stdout)


def found(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["difference"], one["rule"], one["key"].get("name", one["target"])) for one in document["incidents"]]


def test_a_replay_of_what_a_running_daemon_recorded_tells_what_it_told(lived: Path) -> None:
    code, document = replayed(lived)
    assert {one for one in found(document) if one[1] == "LongQueue"} == {("same", "LongQueue", "mail"), ("same", "LongQueue", "indexing")}
    assert ("same", "BrokerUnreachable", "redis") in found(document)
    assert (code, document["same"]) == (0, True)


def test_another_threshold_shows_what_would_be_gone(lived: Path) -> None:
    code, document = replayed(lived, "--only", "LongQueue", "--set", "LongQueue.limit=50")
    assert (code, found(document)) == (1, [("would be gone", "LongQueue", "mail"), ("same", "LongQueue", "indexing")])


def test_another_for_shows_what_would_be_gone(lived: Path) -> None:
    code, document = replayed(lived, "--only", "LongQueue", "--set", "LongQueue.for=1h")
    assert (code, [one[0] for one in found(document)]) == (1, ["would be gone", "would be gone"])


def test_a_silence_of_that_time_and_a_receiver_of_now_are_seen_in_who_is_told(lived: Path) -> None:
    """The time of the silence is written into the file, as if it had stood while the daemon ran; the pager is new."""
    config = lived / "watchdog.toml"
    config.write_text(config.read_text() + '[[receiver]]\nname = "pager"\ntype = "webhook"\nurl = "http://127.0.0.1:1/"\n')
    assert watchdog("silence", "add", "name=mail", "--for", "1h", "--comment", "known", cwd=lived).returncode == 0
    with closing(sqlite3.connect(lived / "watchdog.db")) as database, database:
        database.execute("UPDATE silences SET starts_at = starts_at - 3600")
    code, document = replayed(lived, "--only", "LongQueue")
    mail, indexing = document["incidents"]
    assert (code, mail["key"], mail["why"]) == (1, {"name": "mail"}, "not sent to ops")
    assert "silence" in mail["would"]["why_untold"]
    assert (indexing["why"], {one["receiver"] for one in indexing["would"]["told"]}) == ("sent to pager", {"ops", "pager"})
    shown = watchdog("rules", "replay", "--only", "LongQueue", cwd=lived).stdout
    assert "Messages: ops 2 (was 4), pager 2 (was 0)" in shown


def test_a_new_rule_shows_what_would_be_new_and_a_blind_one_is_named(lived: Path) -> None:
    (lived / "more.toml").write_text(
        '[[rule]]\nname = "Longer"\nfrom = "queues"\nwhen = "length > 80"\n'
        '[[rule]]\nname = "Busy"\nfrom = "queues"\nwhen = "length > 80"\nwindow = "20m"\n'
    )
    code, document = replayed(lived, "--rules", "more.toml", "--only", "Longer", "--only", "Busy", "--target", "prod")
    assert (code, found(document)) == (1, [("would be new", "Longer", "indexing")])
    (prod,) = document["targets"]
    assert [(one["rule"], one["reason"]) for one in prod["without_verdict"]] == [("Busy", "queues over 20m is not recorded, only over 5m")]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--since", "0s"), "expected a duration longer than nothing"),
        (("--only", "Nothing"), "there is no such rule"),
        (("--set", "WorkerLost.for=soon"), "expected a duration"),
        (("--target", "nope"), 'no target "nope"'),
        (("--database", "nope.db"), "nope.db: there is no such file"),
    ],
)
def test_wrong_input_is_one_sentence(args: tuple[str, str], said: str, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(RULES)
    (tmp_path / "watchdog.toml").write_text(CONFIG.format(redis="redis://127.0.0.1:1/0", hook="http://127.0.0.1:1/"))
    done = watchdog("rules", "replay", *args, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_without_anything_recorded_the_exit_code_says_so(lived: Path) -> None:
    config = lived / "watchdog.toml"
    config.write_text(config.read_text() + '[[target]]\nname = "later"\nredis = "redis://127.0.0.1:2/0"\n')
    done = watchdog("rules", "replay", "--target", "later", cwd=lived)
    assert done.returncode == 3
    assert "later: nothing was recorded in this time" in done.stdout
