"""The keyspace of INFO: how many keys each database holds, and how many of them expire."""

import pytest

from watchdog.core.model.replies import RedisServer
from watchdog.sources.redis.server import redis_server

BEFORE = b"# Server\r\nredis_version:7.0.15\r\nrole:master\r\n"


@pytest.mark.parametrize(
    ("told", "keyspace"),
    [
        (b"# Keyspace\r\ndb0:keys=12,expires=3,avg_ttl=0\r\ndb3:keys=1,expires=0,avg_ttl=0,subexpiry=0\r\n", {0: (12, 3), 3: (1, 0)}),
        (b"# Keyspace\r\n", {}),
        (b"", None),
        (b"# Keyspace\r\ndb0:keys=-1,expires=x\r\ndbx:keys=1,expires=1\r\n", {}),
    ],
)
def test_each_database_is_counted_as_far_as_it_is_told(told: bytes, keyspace: object) -> None:
    server = redis_server(BEFORE + told)
    assert isinstance(server, RedisServer)
    assert server.keyspace == keyspace
