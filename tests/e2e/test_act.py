"""`watchdog act` as somebody meets it who may not, who is asked, or who looks who did what. Only a Redis runs; what workers do with it:
`tests/integration/test_actions.py`.
"""

import json
import os
import pty
import pwd
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import COMMAND, environment
from watchdog.store import Store

ALLOWED = '[actions]\nallow = ["purge", "move"]\n'


def configure(folder: Path, url: str, more: str = ALLOWED, *, targets: tuple[str, ...] = ("prod",)) -> Path:
    tables = "".join(f'[[target]]\nname = "{name}"\nredis = "{url}"\n' for name in targets)
    (folder / "watchdog.toml").write_text(f'database = "watchdog.db"\n{more}{tables}')
    Store.open(folder / "watchdog.db").close()
    return folder


@pytest.fixture
def folder(redis_server: Cluster, tmp_path: Path) -> Path:
    """A queue with three messages."""
    with redis.Redis.from_url(redis_server.redis_url) as client:
        client.lpush("src", *[json.dumps({"headers": {"task": "demo.ok", "id": str(n)}}) for n in range(3)])
    return configure(tmp_path, redis_server.redis_url)


def act(folder: Path, *args: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = watchdog("act", *args, "--timeout", "0.2s", cwd=folder)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def logged(folder: Path) -> list[dict[str, Any]]:
    done = watchdog("act", "log", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout)["actions"])


def length(cluster: Cluster, key: str) -> int:
    with redis.Redis.from_url(cluster.redis_url) as client:
        return int(client.llen(key))


def on_terminal(folder: Path, answer: bytes, *args: str) -> int:
    """The exit code of an action that is asked on a terminal, and answered."""
    ours, theirs = pty.openpty()
    try:
        command = [*COMMAND, "act", *args, "--timeout", "0.2s"]
        with subprocess.Popen(
            command, cwd=folder, env=environment(folder, {}), stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as child:
            os.write(ours, answer)
            return child.wait(60)
    finally:
        os.close(ours)
        os.close(theirs)


# --- whether it is allowed ----------------------------------------------------------------------------------------------


def test_without_the_configuration_nothing_is_allowed(redis_server: Cluster, folder: Path) -> None:
    configure(folder, redis_server.redis_url, "")
    done = act(folder, "purge", "src", "--yes", code=2)
    assert ("purge is not allowed" in done.stderr, '  allow = ["purge"]' in done.stderr) == (True, True)


def test_what_is_not_allowed_is_not_done(redis_server: Cluster, folder: Path) -> None:
    configure(folder, redis_server.redis_url, '[actions]\nallow = ["move"]\n')
    act(folder, "purge", "src", "--yes", code=2)
    assert length(redis_server, "src") == 3


def test_the_line_to_add_keeps_what_is_allowed_already(redis_server: Cluster, folder: Path) -> None:
    configure(folder, redis_server.redis_url, '[actions]\nallow = ["move"]\n')
    assert '  allow = ["move", "purge"]' in act(folder, "purge", "src", "--yes", code=2).stderr


def test_a_refusal_is_in_the_audit_log(redis_server: Cluster, folder: Path) -> None:
    configure(folder, redis_server.redis_url, "")
    act(folder, "purge", "src", "--yes", code=2)
    [record] = logged(folder)
    assert (record["action"], record["outcome"], record["arguments"]) == ("purge", "refused", {"queue": "src"})


def test_a_name_that_is_no_action_is_a_fault_with_what_was_probably_meant(redis_server: Cluster, folder: Path) -> None:
    configure(folder, redis_server.redis_url, '[actions]\nallow = ["purgee"]\n')
    done = watchdog("config", "check", cwd=folder)
    assert 'watchdog.toml:3: actions.allow: expected names of actions, found "purgee"; did you mean "purge"?' in done.stderr


def test_without_a_database_for_the_audit_log_nothing_is_done(redis_server: Cluster, folder: Path) -> None:
    (folder / "watchdog.db").unlink()
    done = act(folder, "purge", "src", "--yes", code=2)
    assert ("audit log" in done.stderr, length(redis_server, "src")) == (True, 3)


# --- whether it is wanted -----------------------------------------------------------------------------------------------


def test_it_says_first_what_it_will_touch(folder: Path) -> None:
    assert "  src: 3 messages deleted for good" in act(folder, "purge", "src", "--dry-run").stdout


def test_a_dry_run_changes_nothing(redis_server: Cluster, folder: Path) -> None:
    act(folder, "purge", "src", "--dry-run")
    assert (length(redis_server, "src"), logged(folder)) == (3, [])


def test_without_a_terminal_and_without_yes_nothing_is_done(redis_server: Cluster, folder: Path) -> None:
    done = act(folder, "purge", "src", code=2)
    assert ("expected --yes" in done.stderr, length(redis_server, "src")) == (True, 3)


def test_who_answers_no_has_nothing_done_and_that_is_written_down(redis_server: Cluster, folder: Path) -> None:
    assert on_terminal(folder, b"n\n", "purge", "src") == 1
    assert (length(redis_server, "src"), logged(folder)[0]["outcome"]) == (3, "declined")


def test_who_answers_yes_has_it_done(redis_server: Cluster, folder: Path) -> None:
    assert on_terminal(folder, b"y\n", "purge", "src") == 0
    assert length(redis_server, "src") == 0


def test_json_needs_yes(folder: Path) -> None:
    assert "expected --yes or --dry-run beside --json" in act(folder, "purge", "src", "--json", code=2).stderr


# --- what came of it ----------------------------------------------------------------------------------------------------


def test_the_audit_log_says_who_did_what_when_and_how_it_ended(folder: Path) -> None:
    act(folder, "move", "src", "dst", "--only", "demo.ok", "--yes")
    [record] = logged(folder)
    user, host = pwd.getpwuid(os.getuid()).pw_name, socket.gethostname()
    assert (record["author"].split(" ")[0], record["host"], record["target"]) == (user, host, "prod")
    assert record["arguments"] == {"queue": "src", "other": "dst", "only": "demo.ok"}
    assert (record["outcome"], record["text"]) == ("done", "src: 3 moved to dst")


def test_whoever_sets_a_name_in_the_environment_is_still_written_down_as_who_they_are(folder: Path) -> None:
    watchdog("act", "purge", "src", "--yes", "--timeout", "0.2s", cwd=folder, environ={"LOGNAME": "somebody", "USER": "somebody"})
    assert logged(folder)[0]["author"].split(" ")[0] == pwd.getpwuid(os.getuid()).pw_name


def test_the_audit_log_is_readable_for_people(folder: Path) -> None:
    act(folder, "purge", "src", "--yes")
    assert "queue=src" in watchdog("act", "log", cwd=folder).stdout


def test_messages_keep_their_priority(redis_server: Cluster, folder: Path) -> None:
    with redis.Redis.from_url(redis_server.redis_url) as client:
        client.lpush("src\x06\x169", "{}", "{}")
    act(folder, "move", "src", "dst", "--yes")
    assert (length(redis_server, "dst"), length(redis_server, "dst\x06\x169"), length(redis_server, "src\x06\x169")) == (3, 2, 0)


def test_the_key_prefix_of_the_target_is_used(redis_server: Cluster, folder: Path) -> None:
    with redis.Redis.from_url(redis_server.redis_url) as client:
        client.lpush("shop:src", "{}")
    target = f'[[target]]\nname = "prod"\nredis = {{url = "{redis_server.redis_url}", key_prefix = "shop:"}}\n'
    (folder / "watchdog.toml").write_text(f'database = "watchdog.db"\n{ALLOWED}{target}')
    act(folder, "purge", "src", "--yes")
    assert (length(redis_server, "shop:src"), length(redis_server, "src")) == (0, 3)


def test_of_several_targets_one_must_be_named(redis_server: Cluster, folder: Path) -> None:
    configure(folder, redis_server.redis_url, targets=("prod", "staging"))
    assert "expected --target" in act(folder, "purge", "src", "--dry-run", code=2).stderr


def test_a_key_that_is_no_list_is_left_alone(redis_server: Cluster, folder: Path) -> None:
    with redis.Redis.from_url(redis_server.redis_url) as client:
        client.set("text", "x")
    assert "WRONGTYPE" in act(folder, "purge", "text", "--yes", code=3).stderr


def test_a_broker_that_is_down_ends_with_3_and_is_written_down(redis_server: Cluster, folder: Path) -> None:
    redis_server.stop_redis()
    done = act(folder, "purge", "src", "--yes", code=3)
    assert ("connection refused" in done.stderr, logged(folder)[0]["outcome"]) == (True, "refused")


def test_no_password_is_shown(folder: Path) -> None:
    configure(folder, "redis://:geheim-geheim@127.0.0.1:1/0")
    done = act(folder, "purge", "src", "--yes", code=3)
    assert "geheim" not in done.stdout + done.stderr + json.dumps(logged(folder))
