"""What is said of an AMQP broker that is not heard any more, and how long until the next attempt."""

import socket
import ssl

import pytest
from amqp import exceptions as amqp_errors

from watchdog.sources.celery.amqp_address import parse_amqp
from watchdog.sources.events.amqp_reasons import denial, fault
from watchdog.sources.events.listening import DENIED_WAIT_S, DeniedError

PLACE = parse_amqp("amqps://me:hunter2@rabbit/shop")


@pytest.mark.parametrize(
    ("error", "was_open", "said"),
    [
        (amqp_errors.ConsumerCancelled("cancelled"), True, "deleted the queue of the events"),
        (amqp_errors.ConnectionForced("Too many heartbeats missed"), True, "no answer from amqps://***@rabbit:5671/shop"),
        (amqp_errors.ConnectionForced("closed via management plugin"), True, "was lost; it is being opened again"),
        (AttributeError("'NoneType' object has no attribute 'drain'"), True, "was lost; it is being opened again"),
        (TimeoutError("timed out"), True, "in time: the broker hangs"),
        (socket.gaierror(-2, "Name or service not known"), False, "cannot be resolved (DNS)"),
        (ssl.SSLError("wrong version number"), False, "does that port expect amqps://"),
        (FileNotFoundError(2, "No such file"), False, "names a file that does not exist"),
        (OSError(113, "No route to host"), False, "No route to host"),
        (OSError(24, "Too many open files"), False, "LimitNOFILE"),
        (ValueError("hunter2"), False, "no connection to amqps://***@rabbit:5671/shop (ValueError)"),
    ],
)
def test_each_end_has_its_reason(error: Exception, said: str, *, was_open: bool) -> None:
    found = fault(error, PLACE, was_open=was_open)
    assert said in found.reason
    assert "hunter2" not in found.reason
    assert found.wait_s is None


@pytest.mark.parametrize("error", [amqp_errors.AccessRefused("Login was refused"), amqp_errors.NotAllowed("vhost"), DeniedError("no")])
def test_after_a_refusal_the_pause_is_long(error: Exception) -> None:
    assert fault(error, PLACE, was_open=False).wait_s == DENIED_WAIT_S


def test_a_refusal_names_the_virtual_host_and_what_it_means() -> None:
    with (
        pytest.raises(DeniedError, match=r"in the virtual host shop it needs these permissions: .* until then nothing is heard of tasks"),
        denial("declare a queue", PLACE, "nothing is heard of tasks"),
    ):
        raise amqp_errors.AccessRefused("access to queue 'celeryev.watchdog.1' in vhost 'shop' refused for user 'me'")
