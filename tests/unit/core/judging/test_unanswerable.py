"""What can never be answered, whatever the sources say, is a fault of the configuration: a rule of one's own, or an expectation."""

import json
import shutil
from pathlib import Path

import pytest

from tests.unit.conftest import Run
from watchdog.app.serving import Serving
from watchdog.cli.run.reading import builder
from watchdog.config.shipped import shipped_folder
from watchdog.core.judging.unanswerable import Unanswerable
from watchdog.core.model.queries import sources_asked
from watchdog.core.model.target import Target
from watchdog.core.rules.overrides import Tuned
from watchdog.core.rules.rule import Rule
from watchdog.daemon.rejected import RejectedError
from watchdog.daemon.self_monitor import SelfMonitor
from watchdog.receivers.pace import Pace
from watchdog.sources import SOURCES
from watchdog.store import Store
from watchdog.tables import TABLES

FLOWER = 'name = "{}"\nflower = "http://127.0.0.1:1"\n'
BOTH = FLOWER + 'redis = "redis://127.0.0.1:1/0"\n'
MEMORY = '[[rule]]\nname = "Memory"\nfrom = "broker"\nwhen = "used_memory > 1"\n'
SET_REDIS = "set `redis`, or switch the rule off: enabled = false"


def configure(folder: Path, rules: str, *targets: str, top: str = "", behind: str = "") -> None:
    tables = "".join(f"[[target]]\n{target.format(name)}" for name, target in zip(("prod", "eu"), targets, strict=False))
    (folder / "mine.toml").write_text(rules)
    (folder / "watchdog.toml").write_text(f'rules = ["mine.toml"]\n{top}{tables}{behind}')


def checked(run: Run, *args: str) -> list[str]:
    """The faults; none where it is fine."""
    code, _, err = run(*args)
    faults = [line for line in err.splitlines() if not line.startswith("warning: ")]
    assert code == (2 if faults else 0)
    return faults


# --- rules --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("config", "check"), ("rules", "check"), ("rules", "list"), ("check", "--once")])
def test_a_rule_that_no_target_can_answer_is_a_fault_with_its_place_columns_and_remedy(
    run: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    configure(tmp_path, MEMORY, FLOWER, FLOWER)
    assert run(*command) == (
        2,
        "",
        f'{tmp_path}/mine.toml:1: rule "Memory": it can never have a verdict on prod, eu: nothing fills broker.used_memory there '
        f"(needs Redis or RabbitMQ, and this target has neither); {SET_REDIS}\n",
    )


def test_one_target_that_can_answer_is_enough(run: Run, tmp_path: Path) -> None:
    configure(tmp_path, MEMORY, FLOWER, BOTH)
    assert checked(run, "config", "check") == []


def test_a_rule_meant_for_some_targets_counts_these_alone(run: Run, tmp_path: Path) -> None:
    configure(tmp_path, MEMORY + 'targets = ["prod"]\n', FLOWER, BOTH)
    (fault,) = checked(run, "config", "check")
    assert 'rule "Memory": it can never have a verdict on prod: ' in fault


@pytest.mark.parametrize(
    ("rules", "behind"),
    [
        (MEMORY + "enabled = false\n", ""),
        (MEMORY, '[[override]]\nrule = "Memory"\nenabled = false\n'),
        (MEMORY + 'targets = ["elsewhere"]\n', ""),
    ],
)
def test_a_rule_that_is_asked_of_nobody_is_no_fault(run: Run, tmp_path: Path, rules: str, behind: str) -> None:
    configure(tmp_path, rules, FLOWER, behind=behind)
    assert checked(run, "config", "check") == []


def test_the_shipped_rules_are_made_for_any_target(run: Run, tmp_path: Path) -> None:
    configure(tmp_path, MEMORY, FLOWER)
    (tmp_path / "mine.toml").write_text('[[rule]]\nname = "Long"\nfrom = "queues"\nwhen = "length > 5"\n')
    assert checked(run, "rules", "check") == []


def test_copies_of_shipped_rules_are_as_good_as_these(run: Run, tmp_path: Path) -> None:
    configure(tmp_path, "", FLOWER, top="shipped_rules = false\n")
    shutil.copy(shipped_folder() / "broker.toml", tmp_path / "mine.toml")
    assert checked(run, "rules", "check") == []


def test_a_column_that_another_broker_fills_is_a_fault_beside_redis_alone(run: Run, tmp_path: Path) -> None:
    rule = '[[rule]]\nname = "Fat"\nfrom = "queues"\nwhen = "unacked > 1"\n'
    (tmp_path / "mine.toml").write_text(rule)
    assert checked(run, "rules", "check", "mine.toml") == []
    configure(tmp_path, rule, BOTH)
    (fault,) = checked(run, "config", "check")
    assert "nothing fills queues.unacked there (needs RabbitMQ: Redis does not count it by queue (see broker.unacked))" in fault


def test_a_file_of_rules_alone_says_nothing_of_sources(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MEMORY)
    assert checked(run, "rules", "check", "mine.toml") == []


def test_a_source_that_is_down_is_no_fault(run: Run, tmp_path: Path) -> None:
    configure(tmp_path, MEMORY, BOTH)
    code, out, _ = run("check", "--once", "--only", "Memory")
    assert (code, "COULD NOT LOOK" in out) == (3, True)


def test_rules_of_the_configuration_were_not_written_for_a_target_of_the_command_line(run: Run, tmp_path: Path) -> None:
    configure(tmp_path, MEMORY, BOTH)
    code, out, _ = run("check", "--once", "--flower", "http://127.0.0.1:1")
    assert (code, "COULD NOT LOOK" in out) == (3, True)


def test_rules_of_the_command_line_were(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MEMORY)
    (fault,) = checked(run, "check", "--once", "--flower", "http://127.0.0.1:1", "--rules", "mine.toml")
    assert fault.endswith("add --redis URL, or switch the rule off: enabled = false")


def test_with_a_target_from_the_environment_the_variable_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text('rules = ["mine.toml"]\n')
    (tmp_path / "mine.toml").write_text(MEMORY)
    code, _, err = run("config", "check", WATCHDOG_FLOWER="http://127.0.0.1:1")
    assert (code, "; set WATCHDOG_REDIS, or switch" in err) == (2, True)


def test_all_faults_come_in_one_go_those_of_the_configuration_among_them(run: Run, tmp_path: Path) -> None:
    rules = MEMORY + '[[rule]]\nname = "Typo"\nfrom = "queues"\nwhen = "lenght > 5"\n'
    configure(tmp_path, rules, FLOWER, top='intervall = "3s"\n')
    faults = checked(run, "check", "--once", "--expect", "queues: oldest_s < 10", "--expect", "cluster: x > 1")
    said = ("intervall", "lenght", "broker.used_memory", "queues.oldest_s", '--expect "cluster: x > 1"')
    assert [word for word in said if not any(word in fault for fault in faults)] == []


def test_a_source_whose_address_is_wrong_is_configured_all_the_same(run: Run, tmp_path: Path) -> None:
    configure(tmp_path, MEMORY, FLOWER + 'redis = "http://127.0.0.1:1"\n')
    (fault,) = checked(run, "config", "check")
    assert "used_memory" not in fault


def test_a_where_that_names_a_row_which_no_target_has_is_a_fault(run: Run, tmp_path: Path) -> None:
    configure(tmp_path, '[[rule]]\nname = "Down"\nfrom = "sources"\nwhere = "name = \'redis\'"\nwhen = "not up"\n', FLOWER)
    (fault,) = checked(run, "config", "check")
    assert fault.endswith(
        "on prod: sources has no row here for it: where name = 'redis'; fix its where, or switch the rule off: enabled = false"
    )


DOWN = '[[rule]]\nname = "Down"\nfrom = "sources"\nwhen = "not up"\nwhere = "name = :which"\nparams = { which = \'redis\' }\n'


@pytest.mark.parametrize(("which", "faults"), [("flower", 0), ("redis", 1)])
def test_a_where_is_taken_as_it_is_tuned(run: Run, tmp_path: Path, which: str, faults: int) -> None:
    configure(tmp_path, DOWN, FLOWER, behind=f'[[override]]\nrule = "Down"\nparams = {{ which = "{which}" }}\n')
    assert len(checked(run, "config", "check")) == faults


def test_a_where_that_is_a_switch_of_its_own_is_none(run: Run, tmp_path: Path) -> None:
    rule = '[[rule]]\nname = "Night"\nfrom = "cluster"\nwhen = "backlog > 5"\nwhere = ":on"\nparams = { on = false }\n'
    configure(tmp_path, rule, FLOWER)
    assert checked(run, "config", "check") == []


def test_a_where_on_what_may_still_change_is_none(run: Run, tmp_path: Path) -> None:
    configure(tmp_path, '[[rule]]\nname = "Old"\nfrom = "sources"\nwhere = "version LIKE \'1.%\'"\nwhen = "up"\n', FLOWER)
    assert checked(run, "config", "check") == []


def test_a_start_with_such_a_rule_is_refused(run: Run, tmp_path: Path) -> None:
    configure(tmp_path, MEMORY, FLOWER)
    (fault,) = checked(run, "run")
    assert "it can never have a verdict on prod" in fault


def test_a_reload_with_such_a_rule_is_rejected_before_anything_is_built(tmp_path: Path) -> None:
    configure(tmp_path, MEMORY, FLOWER)
    with Store.open(tmp_path / "w.db") as store:
        build = builder(tmp_path / "watchdog.toml", None, store, SelfMonitor(), Pace(), Serving())
        with pytest.raises(RejectedError, match="it can never have a verdict on prod"):
            build()


# --- expectations -------------------------------------------------------------------------------------------------------


def test_an_expectation_that_no_target_can_answer_is_a_fault_with_its_columns_and_remedy(run: Run) -> None:
    assert checked(run, "check", "--once", "--flower", "http://127.0.0.1:1", "--expect", "broker: used_memory > 1") == [
        '--expect "broker: used_memory > 1": it can never be answered on default: nothing fills broker.used_memory there '
        "(needs Redis or RabbitMQ, and this target has neither); add --redis URL, or leave it out"
    ]


def test_of_a_select_each_table_is_named(run: Run) -> None:
    sql = "SELECT count(*) > 0 FROM running, tasks"
    (fault,) = checked(run, "check", "--once", "--redis", "redis://127.0.0.1:1/0", "--expect", sql)
    assert all(word in fault for word in ("running.id", "tasks.name", "add --flower URL"))


def test_an_expectation_counts_the_targets_looked_at_alone(run: Run, tmp_path: Path) -> None:
    configure(tmp_path, "", FLOWER, BOTH)
    (fault,) = checked(run, "check", "--once", "--target", "prod", "--expect", "broker: used_memory > 1")
    assert "it can never be answered on prod: " in fault
    code, out, _ = run("check", "--once", "--expect", "broker: used_memory > 1")
    assert (code, "COULD NOT LOOK" in out) == (3, True)


def test_what_only_the_daemon_knows_is_not_to_be_expected(run: Run) -> None:
    (fault,) = checked(run, "check", "--once", "--flower", "http://127.0.0.1:1", "--expect", "blind: hidden = 0")
    assert fault == '--expect "blind: hidden = 0": blind is known only to `watchdog run`; check reports unknown verdicts itself'


@pytest.mark.parametrize("style", ["json", "junit", "github", "nagios"])
def test_each_format_says_so_in_its_own_form(run: Run, tmp_path: Path, style: str) -> None:
    configure(tmp_path, MEMORY, FLOWER)
    code, out, _ = run("check", "--once", "--format", style, "--expect", "queues: oldest_s < 10")
    assert (code, "queues.oldest_s" in out, "broker.used_memory" in out) == (3 if style == "nagios" else 2, True, True)
    if style == "json":
        assert len(json.loads(out)["faults"]) == 2
    if style == "github":
        assert f"file={tmp_path}/mine.toml,line=1::" in out


def test_rules_that_are_all_idle_are_no_answer(run: Run) -> None:
    (fault,) = checked(run, "check", "--once", "--flower", "http://127.0.0.1:1", "--only", "BrokerMemoryHigh")
    assert fault == (
        "--only and --skip leave no rule that can have a verdict here, and nothing is expected: "
        "BrokerMemoryHigh (memory_ratio: needs Redis or RabbitMQ, and this target has neither)"
    )


def test_the_questions_know_all_sources() -> None:
    assert sources_asked() == {*SOURCES, "events"}  # the ear of a running daemon, which nobody configures on its own


# --- which sources would do ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("has", "table", "column", "remedy"),
    [
        ("redis", "workers", "state", "flower"),
        ("flower", "running", "progress", "redis"),
        ("redis", "running", "progress", "flower"),
        ("results", "broker", "used_memory", "redis"),
    ],
)
def test_the_fewest_sources_that_would_do_are_named(has: str, table: str, column: str, remedy: str) -> None:
    unanswerable = Unanswerable(TABLES, {source: source for source in SOURCES})
    rule = Rule("R", table, "1", reads={table: frozenset({column})})
    why = unanswerable.why_rule(rule, [(Target("prod", frozenset({has})), Tuned(rule))])
    assert why is not None
    assert why.endswith(f"; {remedy}, or switch the rule off: enabled = false")
