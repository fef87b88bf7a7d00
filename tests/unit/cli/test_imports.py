"""What a command may import: start-up stays fast only where nobody adds a costly import by the way. And how it ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from watchdog.cli import COMMANDS

ROOT = Path(__file__).parents[3]
COSTLY = (
    "apscheduler", "celery", "ddsketch", "flask", "httpx", "jinja2", "kombu", "msgspec", "prometheus_client", "psycopg", "pydantic",
    "pydantic_settings", "redis", "rich", "sqlite3", "sqlite_utils", "structlog", "waitress", "werkzeug",
)  # fmt: skip
SCRIPT = """
import json, sys
from watchdog.__main__ import main
args, costly = map(json.loads, sys.argv[1:])
sys.argv[1:] = args
try:
    main()
except SystemExit as ending:
    code = ending.code
loaded = sorted({name.partition(".")[0] for name, module in sys.modules.items() if module} & set(costly))
print(json.dumps([code, loaded]), file=sys.stderr)
"""
CONFIG = """
[[target]]
name = "prod"
flower = "http://127.0.0.1:1"
redis = "redis://127.0.0.1:1/0"
[[receiver]]
name = "ops"
type = "webhook"
url = "http://127.0.0.1:1/hook"
"""


def run(folder: Path, *args: str) -> tuple[int, set[str]]:
    """The exit code, and which of the costly modules were imported on the way."""
    (folder / "watchdog.toml").write_text(CONFIG)
    command = [sys.executable, "-c", SCRIPT, json.dumps(args), json.dumps(COSTLY)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WATCHDOG")}
    environ = {**kept, "PYTHONPATH": str(ROOT), "HOME": str(folder), "XDG_STATE_HOME": str(folder)}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True, env=environ)
    code, loaded = json.loads(done.stderr.splitlines()[-1])
    return code, set(loaded)


CONFIGURED = {"pydantic", "pydantic_settings", "msgspec"}
RULES = {"jinja2", "msgspec", "sqlite3"}
ASKING = {"httpx", "redis"}
WATCHING = {"sqlite3", "structlog"}
STORED = {*WATCHING, "rich"}  # structlog imports it wherever it is installed
MAY: dict[tuple[str, ...], set[str]] = {
    ("check", "--once"): CONFIGURED | RULES | ASKING,
    ("check", "--once", "--format", "junit"): CONFIGURED | RULES | ASKING,
    ("doctor",): CONFIGURED | RULES | ASKING,
    ("run", "--database", os.devnull + "/none.db"): CONFIGURED | RULES | WATCHING,
    ("worker",): CONFIGURED | RULES,
    ("status",): CONFIGURED | RULES | ASKING | STORED,
    ("status", "--json"): CONFIGURED | RULES | ASKING | STORED,
    ("task", "01"): CONFIGURED | RULES | ASKING,
    ("report",): CONFIGURED | RULES | STORED,
    ("config", "check"): CONFIGURED | RULES,
    ("config", "show"): CONFIGURED,
    ("rules", "check"): CONFIGURED | RULES,
    ("rules", "check", "rules.toml"): RULES,
    ("rules", "list"): CONFIGURED | RULES,
    ("rules", "show", "FlowerUnreachable"): CONFIGURED | RULES,
    ("rules", "replay"): CONFIGURED | RULES | STORED,
    ("tables",): {"msgspec"},
    ("query", "SELECT 1 AS one"): CONFIGURED | RULES | ASKING,
    ("incidents",): CONFIGURED | STORED,
    ("incidents", "show", "01"): CONFIGURED | STORED,
    ("why", "BrokerUnreachable"): CONFIGURED | RULES | STORED | ASKING,
    ("ack", "01"): CONFIGURED | STORED,
    ("unack", "01"): CONFIGURED | STORED,
    ("close", "01", "--reason", "gone"): CONFIGURED | STORED,
    ("silence", "list"): CONFIGURED | STORED,
    ("silence", "add", "rule=WorkerLost", "--for", "1h"): CONFIGURED | STORED,
    ("deploy", "list"): CONFIGURED | STORED,
    ("deploy", "start", "v512"): CONFIGURED | STORED,
    ("deploy", "end"): CONFIGURED | STORED,
    ("act", "log"): CONFIGURED | STORED,
    ("act", "--help"): set(),
    ("act", "purge", "q"): CONFIGURED | RULES | ASKING | STORED,
    ("outbox",): CONFIGURED | STORED,
    ("database", "rescue"): CONFIGURED | STORED,
    ("receivers", "test", "ops"): CONFIGURED | {"sqlite3", "httpx"},
    ("routes", "test", "rule=WorkerLost"): CONFIGURED | RULES | {"sqlite3", "httpx"},
    ("init", "--yes", "--force"): {"pydantic", "msgspec", "sqlite3", *ASKING},
    ("mcp", "--help"): set(),
    ("demo", "--help"): set(),
    ("completion", "zsh"): set(),
}
"""A command -> all of the costly modules that it may import, however it ends."""


@pytest.mark.parametrize("args", [["--version"], ["--help"], ["check", "--help"], ["incidents", "show", "--help"], ["completion", "zsh"]])
def test_version_and_help_need_nothing_but_click(tmp_path: Path, args: list[str]) -> None:
    assert run(tmp_path, *args) == (0, set())


@pytest.mark.parametrize("args", MAY, ids=" ".join)
def test_a_command_imports_only_what_it_works_with(tmp_path: Path, args: tuple[str, ...]) -> None:
    (tmp_path / "rules.toml").write_text('[[rule]]\nname = "A"\nfrom = "queues"\nwhen = "length > 5"\n')
    _, loaded = run(tmp_path, *args)
    assert loaded - MAY[args] == set()


def test_every_command_says_what_it_may_import() -> None:
    assert {args[0] for args in MAY} == set(COMMANDS)


def test_python_ends_without_a_search_for_reference_cycles(tmp_path: Path) -> None:
    script = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 0)); from watchdog.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", script, "--version"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "True"  # what is registered first is called last


def test_a_command_starts_without_a_search_for_reference_cycles(tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text(CONFIG)
    searches = "sum(one['collections'] for one in gc.get_stats())"
    script = f"""
import atexit, gc
from watchdog.__main__ import main
before = {searches}
atexit.register(lambda: print({searches} - before))
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script, "rules", "check"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "0"
