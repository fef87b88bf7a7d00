from collections.abc import Mapping
from pathlib import Path

import pytest

from watchdog.config.database_path import database_path
from watchdog.config.load import ConfigError, Loaded, load_settings
from watchdog.config.settings import Settings, to_target

ONE_TARGET = '[[target]]\nname = "prod"\nflower = "http://localhost:5555"\n'


class Folder:
    """A working folder with files, and a system folder beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path / "work"
        self.system = path / "etc"
        self.path.mkdir()
        self.system.mkdir()

    def write(self, text: str, name: str = "watchdog.toml") -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def load(
        self,
        config: str | None = None,
        environ: Mapping[str, str] | None = None,
        flags: Mapping[str, object] | None = None,
        *,
        targets_required: bool = True,
        credentials: bool = True,
    ) -> Loaded:
        return load_settings(
            config=Path(config) if config else None,
            environ={"HOME": "/nowhere", **(environ or {})},
            flags=flags or {},
            cwd=self.path,
            system_folder=self.system,
            targets_required=targets_required,
            credentials=credentials,
        )

    def faults(self, environ: Mapping[str, str] | None = None, config: str | None = None) -> tuple[str, ...]:
        with pytest.raises(ConfigError) as raised:
            self.load(config, environ)
        return raised.value.faults


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


# --- which file ---------------------------------------------------------------------------------------------------------


def test_the_file_in_the_working_folder_is_used_and_named(folder: Folder) -> None:
    path = folder.write(ONE_TARGET)
    assert folder.load().file == path


def test_the_systems_file_is_used_where_the_working_folder_has_none(folder: Folder) -> None:
    (folder.system / "watchdog.toml").write_text(ONE_TARGET)
    assert folder.load().file == folder.system / "watchdog.toml"


def test_the_variable_comes_before_the_working_folder(folder: Folder) -> None:
    folder.write(ONE_TARGET)
    other = folder.write(ONE_TARGET, "other.toml")
    assert folder.load(environ={"WATCHDOG_CONFIG": "other.toml"}).file == other


def test_the_flag_comes_before_the_variable(folder: Folder) -> None:
    third = folder.write(ONE_TARGET, "third.toml")
    assert folder.load("third.toml", {"WATCHDOG_CONFIG": "other.toml"}).file == third


def test_a_named_file_that_is_not_there_is_a_fault_that_says_who_named_it(folder: Folder) -> None:
    folder.write(ONE_TARGET)
    assert folder.faults({"WATCHDOG_CONFIG": "gone.toml"})[0].startswith(
        "gone.toml: no such file (from $WATCHDOG_CONFIG); name a watchdog.toml"
    )


def test_without_any_file_the_fault_says_where_it_looked_and_what_to_do(folder: Folder) -> None:
    fault = folder.faults()[0]
    assert (f"neither ./watchdog.toml nor {folder.system}/watchdog.toml" in fault, "--flower URL" in fault) == (True, True)


def test_without_any_file_commands_that_watch_nothing_have_the_defaults(folder: Folder) -> None:
    assert folder.load(targets_required=False).settings == Settings()


# --- precedence ---------------------------------------------------------------------------------------------------------


def test_a_flag_comes_before_the_variable_and_the_variable_before_the_file(folder: Folder) -> None:
    folder.write('interval = "30s"\nservice = "file"\nlog_level = "debug"\n' + ONE_TARGET)
    environ = {"WATCHDOG_INTERVAL": "20s", "WATCHDOG_SERVICE": "variable"}
    settings = folder.load(environ=environ, flags={"interval": "5s", "service": None}).settings
    assert (settings.interval, settings.service, settings.log_level) == (5.0, "variable", "debug")


def test_flower_and_redis_flags_make_one_target_without_a_file(folder: Folder) -> None:
    settings = folder.load(flags={"flower": "http://f:5555", "redis": "redis://r:6379/0"}).settings
    assert [(t.name, t.flower is not None, t.redis is not None) for t in settings.target] == [("default", True, True)]


def test_the_one_target_replaces_those_of_the_file_whose_references_need_not_hold(folder: Folder) -> None:
    folder.write('service = "kept"\n[[target]]\nname = "prod"\nredis = "${NOT_SET}"\n')
    settings = folder.load(environ={"WATCHDOG_FLOWER": "http://f:5555"}).settings
    assert ([t.name for t in settings.target], settings.service) == (["default"], "kept")


def test_a_wrong_flag_is_named_as_a_flag(folder: Folder) -> None:
    folder.write(ONE_TARGET)
    with pytest.raises(ConfigError) as raised:
        folder.load(flags={"interval": "0.01s"})
    assert raised.value.faults == ("--interval: interval: expected at least 100ms, found 10ms",)


def test_a_wrong_variable_is_named_as_a_variable(folder: Folder) -> None:
    fault = folder.faults({"WATCHDOG_FLOWER": "ftp://f"})[0]
    assert fault.startswith('$WATCHDOG_FLOWER: target "default": flower.url: expected a URL that begins with http:// or https://')


def test_an_unknown_variable_is_a_fault_with_a_suggestion(folder: Folder) -> None:
    folder.write(ONE_TARGET)
    assert folder.faults({"WATCHDOG_INTERVALL": "3s"}) == ('$WATCHDOG_INTERVALL: unknown variable; did you mean "WATCHDOG_INTERVAL"?',)


@pytest.mark.parametrize(
    "name",
    ["WATCHDOG_USEC", "WATCHDOG_PID", "_WATCHDOG_COMPLETE", "WATCHDOG_PORT", "WATCHDOG_SERVICE_HOST", "WATCHDOG_PORT_8080_TCP_ADDR"],
)
def test_variables_of_systemd_click_and_kubernetes_are_left_alone(folder: Folder, name: str) -> None:
    folder.write(ONE_TARGET)
    assert folder.load(environ={name: "30000000"}).settings.interval == 10.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WATCHDOG_REDIS_SERVICE_HOST", "10.96.0.12"),
        ("WATCHDOG_REDIS_SERVICE_PORT", "6379"),
        ("WATCHDOG_REDIS_SERVICE_PORT_REDIS", "6379"),
        ("WATCHDOG_REDIS_PORT", "tcp://10.96.0.12:6379"),
        ("WATCHDOG_REDIS_PORT_6379_TCP", "tcp://10.96.0.12:6379"),
        ("WATCHDOG_REDIS_PORT_6379_TCP_ADDR", "10.96.0.12"),
        ("WATCHDOG_FLOWER_UI_PORT_5555_TCP_PROTO", "tcp"),
        ("WATCHDOG_DNS_PORT", "udp://[fd00::12]:53"),
    ],
)
def test_service_links_of_kubernetes_are_left_alone(folder: Folder, name: str, value: str) -> None:
    folder.write(ONE_TARGET)
    assert folder.load(environ={name: value}).settings.interval == 10.0


def test_a_port_that_is_no_service_link_is_an_unknown_variable(folder: Folder) -> None:
    folder.write(ONE_TARGET)
    assert folder.faults({"WATCHDOG_REDIS_PORT": "6379"})[0].startswith("$WATCHDOG_REDIS_PORT: unknown variable")


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ('rules = ["more.toml"]', "[[target]]"),
        ('database = "w.db"', "[[target]]"),
        ('[[receiver]]\nname = "ops"\ntype = "console"\nheartbeat = "https://hc.example.com/1"', "[[receiver]]"),
        ('[[override]]\nrule = "*"\nretention = "1d"', "[[override]]"),
    ],
)
def test_a_key_of_the_top_below_a_table_is_told_where_it_belongs(folder: Folder, text: str, table: str) -> None:
    folder.write(ONE_TARGET + text + "\n")
    (fault,) = folder.faults()
    assert f"unknown key here; it belongs above the first {table}" in fault


@pytest.mark.parametrize("app", ["shop", "shop.celery", "shop.celery:app"])
def test_an_app_is_what_follows_celery_a(folder: Folder, app: str) -> None:
    folder.write(ONE_TARGET + f'app = "{app}"\n')
    assert folder.load().settings.target[0].app == app


@pytest.mark.parametrize("app", ["-A shop", "shop;", "shop.celery app"])
def test_an_app_that_no_command_can_name_is_a_fault(folder: Folder, app: str) -> None:
    folder.write(ONE_TARGET + f'app = "{app}"\n')
    (fault,) = folder.faults()
    assert "expected what follows `celery -A`" in fault


# --- includes and rule files --------------------------------------------------------------------------------------------


def test_included_files_add_targets_receivers_and_overrides(folder: Folder) -> None:
    folder.write('include = ["conf.d/*.toml"]\n' + ONE_TARGET)
    folder.write('[[target]]\nname = "b"\nredis = "redis://b"\n[[override]]\nrule = "X"\n', "conf.d/b.toml")
    folder.write('[[receiver]]\nname = "c"\ntype = "console"\n', "conf.d/c.toml")
    loaded = folder.load()
    names = [t.name for t in loaded.settings.target], [r.name for r in loaded.settings.receiver]
    assert (names, loaded.overrides[0].where_from) == ((["prod", "b"], ["c"]), "conf.d/b.toml:4")


def test_a_fault_in_an_included_file_names_that_file_and_its_line(folder: Folder) -> None:
    folder.write('include = ["more.toml"]\n' + ONE_TARGET)
    folder.write('\n[[target]]\nname = "b"\nredis = "redis://b"\nmin_workers = -1\n', "more.toml")
    assert folder.faults() == ('more.toml:5: target "b": min_workers: expected greater than or equal to 0',)


def test_an_included_file_may_not_hold_anything_else(folder: Folder) -> None:
    folder.write('include = ["more.toml"]\n' + ONE_TARGET)
    folder.write('interval = "3s"\n', "more.toml")
    assert folder.faults()[0].startswith('more.toml:1: "interval" cannot be in an included file; expected [[target]]')


def test_an_include_that_is_not_there_is_a_fault(folder: Folder) -> None:
    folder.write('include = ["more.toml"]\n' + ONE_TARGET)
    assert folder.faults() == (f'watchdog.toml:1: include: no file "{folder.path}/more.toml"',)


def test_rule_files_are_found_from_the_configurations_folder(folder: Folder) -> None:
    mine = folder.write("", "etc/rules/mine.toml")
    folder.write('rules = ["rules/*.toml", "rules/mine.toml"]\n' + ONE_TARGET, "etc/w.toml")
    assert folder.load("etc/w.toml").rule_files == (mine,)


def test_a_glob_that_matches_nothing_is_a_warning(folder: Folder) -> None:
    folder.write('rules = ["rules/*.toml"]\n' + ONE_TARGET)
    assert folder.load().warnings == (f'watchdog.toml:1: rules: "rules/*.toml" matches no file in {folder.path}',)


def test_a_rule_file_that_is_named_but_not_there_is_a_fault(folder: Folder) -> None:
    folder.write('rules = ["mine.toml"]\n' + ONE_TARGET)
    assert folder.faults() == (f'watchdog.toml:1: rules: no file "{folder.path}/mine.toml"',)


# --- the database -------------------------------------------------------------------------------------------------------


def test_a_database_in_the_file_starts_at_the_files_folder(folder: Folder) -> None:
    folder.write('database = "state/w.db"\n' + ONE_TARGET, "etc/w.toml")
    assert folder.load("etc/w.toml").database == folder.path / "etc/state/w.db"


def test_a_database_flag_starts_at_the_working_folder(folder: Folder) -> None:
    folder.write(ONE_TARGET, "etc/w.toml")
    assert folder.load("etc/w.toml", flags={"database": "w.db"}).database == folder.path / "w.db"


def test_systemds_state_directory_comes_next(tmp_path: Path) -> None:
    assert database_path(Settings(), {"STATE_DIRECTORY": "/var/lib/w:/other"}, tmp_path) == Path("/var/lib/w/watchdog.db")


def test_then_the_systems_database_where_it_exists(tmp_path: Path) -> None:
    there = tmp_path / "watchdog.db"
    there.touch()
    assert database_path(Settings(), {"HOME": "/home/me"}, there) == there


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HOME": "/home/me"}, "/home/me/.local/state/watchdog/watchdog.db"),
        ({"HOME": "/home/me", "XDG_STATE_HOME": "/state"}, "/state/watchdog/watchdog.db"),
        ({"HOME": "/home/me", "XDG_STATE_HOME": "relative"}, "/home/me/.local/state/watchdog/watchdog.db"),
    ],
)
def test_and_last_the_users_state_directory(tmp_path: Path, environ: dict[str, str], expected: str) -> None:
    assert database_path(Settings(), environ, tmp_path / "none.db") == Path(expected)


# --- what the core gets -------------------------------------------------------------------------------------------------


def test_a_target_takes_what_it_leaves_out_from_the_top(folder: Folder) -> None:
    folder.write('interval = "30s"\nforget_after = "2h"\n' + ONE_TARGET)
    settings = folder.load().settings
    target = to_target(settings, settings.target[0])
    assert (target.interval_s, target.forget_after_s, target.sources) == (30.0, 7200.0, frozenset({"flower"}))


def test_a_target_keeps_its_own_values(folder: Folder) -> None:
    folder.write(
        '[[target]]\nname = "p"\ninterval = "3s"\nmin_workers_by_name = {"celery@gpu-*" = 2}\n'
        'redis = {url = "redis://r", queues = ["a"], visibility_timeout = "2h"}\n'
    )
    settings = folder.load().settings
    target = to_target(settings, settings.target[0])
    assert (target.interval_s, target.min_workers_by_name) == (3.0, {"celery@gpu-*": 2})
    assert (target.declared_queues, target.visibility_timeout_s) == (("a",), 7200.0)


def test_an_override_reaches_the_core_with_its_line(folder: Folder) -> None:
    folder.write(
        ONE_TARGET
        + '[[override]]\nrule = "X"\nfor = "2m"\nmatch = {name = "a", kind = ["b", "c"]}\nparams = {limit = 5, on = true, s = "x"}\n'
    )
    override = folder.load().overrides[0]
    assert (override.where_from, override.for_s, override.match) == ("watchdog.toml:4", 120.0, {"name": ("a",), "kind": ("b", "c")})
    assert [type(value) for value in override.params.values()] == [float, bool, str]


def test_the_log_of_decisions_is_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text(
        'decisions = "logs/decisions.jsonl"\n[[target]]\nname = "prod"\nredis = "redis://localhost/0"\n'
    )
    loaded = load_settings(config=tmp_path / "watchdog.toml", environ={}, flags={}, cwd=Path("/"))
    assert loaded.settings.decisions == str(tmp_path / "logs" / "decisions.jsonl")


@pytest.mark.parametrize(("decisions", "found"), [("./watchdog.db", "the database"), (".", "a directory")])
def test_the_log_of_decisions_is_a_file_of_its_own(tmp_path: Path, decisions: str, found: str) -> None:
    lines = ['database = "watchdog.db"', f'decisions = "{decisions}"', "[[target]]", 'name = "prod"', 'redis = "redis://localhost/0"']
    (tmp_path / "watchdog.toml").write_text("\n".join(lines))
    with pytest.raises(ConfigError) as wrong:
        load_settings(config=tmp_path / "watchdog.toml", environ={}, flags={}, cwd=tmp_path)
    assert wrong.value.faults == (f"watchdog.toml:2: decisions: expected a file of its own, found {found}: {tmp_path / decisions}",)
