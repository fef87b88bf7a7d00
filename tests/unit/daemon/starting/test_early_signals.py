"""Which runs note signals early. What a real process does with them is in tests/e2e/test_run_signals.py."""

import subprocess
import sys
from pathlib import Path

import pytest

from watchdog.daemon.starting.early_signals import is_daemon

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize(
    "args", [["run"], ["run", "--config", "a.toml"], ["--config", "a.toml", "run"], ["--config=check", "run"], ["--config", "check", "run"]]
)
def test_the_daemon_notes_signals(args: list[str]) -> None:
    assert is_daemon(args)


@pytest.mark.parametrize(
    "args", [[], ["check", "--only", "run"], ["--config", "run", "check"], ["--version"], ["--config"], ["query", "run"]]
)
def test_no_other_command_does(args: list[str]) -> None:
    assert not is_daemon(args)


def test_nothing_slow_is_imported_before_signals_are_noted() -> None:
    script = """
import sys
sys.path.insert(0, sys.argv[1])
import watchdog.__main__
print(sorted({name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names - {"__main__"}))
"""
    done = subprocess.run([sys.executable, "-S", "-c", script, str(ROOT)], check=True, capture_output=True, text=True)
    assert done.stdout == "['watchdog']\n"
