"""What `pip install 'celery-watchdog[…]'` brings: each extra that a sentence of ours names is one."""

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]


def test_postgres_is_another_name_of_postgresql() -> None:
    assert EXTRAS["postgres"] == [f"{PROJECT['name']}[postgresql]"]


def test_whoever_is_told_to_install_an_extra_finds_it() -> None:
    told = [ROOT / "README.md", ROOT / "config.example.toml", *(ROOT / "docs").rglob("*.md"), *(ROOT / "watchdog").rglob("*.py")]
    named = {extra for file in told for extra in re.findall(r"celery-watchdog\[([a-z]+)\]", file.read_text(encoding="utf-8"))}
    assert "postgres" in named
    assert named <= set(EXTRAS)
