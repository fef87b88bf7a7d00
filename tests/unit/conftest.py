"""Fixtures of the unit tests."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes.command_line import watchdog

Run = Callable[..., tuple[int, str, str]]
"""Arguments, and variables by name -> exit code, standard output, standard error."""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command of watchdog in an empty folder, which is the test's own too."""
    monkeypatch.chdir(tmp_path)

    def run(*args: str, **environ: str) -> tuple[int, str, str]:
        done = watchdog(*args, cwd=tmp_path, environ=environ)
        return done.returncode, done.stdout, done.stderr

    return run
