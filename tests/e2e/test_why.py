"""`watchdog why` as somebody asks it who was, or was not, woken: beside a running daemon, the morning after, and with wrong names."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.processes.command_line import watchdog
from tests.processes.running import running, told
from tests.servers.receiver import RecordingReceiver
from tests.servers.valkey import valkey_server
from tests.servers.waiting import until

RULE = "BrokerUnreachable"


@pytest.fixture
def port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def broker(port: int) -> Iterator[None]:
    command = [str(valkey_server()), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def configure(folder: Path, port: int, hook: str = "http://127.0.0.1:1/") -> None:
    (folder / "watchdog.toml").write_text(
        'interval = "0.3s"\ndatabase = "watchdog.db"\ndecisions = "decisions.jsonl"\nflap_window = "0s"\n'
        f'[[target]]\nname = "prod"\nredis = "redis://127.0.0.1:{port}/0"\n'
        '[[override]]\nrule = "*"\nfor = "0s"\nkeep_firing_for = "0.5s"\n'
        f'[[receiver]]\nname = "ops"\ntype = "webhook"\nurl = "{hook}"\ntimeout = "5s"\n'
        '[[receiver]]\nname = "team"\ntype = "console"\nmatch = "target=other"\n'
    )


def said(folder: Path, *args: str) -> str:
    done = watchdog("why", *args, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def asked(folder: Path, *args: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said(folder, RULE, *args, "--format", "json"))
    return found


def fault(folder: Path, *args: str) -> str:
    done = watchdog("why", *args, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    return done.stderr


def sentence(answer: dict[str, Any], row: int = 0, receiver: str = "ops") -> str:
    return next(str(one["sentence"]) for one in answer["rows"][row]["receivers"] if one["receiver"] == receiver)


def state(folder: Path) -> str | None:
    rows = asked(folder, "--no-look")["rows"]
    return next((row["state"] for row in rows if row["incident"] and row["state"]), None)


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def test_a_silence_is_named_while_it_holds_and_when_it_and_the_incident_are_over(tmp_path: Path, port: int) -> None:
    with RecordingReceiver() as hook:
        configure(tmp_path, port, hook.url)
        with running(tmp_path) as daemon:
            until(lambda: len(told(hook)) == 1, 20, "the beginning of the first")
            with broker(port):
                daemon.wait_for("incident_resolved")
                until(lambda: len(told(hook)) == 2, 20, "the end of the first")
                added = watchdog("silence", "add", f"rule={RULE}", "--for", "1h", "--comment", "moving it", "--author", "ada", cwd=tmp_path)
                assert added.returncode == 0
            daemon.wait_for("incident_fired", count=2)
            now = asked(tmp_path)
            assert (now["rows"][0]["verdict"], now["rows"][0]["state"]) == ("breach", "firing")
            assert sentence(now).startswith("not notified: silenced until ")
            assert 'by ada ("moving it")' in sentence(now)
            assert now["rows"][0]["receivers"][0]["next_text"].startswith("its beginning at ")
            assert sentence(now, receiver="team") == 'not notified: its match asks for target="other", which this is not'
            assert [part["holds"] for part in now["rows"][0]["conditions"] if part["of"] == "when"] == [True]
            while_it_fired = time.time()
            with broker(port):
                daemon.wait_for("incident_resolved", count=2)
                assert watchdog("silence", "expire", "01", cwd=tmp_path).returncode == 0
                daemon.end()
        then = asked(tmp_path, "--at", iso(while_it_fired))
        assert (then["rows"][0]["state"], then["rows"][0]["verdict"]) == ("firing", None)
        assert sentence(then).startswith("not notified: silenced until ")
        later = asked(tmp_path, "--no-look")
        assert sentence(later, row=-1).startswith("not notified: silenced until ")
        assert any("Nothing is open now" in note for note in later["notes"])
        assert [event for _, _, event in told(hook)] == ["first", "resolved"]
    lines = [json.loads(line) for line in (tmp_path / "decisions.jsonl").read_text().splitlines()]
    mine = [(line["said"], line["why"]) for line in lines if line["receiver"] == "ops" and line["rule"] == RULE]
    assert ("first", None) in mine
    assert (None, "silenced") in mine


def test_a_page_fits_a_screen(tmp_path: Path, port: int) -> None:
    configure(tmp_path, port)
    with running(tmp_path) as daemon:
        daemon.wait_for("incident_fired")
        page = said(tmp_path, RULE, "redis")
    lines = page.splitlines()
    assert lines[0].startswith(f"{RULE} · prod · name=redis · ")
    assert lines[1] == "verdict  breach, critical"
    assert lines[3].startswith("state    firing since ")
    assert any(line.startswith("team     not notified: its match asks for") for line in lines)
    assert len(lines) <= 24


def test_without_a_database_only_the_verdict_is_known(tmp_path: Path, port: int) -> None:
    configure(tmp_path, port)
    answer = asked(tmp_path)
    assert answer["rows"][0]["verdict"] == "breach"
    assert answer["database"] is None
    assert any(note.startswith("Who was notified is not known") for note in answer["notes"])


def test_what_cannot_be_seen_says_why(tmp_path: Path, port: int) -> None:
    configure(tmp_path, port)
    assert "verdict  unknown: redis: connection refused" in said(tmp_path, "QueueBacklogHigh")


def test_what_is_idle_says_why(tmp_path: Path, port: int) -> None:
    configure(tmp_path, port)
    assert "verdict  idle, it has no verdict here: " in said(tmp_path, "BrokerNodeDown")


def test_a_clear_row_says_which_part_is_false(tmp_path: Path, port: int) -> None:
    configure(tmp_path, port)
    with broker(port):
        until(lambda: "verdict  clear" in said(tmp_path, RULE), 10, "the broker")
        page = said(tmp_path, RULE)
    assert "    not up is false · up=yes" in page.splitlines()


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (("BrokerUnreachabel",), 'no rule "BrokerUnreachabel"; did you mean "BrokerUnreachable"?'),
        ((RULE, "nam=redis"), '"nam" is not a key column of BrokerUnreachable; did you mean "name"?; its key is name'),
        ((RULE, "redsi"), 'nothing called "redsi" for BrokerUnreachable; did you mean "redis"?; there are redis'),
        ((RULE, "--target", "prud"), 'no target "prud"; did you mean "prod"?'),
        ((RULE, "--receiver", "opps"), 'no receiver "opps"; did you mean "ops"?'),
        ((RULE, "--at", "noon"), 'expected a time such as 03:10 (the last one), "2h" (ago) or 2026-11-28T03:10, found noon'),
        (("NoWorkersOnline", "web-1"), "NoWorkersOnline has no key, because it judges a target as a whole; leave web-1 out"),
    ],
)
def test_a_wrong_name_says_what_there_is(tmp_path: Path, port: int, args: tuple[str, ...], expected: str) -> None:
    configure(tmp_path, port)
    assert expected in fault(tmp_path, *args)


def test_a_time_needs_a_database(tmp_path: Path, port: int) -> None:
    configure(tmp_path, port)
    assert "watchdog.db" in fault(tmp_path, RULE, "--at", "1h")


def test_what_only_the_service_may_read_is_left_out_and_said_to_be(tmp_path: Path, port: int) -> None:
    configure(tmp_path, port)
    with (tmp_path / "watchdog.toml").open("a") as file:
        file.write('[[receiver]]\nname = "chat"\ntype = "slack"\nurl = "${credential:slack}"\n')
    answer = asked(tmp_path)
    assert answer["rows"][0]["verdict"] == "breach"
    assert any("left out: watchdog.toml" in note and "${credential:slack}" in note for note in answer["notes"])
