"""When a token for Flower is obtained, how long it is kept, and what is told if there is none. Commands are real, clocks are not."""

import os
import signal
import sys
import threading
import time
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.servers.token_endpoint import jwt
from tests.servers.waiting import until
from watchdog.core.model.gaps import Gap
from watchdog.sources.flower.access.token import Token, expiry_of, fault_of
from watchdog.sources.flower.access.tokens import Tokens
from watchdog.sources.flower.settings import FlowerSettings

NOW = 1_700_000_000.0
COUNTS = "import pathlib, sys; p = pathlib.Path(sys.argv[1]); n = len(p.read_text()) if p.exists() else 0; p.write_text('x' * (n + 1)); "


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def tokens(clock: Clock | None = None, **given: object) -> Tokens:
    settings = FlowerSettings.model_validate({"url": "http://flower.test", **given})
    return Tokens(settings, settings.url, clock or time.monotonic, lambda: NOW)


def counting(folder: Path, prints: str) -> list[str]:
    """A command that prints this, an expression with `n`: how often it ran before."""
    return [sys.executable, "-c", f"{COUNTS}print({prints})", str(folder / "ran")]


def runs(folder: Path) -> int:
    return len((folder / "ran").read_text())


def text_of(token: Token | Gap) -> str:
    assert isinstance(token, Token), token
    return token.text


def why(token: Token | Gap) -> str:
    assert isinstance(token, Gap)
    return token.reason


def test_a_token_is_kept_for_its_ttl(tmp_path: Path) -> None:
    clock = Clock()
    held = tokens(clock, token_command=counting(tmp_path, "f'opaque-{n}'"), token_ttl="5m")
    seen = []
    for later in (0, 299, 1):
        clock.now += later
        seen.append(text_of(held.current()))
    assert seen == ["opaque-0", "opaque-0", "opaque-1"]


def test_a_jwt_is_kept_until_shortly_before_it_expires(tmp_path: Path) -> None:
    clock = Clock()
    held = tokens(clock, token_command=counting(tmp_path, repr(jwt(1, NOW + 3600))))
    for later in (0, 3569, 2):
        clock.now += later
        held.current()
    assert runs(tmp_path) == 2


def test_a_token_that_has_expired_already_is_not_obtained_anew_for_each_query(tmp_path: Path) -> None:
    held = tokens(Clock(), token_command=counting(tmp_path, repr(jwt(1, NOW - 60))))
    for _ in range(3):
        held.current()
    assert runs(tmp_path) == 1


def test_a_refused_token_is_obtained_anew(tmp_path: Path) -> None:
    clock = Clock()
    held = tokens(clock, token_command=counting(tmp_path, "n"))
    first = held.current()
    clock.now += 31
    assert isinstance(first, Token)
    assert held.refused(first)
    assert text_of(held.current()) == "1"


def test_a_new_token_that_is_refused_is_not_obtained_anew_at_once(tmp_path: Path) -> None:
    held = tokens(Clock(), token_command=counting(tmp_path, "n"))
    token = held.current()
    assert isinstance(token, Token)
    assert not held.refused(token)


def test_a_failing_command_is_not_run_again_at_once(tmp_path: Path) -> None:
    clock = Clock()
    held = tokens(clock, token_command=counting(tmp_path, "'two words'"))
    for later in (0, 9, 2):
        clock.now += later
        held.current()
    assert runs(tmp_path) == 2


def test_threads_that_need_a_token_at_once_run_the_command_once(tmp_path: Path) -> None:
    held = tokens(token_command=counting(tmp_path, "__import__('time').sleep(0.3) or 'slow'"))
    threads = [threading.Thread(target=held.current) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs(tmp_path) == 1


def test_who_waits_too_long_for_another_targets_command_is_told_so(tmp_path: Path) -> None:
    command = [sys.executable, "-c", f"open({str(tmp_path / 'began')!r}, 'w'); import time; time.sleep(2); print('late')"]
    slow, other = (tokens(token_command=command, token_timeout=limit) for limit in ("10s", "100ms"))
    thread = threading.Thread(target=slow.current)
    thread.start()
    until((tmp_path / "began").exists, 20, "the command to run")
    reason = why(other.current())
    thread.join()
    assert "another target's `token_command` was still at work after 100ms" in reason


def test_a_file_is_read_anew_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "token"
    held = tokens(token_file=str(path))
    seen = []
    for text in ("one\n", "two"):
        path.write_text(text)
        seen.append(text_of(held.current()))
    assert seen == ["one", "two"]


def test_a_file_that_is_there_again_is_read(tmp_path: Path) -> None:
    path = tmp_path / "token"
    held = tokens(Clock(), token_file=str(path))
    assert f"cannot read {path} (`token_file` of flower): No such file or directory" in why(held.current())
    path.write_text("here")
    assert text_of(held.current()) == "here"


SHELL = ["sh", "-c"]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ([*SHELL, "echo not logged in >&2; echo more >&2; exit 3"], "(sh) ended with exit code 3: not logged in"),
        ([*SHELL, "exit 1"], "(sh) ended with exit code 1 and said nothing"),
        ([*SHELL, "kill -9 $$"], "(sh) ended with signal 9"),
        (["/nowhere/vault"], "cannot run `token_command` of flower (vault): No such file or directory"),
        (["/"], "cannot run `token_command` of flower ():"),
        (["true"], "expected a token, found nothing from `token_command`"),
        (["echo", "two", "words"], "found 2 words"),
        (["printf", "%020000d", "1"], "at most 16000 characters, found 20000"),
        (["printf", "\\303\\266"], "a character that cannot stand in a header"),
        (["yes"], "it printed more than 64000 bytes"),
        ([*SHELL, "printf '\\033[31mred' >&2; exit 1"], "\\x1b[31mred"),
    ],
    ids=lambda value: None if isinstance(value, list) else value[:30],
)
def test_a_command_without_a_token_is_told_with_what_failed(command: list[str], says: str) -> None:
    assert says in why(tokens(token_command=command).current())


@pytest.mark.parametrize(
    "command",
    [
        [*SHELL, "echo sesame; echo got sesame >&2; exit 1"],
        [*SHELL, "echo header: eyJhbGciOiJIUzI1NiJ9sesame >&2; exit 1"],
        [*SHELL, "echo token sesame-0123456789abcdef >&2; exit 1"],
        [*SHELL, "echo bad: $1 >&2; exit 1", "sh", "--password=sesame"],
        [*SHELL, "echo bad: $2 >&2; exit 1", "sh", "--password", "sesame"],
        ["echo", "sesame", "sesame"],
    ],
)
def test_what_is_told_of_a_failure_holds_no_token(command: list[str]) -> None:
    assert "sesame" not in why(tokens(token_command=command).current())


def test_a_hanging_command_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    note = tmp_path / "child"
    reason = why(tokens(token_command=[*SHELL, f"sleep 300 & echo $! > {note}; wait"], token_timeout="1s").current())
    assert "was killed: it was still running after 1s (the limit is `token_timeout`)" in reason
    until(lambda: not alive(int(note.read_text())), 10, "the child to end")


@pytest.mark.parametrize("first", [True, False])
def test_a_stop_waits_for_no_command_that_runs_or_is_started_later(tmp_path: Path, first: bool) -> None:
    held = tokens(token_command=["sh", "-c", f"echo > {tmp_path / 'ran'}; sleep 60"], token_timeout="50s")
    if first:
        held.interrupt()
    found: list[Token | Gap] = []
    waiting = threading.Thread(target=lambda: found.append(held.current()))
    waiting.start()
    if not first:
        until((tmp_path / "ran").exists, 10, "the command to run")
        held.interrupt()
    waiting.join(20)
    assert "`token_command` of flower (sh) ended with signal 9" in why(found[0])


def test_a_command_whose_child_holds_its_output_open_is_killed_too(tmp_path: Path) -> None:
    note = tmp_path / "child"
    assert "still running" in why(tokens(token_command=[*SHELL, f"sleep 300 & echo $! > {note}"], token_timeout="1s").current())
    until(lambda: not alive(int(note.read_text())), 10, "the child to end")


def alive(pid: int) -> bool:
    """Whether it runs: a zombie that nobody has waited for does not."""
    try:
        os.kill(pid, signal.SIG_DFL)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("payload", ["bm90IGpzb24", "!", "eyJleHAiOiAic29vbiJ9", "W10", ""])
def test_what_only_looks_like_a_jwt_does_not_say_when_it_expires(payload: str) -> None:
    assert expiry_of(f"a.{payload}.c") is None


def test_a_jwt_that_is_nested_deeply_does_not_say_it_either() -> None:
    assert expiry_of(f"a.{urlsafe_b64encode(b'[' * 12_000).decode()}.c") is None


@pytest.mark.parametrize("text", ["a;b", 'a"b', "a,b", "a\\b"])
def test_a_cookie_may_hold_less_than_a_header(text: str) -> None:
    assert (bool(fault_of(text, cookie=True)), bool(fault_of(text, cookie=False))) == (True, False)


@pytest.mark.parametrize(
    ("given", "header", "value"),
    [
        ({}, "authorization", "Bearer t"),
        ({"token_header": "Proxy-Authorization"}, "proxy-authorization", "Bearer t"),
        ({"token_header": "cf-access-token"}, "cf-access-token", "t"),
        ({"token_cookie": "_oauth2_proxy"}, "cookie", "_oauth2_proxy=t"),
    ],
)
def test_a_token_goes_where_the_settings_say(given: dict[str, str], header: str, value: str) -> None:
    settings = FlowerSettings.model_validate({"url": "http://f", "token_file": "/t", **given})
    assert (settings.token_field, settings.carried("t")) == (header, value)


OAUTH = {"token_url": "https://id.example/token", "client_id": "wd", "client_secret": "hunter2"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"token_file": "/t", "token_command": ["x"]}, "one source of the token, found `token_command` and `token_file`"),
        ({"token_header": "X-Token"}, "`token_header` says where a token goes: expected `token_command`"),
        ({"token_file": "/t", "token_header": "X", "token_cookie": "c"}, "found `token_header` and `token_cookie`"),
        ({"token_file": "/t", "password": "hunter2"}, "found `username` or `password` and a token"),
        ({"token_file": "/t", "token_cookie": "c", "headers": {"Cookie": "hunter2"}}, "found it in `headers` too"),
        ({"token_file": "/t", "token_header": "Cookie"}, "`token_cookie` names a cookie"),
        ({"token_file": "/t", "token_header": "X Y"}, "the name of a header"),
        ({"token_file": "/t", "token_cookie": "a=b"}, "the name of a cookie"),
        ({"token_command": []}, "at least 1 item"),
        ({"token_command": "gcloud auth"}, "valid tuple"),
        ({"token_command": ["", "x"]}, "a program and its arguments"),
        ({"oauth": {**OAUTH, "token_url": "id.example/token"}}, "the URL of a token endpoint"),
        ({"oauth": {**OAUTH, "token_url": "https://u:hunter2@id.example/token"}}, "without credentials"),
        ({"oauth": {"token_url": "https://id.example"}}, "client_id"),
    ],
)
def test_settings_that_do_not_go_together_are_faults(given: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError) as raised:
        FlowerSettings.model_validate({"url": "http://f", **given})
    assert says in str(raised.value)
    assert "hunter2" not in str(raised.value)
