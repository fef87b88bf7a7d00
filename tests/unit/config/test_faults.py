from pathlib import Path

import pytest

from tests.unit.config.test_load import ONE_TARGET, Folder
from watchdog.config.file import Document
from watchdog.config.load import ConfigError
from watchdog.receivers import RECEIVERS

HOOK = '[[receiver]]\nname = "ops"\ntype = "webhook"\nurl = "${HOOK}"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_an_empty_file_says_what_to_add(folder: Folder) -> None:
    folder.write("")
    assert folder.faults()[0].startswith("watchdog.toml: nothing to watch: no [[target]]; add")


def test_a_service_whose_working_folder_is_the_root_names_the_whole_path(tmp_path: Path) -> None:
    path = tmp_path / "watchdog.toml"
    assert Document(Path("/")).shown(path) == str(path)


def test_a_file_that_is_not_toml_names_the_line(folder: Folder) -> None:
    folder.write(ONE_TARGET + "oops\n")
    assert folder.faults() == ("watchdog.toml:4: not TOML: Expected '=' after a key in a key/value pair",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "not UTF-8 text; expected TOML"),
        (b"a = " + b"9" * 5000, "not TOML: "),
        (b"#" * (4 * 1024 * 1024 + 1), "larger than 4 MiB"),
    ],
)
def test_a_file_of_something_else_is_one_sentence(folder: Folder, content: bytes, said: str) -> None:
    folder.write("").write_bytes(content)
    assert [said in fault for fault in folder.faults()] == [True]


def test_a_name_that_cannot_be_printed_is_shown_with_its_escapes(folder: Folder) -> None:
    folder.write('[[target]]\nname = "a b\\n"\nredis = "redis://r:6379/0"\n')
    assert folder.faults()[0].startswith('watchdog.toml:2: target "a b\\n": name: expected')


def test_a_folder_in_place_of_the_file_is_a_fault(folder: Folder) -> None:
    (folder.path / "watchdog.toml").mkdir()
    assert folder.faults()[0].startswith("watchdog.toml: cannot read it: Is a directory")


WRONG = [
    ('interval = "10 apples"\n', 'watchdog.toml:1: interval: expected a duration such as "30s", "5m" or "1h30m", found "10 apples"'),
    ("service = 3\n", "watchdog.toml:1: service: expected a text in quotes, found a whole number"),
    ('rules = "x"\n', "watchdog.toml:1: rules: expected a list in [ ], found a text"),
    ("shipped_rules = 1\n", "watchdog.toml:1: shipped_rules: expected true or false, found a whole number"),
    ('log_level = "loud"\n', 'watchdog.toml:1: log_level: expected one of debug, info, warning, error, found "loud"'),
    ('intervall = "3s"\n', 'watchdog.toml:1: intervall: unknown key; did you mean "interval"?'),
    ("override = 3\n", "watchdog.toml:1: override: expected a list in [ ], found a whole number; write [[override]]"),
    ("override = [3]\n", "watchdog.toml:1: override number 1: expected a table, found a whole number"),
]


@pytest.mark.parametrize(("line", "fault"), WRONG)
def test_a_wrong_top_level_key_says_what_was_expected_and_found(folder: Folder, line: str, fault: str) -> None:
    folder.write(line + ONE_TARGET)
    assert folder.faults() == (fault,)


WRONG_IN_TARGET = [
    ('min_workers = "3"', 'watchdog.toml:4: target "prod": min_workers: expected a whole number, found a text'),
    ("queues = [1]", 'watchdog.toml:4: target "prod": queues[1]: expected a text in quotes, found a whole number'),
    ('redis = {url = "redis://r", ques = []}', 'watchdog.toml:4: target "prod": redis.ques: unknown key; did you mean "queues"?'),
    ("redis = {queues = []}", 'watchdog.toml:4: target "prod": redis.url: missing; add it'),
    ("redis = 6379", 'watchdog.toml:4: target "prod": redis: expected a table, found a whole number'),
]


@pytest.mark.parametrize(("line", "fault"), WRONG_IN_TARGET)
def test_a_wrong_key_of_a_target_names_the_target(folder: Folder, line: str, fault: str) -> None:
    folder.write(ONE_TARGET + line + "\n")
    assert folder.faults() == (fault,)


def test_an_unknown_key_without_a_near_miss_lists_the_known_ones(folder: Folder) -> None:
    folder.write(ONE_TARGET + "[[silence]]\n")
    assert folder.faults()[0].startswith("watchdog.toml:4: silence: unknown key; known here: interval, service, database, ")


def test_a_key_of_the_top_below_a_table_of_a_target_is_told_where_it_belongs(folder: Folder) -> None:
    folder.write(ONE_TARGET + '[target.redis]\nurl = "redis://r"\nrules = ["mine.toml"]\n')
    said = "redis.rules: unknown key here; it belongs above the first [[target]]"
    assert folder.faults()[0].startswith(f'watchdog.toml:6: target "prod": {said}')


@pytest.mark.parametrize(("key", "home"), [("min_workers", "[[target]]"), ("flower", "[[target]]"), ("enabled", "[[override]]")])
def test_a_key_of_a_table_at_the_top_is_told_where_it_belongs(folder: Folder, key: str, home: str) -> None:
    folder.write(f"{key} = 3\n" + ONE_TARGET)
    assert folder.faults() == (f"watchdog.toml:1: {key}: unknown key here; it belongs below {home}",)


@pytest.mark.parametrize("key", ["receiver", "override"])
def test_an_array_within_a_table_is_told_how_to_be_written(folder: Folder, key: str) -> None:
    folder.write(ONE_TARGET + f'[[target.{key}]]\nname = "ops"\n')
    said = f"{key}: unknown key here; it belongs to the top level: write [[{key}]]"
    assert folder.faults() == (f'watchdog.toml:4: target "prod": {said}',)


def test_a_target_has_one_broker(folder: Folder) -> None:
    folder.write('[[target]]\nname = "prod"\nredis = "redis://a"\nrabbitmq = "http://b:15672"\n')
    assert "expected one broker, found redis and rabbitmq" in folder.faults()[0]


def test_a_target_needs_flower_or_a_broker(folder: Folder) -> None:
    folder.write('[[target]]\nname = "prod"\n')
    assert folder.faults()[0].startswith(
        'watchdog.toml:1: target "prod": expected flower, the broker (redis or rabbitmq) or both, found neither; add'
    )


def test_a_single_table_in_place_of_a_list_says_how_to_write_it(folder: Folder) -> None:
    folder.write('[target]\nname = "prod"\n')
    assert folder.faults() == ("watchdog.toml:1: target: expected a list in [ ], found a table; write [[target]]",)


@pytest.mark.parametrize("name", ['""', '"a\\u0007b"', '" a"', "3", '"watchdog"'])
def test_a_target_needs_a_usable_name(folder: Folder, name: str) -> None:
    folder.write(f'[[target]]\nname = {name}\nredis = "redis://r"\n')
    assert len(folder.faults()) == 1


def test_two_targets_of_one_name_name_both_places(folder: Folder) -> None:
    folder.write(ONE_TARGET + ONE_TARGET)
    assert folder.faults() == ('watchdog.toml:5: target "prod": the name is taken by the one at watchdog.toml:2; choose another',)


def test_an_unknown_type_of_receiver_gets_a_suggestion(folder: Folder) -> None:
    folder.write(ONE_TARGET + '[[receiver]]\nname = "ops"\ntype = "webhok"\n')
    assert folder.faults()[0].endswith(
        f'receiver "ops": type: expected one of {", ".join(RECEIVERS)}, found "webhok"; did you mean "webhook"?'
    )


def test_a_receiver_without_a_type_is_told_so(folder: Folder) -> None:
    folder.write(ONE_TARGET + '[[receiver]]\nname = "ops"\n')
    assert folder.faults() == ('watchdog.toml:4: receiver "ops": type: missing; add it',)


def test_all_faults_come_at_once_in_the_order_of_the_file(folder: Folder) -> None:
    folder.write(
        'intervall = "3s"\n[[target]]\nname = "prod"\nredis = "${NOT_SET}"\nmin_workers = 1.5\n'
        '[[receiver]]\nname = "ops"\ntype = "webhook"\n'
    )
    assert [fault.partition(": ")[0] for fault in folder.faults()] == [f"watchdog.toml:{line}" for line in (4, 1, 5, 6)]


# --- references ---------------------------------------------------------------------------------------------------------


def test_an_unset_variable_names_the_key_and_the_variable(folder: Folder) -> None:
    folder.write(ONE_TARGET + HOOK)
    assert folder.faults() == ('watchdog.toml:7: receiver "ops": url: ${HOOK}: the environment variable HOOK is not set',)


def test_an_unset_variable_with_a_near_miss_is_a_suggestion(folder: Folder) -> None:
    folder.write(ONE_TARGET + HOOK)
    assert folder.faults({"HOOKS": "x"})[0].endswith('HOOK is not set; did you mean "HOOKS"?')


def test_a_file_that_cannot_be_read_names_the_key_and_the_file(folder: Folder) -> None:
    folder.write(ONE_TARGET + HOOK.replace("${HOOK}", "${file:gone.txt}"))
    assert folder.faults()[0].endswith(
        f'receiver "ops": url: ${{file:gone.txt}}: cannot read {folder.path}/gone.txt: No such file or directory'
    )


def test_a_credential_outside_systemd_says_who_sets_it(folder: Folder) -> None:
    folder.write(ONE_TARGET + HOOK.replace("${HOOK}", "${credential:slack}"))
    assert "systemd sets it for a unit with LoadCredential=slack:/path" in folder.faults()[0]


def test_without_credentials_all_else_is_still_checked(folder: Folder) -> None:
    folder.write('intervall = "3s"\n' + ONE_TARGET + HOOK.replace("${HOOK}", "${credential:slack}"))
    with pytest.raises(ConfigError) as raised:
        folder.load(credentials=False)
    assert raised.value.faults == ('watchdog.toml:1: intervall: unknown key; did you mean "interval"?',)


def test_without_credentials_a_value_that_needs_one_is_no_fault(folder: Folder) -> None:
    folder.write(ONE_TARGET + HOOK.replace("${HOOK}", "${credential:slack}"))
    assert folder.load(credentials=False).file == folder.path / "watchdog.toml"


def test_without_credentials_a_target_that_needs_one_still_counts(folder: Folder) -> None:
    folder.write(ONE_TARGET.replace("http://localhost:5555", "${credential:flower}"))
    assert folder.load(credentials=False).warnings == ()


# --- secrets ------------------------------------------------------------------------------------------------------------

SECRET = "hunter2-XyZ"
ANYWHERE = [
    '[[target]]\nname = "p"\nflower = "${SECRET}"',
    '[[target]]\nname = "p"\nflower = "http://u:${SECRET}@host:port"',
    '[[target]]\nname = "p"\nflower = {url = "http://h", password = ["${SECRET}"]}',
    '[[target]]\nname = "p"\nredis = "redis://:${SECRET}@host/not-a-number"',
    '[[target]]\nname = "p"\nredis = "redis://:${SECRET}@host:port/0"',
    '[[receiver]]\nname = "ops"\ntype = "webhook"\nurl = "https:/${SECRET}"',
    '[[receiver]]\nname = "ops"\ntype = "webhook"\nurl = "https://h"\nsecret = "${SECRET}"',
    '[[receiver]]\nname = "ops"\ntype = "webhook"\nurl = "https://h"\nheaders = "${SECRET}"',
    'target = "${SECRET}"',
    'service = ["${SECRET}"]',
]
IN_WORDS_OF_OURS = [
    'interval = "${SECRET}"',
    'log_level = "${SECRET}"',
    '[[target]]\nname = "p"\nflower = {url = "http://h", timeout = "${SECRET}"}',
    '[[receiver]]\nname = "ops"\ntype = "${SECRET}"',
    '[[override]]\nrule = "X"\nfor = "${SECRET}"',
    '[[override]]\nrule = "X"\nseverity = "${SECRET}"',
]


@pytest.mark.parametrize("text", [*ANYWHERE, *IN_WORDS_OF_OURS])
def test_a_fault_never_shows_what_a_reference_stands_for(folder: Folder, text: str) -> None:
    folder.write(text)
    assert SECRET not in "\n".join(folder.faults({"SECRET": SECRET}))


@pytest.mark.parametrize("text", ANYWHERE)
def test_a_fault_never_shows_a_secret_that_is_written_out(folder: Folder, text: str) -> None:
    folder.write(text.replace("${SECRET}", SECRET))
    assert SECRET not in "\n".join(folder.faults())


# --- receivers that change their name -----------------------------------------------------------------------------------


def console(name: str, was: str) -> str:
    return f'[[receiver]]\nname = "{name}"\ntype = "console"\nwas = {was}\n'


def test_a_name_that_is_in_use_is_no_old_name(folder: Folder) -> None:
    folder.write(ONE_TARGET + console("ops", "[]") + console("crew", '"ops"'))
    assert folder.faults() == ('watchdog.toml:11: receiver: was: "ops" is a configured receiver; expected a name that is no longer used',)


def test_an_old_name_is_claimed_once(folder: Folder) -> None:
    folder.write(ONE_TARGET + console("crew", '["ops", "dev"]') + console("team", '"dev"'))
    assert folder.faults() == (
        'watchdog.toml:11: receiver: was: "dev" is also claimed at watchdog.toml:7; only one can take over its notifications',
    )


def test_old_names_are_one_or_a_list(folder: Folder) -> None:
    folder.write(ONE_TARGET + console("crew", '"ops"') + console("team", '["a", "b"]'))
    assert [receiver.was for receiver in folder.load().settings.receiver] == [("ops",), ("a", "b")]


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (
            '["celery@*", "celery@gpu-*"]',
            '"celery@gpu-*" is never reached: "celery@*" before it matches the same names; put the narrower one first',
        ),
        ('["celery@[ab]*", "celery@[ab]*"]', '"celery@[ab]*" is never reached'),
    ],
)
def test_a_pattern_of_kinds_that_can_never_apply_is_a_fault(folder: Folder, kinds: str, said: str) -> None:
    folder.write(f"{ONE_TARGET}kinds = {kinds}\n")
    (fault,) = folder.faults()
    assert fault.startswith("watchdog.toml:4: ")
    assert "kinds: " in fault
    assert said in fault
