"""Which broker carries the messages of a target's workers, and how kombu is told to reach it."""

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from watchdog.config.settings import Settings, TargetSettings, to_target
from watchdog.sources.celery.amqp_address import is_amqp
from watchdog.sources.celery.broker import amqp_arguments, connection_arguments
from watchdog.sources.celery.settings import CelerySettings
from watchdog.sources.redis.settings import RedisSettings


def in_force(**given: Any) -> CelerySettings | None:
    settings = TargetSettings.model_validate({"name": "prod", **given}).of_source("celery")
    assert settings is None or isinstance(settings, CelerySettings)
    return settings


def arguments(url: str, prefix: str = "", **more: Any) -> dict[str, Any]:
    own = (
        CelerySettings(url=SecretStr(url), **more)
        if is_amqp(url)
        else CelerySettings().beside(RedisSettings(url=SecretStr(url), **more), prefix)
    )
    place = own.place
    return connection_arguments(place, timeout_s=2.0, connect_timeout_s=1.0, key_prefix=prefix)


def complaint(**given: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        TargetSettings.model_validate({"name": "prod", **given})
    return " ".join(str(error["msg"]) for error in raised.value.errors(include_input=False, include_url=False))


def test_where_redis_is_given_its_workers_are_asked() -> None:
    settings = in_force(redis="redis://:hunter2@localhost:6380/3")
    assert settings is not None
    assert (settings.masked_url(), settings.server) == ("redis://***@localhost:6380/3", ("localhost:6380",))


def test_certificates_sentinels_and_prefix_are_those_of_redis() -> None:
    redis = {"url": "sentinels://:hunter2@a,b/mymaster/2", "sentinel_password": "other", "ca_file": "/ca.pem", "key_prefix": "shop:"}
    settings = in_force(redis=redis)
    assert settings is not None
    assert (settings.masked_url(), settings.key_prefix) == ("sentinels://***@a:26379,b:26379/mymaster/2", "shop:")
    assert settings.place == RedisSettings.model_validate(redis).place


def test_a_broker_of_its_own_wins() -> None:
    settings = in_force(redis="redis://localhost/0", celery="amqp://me:hunter2@rabbit/shop")
    assert settings is not None
    assert settings.masked_url() == "amqp://***@rabbit:5672/shop"


@pytest.mark.parametrize("given", [{"flower": "http://f"}, {"redis": "redis://r", "celery": {"ask_workers": False}}])
def test_without_a_broker_or_where_it_is_switched_off_nobody_is_asked(given: dict[str, Any]) -> None:
    assert in_force(**given) is None
    assert "celery" not in to_target(Settings(), TargetSettings.model_validate({"name": "prod", **given})).sources


def test_a_broker_is_a_source_of_the_target() -> None:
    target = TargetSettings.model_validate({"name": "prod", "celery": "amqp://rabbit//"})
    assert to_target(Settings(), target).sources == {"celery", "events"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"flower": "http://f", "celery": {"timeout": "2s"}}, "expected the broker of celery"),
        ({"celery": {"ca_file": "/ca.pem"}, "redis": "redis://r"}, "`ca_file` belongs to a `url` of celery"),
        ({"celery": {"url": "amqp://rabbit//", "ask_workers": False}}, "found celery alone"),
        ({"celery": "http://rabbit"}, "does not begin with amqp://"),
        ({"celery": "redis://me:pass@cache"}, "a Redis is named by `redis`"),
        ({"celery": "sqs://KEY:ss@"}, "over sqs, Celery's workers send no events and answer no questions"),
        ({"celery": "filesystem://"}, "watchdog does not speak filesystem, but Flower does: name it in `flower`"),
        ({"celery": "memory://"}, "within one process"),
        ({"celery": {"url": "amqps://rabbit//", "key_file": "/key.pem"}}, "expected `cert_file` beside it"),
        ({"celery": "amqp://me:pa/ss@rabbit//"}, "%-escaped"),
        ({"celery": "amqp://rabbit:port//"}, "cannot be read"),
        ({"celery": "amqp://rabbit//?heartbeat=3"}, "no options"),
        ({"celery": "amqp://me:pass@a//;amqp://me:pass@b//"}, "expected one broker, found several joined by `;`"),
        ({"redis": "redis://:pass@a/0; redis://:pass@b/0"}, "expected one broker, found several joined by `;`"),
        ({"celery": {"url": "amqp://rabbit//", "key_prefix": "x"}}, "`key_prefix` is for Redis"),
        ({"celery": {"control_exchange": "a b"}, "redis": "redis://r"}, "expected 1 to 100 letters"),
        ({"celery": {"control_exchange": "a" * 101}, "redis": "redis://r"}, "expected 1 to 100 letters"),
        ({"celery": {"control_exchange": ""}, "redis": "redis://r"}, "expected 1 to 100 letters"),
    ],
)
def test_what_does_not_fit_together_is_told_without_the_url(given: dict[str, Any], said: str) -> None:
    message = complaint(**given)
    assert said in message
    assert "ss@" not in message


@pytest.mark.parametrize(
    ("url", "hostname"),
    [
        ("redis://us%40er:p%2Fw@[::1]:6380/3", "redis://us%40er:p%2Fw@[::1]:6380/3"),
        ("redis://localhost", "redis://localhost:6379/0"),
        ("unix:///run/redis.sock?db=4", "redis+socket:///run/redis.sock?virtual_host=4"),
        ("sentinel://:p@a:1,b:2/m/3", "sentinel://:p@a:1/3;sentinel://:p@b:2/3"),
    ],
)
def test_kombu_is_told_the_address_in_its_own_spelling(url: str, hostname: str) -> None:
    assert arguments(url)["hostname"] == hostname


def test_kombu_is_kept_from_what_it_does_for_workers() -> None:
    options = arguments("redis://localhost", "shop:")["transport_options"]
    assert options["visibility_timeout"] > 10 * 365 * 86400
    assert {options["unacked_key"], options["unacked_index_key"], options["unacked_mutex_key"]}.isdisjoint(
        {"unacked", "unacked_index", "unacked_mutex"}
    )
    assert options["global_keyprefix"] == "shop:"


def test_an_amqp_broker_has_its_login_and_its_virtual_host() -> None:
    told = arguments("amqps://me:p%40w@rabbit/shop%2Feu", ca_file="/ca.pem")
    assert (told["hostname"], told["port"], told["userid"], told["password"], told["virtual_host"]) == (
        "rabbit",
        5671,
        "me",
        "p@w",
        "shop/eu",
    )
    assert (told["ssl"]["ca_certs"], told["ssl"]["server_hostname"]) == ("/ca.pem", "rabbit")


def test_a_connection_that_stays_limits_no_read() -> None:
    told = amqp_arguments(CelerySettings(url=SecretStr("amqp://rabbit//")).amqp, timeout_s=2.0, connect_timeout_s=1.0)
    assert told["transport_options"] == {"write_timeout": 2.0}


def test_without_flower_a_target_on_rabbitmq_hears_of_tasks() -> None:
    seen = to_target(Settings(), _target(rabbitmq="http://rabbit:15672", celery="amqp://rabbit//"))
    assert (seen.hears_tasks, "events" in seen.sources) == (True, True)


def test_beside_flower_it_hears_of_workers_alone() -> None:
    seen = to_target(Settings(), _target(flower="http://flower:5555", celery="amqp://rabbit//"))
    assert (seen.hears_tasks, "events" in seen.sources) == (False, True)


def test_where_only_the_management_api_is_named_nothing_is_heard() -> None:
    assert not _target(flower="http://flower:5555", rabbitmq="http://rabbit:15672").hears
    assert "redis, or celery" in complaint(flower="http://flower:5555", rabbitmq="http://rabbit:15672", events="all")


def _target(**given: Any) -> TargetSettings:
    return TargetSettings.model_validate({"name": "prod", **given})
