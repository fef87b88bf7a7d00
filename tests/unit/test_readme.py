"""README.md: what its first screen shows holds, and no link of the docs leads nowhere."""

import re
from pathlib import Path

from watchdog.config.load import load_settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST_SCREEN = "\n".join(README.splitlines()[:50])
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("systemd/*.md")])


def first_config() -> str:
    found = re.search(r"```toml\n(.*?)```", FIRST_SCREEN, re.DOTALL)
    assert found
    return found[1]


def test_eight_lines_on_the_first_screen_are_a_whole_configuration(tmp_path: Path) -> None:
    lines = [line for line in first_config().splitlines() if line]
    assert len(lines) == 8
    path = tmp_path / "watchdog.toml"
    path.write_text(first_config())
    environ = {"SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T/B/x", "HOME": "/nowhere"}
    settings = load_settings(config=path, environ=environ, flags={}, cwd=tmp_path).settings
    assert (len(settings.target), len(settings.receiver)) == (1, 1)


def test_the_first_screen_shows_an_incident_and_the_two_commands() -> None:
    assert all(words in FIRST_SCREEN for words in ("Celery cluster", "QueueNoConsumers", "make demo", "make test"))
