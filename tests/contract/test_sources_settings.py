"""What every source's settings promise, and what a URL's faults are answered with."""

import subprocess
import sys

import pytest
from pydantic import BaseModel, ValidationError

from watchdog.core import queries
from watchdog.core.queries import Query
from watchdog.sources import SOURCES
from watchdog.sources.flower import FlowerSettings
from watchdog.sources.redis import RedisSettings

PLAIN = {"flower": "http://localhost:5555", "redis": "redis://localhost:6379/0"}
SECRET = {"flower": "http://user:hunter2@localhost:5555/flower", "redis": "redis://user:hunter2@localhost:6379/3"}


def complaint(settings: type[BaseModel], **given: object) -> str:
    with pytest.raises(ValidationError) as raised:
        settings.model_validate(given)
    return " ".join(str(error["msg"]) for error in raised.value.errors(include_input=False, include_url=False))


def test_every_question_names_a_registered_source() -> None:
    kinds = [getattr(queries, name) for name in queries.__all__]
    assert {kind.source for kind in kinds if kind is not Query} == SOURCES.keys()


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
    program = "import sys, watchdog.sources; sys.exit(any(name in sys.modules for name in ('httpx', 'redis', 'celery')))"
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
        ("localhost:6379", "redis://, rediss:// or unix://"),
        ("http://localhost:6379", 'found "http://"'),
        ("sentinel://h1:26379", "not supported in this release"),
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
    address = RedisSettings.model_validate({"url": "rediss://h/0?ssl_cert_reqs=CERT_OPTIONAL&ssl_ca_certs=/ca.pem"}).address
    assert (address.cert_reqs, address.ca_file) == ("optional", "/ca.pem")
