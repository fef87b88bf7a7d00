"""Redis URLs of every kind: read back as they were meant, or refused without a word of what they hold."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from watchdog.sources.celery_urls import celery_place
from watchdog.sources.redis.address import RedisAddress, parse_address
from watchdog.sources.redis.sentinel_address import parse_sentinels
from watchdog.sources.redis.source import RedisSettings

SECRET = "hunter2"
hosts = st.sampled_from(["a", "redis-1.test", "10.0.0.7", "[::1]", "[fe80::1]"])
ports = st.integers(1, 65535)
schemes = st.sampled_from(["redis", "rediss", "unix", "sentinel", "sentinels", "redis+sentinel", "redis+socket", "http", ""])


@given(st.lists(st.tuples(hosts, ports), min_size=1, max_size=5, unique=True), st.text(min_size=1), st.text(min_size=1), st.integers(0, 99))
def test_a_sentinel_url_is_read_back_as_it_was_meant(places: list[tuple[str, int]], user: str, password: str, db: int) -> None:
    listed = ",".join(f"{host}:{port}" for host, port in places)
    read = parse_sentinels(f"sentinel://{quote(user, safe='')}:{quote(password, safe='')}@{listed}/mymaster/{db}")
    to = read.to_master
    assert read.sentinels == tuple((host.strip("[]"), port) for host, port in places)
    assert (read.master, to.username, to.password, to.db) == ("mymaster", user, password, db)


@given(st.lists(st.tuples(hosts, ports), min_size=1, max_size=5, unique=True), st.text(min_size=1), st.integers(0, 99))
def test_celerys_spelling_is_read_back_as_it_was_meant(places: list[tuple[str, int]], password: str, db: int) -> None:
    chunks = (f"sentinel://:{quote(password, safe='')}@{host}:{port}/{db}" for host, port in places)
    read = parse_sentinels(";".join(chunks))
    assert read.sentinels == tuple((host.strip("[]"), port) for host, port in places)
    assert (read.master, read.to_master.password, read.to_master.db) == ("", password, db)


@given(hosts, ports, st.text(min_size=1), st.integers(0, 99))
def test_a_plain_url_is_read_back_as_it_was_meant(host: str, port: int, password: str, db: int) -> None:
    read = parse_address(f"rediss://:{quote(password, safe='')}@{host}:{port}/{db}")
    assert isinstance(read, RedisAddress)
    assert (read.host, read.port, read.password, read.db) == (host.strip("[]"), port, password, db)


@given(schemes, st.text(alphabet="abc019:/@;,?#%[]. ="), st.text(alphabet="abc019:/@;,?#%[]. ="))
def test_what_cannot_be_read_is_refused_without_a_word_of_it(scheme: str, before: str, after: str) -> None:
    url = f"{scheme}://{before}:{SECRET}@{after}"
    celery_place(url)
    assert SECRET not in shown(url)


def shown(url: str) -> str:
    """All that may be said of it."""
    try:
        settings = RedisSettings.model_validate({"url": url})
    except ValidationError as refused:
        return " ".join(str(error["msg"]) for error in refused.errors(include_input=False, include_url=False))
    return f"{settings!r} {settings.masked_url()}"


@pytest.mark.parametrize("url", ["sentinel://:p,a;ss@h/m", "sentinel://:hunter2;x@h:1/m"])
def test_an_unescaped_separator_in_a_password_is_told(url: str) -> None:
    with pytest.raises(ValueError, match="%-escaped") as refused:
        parse_sentinels(url)
    assert "hunter2" not in str(refused.value)
