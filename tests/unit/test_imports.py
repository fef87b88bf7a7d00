"""What a command may import: start-up stays fast only where nobody adds a costly import by the way."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COSTLY = (
    "apscheduler", "celery", "cronsim", "httpx", "jinja2", "kombu", "msgspec", "prometheus_client", "pydantic", "pydantic_settings",
    "redis", "rich", "sqlite3", "sqlite_utils", "structlog",
)  # fmt: skip
SCRIPT = """
import json, sys
from watchdog.cli import main
try:
    main(json.loads(sys.argv[1]))
except SystemExit as ending:
    code = ending.code
loaded = sorted({name.partition(".")[0] for name in sys.modules} & set(json.loads(sys.argv[2])))
print(json.dumps([code, loaded]), file=sys.stderr)
"""
CONFIG = '[[target]]\nname = "prod"\nflower = "http://127.0.0.1:1"\nredis = "redis://127.0.0.1:1/0"\n'


def run(folder: Path, *args: str) -> tuple[int, set[str]]:
    """The exit code, and which of the costly modules were imported on the way."""
    (folder / "watchdog.toml").write_text(CONFIG)
    command = [sys.executable, "-c", SCRIPT, json.dumps(args), json.dumps(COSTLY)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WATCHDOG")}
    environ = {**kept, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True, env=environ)
    code, loaded = json.loads(done.stderr.splitlines()[-1])
    return code, set(loaded)


@pytest.mark.parametrize("args", [["--version"], ["--help"], ["check", "--help"], ["incidents", "show", "--help"], ["completion", "zsh"]])
def test_version_and_help_need_nothing_but_click(tmp_path: Path, args: list[str]) -> None:
    assert run(tmp_path, *args) == (0, set())


@pytest.mark.parametrize(
    ("args", "spared"),
    [
        (["tables"], {"httpx", "redis", "celery", "apscheduler", "sqlite_utils", "structlog", "rich", "pydantic"}),
        (["rules", "check", "rules.toml"], {"httpx", "redis", "celery", "apscheduler", "sqlite_utils", "structlog", "rich", "pydantic"}),
        (["rules", "check"], {"httpx", "redis", "celery", "apscheduler", "sqlite_utils", "structlog", "rich"}),
        (["rules", "list"], {"httpx", "redis", "celery", "apscheduler", "sqlite_utils", "structlog", "rich"}),
        (["config", "check"], {"httpx", "redis", "celery", "apscheduler", "sqlite_utils", "structlog", "rich"}),
        (["config", "show"], {"httpx", "redis", "celery", "apscheduler", "sqlite_utils", "structlog", "rich"}),
        (["receivers", "test", "ops"], {"redis", "celery", "apscheduler", "sqlite_utils", "structlog", "rich"}),
        (["init", "--yes", "--force"], {"celery", "apscheduler", "sqlite_utils", "structlog"}),
        (["incidents"], {"httpx", "redis", "celery", "apscheduler"}),
        (["check", "--once"], {"celery", "apscheduler", "sqlite_utils", "structlog"}),
        (["query", "SELECT 1 AS one"], {"celery", "apscheduler", "sqlite_utils", "structlog"}),
    ],
)
def test_a_command_imports_only_what_it_works_with(tmp_path: Path, args: list[str], spared: set[str]) -> None:
    (tmp_path / "rules.toml").write_text('[[rule]]\nname = "A"\nfrom = "queues"\nwhen = "length > 5"\n')
    _, loaded = run(tmp_path, *args)
    assert loaded & spared == set()
