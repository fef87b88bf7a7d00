"""Every command as a user meets it: help, mistakes, answers, endings."""

import json
import os
import pty
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import watchdog as watchdog_package
from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import COMMAND, environment, watchdog_process
from tests.servers.receiver import Answer, RecordingReceiver
from watchdog.cli import COMMANDS

ALL = [[name] for name in COMMANDS] + [
    ["config", "check"], ["config", "show"], ["rules", "check"], ["rules", "list"], ["rules", "show"], ["incidents", "show"],
    ["outbox", "show"], ["outbox", "retry"], ["outbox", "drop"], ["receivers", "test"],
]  # fmt: skip
CONFIG = """
[[target]]
name = "prod"
flower = { url = "http://127.0.0.1:1", username = "me", password = "hunter2" }
redis = "redis://:hunter2@127.0.0.1:1/0"
[[target]]
name = "lab"
redis = "redis://127.0.0.1:1/1"
[[receiver]]
name = "ops"
type = "webhook"
url = "https://hooks.example.com/hunter2"
[[override]]
rule = "QueueBacklogHigh"
target = "prod"
match = { name = "training" }
params = { limit = 500 }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "watchdog.toml").write_text(CONFIG)
    return tmp_path


def answer(*args: str, cwd: Path) -> list[str]:
    done = watchdog(*args, cwd=cwd)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def fault(*args: str, cwd: Path) -> str:
    done = watchdog(*args, cwd=cwd)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    return done.stderr


# --- help and mistakes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ALL, ids=" ".join)
def test_every_command_has_help_with_examples(tmp_path: Path, command: list[str]) -> None:
    shown = "\n".join(answer(*command, "--help", cwd=tmp_path))
    assert "Usage: watchdog" in shown
    if command not in (["config"], ["rules"]):
        assert "Examples:" in shown
        assert f"watchdog {' '.join(command)}" in shown


def test_version(tmp_path: Path) -> None:
    done = watchdog_process("--version", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("celery-watchdog ")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["chek"], 'no such command "chek"; did you mean "check"?'),
        (["rules", "chekc"], 'no such command "chekc"; did you mean "check"?'),
        (["xyzzy"], "there are init, check, doctor, run"),
        (["check", "--onec"], "--once"),
        (["check", "--fail-on", "bad"], "critical"),
        (["tables", "queus"], 'no table "queus"; did you mean "queues"?'),
        (["check", "--once", "--target", "prood"], 'no target "prood"; did you mean "prod"?'),
        (["rules", "show", "QueueBacklogHig"], 'did you mean "QueueBacklogHigh"?'),
        (["rules", "show", "QueueBacklogHigh", "--key", "nam=x"], 'no key column "nam"; did you mean "name"?'),
        (["rules", "show", "QueueBacklogHigh", "--key", "x"], "expected COLUMN=VALUE"),
        (["query", "SELECT lenght FROM queues"], 'did you mean "length"?'),
        (["query", "DELETE FROM queues"], "SELECT"),
        (["check", "--once", "--interval", "5"], "--interval: "),
        (["check", "--config", "nowhere.toml"], "nowhere.toml"),
        (["run", "--config", "nowhere.toml"], "nowhere.toml: no such file"),
        (["incidents", "--database", "nowhere.db"], "nowhere.db: there is no such file"),
        (["incidents", "--database", "no/where.db"], "there is no such file"),
    ],
)
def test_a_mistake_is_a_sentence_with_a_way_out(folder: Path, args: list[str], said: str) -> None:
    assert said in fault(*args, cwd=folder)


def test_without_any_configuration_it_says_what_to_do(tmp_path: Path) -> None:
    said = fault("check", "--once", cwd=tmp_path)
    assert "--flower URL" in said


def test_config_is_taken_before_and_after_the_command(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    config = str(folder / "watchdog.toml")
    before = answer("--config", config, "config", "check", cwd=elsewhere)
    after = answer("config", "check", "--config", config, cwd=elsewhere)
    assert before == after == answer("config", "check", config, cwd=elsewhere)


def test_beside_the_other_watchdog_every_command_says_what_is_wrong(tmp_path: Path) -> None:
    shutil.copytree(Path(watchdog_package.__file__).parent, tmp_path / "watchdog", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "watchdog" / "observers").mkdir()
    (tmp_path / "watchdog" / "observers" / "__init__.py").touch()
    for args in (["--version"], ["check", "--once"], ["--help"]):
        done = watchdog_process(*args, cwd=tmp_path, environ={"PYTHONPATH": str(tmp_path)})
        assert (done.returncode, done.stdout) == (2, "")
        assert "pipx install celery-watchdog" in done.stderr


# --- answers that need no cluster ---------------------------------------------------------------------------------------


def test_a_good_configuration_is_named_and_counted(folder: Path) -> None:
    line = answer("config", "check", cwd=folder)[0]
    assert "watchdog.toml is fine: 2 targets, 1 receiver, " in line
    assert line.endswith(" rules, 1 override")


def test_a_configuration_that_tells_nobody_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text('[[target]]\nname = "prod"\nredis = "redis://127.0.0.1:1"\n')
    done = watchdog("config", "check", cwd=tmp_path)
    assert (done.returncode, done.stderr.partition(":")[0]) == (0, "warning")
    assert "nobody is notified" in done.stderr


def test_every_fault_of_a_configuration_is_said_at_once(folder: Path) -> None:
    (folder / "watchdog.toml").write_text(CONFIG + 'x = 1\n[[target]]\nname = "prod"\nflowr = "http://x"\n')
    said = fault("config", "check", cwd=folder)
    assert len(said.splitlines()) >= 3
    assert "hunter2" not in said


def test_the_shown_configuration_masks_every_secret(folder: Path) -> None:
    shown = "\n".join(answer("config", "show", cwd=folder))
    assert "hunter2" not in shown
    assert 'interval = "10s"' in shown
    assert "watchdog.db" in shown


def test_rule_files_are_checked_without_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text('[[rule]]\nname = "A"\nfrom = "queues"\nwhen = "length > 5"\ninhibits = ["QueueBacklogHigh"]\n')
    assert answer("rules", "check", "good.toml", cwd=tmp_path) == ["1 rule fine"]


def test_every_fault_of_every_rule_file_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[[rule]]\nname = "A"\nfrom = "queus"\nwhen = "lenght > 5"\n')
    (tmp_path / "b.toml").write_text('[[rule]]\nname = "B"\nfrom = "queues"\nwhen = "lenght > 5"\nfor = "5x"\n')
    said = fault("rules", "check", "a.toml", "b.toml", "c.toml", cwd=tmp_path)
    assert [part in said for part in ("a.toml:3", "b.toml:4", "b.toml:5", "c.toml")] == [True] * 4


def test_a_warning_about_rules_does_not_fail(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[[rule]]\nname = "A"\nfrom = "queues"\nwhen = "length > 5"\ninhibits = ["Nobody"]\n')
    done = watchdog("rules", "check", "a.toml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "1 rule fine\n")
    assert done.stderr.startswith("warning: a.toml:5")


def test_the_list_of_rules_says_what_is_idle_and_why(folder: Path) -> None:
    lines = answer("rules", "list", cwd=folder)
    idle = next(line for line in lines if line.startswith("FlowerUnreachable "))
    assert "lab: sources has no row here for it" in idle
    assert next(line for line in lines if line.startswith("ConfigRejected ")).split() == ["ConfigRejected", "warning", "self", "0s", "*"]


def test_a_rule_is_shown_as_it_holds_for_a_key(folder: Path) -> None:
    plain = watchdog("rules", "show", "QueueBacklogHigh", "--target", "prod", cwd=folder)
    tuned = watchdog("rules", "show", "QueueBacklogHigh", "--target", "prod", "--key", "name=training", cwd=folder)
    assert "limit = 50," in plain.stdout
    assert "--key" in plain.stdout
    assert "limit = 500," in tuned.stdout
    assert "watchdog.toml:" in tuned.stdout


def test_a_rule_is_shown_once_for_targets_that_share_it(folder: Path) -> None:
    lines = answer_of_show(folder)
    assert [line.split(maxsplit=2)[2] for line in lines if "holds for" in line] == ["prod, lab"]


def answer_of_show(folder: Path) -> list[str]:
    done = watchdog("rules", "show", "QueueBacklogHigh", cwd=folder)
    assert done.returncode == 0
    return done.stdout.splitlines()


def test_the_schema_shows_each_column_with_its_meaning(tmp_path: Path) -> None:
    lines = answer("tables", "queues", cwd=tmp_path)
    assert lines[0].startswith("queues: a row is ")
    assert any(line.startswith("length ") and "messages" in line for line in lines)


def test_all_tables_are_listed(tmp_path: Path) -> None:
    assert {line.split()[0] for line in answer("tables", cwd=tmp_path)} >= {"workers", "queues", "tasks", "broker", "sources", "self"}


# --- queries ------------------------------------------------------------------------------------------------------------


def urls(cluster: Cluster) -> tuple[str, ...]:
    return "--flower", cluster.flower_url, "--redis", cluster.redis_url


def test_a_query_answers_from_a_live_look(cluster: Cluster, tmp_path: Path) -> None:
    lines = answer("query", "SELECT name, state FROM workers ORDER BY name", *urls(cluster), cwd=tmp_path)
    assert [line.split() for line in lines[:3]] == [["name", "state"], ["celery@gpu-1", "online"], ["celery@web-1", "online"]]


def test_a_query_as_json_has_truth_values_and_whole_numbers(cluster: Cluster, tmp_path: Path) -> None:
    sql = "SELECT name, declared, length FROM queues WHERE name = 'indexing'"
    document = json.loads(answer("query", sql, "--format", "json", *urls(cluster), cwd=tmp_path)[0])
    assert document["columns"] == ["name", "declared", "length"]
    assert [type(cell) for cell in document["rows"][0].values()] == [str, bool, int]


def test_a_query_on_what_cannot_be_read_is_3_with_the_reason(cluster: Cluster, tmp_path: Path) -> None:
    done = watchdog("query", "SELECT name FROM tasks", "--flower", "http://127.0.0.1:1", "--redis", cluster.redis_url, cwd=tmp_path)
    assert done.returncode == 3
    assert "tasks could not be read: flower: connection refused" in done.stdout


def test_workers_are_asked_themselves_while_flower_does_not_answer(cluster: Cluster, tmp_path: Path) -> None:
    done = watchdog(
        "query", "SELECT name, state FROM workers", "--flower", "http://127.0.0.1:1", "--redis", cluster.redis_url, cwd=tmp_path
    )
    assert done.returncode == 0
    assert "workers were asked directly: flower: connection refused" in done.stdout


def test_a_gap_is_a_question_mark_with_its_reason_below(cluster: Cluster, tmp_path: Path) -> None:
    sql = "SELECT name, consumers FROM queues WHERE name = 'nobody' OR name = 'indexing' OR 1"
    done = watchdog("query", sql, "--flower", "http://127.0.0.1:1", "--redis", cluster.redis_url, cwd=tmp_path)
    rows = [line.split() for line in done.stdout.splitlines() if not line.startswith(("?", "name"))][:-1]
    assert all(cell == "?" for _, cell in rows)
    assert all("flower: connection refused" in line for line in done.stdout.splitlines() if line.startswith("? "))


def test_a_query_needs_no_names_for_its_columns_and_may_end_as_hands_type_it(cluster: Cluster, tmp_path: Path) -> None:
    lines = answer("query", "SELECT count(*) FROM workers; ", *urls(cluster), cwd=tmp_path)
    assert lines[:2] == ["count(*)", "2"]


def test_csv_goes_to_standard_output_alone(cluster: Cluster, tmp_path: Path) -> None:
    done = watchdog("query", "SELECT name, unacked FROM queues", "--format", "csv", *urls(cluster), cwd=tmp_path)
    assert done.stdout.splitlines()[0] == "name,unacked"
    assert not any(line.startswith("?") for line in done.stdout.splitlines())
    assert "queues.unacked" in done.stderr


# --- endings ------------------------------------------------------------------------------------------------------------


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with open(write, "wb") as closed:  # noqa: PTH123 - a descriptor
        done = subprocess.run(
            [*COMMAND, "tables"], cwd=tmp_path, env=environment(tmp_path, {}), stdout=closed, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_output_that_cannot_be_written_is_said_to_be_so(tmp_path: Path) -> None:
    command = f"{shlex.join(COMMAND)} rules list --config watchdog.toml >/dev/full"
    (tmp_path / "watchdog.toml").write_text(CONFIG)
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, env=environment(tmp_path, {}), stderr=subprocess.PIPE, text=True, check=False
    )
    said = "standard output cannot be written: no space left on device; nothing more was printed\n"
    assert (done.returncode, done.stderr) == (2, said)


def test_output_that_the_caller_closed_goes_nowhere(tmp_path: Path) -> None:
    command = f"{shlex.join(COMMAND)} tables >&-"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=environment(tmp_path, {}), stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_ctrl_c_in_a_look_is_130_without_a_traceback(receiver: RecordingReceiver, tmp_path: Path) -> None:
    receiver.default = Answer(delay_s=20.0)
    command = [*COMMAND, "check", "--once", "--flower", receiver.url]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path, {}), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        receiver.wait_for(1)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=20)
    assert (child.returncode, out, err) == (130, b"", b"")


def test_ctrl_c_while_it_is_still_being_imported_is_130_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt\n")
    done = watchdog_process("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_whoever_waits_on_a_terminal_is_told_what_for(receiver: RecordingReceiver, tmp_path: Path) -> None:
    receiver.default = Answer(delay_s=2.0, status=500)
    ours, theirs = pty.openpty()
    command = [*COMMAND, "check", "--once", "--flower", receiver.url]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path, {}), stdout=subprocess.DEVNULL, stderr=theirs) as child:
        os.close(theirs)
        child.wait(30)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "asking flower of default … " in shown
    assert shown.endswith("\x1b[2K")


def test_a_fault_of_our_own_is_a_sentence_without_its_text(tmp_path: Path) -> None:
    script = (
        "import watchdog.tables, sys\nfrom watchdog.cli import main\nimport watchdog.cli.output.screen as screen\n"
        "code = compile(\"def trip(page):\\n    raise KeyError('hunter2')\", '/opt/watchdog/lib/elsewhere.py', 'exec')\n"
        "exec(code, vars(screen))\nscreen.show = screen.trip\nmain(['tables'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment(tmp_path, {}), capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert done.stderr.startswith("watchdog tripped over itself: unexpected KeyError at tables.py:")
    assert "hunter2" not in done.stderr


def asking(words: str, place: int) -> dict[str, str]:
    """What bash asks with."""
    return {"_WATCHDOG_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(place)}


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("watchdog ch", "check"),
        ("watchdog rules show QueueB", "QueueBacklogHigh"),
        ("watchdog check --target ", "prod"),
        ("watchdog check --fail-on c", "critical"),
        ("watchdog tables que", "queues"),
    ],
)
def test_the_shell_completes_commands_rules_targets_and_severities(folder: Path, words: str, offered: str) -> None:
    count = len(words.split(" ")) - 1
    done = watchdog(cwd=folder, environ=asking(words, count))
    assert offered in {line.partition(",")[2] for line in done.stdout.splitlines()}


def test_completion_without_a_usable_configuration_offers_nothing_and_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text("[[")
    done = watchdog(cwd=tmp_path, environ=asking("watchdog check --target ", 3))
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_the_demo_without_flower_names_what_to_install(tmp_path: Path) -> None:
    script = "import sys\nsys.modules['flower'] = None\nfrom watchdog.cli import main\nmain(['demo'])\n"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment(tmp_path, {}), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "celery-watchdog[demo]" in done.stderr
