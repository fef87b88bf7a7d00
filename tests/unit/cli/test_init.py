"""`watchdog init`: where it looks, what it writes, what it asks; no source is asked here."""

import itertools
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdog.cli.init.look import Found
from watchdog.cli.init.places import USUAL, Place, first_places
from watchdog.cli.init.questions import Questions
from watchdog.cli.init.text import RECEIVERS, Setup, secrets_of, text_of
from watchdog.config.load import Loaded, load_settings

NOWHERE = "connection refused by http://localhost:5555: is Flower running there, on that port?"
LOCKED = "401 from http://localhost:5555: it requires credentials; set `username` and `password` of flower"
VALUES = {
    "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T/B/x",
    "WEBHOOK_URL": "https://hooks.example.com/x",
    "FLOWER_PASSWORD": "hunter2",
    "RABBITMQ_PASSWORD": "hunter2",
    "REDIS_USERINFO": ":hunter2",
    "CELERY_BROKER_URL": "redis://:hunter2@broker:6380/3",
    "REDIS_URL": "redis://:hunter2@broker:6380/3",
}
FLOWERS = (
    None,
    Found(Place("flower", "http://localhost:5555"), answers=True, said="answers, 2 workers online", workers=2),
    Found(Place("flower", "http://localhost:5555"), answers=False, said=NOWHERE),
    Found(Place("flower", "http://localhost:5555"), answers=False, said=LOCKED),
    Found(Place("flower", "https://me:hunter2@flower:5555/prefix", "--flower"), answers=False, said="no\nanswer"),
)
BROKERS = (
    None,
    Found(Place("redis", "redis://localhost:6379/0"), answers=True, said="answers, version 7.0.15"),
    Found(Place("redis", "redis://localhost:6379/0"), answers=False, said="connection refused"),
    Found(Place("redis", "redis://:hunter2@broker:6380/3", "$CELERY_BROKER_URL"), answers=True, said="answers"),
    Found(Place("redis", "redis://:hunter2@broker:6380/3", "$CELERY_BROKER_URL", "the first there"), answers=True, said="answers"),
    Found(Place("redis", "redis://:hunter2@broker:6380/3", "$REDIS_URL"), answers=False, said="refused"),
    Found(Place("redis", "unix://:hunter2@/run/${x}.sock?db=3", "--redis"), answers=False, said="refused"),
    Found(Place("redis", "redis://:hunter2@broker:6380/3", "$WATCHDOG_REDIS"), answers=True, said="answers"),
    Found(Place("rabbitmq", "http://rabbit:15672", "--rabbitmq"), answers=False, said="refused"),
    Found(Place("rabbitmq", "http://rabbit:15672", vhost="shop"), answers=True, said="answers, version 4.1.0"),
    Found(Place("rabbitmq", "http://me:hunter2@rabbit:15672", "$WATCHDOG_RABBITMQ"), answers=True, said="answers"),
    Found(Place("rabbitmq", "http://me:hunter2@rabbit:15672", vhost="a/b"), answers=False, said="it does not accept"),
)  # fmt: skip


def setups() -> Iterator[Setup]:
    for flower, broker, receiver in itertools.product(FLOWERS, BROKERS, RECEIVERS):
        sources = {found.place.kind: found for found in (flower, broker) if found is not None}
        if sources:
            yield Setup('the "prod" ${one}', sources, receiver)


def loaded(text: str, folder: Path, variables: dict[str, str]) -> Loaded:
    path = folder / "watchdog.toml"
    path.write_text(text)
    return load_settings(config=path, environ={"HOME": "/nowhere", **variables}, flags={}, cwd=folder)


def test_every_file_is_right_once_the_variables_that_it_names_are_set_and_says_what_was_found(tmp_path: Path) -> None:
    for setup in setups():
        settings = loaded(text_of(setup), tmp_path, {name: VALUES[name] for name in secrets_of(setup)}).settings
        target = settings.target[0]
        assert target.name == 'the "prod" ${one}'
        assert {kind for kind in USUAL if getattr(target, kind) is not None} == setup.active
        assert len(settings.receiver) == 1
        if target.redis is not None:
            assert target.redis.url.get_secret_value() == setup.sources["redis"].place.url
        if target.rabbitmq is not None:
            assert (target.rabbitmq.url, target.rabbitmq.vhost) == ("http://rabbit:15672", setup.sources["rabbitmq"].place.vhost)
        if target.flower is not None and target.flower.username:
            assert (target.flower.url, target.flower.username) == ("https://flower:5555/prefix", "me")


def test_no_file_holds_a_secret() -> None:
    assert [setup for setup in setups() if "hunter2" in text_of(setup)] == []


@pytest.mark.parametrize(("origin", "variable"), [("--redis", "REDIS_URL"), ("$CELERY_BROKER_URL", "CELERY_BROKER_URL")])
@pytest.mark.parametrize("first", ["", ":hunter2@"])
def test_a_password_of_any_of_several_sentinels_stays_out_of_the_file(origin: str, variable: str, first: str, tmp_path: Path) -> None:
    url = f"sentinel://{first}one:26379/mymaster/0;sentinel://:hunter2@two:26379/mymaster/0"
    setup = Setup("prod", {"redis": Found(Place("redis", url, origin), answers=True, said="answers")}, "screen")
    assert "hunter2" not in text_of(setup) + setup.sources["redis"].place.shown
    target = loaded(text_of(setup), tmp_path, {variable: url}).settings.target[0]
    assert target.redis is not None
    assert target.redis.url.get_secret_value() == url


def test_every_line_that_is_commented_out_would_be_right_too(tmp_path: Path) -> None:
    for setup in list(setups())[::7]:
        text = re.sub(r"^# (?=[a-z_]+ = |\[\[)", "", text_of(setup), flags=re.MULTILINE)
        variables = {**VALUES, "WEBHOOK_SECRET": "whsec_" + "A" * 32}
        assert len(loaded(text, tmp_path, variables).settings.target[0].expected_workers) == 1


def test_what_was_only_looked_for_and_is_not_there_is_commented_out() -> None:
    found = {"flower": FLOWERS[2], "redis": BROKERS[1]}
    setup = Setup("prod", {kind: one for kind, one in found.items() if one}, "screen")
    assert set(tomllib.loads(text_of(setup))["target"][0]) == {"name", "redis"}


def test_where_nothing_is_there_both_stand_in_the_file_to_be_mended() -> None:
    found = {"flower": FLOWERS[2], "redis": BROKERS[2]}
    setup = Setup("prod", {kind: one for kind, one in found.items() if one}, "screen")
    assert set(tomllib.loads(text_of(setup))["target"][0]) == {"name", "flower", "redis"}


# --- where it looks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "environ", "url", "origin"),
    [
        ({}, {}, "redis://localhost:6379/0", ""),
        ({}, {"REDIS_URL": "redis://r"}, "redis://r", "$REDIS_URL"),
        ({}, {"REDIS_URL": "redis://r", "CELERY_BROKER_URL": "redis://c"}, "redis://c", "$CELERY_BROKER_URL"),
        ({}, {"CELERY_BROKER_URL": "redis://c", "WATCHDOG_REDIS": "redis://w"}, "redis://w", "$WATCHDOG_REDIS"),
        ({"redis": "redis://f"}, {"WATCHDOG_REDIS": "redis://w"}, "redis://f", "--redis"),
        ({}, {"CELERY_BROKER_URL": "redis://c;redis://d"}, "redis://c", "$CELERY_BROKER_URL"),
        ({}, {"CELERY_BROKER_URL": "sentinel://c;sentinel://d"}, "sentinel://c;sentinel://d", "$CELERY_BROKER_URL"),
        ({}, {"CELERY_BROKER_URL": ""}, "redis://localhost:6379/0", ""),
    ],
)
def test_a_flag_comes_before_the_environment_and_that_before_the_usual_address(
    flags: dict[str, str], environ: dict[str, str], url: str, origin: str
) -> None:
    place = first_places(flags, environ)["redis"]
    assert (place.url, place.origin) == (url, origin)


def test_where_celery_has_another_broker_no_redis_is_looked_for() -> None:
    assert set(first_places({}, {"CELERY_BROKER_URL": "amqp://guest@rabbit//", "REDIS_URL": "redis://cache"})) == {"flower", "rabbitmq"}
    assert set(first_places({}, {"CELERY_BROKER_URL": "sqs://", "REDIS_URL": "redis://cache"})) == {"flower"}


@pytest.mark.parametrize(
    ("url", "management", "vhost"),
    [
        ("amqp://guest@rabbit//", "http://guest@rabbit:15672", "/"),
        ("amqp://me:p%40ss@rabbit:5673/shop", "http://me:p%40ss@rabbit:15672", "shop"),
        ("amqps://me:pass@rabbit/a%2Fb?ssl=1", "https://me:pass@rabbit:15671", "a/b"),
        ("pyamqp://", "http://localhost:15672", "/"),
        ("amqp://a/x;amqp://b/x", "http://a:15672", "x"),
    ],
)
def test_rabbitmq_is_looked_for_on_the_host_of_celerys_broker(url: str, management: str, vhost: str) -> None:
    place = first_places({}, {"CELERY_BROKER_URL": url})["rabbitmq"]
    assert (place.url, place.vhost, place.meant) == (management, vhost, False)


@pytest.mark.parametrize(
    ("flags", "environ", "kinds"),
    [
        ({"rabbitmq": "http://r:15672"}, {}, {"flower", "rabbitmq"}),
        ({"rabbitmq": "http://r:15672"}, {"WATCHDOG_REDIS": "redis://w"}, {"flower", "rabbitmq"}),
        ({"redis": "redis://a"}, {"CELERY_BROKER_URL": "amqp://r"}, {"flower", "redis"}),
        ({}, {"WATCHDOG_RABBITMQ": "http://r:15672", "REDIS_URL": "redis://cache"}, {"flower", "rabbitmq"}),
        ({}, {}, {"flower", "redis"}),
    ],
)
def test_one_broker_is_looked_for(flags: dict[str, str], environ: dict[str, str], kinds: set[str]) -> None:
    assert set(first_places(flags, environ)) == kinds


@given(st.text(min_size=1), st.text(min_size=1))
def test_credentials_that_are_typed_never_show(username: str, password: str) -> None:
    place = Place("redis", "redis://old:older@broker:6380/3").let_in(username, password)
    assert place.shown == "redis://***@broker:6380/3"


# --- what it asks -------------------------------------------------------------------------------------------------------


class Person:
    """Answers the questions, in order; then Enter."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.told: list[Found] = []
        self.looked: list[str] = []
        self.lets_in = "let-in"

    def ask(self, text: str, default: str) -> str:
        self.asked.append(text)
        return (self.answers.pop(0) if self.answers else "") or default

    def look(self, place: Place) -> Found:
        self.looked.append(place.url)
        answers = self.lets_in in place.url
        return Found(place, answers=answers, said="answers" if answers else LOCKED)

    def questions(self) -> Questions:
        return Questions(self.ask, lambda text: self.ask(text, ""), self.told.append, self.look)


def nobody(kind: str) -> Found:
    return Found(Place(kind, USUAL[kind]), answers=False, said="connection refused")


def test_enter_takes_the_usual_address_into_the_file_without_another_look() -> None:
    person = Person()
    found = person.questions().source(nobody("flower"), "flower")
    assert found is not None
    assert (found.place.url, found.place.meant, person.looked) == (USUAL["flower"], True, [])


def test_none_leaves_a_source_out() -> None:
    assert Person("none").questions().source(nobody("redis"), "redis") is None


def test_a_url_that_cannot_be_one_is_asked_for_again(capsys: pytest.CaptureFixture[str]) -> None:
    person = Person("localhost:5555", "http://let-in:5555")
    found = person.questions().source(nobody("flower"), "flower")
    assert found is not None
    assert found.place.url == "http://let-in:5555"
    assert "http:// or https://" in capsys.readouterr().err


def test_a_source_that_wants_credentials_is_given_them_and_tried() -> None:
    person = Person("let-in", "se/cret")
    found = person.questions().source(FLOWERS[3], "flower")
    assert found is not None
    assert found.answers
    assert person.looked == ["http://let-in:se%2Fcret@localhost:5555"]


def test_credentials_are_asked_for_three_times_at_most() -> None:
    person = Person(*["no", "no"] * 9)
    found = person.questions().source(FLOWERS[3], "flower")
    assert found is not None
    assert not found.answers
    assert len(person.looked) == 3


def test_a_user_name_that_cannot_be_one_loses_no_source(capsys: pytest.CaptureFixture[str]) -> None:
    person = Person("http://flower:5555", "", "let-in", "x")
    found = person.questions().source(FLOWERS[3], "flower")
    assert found is not None
    assert found.place.url == "http://let-in:x@localhost:5555"
    assert "without a colon" in capsys.readouterr().err


def test_enter_goes_on_without_credentials() -> None:
    person = Person()
    assert person.questions().source(FLOWERS[3], "flower") == FLOWERS[3]
    assert person.looked == []


def test_a_name_that_is_taken_by_watchdog_is_asked_for_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert Person("watchdog", "shop").questions().name("prod") == "shop"
    assert "reserved" in capsys.readouterr().err


def test_who_is_told_is_one_of_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert Person("pager", "slack").questions().receiver("screen") == "slack"
    assert "expected one of screen, slack, webhook" in capsys.readouterr().err


def test_an_export_line_can_be_pasted_into_a_shell() -> None:
    for setup in setups():
        for example in secrets_of(setup).values():
            assert shlex.split(f"export A='{example}'")[1] == f"A={example}"
