"""Which broker carries the messages of a target's workers, and how kombu is told to reach it."""

import ssl
from typing import Any

import pytest
from pydantic import ValidationError

from watchdog.config.settings import Settings, TargetSettings, to_target
from watchdog.sources.celery.broker import connection_arguments
from watchdog.sources.celery.settings import CelerySettings


def target(**given: Any) -> TargetSettings:
    return TargetSettings.model_validate({"name": "prod", **given})


def complaint(**given: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        target(**given)
    return " ".join(str(error["msg"]) for error in raised.value.errors(include_input=False, include_url=False))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"celery": "amqp://rabbit//"}, "found celery alone"),
        ({"celery": "http://rabbit"}, "does not begin with amqp://"),
        ({"celery": "redis://me:pass@cache"}, "a Redis is named by `redis`"),
        ({"celery": "amqp://me:pa/ss@rabbit//"}, "%-escaped"),
        ({"celery": "amqp://rabbit:port//"}, "cannot be read"),
        ({"celery": "amqp://rabbit//?heartbeat=3"}, "no options"),
        ({"celery": {"url": "amqps://rabbit//", "key_file": "/key.pem"}}, "expected `cert_file` beside it"),
    ],
)
def test_what_does_not_fit_together_is_told_without_the_url(given: dict[str, Any], said: str) -> None:
    message = complaint(**given)
    assert said in message
    assert "ss@" not in message


def test_an_amqp_broker_has_its_login_and_its_virtual_host() -> None:
    place = CelerySettings.model_validate({"url": "amqps://me:p%40w@rabbit/shop%2Feu", "ca_file": "/ca.pem"}).place
    told = connection_arguments(place, timeout_s=2.0, connect_timeout_s=1.0)
    assert (told["hostname"], told["port"], told["userid"], told["password"], told["virtual_host"]) == (
        "rabbit",
        5671,
        "me",
        "p@w",
        "shop/eu",
    )
    assert (told["ssl"]["ca_certs"], told["ssl"]["server_hostname"], told["ssl"]["cert_reqs"]) == ("/ca.pem", "rabbit", ssl.CERT_REQUIRED)


def test_without_flower_a_target_on_rabbitmq_hears_of_tasks() -> None:
    seen = to_target(Settings(), target(rabbitmq="http://rabbit:15672", celery="amqp://rabbit//"))
    assert (seen.hears_tasks, "events" in seen.sources) == (True, True)


def test_beside_flower_it_hears_of_workers_alone() -> None:
    seen = to_target(Settings(), target(flower="http://flower:5555", celery="amqp://rabbit//"))
    assert (seen.hears_tasks, "events" in seen.sources) == (False, True)


def test_where_only_the_management_api_is_named_nothing_is_heard() -> None:
    assert not target(flower="http://flower:5555", rabbitmq="http://rabbit:15672").hears
    assert "redis, or celery" in complaint(flower="http://flower:5555", rabbitmq="http://rabbit:15672", events="all")
