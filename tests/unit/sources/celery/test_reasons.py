"""Why workers could not be asked: what kombu raises is told by its cause."""

import pytest
from kombu.exceptions import KombuError
from kombu.serialization import loads

from watchdog.sources.celery.amqp_address import AmqpAddress, parse_amqp
from watchdog.sources.celery.reasons import Refusal, refusal
from watchdog.sources.redis.address import RedisAddress

REDIS = RedisAddress(scheme="redis", host="shop")


def of_a_reply_in(content_type: str, place: RedisAddress | AmqpAddress) -> Refusal:
    with pytest.raises(KombuError) as refused:
        loads(b"\x80", content_type, "binary", accept=["json"])
    return refusal(refused.value, place, timeout_s=1.0, connect_timeout_s=1.0)


@pytest.mark.parametrize("content_type", ["application/x-msgpack", "application/x-python-serialize", "application/x-yaml"])
@pytest.mark.parametrize("place", [REDIS, parse_amqp("amqp://shop//")], ids=["redis", "amqp"])
def test_a_reply_in_another_form_than_json_is_told_with_the_setting_that_chose_it(
    content_type: str, place: RedisAddress | AmqpAddress
) -> None:
    assert "expected replies in JSON" in of_a_reply_in(content_type, place).reason
    assert "task_serializer" in of_a_reply_in(content_type, place).reason
