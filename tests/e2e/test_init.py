"""`watchdog init` on real Flowers and Redises, in a pipe and on a terminal: what it says, what it writes, what it never writes over."""

import os
import pty
import re
import select
import subprocess
import time
from pathlib import Path

import pytest

from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import COMMAND, environment

NOWHERE = ("--flower", "http://127.0.0.1:1", "--redis", "redis://127.0.0.1:1/0")


def urls(cluster: Cluster) -> tuple[str, ...]:
    return "--flower", cluster.flower_url, "--redis", cluster.redis_url


def test_it_says_what_it_found_and_the_next_two_commands_work(cluster: Cluster, tmp_path: Path) -> None:
    done = watchdog("init", *urls(cluster), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    flower, redis, *rest = done.stdout.splitlines()
    assert flower == f"flower (--flower): {cluster.flower_url} answers, 2 workers online"
    assert redis.startswith(f"redis (--redis): {cluster.redis_url} answers, version ")
    assert rest == ["watchdog.toml is written.", "Next:", "  watchdog check --once", "  watchdog run"]
    assert watchdog("config", "check", cwd=tmp_path).returncode == 0
    assert watchdog("check", "--once", cwd=tmp_path).returncode == 0


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text("mine")
    done = watchdog("init", *NOWHERE, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--force" in done.stderr
    assert (tmp_path / "watchdog.toml").read_text() == "mine"


def test_force_writes_over_it(tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text("mine")
    watchdog("init", "--force", *NOWHERE, cwd=tmp_path)
    assert watchdog("config", "check", cwd=tmp_path).returncode == 0


def test_a_link_that_leads_nowhere_is_a_file_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").symlink_to("elsewhere")
    assert watchdog("init", *NOWHERE, cwd=tmp_path).returncode == 2
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--output", "."], "expected a file to write, found a directory"),
        (["--output", "no/where.toml"], "there is no directory no"),
        (["--flower", "localhost:5555"], "--flower: expected a URL that begins with http:// or https://"),
        (["--redis", "redis://:hun/ter2@broker"], "--redis: expected"),
        (["--name", "watchdog"], "--name: "),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_asked(tmp_path: Path, args: list[str], said: str) -> None:
    done = watchdog("init", *args, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "ter2" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_standard_output_gets_the_file_and_nothing_else(cluster: Cluster, tmp_path: Path) -> None:
    done = watchdog("init", "--output", "-", *urls(cluster), cwd=tmp_path)
    (tmp_path / "watchdog.toml").write_text(done.stdout)
    assert watchdog("config", "check", cwd=tmp_path).returncode == 0
    assert "2 workers online" in done.stderr


def test_the_next_commands_name_a_file_of_another_name(tmp_path: Path) -> None:
    done = watchdog("init", "--output", "mine.toml", *NOWHERE, cwd=tmp_path)
    assert "  watchdog check --once --config mine.toml\n" in done.stdout


def test_it_says_how_to_switch_on_flowers_api_and_which_redis_wants_a_password(bare_cluster: Cluster, tmp_path: Path) -> None:
    bare_cluster.start_redis(None, "--requirepass", "hunter2")
    bare_cluster.start_flower(environment={"FLOWER_UNAUTHENTICATED_API": ""})
    done = watchdog("init", *urls(bare_cluster), cwd=tmp_path)
    assert "its API is switched off; start Flower with FLOWER_UNAUTHENTICATED_API=true" in done.stdout
    assert "requires a password (NOAUTH)" in done.stdout
    assert watchdog("config", "check", cwd=tmp_path).returncode == 0


def test_a_password_found_in_the_environment_is_referred_to_and_told_to_nobody(tmp_path: Path) -> None:
    environ = {"CELERY_BROKER_URL": "redis://:hunter2@127.0.0.1:1/0", "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/hunter2"}
    done = watchdog("init", "--flower", "http://me:hunter2@127.0.0.1:1", cwd=tmp_path, environ=environ)
    assert "hunter2" not in done.stdout + done.stderr + (tmp_path / "watchdog.toml").read_text()
    export = re.findall(r"^  export (\w+)=", done.stdout, re.MULTILINE)
    assert export == ["FLOWER_PASSWORD"]
    assert watchdog("config", "check", cwd=tmp_path).returncode == 2
    assert watchdog("config", "check", cwd=tmp_path, environ={**environ, "FLOWER_PASSWORD": "x"}).returncode == 0


def test_variables_that_would_hide_the_file_are_named(tmp_path: Path) -> None:
    done = watchdog("init", cwd=tmp_path, environ={"WATCHDOG_FLOWER": "http://127.0.0.1:1", "WATCHDOG_REDIS": "redis://127.0.0.1:1"})
    assert "unset WATCHDOG_FLOWER" in done.stdout


class Terminal:
    """`watchdog init` on a terminal of its own."""

    def __init__(self, folder: Path, *args: str) -> None:
        self._ours, tty = pty.openpty()
        command, environ = [*COMMAND, "init", *args], environment(folder, {})
        self._child = subprocess.Popen(command, cwd=folder, env=environ, stdin=tty, stdout=tty, stderr=tty, start_new_session=True)
        os.close(tty)
        self.shown = ""

    def answer(self, question: str, typed: str) -> None:
        """Only once the space after the colon is there: what was typed before it, a hidden prompt throws away."""
        self._read_until(re.compile(f"{question}.*: $"))
        os.write(self._ours, typed.encode() + b"\n")
        self.shown += "\n"

    def end(self) -> int:
        self._read_until(None)
        os.close(self._ours)
        return self._child.wait(20)

    def _read_until(self, question: re.Pattern[str] | None) -> None:
        deadline = time.monotonic() + 40
        while question is None or not question.search(self.shown):
            assert time.monotonic() < deadline, f"{question} was not asked; shown:\n{self.shown}"
            if not select.select([self._ours], [], [], 0.5)[0]:
                continue
            try:
                self.shown += os.read(self._ours, 10_000).decode()
            except OSError:  # the other end is closed
                assert question is None, f"it ended before {question}; shown:\n{self.shown}"
                return


def test_on_a_terminal_it_asks_for_what_it_lacks_and_writes_no_secret(bare_cluster: Cluster, tmp_path: Path) -> None:
    bare_cluster.start_redis(None, "--requirepass", "hunter2")
    terminal = Terminal(tmp_path, "--flower", "http://127.0.0.1:1", "--redis", bare_cluster.redis_url)
    terminal.answer("URL of Flower", "none")
    terminal.answer("User name for Redis", "")
    terminal.answer("Password for Redis", "hunter2")
    terminal.answer("name in messages", "shop")
    terminal.answer("Receiver: ", "")
    assert terminal.end() == 0, terminal.shown
    text = (tmp_path / "watchdog.toml").read_text()
    assert "hunter2" not in text + terminal.shown
    assert "export REDIS_USERINFO=':password'" in terminal.shown
    done = watchdog("check", "--once", "--only", "Broker*", cwd=tmp_path, environ={"REDIS_USERINFO": ":hunter2"})
    assert done.returncode == 0, done.stdout + done.stderr


def test_with_yes_a_terminal_is_asked_nothing(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "--yes", *NOWHERE)
    terminal.end()
    assert "Receiver: " not in terminal.shown


def test_where_nothing_answers_it_ends_with_1_and_the_file_is_written(tmp_path: Path) -> None:
    done = watchdog("init", "--yes", *NOWHERE, cwd=tmp_path)
    assert (done.returncode, (tmp_path / "watchdog.toml").exists()) == (1, True), done.stdout


def test_ctrl_c_at_a_question_leaves_no_file(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, *NOWHERE)
    terminal.answer("URL of Flower", "\x04")
    terminal.end()
    assert list(tmp_path.iterdir()) == []
