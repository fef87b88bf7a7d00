"""A target on trial, before a real daemon: nobody hears of it until its trial ends. The only fires are brokers that are not there."""

import json
import signal
from pathlib import Path

import pytest

from tests.processes.command_line import watchdog
from tests.processes.running import running
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until

CONFIG = """
interval = "0.3s"
database = "watchdog.db"
[[target]]
name = "prod"
redis = "redis://127.0.0.1:1/0"
[[target]]
name = "staging"
trial = {trial}
redis = "redis://127.0.0.1:2/0"
[[override]]
rule = "*"
for = "0s"
keep_firing_for = "1s"
[[receiver]]
name = "ops"
type = "webhook"
url = "{hook}"
"""


def heard(receiver: RecordingReceiver) -> list[str]:
    """The targets of the incidents that were told, in order."""
    return [incident["target"] for request in receiver.requests for incident in json.loads(request.body)["data"]["incidents"]]


def would_have_told(folder: Path) -> list[tuple[str, int]]:
    document = json.loads(watchdog("rules", "trial", "--format", "json", cwd=folder).stdout)
    return [(one["rule"], one["began"]) for one in document["rules"]]


def test_a_target_on_trial_is_told_to_nobody_until_its_trial_ends(receiver: RecordingReceiver, tmp_path: Path) -> None:
    config = tmp_path / "watchdog.toml"
    config.write_text(CONFIG.format(trial="true", hook=receiver.url))
    with running(tmp_path) as daemon:
        until(lambda: ("BrokerUnreachable", 1) in would_have_told(tmp_path), 30, "the incident on trial", every=0.3)
        until(lambda: heard(receiver) == ["prod"], 30, "the one that is not")
        listed = json.loads(watchdog("incidents", "--format", "json", cwd=tmp_path).stdout)["incidents"]
        assert {(one["target"], bool(one["held_back_by"])) for one in listed} == {("prod", False), ("staging", True)}

        config.write_text(CONFIG.format(trial="false", hook=receiver.url))
        daemon.send(signal.SIGHUP)
        until(lambda: heard(receiver) == ["prod", "staging"], 30, "what still burns when the trial ends")
        assert would_have_told(tmp_path) == []


def test_a_check_of_what_is_on_trial_is_fine(tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text(CONFIG.format(trial="true", hook="http://127.0.0.1:1/"))
    done = watchdog("check", "--once", "--target", "staging", cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[0].startswith("OK: nothing fires, ")) == (0, True)
    assert "on trial: decides nothing" in done.stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--since", "0s"), "expected a duration longer than nothing"),
        (("--since", "soon"), 'expected a duration such as "30s"'),
        (("--database", "nope.db"), "nope.db: there is no such file"),
    ],
)
def test_wrong_input_is_one_sentence(args: tuple[str, str], said: str, tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text(CONFIG.format(trial="true", hook="http://127.0.0.1:1/"))
    done = watchdog("rules", "trial", *args, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("place", ["[[target]]\nname = 'b'\nredis = 'redis://h:1/0'", "[[override]]\nrule = '*'"])
def test_a_trial_is_true_or_false(place: str, tmp_path: Path) -> None:
    config = CONFIG.format(trial="true", hook="http://127.0.0.1:1/")
    (tmp_path / "watchdog.toml").write_text(f"{config}{place}\ntrial = 'yes'\n")
    done = watchdog("config", "check", cwd=tmp_path)
    assert done.returncode == 2
    assert "trial" in done.stderr
