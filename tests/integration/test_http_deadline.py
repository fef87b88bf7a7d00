""" "Timed out" means "will not happen": with real sockets on the loopback, and a name whose look-up a test answers."""

import socket
import threading
import time
from typing import Any

import pytest

from tests.servers.receiver import Answer, RecordingReceiver
from tests.servers.tcp_server import TcpServer
from watchdog.core.incidents.outcome import Delivered, Later
from watchdog.receivers.http.attempt import HttpAttempt

NAME, DEAD = "receiver.example", "127.0.0.9"
REAL_LOOKUP = socket.getaddrinfo


def names(monkeypatch: pytest.MonkeyPatch, *addresses: str, after_s: float = 0.0) -> None:
    """The name has these addresses; who asks waits."""

    def look_up(host: str, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host != NAME:
            return REAL_LOOKUP(host, port, *args, **kwargs)
        time.sleep(after_s)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def attempt(port: int, timeout_s: float = 1.0) -> HttpAttempt:
    return HttpAttempt(f"http://{NAME}:{port}/hook", timeout_s=timeout_s, environ={})


def test_an_address_that_nobody_answers_leaves_time_for_the_next(receiver: RecordingReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, DEAD, "127.0.0.1")
    blocked = _blocked_at(DEAD, monkeypatch)
    one = attempt(receiver.port)
    outcome = one.post(b"{}", {}, 0.0)
    one.close()
    assert (outcome, blocked) == (Delivered("200"), [DEAD])


def _blocked_at(dead: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Connecting to this address takes all the time that it is given; who was blocked there."""
    import httpcore

    real, blocked = httpcore.SyncBackend.connect_tcp, []

    def connect(self: Any, host: str, to: int, timeout: float, *args: Any) -> Any:
        if host == dead:
            blocked.append(host)
            time.sleep(timeout)
            raise httpcore.ConnectTimeout("timed out")
        return real(self, host, to, timeout, *args)

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    return blocked


def test_what_is_out_of_time_before_it_is_sent_is_never_sent(receiver: RecordingReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, "127.0.0.1", after_s=0.6)  # a name server that is slow: nothing can cut that short
    one = attempt(receiver.port, timeout_s=0.2)
    outcome = one.post(b"{}", {}, 0.0)
    time.sleep(0.8)
    one.close()
    assert outcome == Later(f"http://{NAME}:{receiver.port} could not be reached within 0.2s", never_arrived=True)
    assert receiver.requests == []


def test_what_was_sent_in_time_and_is_not_answered_may_have_arrived(receiver: RecordingReceiver) -> None:
    receiver.then(Answer(delay_s=5.0))
    one = HttpAttempt(receiver.url, timeout_s=0.3, environ={})
    outcome = one.post(b"{}", {}, 0.0)
    one.close()
    assert outcome == Later(f"http://127.0.0.1:{receiver.port} did not answer within 0.3s")


def test_a_handshake_that_comes_too_late_sends_nothing() -> None:
    heard: list[bytes] = []

    def late(connection: socket.socket, closing: threading.Event) -> None:
        heard.append(connection.recv(65536))  # the client's hello, and no answer to it
        closing.wait(5)

    with TcpServer(late) as server:
        one = HttpAttempt(f"https://127.0.0.1:{server.port}/hook", timeout_s=0.3, environ={})
        outcome = one.post(b"{}", {}, 0.0)
        one.close()
    assert isinstance(outcome, Later)
    assert (outcome.never_arrived, all(b"POST" not in said for said in heard)) == (True, True)
