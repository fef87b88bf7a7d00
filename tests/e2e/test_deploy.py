"""`watchdog deploy` as a pipeline uses it, beside a real daemon on a real cluster, and without one."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.builders.outbox import incident, look, opened
from tests.conftest import ask_the_workers
from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import running, told
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until
from watchdog.core.incidents.routing import Recipient


def configure(folder: Path, flower: str, redis: str, hook: str) -> None:
    """Every `for` is short; as long as a whole test for what a busy machine may make true in passing."""
    lines = ['interval = "0.3s"', 'database = "watchdog.db"', "[[target]]", 'name = "prod"', f'flower = "{flower}"', f'redis = "{redis}"']
    lines += ["[[receiver]]", 'name = "ops"', 'type = "webhook"', f'url = "{hook}"']
    for rule, held in {"*": "1s", "WorkerLost": "0s", "NoWorkersOnline": "5m", "EveryWorkerLost": "5m", "Blind": "5m"}.items():
        lines += ["[[override]]", f'rule = "{rule}"', f'for = "{held}"', 'keep_firing_for = "1s"']
    (folder / "watchdog.toml").write_text("\n".join(lines) + "\n")


def incidents(folder: Path) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(watchdog("incidents", "--format", "json", cwd=folder).stdout)["incidents"]
    return listed


def lost(folder: Path) -> list[str]:
    """What holds back each open incident of a lost worker."""
    return [(one["held_back_by"] or {}).get("version", "") for one in incidents(folder) if one["rule"] == "WorkerLost"]


def firsts(receiver: RecordingReceiver) -> set[str]:
    """The incidents that the receiver was notified of."""
    return {incident for incident, _, event in told(receiver) if event == "first"}


def test_a_rolling_deploy_is_no_message_and_one_that_leaves_a_worker_dead_is_told_when_it_ends(
    own_cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    configure(tmp_path, own_cluster.flower_url, own_cluster.redis_url, receiver.url)
    ask_the_workers(own_cluster)
    with running(tmp_path) as daemon:
        assert watchdog("deploy", "start", "v512", "--for", "10m", cwd=tmp_path).returncode == 0
        before = firsts(receiver)  # without a hold, a late heartbeat on a busy machine is a loss
        for name, queues, processes in (("gpu-1", ["analysis", "training"], 1), ("web-1", ["indexing", "priority"], 2)):
            own_cluster.kill_worker(name)
            until(lambda: lost(tmp_path) == ["v512"], 30, "it is lost, and that is quiet")
            own_cluster.start_worker(name, queues, processes)
            until(lambda: incidents(tmp_path) == [], 30, "it is back")
        assert "Nothing that it hid is open." in watchdog("deploy", "end", "v512", cwd=tmp_path).stdout
        assert [one for one in told(receiver) if one[0] not in before] == []

        watchdog("deploy", "start", "v513", cwd=tmp_path)
        before = firsts(receiver)
        own_cluster.kill_worker("gpu-1")
        until(lambda: lost(tmp_path) == ["v513"], 30, "it is lost, and that is quiet")
        assert firsts(receiver) == before
        said = watchdog("deploy", "end", "v513", cwd=tmp_path).stdout
        assert "WorkerLost" in said
        assert "what fires is sent with the next cycle" in said
        (one,) = [one["id"] for one in incidents(tmp_path) if one["rule"] == "WorkerLost"]
        until(lambda: one in firsts(receiver), 20, "it is told")
        shown = json.loads(watchdog("incidents", "show", one, "--format", "json", cwd=tmp_path).stdout)
        assert shown["began_after"] == "less than 1m after deploy v513"
        assert daemon.end() == 0


# --- without a daemon -----------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two open incidents, one of a marked rule; no daemon runs."""
    configure(tmp_path, "http://127.0.0.1:1", "redis://127.0.0.1:1/0", "http://127.0.0.1:1/")
    with opened(tmp_path) as store:
        look(store, [Recipient("ops")], replace(incident("INDEXING"), deploy=True), incident("TRAINING"))
    return tmp_path


def answer(folder: Path, *args: str) -> str:
    done = watchdog("deploy", *args, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_deploy_shows_what_is_quiet_now_and_its_end_what_is_still_open(folder: Path) -> None:
    started = answer(folder, "start", "v512", "--target", "prod")
    assert "It hides 1 open incident now:" in started
    assert "Nothing is being watched" in started
    assert "held back by" in watchdog("incidents", cwd=folder).stdout
    assert [one["held_back_by"] is None for one in incidents(folder)] == [False, True]
    ended = answer(folder, "end")
    assert "1 open incident that it hid" in ended
    assert ["warning", "firing", "QueueBacklogHigh", "prod", "name=INDEXING"] in [line.split() for line in ended.splitlines()]
    assert "had ended already" in answer(folder, "end", "v512")
    assert answer(folder, "end") == "no deploy is going on\n"


def test_deploys_are_listed_and_a_later_one_ends_the_earlier_one(folder: Path) -> None:
    answer(folder, "start", "v512", "--author", "ci")
    assert "It ends deploy v512 of every target." in answer(folder, "start", "v513", "--for", "1h")
    _, first, second, tail = answer(folder).splitlines()
    assert (first.split()[:2], second.split()[:3]) == (["v512", "ended"], ["v513", "going", "on"])
    assert tail == "1 deploy now, 2 listed"
    listed = json.loads(answer(folder, "list", "--format", "json"))["deploys"]
    assert [(one["version"], one["state"], one["targets"]) for one in listed] == [("v512", "ended", ["*"]), ("v513", "going on", ["*"])]
    assert listed[0]["author"] == "ci"


def test_only_the_last_ones_are_listed_unless_all_are_asked_for(folder: Path) -> None:
    for number in range(21):
        answer(folder, "start", f"v{number}")
    assert answer(folder).splitlines()[-1] == "1 deploy now, 20 listed of 21; --all lists all"
    assert answer(folder, "list", "--all").splitlines()[-1] == "1 deploy now, 21 listed"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["start", ""], "is the variable that you gave set?"),
        (["start"], "Missing argument 'VERSION'"),
        (["start", "v" * 101], "found 101 characters"),
        (["start", "v512", "--target", "prdo"], 'no target matches "prdo"; did you mean "prod"?'),
        (["start", "v512", "--for", "0s"], "longer than nothing"),
        (["start", "v512", "--for", "10"], 'did you mean "10s"'),
        (["end", "v9"], 'no deploy "v9"; there was none'),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_was_expected(folder: Path, args: list[str], said: str) -> None:
    done = watchdog("deploy", *args, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(answer(folder, "list", "--format", "json"))["deploys"] == []
