"""The engine's broker under another name than the watched server that it is."""

import pytest

from watchdog.daemon.engine.other_name import addresses_of, watched_under_another_name
from watchdog.sources.redis.address import RedisAddress, parse_address
from watchdog.sources.redis.sentinel_address import SentinelAddress, parse_sentinels

NAMES = {"redis": {"10.0.0.1"}, "redis.shop.svc": {"10.0.0.1", "10.0.0.2"}, "engine": {"10.0.0.9"}}


def found(broker: str, *watched: str) -> str | None:
    places = [place(url) for url in watched]
    return watched_under_another_name(place(broker), {"shop": places}, lambda host: frozenset(NAMES.get(host, set())))


def place(url: str) -> RedisAddress | SentinelAddress:
    return parse_sentinels(url) if url.startswith("sentinel") else parse_address(url)


def test_two_names_of_one_address_and_port_are_one_server() -> None:
    assert found("redis://redis:6379/5", "redis://engine/0", "redis://redis.shop.svc/0") == "shop"


@pytest.mark.parametrize(
    ("broker", "watched"),
    [
        ("redis://engine", "redis://redis"),
        ("redis://redis:6380", "redis://redis.shop.svc:6379"),
        ("redis://nobody", "redis://nowhere"),
        ("unix:///run/redis.sock", "redis://redis"),
        ("sentinel://redis:6379/main/0", "redis://redis"),
        ("redis://redis", "sentinel://redis:6379/main/0"),
    ],
)
def test_other_servers_are_not(broker: str, watched: str) -> None:
    assert found(broker, watched) is None


def test_all_names_of_this_machine_are_one() -> None:
    assert addresses_of("127.0.0.1") == addresses_of("127.0.0.2") == frozenset({"loopback"})


def test_a_name_that_cannot_be_looked_up_has_no_address() -> None:
    assert addresses_of("no.such.name.invalid") == frozenset()
