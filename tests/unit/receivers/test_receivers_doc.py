"""The configurations in docs/receivers.md are taken as they stand there."""

import re
from pathlib import Path

import pytest

from watchdog.config.load import load_settings

DOC = Path(__file__).parents[3] / "docs" / "receivers.md"
BLOCKS = re.findall(r"^```toml\n(.*?)^```", DOC.read_text(), re.DOTALL | re.MULTILINE)
SHAPES = {
    "SLACK_BOT_TOKEN": "xoxb-000000",
    "TELEGRAM_TOKEN": "123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "PAGERDUTY_ROUTING_KEY": "R0123456789abcdef0123456789abcdE",
    "NTFY_TOPIC": "alerts-9f2c",
    "SMTP_PASSWORD": "x",
    "INCIDENT_IO_TOKEN": "x",
    "APPRISE_URL": "gotify://gotify.example.com/t0ken",
}


@pytest.mark.parametrize("block", BLOCKS, ids=[re.sub(r"\W+", "-", block)[:40] for block in BLOCKS])
def test_each_configuration_is_valid(block: str, tmp_path: Path) -> None:
    environ = {name: SHAPES.get(name, "https://example.com/hook") for name in re.findall(r"\$\{(\w+)\}", block)}
    path = tmp_path / "watchdog.toml"
    path.write_text(f'{block}\n[[target]]\nname = "prod"\nredis = "redis://localhost"\n')
    assert load_settings(config=path, environ={"HOME": "/nowhere", **environ}, flags={}, cwd=tmp_path).warnings == ()


def test_there_are_some() -> None:
    assert len(BLOCKS) > 10
