"""`watchdog completion`: each shell takes its script, and then completes what is configured and what there is."""

import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.outbox import commit, incident, opened, plan
from tests.processes.command_line import watchdog
from tests.processes.running import environment
from watchdog.core.history.series import Keeping, Slice
from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.core.model.last_look import LastLook, TableSeen
from watchdog.core.model.rows import Row
from watchdog.store import Looked

CONFIG = """
database = "watchdog.db"
[[target]]
name = "prod"
redis = "redis://127.0.0.1:1/0"
[[receiver]]
name = "ops"
type = "console"
"""
WORDS = [
    ("watchdog che", "check"),
    ("watchdog check --target ", "prod"),
    ("watchdog check --fail-on crit", "critical"),
    ("watchdog rules show QueueB", "QueueBacklogHigh"),
    ("watchdog tables queu", "queues"),
    ("watchdog receivers test ", "ops"),
    ("watchdog ack 01incident", "01INCIDENTA"),
    ("watchdog incidents show 01I", "01INCIDENTA"),
    ("watchdog deploy end ", "v512"),
    ("watchdog deploy start v513 --target ", "prod"),
    ("watchdog act shutdown celery@w", "celery@web-1"),
    ("watchdog act purge ind", "indexing"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a configuration, a database with an open incident, a deploy that goes on and a last look, and a `watchdog` in `bin`."""
    (tmp_path / "watchdog.toml").write_text(CONFIG)
    with opened(tmp_path) as store:
        commit(store, plan(incidents=[incident("A")]))
        store.start_deploy(Deploy("01V512", "v512", ("*",), 0.0, math.inf))
        seen = {table: TableSeen((Row({"name": name}),)) for table, name in (("workers", "celery@web-1"), ("queues", "indexing"))}
        with store.cycle() as transaction:
            transaction.record(Looked("prod", Slice(1.0), LastLook(1.0, 10.0, seen), None), Keeping())
    program = tmp_path / "bin" / "watchdog"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -W error -m watchdog "$@"\n')
    program.chmod(0o755)
    return tmp_path


def shell(folder: Path, *command: str) -> str:
    """What the shell prints; it complains of nothing."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed here")
    environ = environment(folder, {})
    environ["PATH"] = f"{folder / 'bin'}:{environ['PATH']}"
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize(("line", "offered"), WORDS)
def test_bash_completes(folder: Path, line: str, offered: str) -> None:
    *before, last = line.split(" ")
    words = " ".join([*before, f"'{last}'"])
    script = f"""
        source <(watchdog completion bash)
        COMP_WORDS=({words}); COMP_CWORD={len(before)}
        _watchdog_completion watchdog
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    assert offered in shell(folder, "bash", "--norc", "-c", script).splitlines()


@pytest.mark.parametrize(("line", "offered"), WORDS)
def test_fish_completes(folder: Path, line: str, offered: str) -> None:
    shown = shell(folder, "fish", "--no-config", "-c", f"watchdog completion fish | source; complete -C '{line}'")
    assert offered in {one.partition("\t")[0] for one in shown.splitlines()}


def test_zsh_takes_its_script(folder: Path) -> None:
    script = "autoload -U compinit; compinit -u -D; source <(watchdog completion zsh); print $_comps[watchdog]"
    assert shell(folder, "zsh", "-f", "-c", script).strip() == "_watchdog_completion"


def test_without_a_name_it_is_the_shell_of_the_user(tmp_path: Path) -> None:
    done = watchdog("completion", cwd=tmp_path, environ={"SHELL": "/usr/bin/fish"})
    assert done.stdout == watchdog("completion", "fish", cwd=tmp_path).stdout
    assert "fish_complete" in done.stdout


def test_a_shell_without_a_script_is_a_sentence(tmp_path: Path) -> None:
    done = watchdog("completion", cwd=tmp_path, environ={"SHELL": "/bin/dash"})
    assert (done.returncode, done.stdout) == (2, "")
    assert "expected one of bash, zsh, fish" in done.stderr
