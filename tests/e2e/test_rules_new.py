"""`watchdog rules new` writes a rule and its scenarios that hold as they are written."""

import json
from pathlib import Path

import pytest

from tests.processes.command_line import watchdog
from watchdog.tables import TABLES

EVERYTHING = """rules = ["rules/*.toml"]
[[target]]
name = "prod"
flower = "http://127.0.0.1:9"
redis = "redis://127.0.0.1:9/0"
results = "redis://127.0.0.1:9/1"
[[target.schedule]]
task = "reports.nightly"
every = "1d"
[[target.schedule]]
from = "beat"
[[target.objective]]
queue = "carts"
max_wait = "5m"
share = 0.99
"""


@pytest.mark.parametrize("table", TABLES)
def test_what_it_writes_passes_as_it_is(tmp_path: Path, table: str) -> None:
    (tmp_path / "watchdog.toml").write_text(EVERYTHING)
    written = watchdog("rules", "new", "CartsLeft", "--table", table, cwd=tmp_path)
    assert written.returncode == 0, written.stderr
    checked = watchdog("config", "check", cwd=tmp_path)
    tested = watchdog("rules", "test", "--complete", cwd=tmp_path)
    assert (checked.returncode, tested.returncode, tested.stdout.splitlines()[0]) == (0, 0, "OK: 2 scenarios as expected")


def test_its_scenarios_fail_where_the_rule_is_another(tmp_path: Path) -> None:
    watchdog("rules", "new", "CartsLeft", cwd=tmp_path)
    rule = tmp_path / "rules" / "CartsLeft.toml"
    rule.write_text(rule.read_text().replace("limit = 100", "limit = 99"))
    tested = watchdog("rules", "test", "rules", "--format", "json", cwd=tmp_path)
    assert [one["ok"] for one in json.loads(tested.stdout)["scenarios"]] == [False, False]


def test_it_says_what_it_wrote_and_what_is_next(tmp_path: Path) -> None:
    assert watchdog("rules", "new", "CartsLeft", "--folder", "alerts", cwd=tmp_path).stdout.splitlines() == [
        "wrote alerts/CartsLeft.toml",
        "wrote alerts/scenarios/CartsLeft.toml",
        "Test it:  watchdog rules test alerts/scenarios/CartsLeft.toml",
        'Use it:   rules = ["alerts/*.toml"] in watchdog.toml',
    ]


def test_it_writes_beside_the_configured_rules(tmp_path: Path) -> None:
    watchdog("rules", "new", "First", "--folder", "alerts", cwd=tmp_path)
    (tmp_path / "watchdog.toml").write_text('rules = ["alerts/*.toml"]\n')
    done = watchdog("rules", "new", "Second", cwd=tmp_path)
    assert (tmp_path / "alerts" / "Second.toml").exists()
    assert "Use it" not in done.stdout


@pytest.mark.parametrize("there", ["rules/CartsLeft.toml", "rules/scenarios/CartsLeft.toml"])
def test_it_overwrites_nothing(tmp_path: Path, there: str) -> None:
    (tmp_path / "rules" / "scenarios").mkdir(parents=True)
    (tmp_path / there).write_text("mine")
    done = watchdog("rules", "new", "CartsLeft", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, f"{there}: is there already; choose another name or --folder\n")
    assert [path.read_text() for path in tmp_path.rglob("*.toml")] == ["mine"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("x y",), "NAME: expected letters, digits, - and _"),
        (("Fine", "--table", "quues"), '--table: no table "quues"; did you mean "queues"?'),
        (("QueueStuck",), "NAME: there is a rule of this name at rules/queues.toml:"),
        (("Fine", "--folder", "file/x"), "file/x/Fine.toml: cannot be written: Not a directory"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, args: tuple[str, ...], said: str) -> None:
    (tmp_path / "file").write_text("")
    done = watchdog("rules", "new", *args, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "rules").exists()
