"""The TOML that pages show: configurations, rules and scenarios, whole or in part. In: a block. Out: what is wrong with it."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.docs.pages import PAGES, fences
from watchdog.config.load import ConfigError, load_settings
from watchdog.config.settings import Settings, TargetSettings
from watchdog.config.shipped import shipped_rule_files
from watchdog.core.rules.files import read_rules
from watchdog.core.rules.rule import Rule
from watchdog.core.scenarios.reading.files import read_scenarios
from watchdog.tables import TABLES

__all__ = ["faults_of", "toml_blocks"]

BLOCK = "block.toml"
ANY_TARGET = '[[target]]\nname = "any"\n'
WITH_SOURCES = {"flower": "http://localhost:5555", "redis": "redis://localhost:6379/0"}
RECEIVER = '[[receiver]]\nname = "{}"\ntype = "console"\n'
MUTE = '[[mute]]\nname = "{}"\ndays = "sun"\n'
RULE = '[[rule]]\nname = "Any"\nsummary = "any"\n'
VALUES = {
    "APPRISE_URL": "gotify://gotify.example.com/any-token",
    "URL": "https://example.com/any",
    "_SECRET": f"whsec_{'A' * 32}",
    "_HASH": "scrypt:32768:8:1$YWJjZGVmZ2hpamtsbW5vcA$" + "a" * 128,
    "TELEGRAM_TOKEN": "123456:" + "A" * 35,
    "SLACK_BOT_TOKEN": "xoxb-" + "1" * 12,
}
NO_SCENARIO = "no [[scenario]] in this file"
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_FILE = re.compile(r"\$\{(?:file|credential):[^}]*\}")
_PATH = re.compile(r'"/[\w./-]+\.(?:crt|key|pem)"')


def toml_blocks(page: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each."""
    yield from ((fence.line, fence.text) for fence in fences(page) if fence.language == "toml")


def faults_of(text: str, folder: Path) -> list[str]:
    """What is wrong with a block; nothing: somebody may copy it. What it needs of the rest of a configuration is put before it."""
    values = tomllib.loads(text)
    if "rule" in values or "query" in values:
        return _faults_of_rules(text if "rule" in values else RULE + text)
    if "scenario" in values or "usual" in values:
        _, faults = read_scenarios({BLOCK: text}, TABLES, _documented_rules())
        return [str(fault) for fault in faults if "scenario" in values or fault.what != NO_SCENARIO]
    return _faults_of_configuration(text, values, folder)


def _faults_of_rules(text: str) -> list[str]:
    _, faults, warnings = read_rules({**shipped_rule_files(), BLOCK: text}, TABLES)
    return [str(fault) for fault in (*faults, *warnings) if fault.file == BLOCK]


@cache
def _documented_rules() -> Mapping[str, Rule]:
    """The shipped rules, and those that any page shows."""
    texts = {f"{page}:{line}": text for page in PAGES for line, text in toml_blocks(page) if "[[rule]]" in text}
    return {rule.name: rule for one in texts.values() for rule in read_rules({**shipped_rule_files(), BLOCK: one}, TABLES)[0]}


def _faults_of_configuration(text: str, values: Mapping[str, Any], folder: Path) -> list[str]:
    (folder / "rules").mkdir(exist_ok=True)
    certificate = folder / "any.crt"
    certificate.touch()
    whole = _PATH.sub(f'"{certificate}"', _FILE.sub("any", _around(text, values)))
    path = folder / "watchdog.toml"
    path.write_text(whole, encoding="utf-8")
    environ = {name: _any_value(name) for name in _VARIABLE.findall(whole)} | {"HOME": "/nowhere"}
    try:
        return list(load_settings(config=path, environ=environ, flags={}, cwd=folder).warnings)
    except ConfigError as error:
        return list(error.faults)


def _around(text: str, values: Mapping[str, Any]) -> str:
    """The block in a whole configuration: what it names is there, and keys of a target stand in one that has its sources."""
    text += "".join(RECEIVER.format(name) for name in _named(values, "receivers") - {one["name"] for one in values.get("receiver", ())})
    text += "".join(MUTE.format(name) for name in _named(values, "mute") - {one["name"] for one in values.get("mute", ())})
    target = values.get("target")
    if isinstance(target, list):
        return text
    of_target = set(values) & set(TargetSettings.model_fields) - set(Settings.model_fields)
    sources = of_target | (set(target) if isinstance(target, dict) else set())
    more = "".join(f'{name} = "{url}"\n' for name, url in WITH_SOURCES.items() if not sources & {name, "rabbitmq", "celery"})
    if isinstance(flower := values.get("flower"), dict) and "url" not in flower:
        more += f'flower.url = "{WITH_SOURCES["flower"]}"\n'
    return f"{ANY_TARGET}{more}{text}" if sources else f"{text}\n{ANY_TARGET}{more}"


def _named(values: Any, key: str) -> set[str]:
    """Every text that some table names under this key."""
    if isinstance(values, list):
        return set().union(*(_named(one, key) for one in values))
    if not isinstance(values, dict):
        return set()
    below = set().union(*(_named(one, key) for one in values.values()))
    own = values.get(key, ())
    return below | ({own} if isinstance(own, str) else {one for one in own if isinstance(one, str)})


def _any_value(name: str) -> str:
    """What a variable may hold, by its name."""
    return next((value for ending, value in VALUES.items() if name.endswith(ending)), "a" * 32)
