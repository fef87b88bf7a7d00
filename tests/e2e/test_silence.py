"""`watchdog silence` as an operator meets it, beside a running daemon and without one. The only fire is a broker that is not there."""

import json
from pathlib import Path

import pytest

from tests.builders.outbox import incident, look, opened
from tests.processes.command_line import watchdog
from tests.processes.running import running
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until
from watchdog.core.incidents.routing import Recipient


def configure(folder: Path, url: str = "http://127.0.0.1:1/") -> None:
    (folder / "watchdog.toml").write_text(
        'interval = "0.3s"\ndatabase = "watchdog.db"\n[[target]]\nname = "prod"\nredis = "redis://127.0.0.1:1/0"\n'
        '[[override]]\nrule = "*"\nfor = "0s"\nkeep_firing_for = "1s"\n'
        f'[[receiver]]\nname = "ops"\ntype = "webhook"\nurl = "{url}"\ntimeout = "5s"\n'
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one open incident; no daemon runs."""
    configure(tmp_path)
    with opened(tmp_path) as store:
        look(store, [Recipient("ops")], incident("indexing"))
    return tmp_path


def answer(folder: Path, *args: str) -> str:
    done = watchdog("silence", *args, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def fault(folder: Path, *args: str) -> str:
    done = watchdog("silence", *args, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_silence_shows_at_once_what_it_hides(folder: Path) -> None:
    said = answer(folder, "add", "rule=QueueBacklogHigh", "name=~index.*", "--for", "2h", "--comment", "a big import")
    assert 'rule="QueueBacklogHigh", name=~"index.*"' in said
    assert "It hides 1 open incident now:" in said
    assert ["warning", "firing", "QueueBacklogHigh", "prod", "name=indexing"] in [line.split() for line in said.splitlines()]


def test_a_silence_that_hides_nothing_says_so(folder: Path) -> None:
    assert "It hides nothing now; 1 incident open." in answer(folder, "add", "rule=WorkerLots", "--for", "1h")


def test_a_silence_of_a_rule_or_target_that_does_not_exist_says_so_and_is_kept(folder: Path) -> None:
    said = answer(folder, "add", "rule=WorkerLots", "target=staging", "--for", "1h")
    assert '? no rule "WorkerLots"; did you mean "WorkerLost"?' in said
    assert '? no target "staging"; configured: prod' in said
    assert "?" not in answer(folder, "add", "rule=WorkerLost", "target=prod", "--for", "1h")
    assert "2 silences now" in answer(folder)


def test_silences_are_listed_until_they_end(folder: Path) -> None:
    answer(folder, "add", "name=indexing", "--for", "2h", "--comment", "import", "--author", "ada")
    answer(folder, "add", "target=staging", "--for", "1h", "--in", "30m")
    _, first, second, tail = answer(folder).splitlines()
    assert first.split()[1:2] + first.split()[4:] == ["active", "1", "ada", "import", 'name="indexing"']
    assert second.split()[1] == "later"
    assert tail == "1 silence now, 2 listed"

    assert "has ended" in answer(folder, "expire", first.split()[0])
    assert "0 silences now, 1 listed" in answer(folder, "list")
    assert [one["state"] for one in json.loads(answer(folder, "list", "--all", "--format", "json"))["silences"]] == ["ended", "later"]


def test_a_silence_is_ended_for_programs_too(folder: Path) -> None:
    added = json.loads(answer(folder, "add", "name=indexing", "--for", "2h", "--format", "json"))["silence"]
    ended = json.loads(answer(folder, "expire", added["id"], "--format", "json"))["silence"]
    assert ended == {**added, "state": "ended", "ends_at": ended["ends_at"]}
    assert ended["ends_at"] < added["ends_at"]


def test_a_silenced_incident_says_so_in_the_list_of_incidents(folder: Path) -> None:
    answer(folder, "add", "name=indexing", "--for", "2h", "--comment", "a big import")
    listed = watchdog("incidents", cwd=folder).stdout
    assert "(a big import)" in listed
    assert "held back by" in listed


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["WorkerLost", "--for", "1h"], "expected matchers such as rule=WorkerLost"),
        (["name=~(", "--for", "1h"], "no regular expression"),
        (["severity!=critical", "--for", "1h"], "would silence everything"),
        (["rule=WorkerLost", "--for", "0s"], "longer than nothing"),
        (["rule=WorkerLost", "--for", "10"], 'did you mean "10s"'),
        (["rule=WorkerLost"], "--for"),
        (["--for", "1h"], "MATCHER"),
    ],
)
def test_what_cannot_be_silenced_is_refused_with_what_was_expected(folder: Path, args: list[str], said: str) -> None:
    assert said in fault(folder, "add", *args)
    assert json.loads(answer(folder, "list", "--format", "json"))["silences"] == []


def test_without_a_database_there_is_nothing_to_silence(tmp_path: Path) -> None:
    configure(tmp_path)
    assert "watchdog.db" in fault(tmp_path, "add", "rule=WorkerLost", "--for", "1h")
    assert not (tmp_path / "watchdog.db").exists()


def test_a_running_daemon_obeys_and_says_what_still_fires_when_the_silence_is_ended(tmp_path: Path, receiver: RecordingReceiver) -> None:
    configure(tmp_path, receiver.url)
    with opened(tmp_path):
        pass
    answer(tmp_path, "add", "rule=BrokerUnreachable", "--for", "1h")
    with running(tmp_path) as daemon:
        daemon.wait_for("incident_fired")
        until(lambda: "held back by" in watchdog("incidents", cwd=tmp_path).stdout, 10, "the incident is open and held back")
        assert receiver.requests == []

        (silence,) = json.loads(answer(tmp_path, "list", "--format", "json"))["silences"]
        answer(tmp_path, "expire", silence["id"])
        until(lambda: bool(receiver.requests), 10, "the incident is sent")
