"""`[engine]`: what a file may say, what is refused, and who hears events beside it."""

from pathlib import Path

import pytest

from tests.unit.config.test_load import Folder
from watchdog.config.fingerprint import fingerprint
from watchdog.config.sections.engine import carried_targets

TOP = 'database = "postgresql://watchdog@db/watchdog"\n[engine]\nbroker = "redis://engine:6379/0"\n'
FLOWER = '[[target]]\nname = "prod"\nflower = "http://flower:5555"\n'
BOTH = FLOWER + 'redis = "redis://broker:6379/0"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_broker_of_its_own_beside_postgresql_is_accepted(folder: Folder) -> None:
    folder.write(TOP + BOTH)
    engine = folder.load().settings.engine
    assert engine is not None
    assert (engine.broker.masked_url(), engine.queue) == ("redis://engine:6379/0", "watchdog.looks")


@pytest.mark.parametrize(
    ("broker", "target"),
    [
        ("redis://broker:6379/5", BOTH),
        ("rediss://:secret@BROKER/0", BOTH),
        ("redis://127.0.0.1/1", FLOWER + 'redis = "redis://localhost/0"\n'),
        ("redis://results:6379/0", FLOWER + 'rabbitmq = "http://rabbit:15672"\nresults = "redis://results:6379/1"\n'),
        ("sentinel://one:26379/main/1", FLOWER + 'redis = "sentinel://one:26379/main/0"\n'),
    ],
)
def test_the_server_of_a_watched_target_is_refused_whatever_the_database(folder: Folder, broker: str, target: str) -> None:
    folder.write(TOP.replace("redis://engine:6379/0", broker) + target)
    [fault] = folder.faults()
    assert 'engine.broker: expected a Redis of its own, found the server of target "prod"' in fault
    assert "secret" not in fault


@pytest.mark.parametrize("broker", ["redis://broker:6380/0", "sentinel://broker:26379/other/0"])
def test_another_server_on_the_same_machine_is_accepted(folder: Folder, broker: str) -> None:
    folder.write(TOP.replace("redis://engine:6379/0", broker) + BOTH)
    assert folder.load().settings.engine is not None


@pytest.mark.parametrize("database", ["", 'database = "watchdog.db"\n'])
def test_a_file_as_the_database_is_refused(folder: Folder, database: str) -> None:
    folder.write(database + TOP.partition("\n")[2] + BOTH)
    assert "engine: expected a `database` beside it that all workers reach" in folder.faults()[0]


@pytest.mark.parametrize("scheme", ["amqp", "sqs", "AMQPS"])
@pytest.mark.parametrize("written", ['broker = "{}"', 'broker = {{url = "{}"}}'])
def test_a_broker_of_another_kind_is_refused_and_what_it_is_to_be_is_said(folder: Folder, scheme: str, written: str) -> None:
    broker = written.format(f"{scheme}://user:secret@engine:5672//")
    folder.write(TOP.replace('broker = "redis://engine:6379/0"', broker) + BOTH)
    [fault] = folder.faults()
    assert f'found "{scheme.lower()}://"; looks are carried by a small Redis of watchdog\'s own' in fault
    assert "secret" not in fault


EVENTS = {
    "Flower reports tasks: nobody listens": (BOTH, True, "off"),
    "somebody asked for events": (BOTH + 'events = "all"\n', False, "all"),
    "nothing else reports tasks": ('[[target]]\nname = "prod"\nredis = "redis://broker:6379/0"\n', False, "auto"),
    "events are off": (BOTH + 'events = "off"\n', True, "off"),
}


@pytest.mark.parametrize(("target", "carried", "events"), EVENTS.values(), ids=EVENTS)
def test_the_engine_carries_targets_to_whose_events_nobody_must_listen(folder: Folder, target: str, carried: bool, events: str) -> None:
    folder.write(TOP + target)
    settings = folder.load().settings
    assert ("prod" in carried_targets(settings), settings.target[0].events) == (carried, events)


def test_without_an_engine_events_are_heard_as_ever(folder: Folder) -> None:
    folder.write(BOTH)
    settings = folder.load().settings
    assert (settings.target[0].events, carried_targets(settings)) == ("auto", frozenset())


SAME = {
    "another password": (BOTH.replace("//broker", "//:pw@broker"), BOTH.replace("//broker", "//:other@broker")),
    "a login here and none there": (BOTH, BOTH.replace("//broker", "//:pw@broker")),
    "another log": ('log_level = "debug"\n' + BOTH, BOTH),
}
OTHER = {
    "another interval": ('interval = "20s"\n' + BOTH, BOTH),
    "another target": (BOTH, FLOWER),
    "the broker of another cluster": (BOTH, BOTH.replace("//broker", "//staging")),
    "another database of the broker": (BOTH, BOTH.replace("6379/0", "6379/1")),
    "another rule": ('[[override]]\nrule = "WorkerLost"\nfor = "1h"\n' + BOTH, BOTH),
}


def prints(folder: Folder, texts: tuple[str, str]) -> set[str]:
    found = set()
    for text in texts:
        folder.write(text)
        found.add(fingerprint(folder.load()))
    return found


@pytest.mark.parametrize("texts", SAME.values(), ids=SAME)
def test_what_decides_nothing_leaves_the_fingerprint(folder: Folder, texts: tuple[str, str]) -> None:
    assert len(prints(folder, texts)) == 1


@pytest.mark.parametrize("texts", OTHER.values(), ids=OTHER)
def test_what_decides_changes_the_fingerprint(folder: Folder, texts: tuple[str, str]) -> None:
    assert len(prints(folder, texts)) == 2


def test_a_rule_of_a_file_changes_the_fingerprint(folder: Folder) -> None:
    folder.write('rules = ["own.toml"]\n' + BOTH)
    rule = '[[rule]]\nname = "Own"\nfrom = "workers"\nwhen = "active > {}"\nseverity = "info"\nsummary = "s"\nrunbook = "r"\n'
    found = set()
    for limit in (1, 2):
        (folder.path / "own.toml").write_text(rule.format(limit))
        found.add(fingerprint(folder.load()))
    assert len(found) == 2
