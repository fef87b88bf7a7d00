import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from watchdog.config.load import Loaded, load_settings
from watchdog.config.sections.actions import ActionSettings
from watchdog.config.sections.alertmanager import AlertmanagerSettings
from watchdog.config.sections.http import HttpSettings
from watchdog.config.sections.mutes import MuteSettings
from watchdog.config.sections.objectives import ObjectiveSettings
from watchdog.config.sections.overrides import OverrideSettings
from watchdog.config.sections.routes import RouteSettings
from watchdog.config.sections.schedules import ScheduleSettings
from watchdog.config.settings import Settings, TargetSettings
from watchdog.receivers import RECEIVERS
from watchdog.sources import SOURCES

EXAMPLE = Path(__file__).parents[3] / "config.example.toml"
UNSET_KEY = re.compile(r"^# (?=[a-z_]+ = )", re.MULTILINE)
ENVIRON = {
    "FLOWER_PASSWORD": "x",
    "SENTINEL_PASSWORD": "y",
    "RABBITMQ_PASSWORD": "r",
    "WEBHOOK_SECRET": "whsec_" + "A" * 32,
    "SMTP_PASSWORD": "m",
    "NTFY_TOKEN": "tk_n",
    "HOME": "/nowhere",
    "PAGE_TOKEN": "t" * 24,
    "FLOWER_CLIENT_SECRET": "z",
}


def load(path: Path) -> Loaded:
    return load_settings(config=path, environ=ENVIRON, flags={}, cwd=path.parent)


@pytest.fixture
def everything_set(tmp_path: Path) -> Path:
    """The example with every unset key set."""
    certificates = tmp_path / "ca.crt"
    certificates.touch()
    text = UNSET_KEY.sub("", EXAMPLE.read_text()).replace("/etc/ssl/certs/ca-certificates.crt", str(certificates))
    text = re.sub(r"/etc/watchdog/\w+\.(crt|key)", str(certificates), text)
    text = text.replace("trusted_proxies = []", 'trusted_proxies = ["127.0.0.1"]')  # needed by user_header
    text = text.replace('\nurl = "redis://', '\nurl = "sentinel://')  # some keys are for sentinels only
    path = tmp_path / "watchdog.toml"
    path.write_text(text)
    return path


def test_the_example_loads_without_a_warning() -> None:
    assert load(EXAMPLE).warnings == ()


ALTERNATIVES = ({"username", "password"}, {"token_command"}, {"token_file"}, {"oauth"})
"""What identifies watchdog to Flower: one of these, and for all but the first one place."""


@pytest.mark.parametrize("kept", ALTERNATIVES, ids=min)
@pytest.mark.parametrize("place", ["token_header", "token_cookie"])
def test_the_example_loads_with_every_unset_key_set_that_goes_together(everything_set: Path, kept: set[str], place: str) -> None:
    left_out = set().union(*ALTERNATIVES) - kept | {"token_header", "token_cookie"} - ({place} if "username" not in kept else set())
    before, table, after = everything_set.read_text().partition("[target.flower]")
    everything_set.write_text(
        before + table + re.sub(rf"^({'|'.join(left_out)}) = .*$", "", after.partition("[target.redis]")[0], flags=re.MULTILINE)
    )
    with everything_set.open("a") as file:
        file.write(
            "[target.redis]" + re.sub(r"^body = .*$", "", after.partition("[target.redis]")[2], flags=re.MULTILINE)
        )  # not with a digest
    assert load(everything_set).settings.target[0].min_workers == 2


def models(values: Mapping[str, Any]) -> Iterator[tuple[str, type[BaseModel], Mapping[str, Any]]]:
    """Each table of the example, beside the model that reads it."""
    target = values["target"][1] | values["target"][0]
    yield "top", Settings, values
    yield "target", TargetSettings, target
    yield "http", HttpSettings, values["http"]
    yield "actions", ActionSettings, values["actions"]
    hourly, nightly, scheduler, _ = target["schedule"]
    yield "schedule", ScheduleSettings, hourly | nightly | scheduler
    starts, succeeds = target["objective"]
    yield "objective", ObjectiveSettings, starts | succeeds
    yield "override", OverrideSettings, values["override"][0]
    yield "alertmanager", AlertmanagerSettings, values["alertmanager"][0]
    yield "route", RouteSettings, values["route"][0]
    yield "mute", MuteSettings, values["mute"][0]
    for name, kind in SOURCES.items():
        more = {"results": target["redis"], "celery": values["target"][1]["celery"]}.get(name, {})  # how to connect is told once
        yield name, kind.settings, target[name] | more
    for type_, of_type in RECEIVERS.items():  # one of a kind may show what another does without: a webhook of Slack, and a bot
        yield type_, of_type.settings, {key: v for one in values["receiver"] if one["type"] == type_ for key, v in one.items()}


def test_every_key_of_every_model_is_in_the_example(everything_set: Path) -> None:
    values = tomllib.loads(everything_set.read_text())
    missing = [
        f"{where}: {field.alias or name}"
        for where, model, table in models(values)
        for name, field in model.model_fields.items()
        if (field.alias or name) not in table
    ]
    assert missing == []


def test_every_kind_of_receiver_is_in_the_example() -> None:
    assert {receiver["type"] for receiver in tomllib.loads(EXAMPLE.read_text())["receiver"]} == set(RECEIVERS)


def test_a_key_that_is_set_in_the_example_shows_its_default() -> None:
    settings = load(EXAMPLE).settings
    target, on_rabbitmq = settings.target
    tables = [
        settings,
        settings.http,
        settings.actions,
        target,
        target.flower,
        target.redis,
        on_rabbitmq,
        on_rabbitmq.rabbitmq,
        on_rabbitmq.celery,
        target.celery,
        *settings.receiver,
        *settings.alertmanager,
        *settings.route,
        *settings.mute,
        *settings.override,
    ]
    by_name = {
        "name",
        "http",
        "listen",
        "type",
        "schedule",
        "objective",
        "url",
        "rule",
        "target",
        "receiver",
        "receivers",
        "routing_key",
        "token",
        "topic",
        "chat",
        "channel",
        "host",
        "sender",
        "route",
        "alertmanager",
        "override",
        "flower",
        "redis",
        "rabbitmq",
        "django",
        "celery",
        "mute",
        "from_",
        "to",
    }
    different = [
        f"{type(table).__name__}.{name}"
        for table in tables
        if isinstance(table, BaseModel)
        for name in table.model_fields_set - by_name
        for default in [type(table).model_fields[name].get_default(call_default_factory=True)]
        if default is not PydanticUndefined and getattr(table, name) != default
    ]
    assert different == []


def test_every_key_of_the_example_has_a_sentence_before_it() -> None:
    lines = EXAMPLE.read_text().splitlines()
    keys = [number for number, line in enumerate(lines) if re.match(r"(# )?[a-z_]+ = ", line)]
    alone = [lines[number] for number in keys if not re.match(r"# ?\S", lines[number - 1]) or UNSET_KEY.match(lines[number - 1])]
    assert alone == []
