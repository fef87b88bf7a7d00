"""What every source's settings promise, and what a URL's faults are answered with."""

import subprocess
import sys

import pytest
from pydantic import BaseModel, ValidationError

from watchdog.core.model import queries
from watchdog.core.model.queries import Query
from watchdog.core.model.schedules import queries as periodic_queries
from watchdog.core.model.servers import rabbitmq_queries, worker_queries
from watchdog.sources import EVENTS, SOURCES
from watchdog.sources.flower.source import FlowerSettings
from watchdog.sources.redis.address import RedisAddress
from watchdog.sources.redis.sentinel_address import SentinelAddress, parse_sentinels
from watchdog.sources.redis.source import RedisSettings

PLAIN = {
    "flower": "http://localhost:5555",
    "redis": "redis://localhost:6379/0",
    "rabbitmq": "http://localhost:15672",
    "results": "redis://localhost:6379/1",
    "django": "sqlite:////srv/db.sqlite3",
    "celery": "amqp://localhost//",
}
SECRET = {
    "flower": "http://user:hunter2@localhost:5555/flower",
    "redis": "redis://user:hunter2@localhost:6379/3",
    "rabbitmq": "https://user:hunter2@localhost:15671/rabbit",
    "results": "sentinel://user:hunter2@localhost:26379/mymaster/3",
    "django": "postgresql://user:hunter2@localhost/shop",
    "celery": "amqps://user:hunter2@localhost/shop",
}


def complaint(settings: type[BaseModel], **given: object) -> str:
    with pytest.raises(ValidationError) as raised:
        settings.model_validate(given)
    return " ".join(str(error["msg"]) for error in raised.value.errors(include_input=False, include_url=False))


def test_every_question_names_a_registered_source() -> None:
    kinds = [getattr(module, name) for module in (queries, rabbitmq_queries, periodic_queries, worker_queries) for name in module.__all__]
    assert {kind.source for kind in kinds if isinstance(kind, type) and issubclass(kind, Query) and kind is not Query} == {*SOURCES, EVENTS}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_url_is_enough(kind: str) -> None:
    source = SOURCES[kind].source(SOURCES[kind].settings.model_validate({"url": PLAIN[kind]}))
    assert (source.name, source.longest_s > 0) == (kind, True)
    source.close()


@pytest.mark.parametrize("kind", SOURCES)
def test_unknown_keys_are_errors_and_settings_do_not_change(kind: str) -> None:
    settings = SOURCES[kind].settings
    assert (settings.model_config.get("extra"), settings.model_config.get("frozen")) == ("forbid", True)


@pytest.mark.parametrize("kind", SOURCES)
def test_a_password_in_the_url_is_never_shown(kind: str) -> None:
    settings = SOURCES[kind].settings.model_validate({"url": SECRET[kind]})
    assert "hunter2" not in f"{settings!r} {settings.model_dump_json()} {settings.masked_url()}"  # type: ignore[attr-defined]


@pytest.mark.parametrize("timeout", ["0s", "soon", 5, -1])
@pytest.mark.parametrize("kind", SOURCES)
def test_a_timeout_is_a_duration_longer_than_nothing(kind: str, timeout: object) -> None:
    assert complaint(SOURCES[kind].settings, url=PLAIN[kind], timeout=timeout)


def test_a_duration_is_read_as_seconds() -> None:
    settings = RedisSettings.model_validate({"url": PLAIN["redis"], "visibility_timeout": "1h30m", "timeout": "250ms"})
    assert (settings.visibility_timeout, settings.timeout) == (5400.0, 0.25)


def test_importing_the_sources_imports_no_client_library() -> None:
    program = "import sys, watchdog.sources; sys.exit(any(name in sys.modules for name in ('httpx', 'redis', 'celery', 'kombu', 'amqp')))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("localhost:5555", "http:// or https://, found no scheme"),
        ("ftp://flower", 'http:// or https://, found "ftp://"'),
        ("http://", "expected a host"),
        ("http://flower:port", "cannot be read"),
        ("http://flower:5555/?page=1", "found a ? or #"),
        ("", "http:// or https://"),
    ],
)
def test_a_wrong_flower_url_is_told_what_was_expected(url: str, said: str) -> None:
    assert said in complaint(FlowerSettings, url=url)


def test_flower_credentials_leave_the_url() -> None:
    settings = FlowerSettings.model_validate({"url": "https://us%40er:p%3Aw@flower.test:8443/prefix/"})
    password = settings.password.get_secret_value() if settings.password else None
    assert (settings.url, settings.username, password) == ("https://flower.test:8443/prefix", "us@er", "p:w")


def test_flower_credentials_are_given_once() -> None:
    assert "credentials once" in complaint(FlowerSettings, url="http://a:b@flower", username="c")


@pytest.mark.parametrize("headers", [{"X Y": "a"}, {"X": "a\nb"}, {"X": "é"}])
def test_a_header_that_cannot_be_sent_is_refused_without_its_value(headers: dict[str, str]) -> None:
    assert "expected" in complaint(FlowerSettings, url="http://flower", headers=headers)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("localhost:6379", "redis://, rediss://, unix:// or sentinel://"),
        ("valkey://localhost:6379", "redis:// for a Valkey"),
        ("http://localhost:6379", 'found "http://"'),
        ("amqp://localhost//", 'leave redis out: RabbitMQ is named by celery = "amqp://…"'),
        ("sqs://localhost", "leave redis out: over sqs"),
        ("redis+socket:///run/redis.sock", "unix:///path/to/redis.sock"),
        ("redis://localhost:port/0", "cannot be read"),
        ("redis://:pa/ss@localhost/0", "%-escaped"),
        ("redis://localhost/prod", "number of a database"),
        ("redis://localhost/0?socket_timeout=3", '"socket_timeout"'),
        ("unix://", "found no path"),
        ("redis://:pa#ss@localhost/0", "expected"),
    ],
)
def test_a_wrong_redis_url_is_told_what_was_expected(url: str, said: str) -> None:
    message = complaint(RedisSettings, url=url)
    assert said in message
    assert "ss@" not in message


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("redis://localhost", "redis://localhost:6379/0"),
        ("redis://:hunter2@[::1]:6380/2", "redis://***@[::1]:6380/2"),
        ("rediss://user:hunter2@redis.test/1?ssl_cert_reqs=CERT_NONE", "rediss://***@redis.test:6379/1"),
        ("unix:///run/redis.sock?db=4", "unix:///run/redis.sock?db=4"),
        ("unix://user:hunter2@/run/redis.sock", "unix://***@/run/redis.sock"),
    ],
)
def test_a_redis_url_is_shown_without_its_userinfo(url: str, masked: str) -> None:
    assert RedisSettings.model_validate({"url": url}).masked_url() == masked


def test_celerys_own_tls_options_in_the_url_are_understood() -> None:
    address = RedisSettings.model_validate({"url": "rediss://h/0?ssl_cert_reqs=CERT_OPTIONAL&ssl_ca_certs=/ca.pem"}).place
    assert isinstance(address, RedisAddress)
    assert (address.cert_reqs, address.ca_file) == ("optional", "/ca.pem")


# --- sentinels ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "hosts", "master", "db"),
    [
        ("sentinel://a/mymaster", [("a", 26379)], "mymaster", 0),
        ("sentinel://a:1,b:2,[::1]:3,[::2]/mymaster/4", [("a", 1), ("b", 2), ("::1", 3), ("::2", 26379)], "mymaster", 4),
        ("redis+sentinel://u:p@a:1,b:2/mymaster/0", [("a", 1), ("b", 2)], "mymaster", 0),
        ("sentinel://:p@a:1/3;sentinel://:p@b:2/3", [("a", 1), ("b", 2)], "", 3),
        ("sentinel://a:1;sentinel://b:2", [("a", 1), ("b", 2)], "", 0),
        ("sentinel://a:1;b:2/5", [("a", 1), ("b", 2)], "", 5),
        ("sentinel://a:1,a:1/m/", [("a", 1)], "m", 0),
    ],
)
def test_both_spellings_of_a_sentinel_url_are_read(url: str, hosts: list[tuple[str, int]], master: str, db: int) -> None:
    address = parse_sentinels(url)
    assert (list(address.sentinels), address.master, address.to_master.db) == (hosts, master, db)


@pytest.mark.parametrize("scheme", ["sentinels", "rediss+sentinel"])
def test_the_tls_schemes_mean_the_master_and_the_sentinels(scheme: str) -> None:
    place = RedisSettings.model_validate({"url": f"{scheme}://a/mymaster?ssl_certfile=/c.pem", "ca_file": "/ca.pem"}).place
    assert isinstance(place, SentinelAddress)
    for address in (place.to_master, place.to_sentinel):
        assert (address.tls, address.ca_file, address.cert_file) == (True, "/ca.pem", "/c.pem")


@pytest.mark.parametrize(("scheme", "sentinel_tls"), [("sentinels", False), ("sentinel", True)])
def test_the_sentinels_may_differ_from_the_master_in_tls(scheme: str, *, sentinel_tls: bool) -> None:
    place = RedisSettings.model_validate({"url": f"{scheme}://a/mymaster", "sentinel_tls": sentinel_tls}).place
    assert isinstance(place, SentinelAddress)
    assert (place.to_master.tls, place.to_sentinel.tls) == (not sentinel_tls, sentinel_tls)


def test_the_sentinels_have_credentials_of_their_own() -> None:
    given = {"url": "sentinel://app:one@a/mymaster/0", "sentinel_username": "s", "sentinel_password": "two"}
    place = RedisSettings.model_validate(given).place
    assert isinstance(place, SentinelAddress)
    assert (place.to_master.username, place.to_master.password) == ("app", "one")
    assert (place.to_sentinel.username, place.to_sentinel.password) == ("s", "two")


def test_celerys_own_url_needs_only_the_masters_name_beside_it() -> None:
    settings = RedisSettings.model_validate({"url": "sentinel://:hunter2@a:1/2;sentinel://:hunter2@b:2/2", "master": "mymaster"})
    assert settings.masked_url() == "sentinel://***@a:1,b:2/mymaster/2"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "sentinel://a:26379/0"}, "`master` beside it"),
        ({"url": "sentinel://a:26379"}, "master_name in Celery's broker_transport_options"),
        ({"url": "sentinel://a/one", "master": "two"}, "expected one name for the master"),
        ({"url": "sentinel:///mymaster/0"}, "found a host that cannot be read"),
        ({"url": "sentinel://"}, "found no host"),
        ({"url": "sentinel://a:port/mymaster"}, "found a host that cannot be read"),
        ({"url": "sentinel://a:70000/mymaster"}, "1 to 65535"),
        ({"url": "sentinel://a/mymaster/prod"}, "number of a database"),
        ({"url": "sentinel://:pa/ss@a/mymaster"}, "%-escaped"),
        ({"url": "sentinel://a/mymaster?master_name=x"}, '"master_name"'),
        ({"url": "sentinel://a/my%20master"}, "as `sentinel monitor` has it"),
        ({"url": "sentinel://a", "master": "my master"}, "as `sentinel monitor` has it"),
        ({"url": "redis://a/0", "master": "mymaster"}, "begins with sentinel://"),
        ({"url": "redis://a/0", "sentinel_password": "hunter2"}, "begins with sentinel://"),
        ({"url": "rediss://a/0", "key_file": "/k.pem"}, "`cert_file` beside it"),
    ],
)
def test_what_does_not_fit_together_is_told(given: dict[str, str], said: str) -> None:
    message = complaint(RedisSettings, **given)
    assert said in message
    assert not any(secret in message for secret in ("hunter2", "ss@"))
