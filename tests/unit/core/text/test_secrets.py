"""What holds a secret prints none, whoever prints it."""

import io

import pytest
from rich.console import Console

from watchdog.cli.init.places import Place
from watchdog.core.text.secrets import Unprinted
from watchdog.net.http_proxy import Proxy
from watchdog.sources.celery.amqp_address import AmqpAddress
from watchdog.sources.flower.access.token import Obtained, Token
from watchdog.sources.redis.address import RedisAddress
from watchdog.sources.redis.sentinel_address import SentinelAddress

ADDRESS = RedisAddress("redis", "h", username="u", password="hunter2")
HOLDERS: tuple[Unprinted, ...] = (
    ADDRESS,
    AmqpAddress("h", 5672, "/", username="u", password="hunter2"),
    SentinelAddress((("h", 1),), "mymaster", ADDRESS, ADDRESS),
    Proxy("http://proxy:3128", "u", "hunter2"),
    Obtained("hunter2"),
    Token("hunter2", 0.0, 1.0),
    Place("redis", "redis://:hunter2@h/0"),
)


def by_rich(value: object) -> str:
    out = io.StringIO()
    Console(file=out, width=200).print(value, [value])
    return out.getvalue()


@pytest.mark.parametrize("printed", [repr, "{!r}".format, "%r".__mod__, by_rich])
@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)
def test_what_may_hold_a_secret_prints_its_kind_alone(holder: Unprinted, printed: object) -> None:
    assert callable(printed)
    text = printed(holder)
    assert "hunter2" not in text
    assert type(holder).__name__ in text


def test_every_such_value_is_tried_here() -> None:
    assert {type(holder) for holder in HOLDERS} == set(Unprinted.__subclasses__())
