"""`watchdog outbox` as an operator meets it, beside a running daemon and without one. The only fire is a broker that is not there."""

import json
import os
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.builders.outbox import attempt, incident, look, opened
from tests.processes.command_line import watchdog
from tests.processes.running import running, told
from tests.servers.receiver import Answer, RecordingReceiver
from tests.servers.waiting import until
from watchdog.core.incidents.outcome import Refused
from watchdog.core.incidents.routing import Recipient

GONE = Answer(410)
REFUSED = Answer(404, body=b"no such hook")


def configure(folder: Path, *receivers: str) -> None:
    (folder / "watchdog.toml").write_text(
        'interval = "0.3s"\ndatabase = "watchdog.db"\n[[target]]\nname = "prod"\nredis = "redis://127.0.0.1:1/0"\n'
        '[[override]]\nrule = "*"\nfor = "0s"\nkeep_firing_for = "1s"\n' + "".join(receivers)
    )


def hook(name: str, url: str, more: str = "") -> str:
    return f'[[receiver]]\nname = "{name}"\ntype = "webhook"\nurl = "{url}"\ntimeout = "5s"\n{more}\n'


def answer(folder: Path, *args: str) -> str:
    done = watchdog("outbox", *args, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def fault(folder: Path, *args: str) -> str:
    done = watchdog("outbox", *args, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture
def refused(tmp_path: Path) -> Path:
    """A folder whose `ops` refused to hear of a queue; no daemon runs."""
    configure(tmp_path, hook("ops", "http://127.0.0.1:1/"))
    with opened(tmp_path) as store:
        look(store, [Recipient("ops", settings="s1")], incident("indexing"))
        attempt(store, Refused("https://example.com answered 404: no such hook"))
    return tmp_path


@pytest.fixture
def refused_fire(tmp_path: Path, receiver: RecordingReceiver) -> Path:
    """A folder whose `ops` refused to hear that the broker is not there; no daemon runs."""
    configure(tmp_path, hook("ops", receiver.url))
    receiver.then(REFUSED)
    with running(tmp_path) as daemon:
        daemon.wait_for("message_refused")
    return tmp_path


def first_message(folder: Path) -> dict[str, object]:
    [one] = json.loads(answer(folder, "--format", "json"))["messages"]
    return dict(one)


def test_a_dead_letter_is_listed_with_who_what_and_why(refused: Path) -> None:
    head, row, tail = answer(refused).splitlines()
    assert head.split() == ["id", "receiver", "target", "state", "since", "attempts", "next", "what", "why"]
    assert [row.split()[place] for place in (1, 2, 3, 5, 6)] == ["ops", "prod", "dead", "1", "never"]
    assert "indexing holds 60 messages" in row
    assert "answered 404: no such hook" in row
    assert tail.startswith("0 waiting, 1 given up · database ")


def test_as_json_it_has_everything(refused: Path) -> None:
    one = first_message(refused)
    assert (one["receiver"], one["state"], one["attempts"], one["next_attempt_at"]) == ("ops", "dead", 1, None)
    incidents = one["incidents"]
    assert isinstance(incidents, list)
    assert [(i["rule"], i["event"]) for i in incidents] == [("QueueBacklogHigh", "first")]


def test_one_is_shown_by_the_beginning_of_its_id(refused: Path) -> None:
    name = str(first_message(refused)["id"])
    shown = answer(refused, "show", name[:12].lower())
    assert name in shown
    assert "QueueBacklogHigh" in shown


def test_a_retry_without_a_daemon_is_told_when_one_starts(refused_fire: Path, receiver: RecordingReceiver) -> None:
    assert answer(refused_fire, "retry", "--receiver", "ops") == "1 incident to be notified again in the next cycle, if it still fires\n"
    assert answer(refused_fire).startswith("0 waiting, 0 given up")
    with running(refused_fire):
        receiver.wait_for(2)
    assert [event for _, _, event in told(receiver)] == ["first", "first"]  # under another id: it was refused before


def test_a_drop_is_for_good(refused_fire: Path, receiver: RecordingReceiver) -> None:
    assert answer(refused_fire, "drop", "--all") == "dropped 1 message\n"
    with running(refused_fire) as daemon:
        daemon.wait_for("watchdog_started")
        daemon.send(signal.SIGHUP)
        daemon.wait_for("configuration_reloaded")
    assert len(receiver.requests) == 1


def test_a_daemon_notices_a_retry_within_a_moment(tmp_path: Path, receiver: RecordingReceiver) -> None:
    configure(tmp_path, hook("ops", receiver.url))
    text = (tmp_path / "watchdog.toml").read_text().replace("0.3s", "5m")
    (tmp_path / "watchdog.toml").write_text(text)
    receiver.then(REFUSED)
    with running(tmp_path) as daemon:
        daemon.wait_for("message_refused")
        answer(tmp_path, "retry", "--all")
        receiver.wait_for(2, timeout=30)  # the next look would be in five minutes
        daemon.wait_for("message_delivered")


def test_one_whose_address_is_gone_is_off_and_another_is_told_so(tmp_path: Path, receiver: RecordingReceiver) -> None:
    with RecordingReceiver() as other:
        receiver.default = GONE
        configure(tmp_path, hook("ops", receiver.url), hook("dev", other.url))
        with running(tmp_path) as daemon:
            daemon.wait_for("receiver_switched_off")
            until(lambda: "ReceiverOff" in [rule for _, rule, _ in told(other)], 20, "the other to be notified")
            assert "ops is switched off since" in answer(tmp_path)
            receiver.default = Answer()
            said = answer(tmp_path, "retry", "--receiver", "ops")
            assert said.startswith("ops is switched on\n")
            until(lambda: "resolved" in [event for _, rule, event in told(other) if rule == "ReceiverOff"], 60, "the end of it")
        assert "ReceiverOff" not in [rule for _, rule, _ in told(receiver)]
        assert [rule for _, rule, _ in told(receiver)][-1] == "BrokerUnreachable"


def test_one_that_is_not_configured_any_more_cannot_be_retried_but_dropped(refused: Path) -> None:
    configure(refused, hook("crew", "http://127.0.0.1:1/"))
    said = fault(refused, "retry", "--all")
    assert said.startswith('receiver "ops" is not configured')
    assert '`was = "ops"`' in said
    assert answer(refused, "drop", "--receiver", "ops") == "dropped 1 message\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["retry"], "expected the ids of messages, or --receiver NAME, or --all"),
        (["drop", "01X", "--all"], "expected the ids of messages, or --receiver NAME, or --all"),
        (["retry", "01NOSUCH"], 'no message "01NOSUCH" waits or was given up'),
        (["show", "01NOSUCH"], 'no message "01NOSUCH" waits or was given up'),
        (["drop", "--receiver", "opps"], 'nothing waits for "opps", and nothing was given up; did you mean "ops"?'),
        (["--receiver", "ops", "drop", "--all"], "--receiver belongs after the command"),
        (["--database", "nowhere.db"], "nowhere.db: there is no such file"),
        (["retry", "--all", "--database", "nowhere.db"], "nowhere.db: there is no such file"),
    ],
)
def test_a_mistake_is_a_sentence_with_a_way_out(refused: Path, args: list[str], said: str) -> None:
    assert said in fault(refused, *args)
    assert not (refused / "nowhere.db").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_who_may_not_write_is_told_the_line_to_type(refused: Path) -> None:
    (refused / "watchdog.db").chmod(0o444)
    said = fault(refused, "retry", "--receiver", "ops")
    assert "try `sudo -u" in said
    assert "watchdog outbox retry --receiver ops`" in said


def test_a_database_that_is_locked_is_said_to_be_so(refused: Path) -> None:
    other = sqlite3.connect(refused / "watchdog.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert "locked by another process" in fault(refused, "drop", "--all")
    other.close()
    assert len(json.loads(answer(refused, "--format", "json"))["messages"]) == 1


def test_the_shell_completes_ids(refused: Path) -> None:
    name = str(first_message(refused)["id"])
    words = {"_WATCHDOG_COMPLETE": "bash_complete", "COMP_WORDS": f"watchdog outbox retry {name[:6]}", "COMP_CWORD": "3"}
    done = watchdog(cwd=refused, environ=words)
    assert name in {line.partition(",")[2] for line in done.stdout.splitlines()}


# --- reloads ------------------------------------------------------------------------------------------------------------


def test_a_fixed_url_is_told_the_live_fire(tmp_path: Path, receiver: RecordingReceiver) -> None:
    with RecordingReceiver() as fixed:
        configure(tmp_path, hook("ops", receiver.url))
        receiver.default = REFUSED
        with running(tmp_path) as daemon:
            daemon.wait_for("message_refused")
            configure(tmp_path, hook("ops", fixed.url))
            daemon.send(signal.SIGHUP)
            fixed.wait_for(1)
        assert [(rule, event) for _, rule, event in told(fixed)] == [("BrokerUnreachable", "first")]


@pytest.mark.parametrize("how", ["reload", "restart"])
def test_a_new_name_owns_what_the_old_one_was_told(tmp_path: Path, receiver: RecordingReceiver, how: str) -> None:
    configure(tmp_path, hook("ops", receiver.url))
    with running(tmp_path) as daemon:
        receiver.wait_for(1)
        daemon.wait_for("message_delivered")
        configure(tmp_path, hook("crew", receiver.url, 'was = "ops"'))
        if how == "reload":
            daemon.send(signal.SIGHUP)
            daemon.wait_for("receiver_renamed")
            daemon.wait_for("configuration_reloaded")
    if how == "restart":
        with running(tmp_path) as daemon:
            daemon.wait_for("receiver_renamed")
    with running(tmp_path) as daemon:
        text = (tmp_path / "watchdog.toml").read_text().replace('name = "prod"', 'name = "elsewhere"')
        (tmp_path / "watchdog.toml").write_text(text)
        daemon.send(signal.SIGHUP)
        until(lambda: ("BrokerUnreachable", "resolved") in [(r, e) for _, r, e in told(receiver)], 20, "the end")
    of_first = [i for i, _, event in told(receiver) if event == "resolved"]
    assert [event for i, _, event in told(receiver) if i in of_first] == ["first", "resolved"]


def test_one_taken_out_hears_that_it_is_over_for_it_and_a_new_one_that_it_burns(tmp_path: Path, receiver: RecordingReceiver) -> None:
    with RecordingReceiver() as new:
        configure(tmp_path, hook("ops", receiver.url))
        with running(tmp_path) as daemon:
            receiver.wait_for(1)
            daemon.wait_for("message_delivered")
            configure(tmp_path, hook("crew", new.url))
            daemon.send(signal.SIGHUP)
            receiver.wait_for(2)
            new.wait_for(1)
        ends = json.loads(receiver.requests[-1].body)["data"]["incidents"]
        assert [(one["event"], one["ended"]) for one in ends] == [("resolved", "receiver removed")]
        assert [(rule, event) for _, rule, event in told(new)] == [("BrokerUnreachable", "first")]
