"""Proof: strangers understand what watchdog says, and watchdog understands how they answer.

`make proof-strangers`. The real daemon posts to a receiver on another HTTP stack than ours and the standard library's: Tornado, which
comes with Flower. What arrives over the wire is verified by the `standardwebhooks` package.
"""

import asyncio
import base64
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import redis
from junitparser import JUnitXml
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from tornado import httputil
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from tests.processes.cluster import Cluster
from tests.processes.running import running, watchdog_process
from tests.proofs.crash_lives import set_levels
from tests.servers.tcp_server import TcpServer, says
from tests.servers.waiting import until
from watchdog.core.incidents.outcome import Delivered, Later
from watchdog.core.incidents.test_message import message_for_test
from watchdog.receivers.webhook.receiver import WebhookReceiver
from watchdog.receivers.webhook.settings import WebhookSettings

SECRET = "whsec_" + base64.b64encode(b"a key of thirty-two random bytes").decode()


class Stranger:
    """A Tornado server: keeps each request with the connection that it came by; answers in chunks, without a length."""

    def __init__(self) -> None:
        self.requests: list[tuple[int, dict[str, str], bytes]] = []
        self._loop = asyncio.new_event_loop()
        self._sockets = bind_sockets(0, "127.0.0.1")
        self.url = f"http://127.0.0.1:{self._sockets[0].getsockname()[1]}/hook"
        self._thread = threading.Thread(target=self._run, name="stranger")
        self._thread.start()

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._loop.run_forever()
        self._server.stop()
        self._loop.run_until_complete(self._server.close_all_connections())
        self._loop.close()

    async def _listen(self) -> None:
        self._server = HTTPServer(self._answer)
        self._server.add_sockets(self._sockets)

    def _answer(self, request: httputil.HTTPServerRequest) -> None:
        assert request.connection is not None
        self.requests.append((id(request.connection.stream), dict(request.headers.items()), request.body))  # type: ignore[attr-defined]
        headers = httputil.HTTPHeaders({"Transfer-Encoding": "chunked", "X-MiXeD": "Case"})
        first: Callable[..., Awaitable[None]] = request.connection.write_headers
        first(httputil.ResponseStartLine("HTTP/1.1", 200, "Fine"), headers, b"4\r\nthan\r\n2\r\nks\r\n0\r\n\r\n")
        request.connection.finish()


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    server = Stranger()
    yield server
    server.end()


def test_a_stranger_gets_signed_messages_of_a_real_daemon_over_one_connection(
    redis_server: Cluster, stranger: Stranger, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    config = 'interval = "0.2s"\ndatabase = "watchdog.db"\n[[target]]\nname = "prod"\n'
    config += f'redis = {{ url = "{redis_server.redis_url}", queues = ["a"] }}\n'
    config += f'[[receiver]]\nname = "them"\ntype = "webhook"\nurl = "{stranger.url}"\nsecret = "{SECRET}"\ngroup_interval = "0s"\n'
    (tmp_path / "watchdog.toml").write_text(config + '[[override]]\nrule = "*"\nfor = "0s"\nkeep_firing_for = "0s"\n')
    with redis.Redis.from_url(redis_server.redis_url) as world, running(tmp_path) as daemon:
        for level, count in ((60, 1), (0, 2), (60, 3)):
            set_levels(world, {"a": level})
            until(lambda count=count: len(stranger.requests) >= count, 30, f"{count} messages")  # type: ignore[misc]
        assert daemon.end() == 0
        assert "message_deferred" not in daemon.own_text
    for _, headers, body in stranger.requests:
        Webhook(SECRET).verify(body.decode(), headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(body.decode() + " ", headers)
        assert json.loads(body)["data"]["incidents"]
    connections = {connection for connection, _, _ in stranger.requests}
    assert len(connections) == 1
    figure(f"strangers: {len(stranger.requests)} messages verified by standardwebhooks, over {len(connections)} connection to Tornado")


ANSWERS = {
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\nfine",
    "closing": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfine",
    "chunks with extensions and a trailer": b"HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: Chunked\r\n\r\n4;a=b\r\nfine\r\n0\r\nX-T: 1\r\n\r\n",
    "continue first": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
    "early hints first": b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    "no reason": b"HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n",
    "odd header case": b"HTTP/1.1 200 OK\r\ncOnTeNt-LeNgTh: 4\r\n\r\nfine",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_however_a_stranger_says_yes_it_is_heard(answer: bytes) -> None:
    with TcpServer(says(answer)) as server:
        settings = WebhookSettings.model_validate(
            {"name": "a", "type": "webhook", "url": f"http://127.0.0.1:{server.port}/", "timeout": "5s"}
        )
        receiver = WebhookReceiver(settings)
        message = message_for_test("a", "watchdog", 1.8e9)
        assert isinstance(receiver.send(receiver.render(message), message.id, 1.8e9), Delivered)
        receiver.close()


def test_a_retry_after_in_any_case_is_heard() -> None:
    with TcpServer(says(b"HTTP/1.1 429 x\r\nrEtRy-AfTeR: 7\r\ncontent-length: 0\r\n\r\n")) as server:
        settings = WebhookSettings.model_validate(
            {"name": "a", "type": "webhook", "url": f"http://127.0.0.1:{server.port}/", "timeout": "5s"}
        )
        receiver = WebhookReceiver(settings)
        message = message_for_test("a", "watchdog", 1.8e9)
        outcome = receiver.send(receiver.render(message), message.id, 1.8e9)
        assert isinstance(outcome, Later)
        assert outcome.retry_after_s == 7.0
        receiver.close()


def test_a_real_check_is_a_report_to_junitparser(redis_server: Cluster, tmp_path: Path) -> None:
    with redis.Redis.from_url(redis_server.redis_url) as world:
        set_levels(world, {"a": 60})
    target = f'[[target]]\nname = "prod"\nredis = {{ url = "{redis_server.redis_url}", queues = ["a"] }}\n'
    (tmp_path / "watchdog.toml").write_text(target)
    done = watchdog_process("check", "--once", "--format", "junit", cwd=tmp_path)
    assert done.returncode == 1
    report = JUnitXml.fromstring(done.stdout)
    failed = [case.name for suite in report for case in suite if any(type(one).__name__ == "Failure" for one in case.result)]
    assert "QueueBacklogHigh" in " ".join(failed)
