"""`watchdog receivers test` and `preview`, as their users run them."""

import json
from pathlib import Path

import pytest

from tests.processes.command_line import watchdog
from tests.servers.discord import Discord
from tests.servers.forms import png_size
from tests.servers.pagerduty import KEY, PagerDuty
from tests.servers.receiver import Answer, RecordingReceiver

OK = Answer(body=b"ok")
BUSY = Answer(429, {"retry-after": "1"}, b'{"retry_after": 1, "ok": false, "error": "rate_limited"}')


# --- watchdog receivers test --------------------------------------------------------------------------------------------


@pytest.fixture
def folder(receiver: RecordingReceiver, tmp_path: Path) -> Path:
    receiver.default = OK
    chat = f'[[receiver]]\nname = "chat"\ntype = "slack"\nurl = "{receiver.url}/s3cretpath"\n'
    screen = '[[receiver]]\nname = "screen"\ntype = "console"\n'
    (tmp_path / "watchdog.toml").write_text(chat + screen)
    return tmp_path


def test_a_test_message_is_marked_as_one_and_what_came_back_is_said(folder: Path, receiver: RecordingReceiver) -> None:
    done = watchdog("receivers", "test", "chat", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "chat: delivered (200)\n", "")
    [request] = receiver.requests
    assert json.loads(request.body)["text"] == "Info in watchdog: This is a test of the receiver chat: nothing is wrong"


def test_no_database_is_made_for_a_test_message(folder: Path) -> None:
    watchdog("receivers", "test", "chat", cwd=folder)
    assert list(folder.rglob("*.db")) == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(404, body=b"no_service"), "chat: refused: http://127.0.0.1:{port} answered 404: no_service: the webhook was removed"),
        (BUSY, "chat: not delivered: http://127.0.0.1:{port} answered 429: "),
    ],
)
def test_what_is_not_delivered_says_why_and_is_1(folder: Path, receiver: RecordingReceiver, answer: Answer, said: str) -> None:
    receiver.default = answer
    done = watchdog("receivers", "test", "chat", cwd=folder)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith(said.format(port=receiver.port))
    assert "s3cretpath" not in done.stdout


def test_a_pause_longer_than_any_is_not_repeated_as_if_it_held(folder: Path, receiver: RecordingReceiver) -> None:
    receiver.default = Answer(503, {"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"})
    done = watchdog("receivers", "test", "chat", cwd=folder)
    assert done.stdout.endswith("(`watchdog run` would try again in 15m, though it asks for a longer pause)\n")


def test_all_receivers_are_tried_though_one_fails(folder: Path, receiver: RecordingReceiver) -> None:
    receiver.default = Answer(404)
    done = watchdog("receivers", "test", "--all", cwd=folder)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0].startswith("chat: refused: ")
    assert done.stdout.splitlines()[-1] == "screen: delivered (printed)"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["chta"], 'no receiver "chta"; did you mean "chat"?\nconfigured: chat, screen\n'),
        ([], "expected the name of a receiver, or --all; configured: chat, screen\n"),
        (["chat", "--all"], "expected the name of a receiver, or --all; configured: chat, screen\n"),
    ],
)
def test_a_mistake_names_the_receivers_there_are(folder: Path, args: list[str], said: str) -> None:
    done = watchdog("receivers", "test", *args, cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


def test_without_any_receiver_it_says_what_to_add(tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text('[[target]]\nname = "prod"\nflower = "http://127.0.0.1:1"\n')
    done = watchdog("receivers", "test", "ops", cwd=tmp_path)
    assert done.returncode == 2
    assert "add a [[receiver]]" in done.stderr


# --- watchdog receivers preview -----------------------------------------------------------------------------------------


def test_a_preview_shows_what_each_receiver_would_be_sent_and_sends_nothing(folder: Path, receiver: RecordingReceiver) -> None:
    shown = [watchdog("receivers", "preview", name, cwd=folder) for name in ("chat", "screen")]
    assert [(done.returncode, done.stderr) for done in shown] == [(0, ""), (0, "")]
    assert '"text": "Resolved after 6m in example: indexing holds 4,210 messages"' in shown[0].stdout
    assert "critical  escalated  QueueBacklogHigh example: indexing holds 4,210 messages" in shown[1].stdout
    assert receiver.requests == []


def test_a_preview_of_no_receiver_names_those_there_are(folder: Path) -> None:
    done = watchdog("receivers", "preview", "chta", cwd=folder)
    assert (done.returncode, done.stderr) == (2, 'no receiver "chta"; did you mean "chat"?\nconfigured: chat, screen\n')


# --- receivers that show charts -----------------------------------------------------------------------------------------


def test_a_preview_says_which_picture_would_go_along_and_a_test_message_has_one(tmp_path: Path) -> None:
    with Discord() as there:
        url = f"http://127.0.0.1:{there.port}/api/webhooks/1/s3cret"
        (tmp_path / "watchdog.toml").write_text(f'[[receiver]]\nname = "guild"\ntype = "discord"\nurl = "{url}"\nchart = true\n')
        shown, done = (watchdog("receivers", command, "guild", cwd=tmp_path) for command in ("preview", "test"))
        assert "With the picture chart.png (1050 x 476 pixels): Example: length of indexing, example" in shown.stdout
        assert (done.returncode, done.stdout, done.stderr) == (0, "guild: delivered (204)\n", "")
        [files] = there.files
        assert png_size(files["files[0]"].content) == (1050, 476)


def test_a_test_message_whose_picture_is_not_taken_says_so(tmp_path: Path) -> None:
    with Discord() as there:
        there.small = True
        url = f"http://127.0.0.1:{there.port}/api/webhooks/1/s3cret"
        (tmp_path / "watchdog.toml").write_text(f'[[receiver]]\nname = "guild"\ntype = "discord"\nurl = "{url}"\nchart = true\n')
        done = watchdog("receivers", "test", "guild", cwd=tmp_path)
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "guild: delivered (204)")
        assert "sent_without_chart" in done.stdout + done.stderr


# --- receivers where what began stays open ------------------------------------------------------------------------------


def test_a_test_message_that_would_stay_open_is_followed_by_its_end(tmp_path: Path) -> None:
    with PagerDuty() as there:
        text = f'[[receiver]]\nname = "oncall"\ntype = "pagerduty"\nurl = "{there.url}"\nrouting_key = "{KEY}"\n'
        (tmp_path / "watchdog.toml").write_text(text)
        done = watchdog("receivers", "test", "oncall", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, "oncall: delivered (202)\noncall: its end: delivered (202)\n")
        [[alert]] = there.alerts.values()
        assert (alert.state, alert.events[0]["payload"]["severity"]) == ("resolved", "info")


def test_a_digest_is_not_sent_where_it_would_be_an_incident(tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text(f'[[receiver]]\nname = "oncall"\ntype = "pagerduty"\nrouting_key = "{KEY}"\n')
    done = watchdog("receivers", "test", "oncall", "--digest", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "expected receivers that take a digest; oncall would make an incident of it\n")


def test_faults_of_its_settings_have_their_lines_and_repeat_no_secret(tmp_path: Path) -> None:
    text = f'[[receiver]]\nname = "oncall"\ntype = "pagerduty"\nrouting_key = "{KEY}x"\ndigest = "08:00"\n'
    (tmp_path / "watchdog.toml").write_text(text)
    done = watchdog("config", "check", cwd=tmp_path)
    assert done.returncode == 2
    assert 'watchdog.toml:4: receiver "oncall": routing_key: expected the 32 letters and digits' in done.stderr
    assert 'watchdog.toml:5: receiver "oncall": digest: unknown key' in done.stderr
    assert KEY not in done.stdout + done.stderr


# --- webhooks with templates --------------------------------------------------------------------------------------------


def test_a_preview_of_a_template_shows_body_and_headers_without_secrets(tmp_path: Path) -> None:
    text = """[[receiver]]
name = "alerts"
type = "webhook"
url = "https://example.com/hookabcdef"
headers = { Authorization = "Bearer s3cr3tt0ken99", X-Severity = "{{ severity }}" }
body = '{"title": {{ message | json }}, "status": {{ state | json }}}'
"""
    (tmp_path / "watchdog.toml").write_text(text)
    done = watchdog("receivers", "preview", "alerts", cwd=tmp_path)
    assert done.stdout.split("\n\n# ")[2].splitlines() == [
        "the first gets worse",
        "content-type: application/json",
        "authorization: ***",
        "x-severity: critical",
        "",
        "{",
        '  "title": "indexing holds 4,210 messages",',
        '  "status": "firing"',
        "}",
    ]


def test_a_fault_of_a_template_has_its_line(tmp_path: Path) -> None:
    text = '[[receiver]]\nname = "alerts"\ntype = "webhook"\nurl = "https://example.com/hook"\nbody = """\n{\n{{ mesage | json }}}"""\n'
    (tmp_path / "watchdog.toml").write_text(text)
    done = watchdog("config", "check", cwd=tmp_path)
    assert 'watchdog.toml:5: receiver "alerts": body: no "mesage" in a message (its line 2); did you mean "message"?' in done.stderr
