"""How Flower is spoken to: every way in which HTTP/1.1 may carry an answer, and each that it may not, on real sockets."""

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers.certificates import Certificates, make_certificates
from tests.servers.forward_proxy import ForwardProxy
from tests.servers.receiver import Answer, RecordingReceiver
from tests.servers.tcp_server import Conversation, TcpServer, drips, is_silent, says
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Inspected, WorkerStatus
from watchdog.sources.flower.source import FlowerSettings, FlowerSource

OK = b"HTTP/1.1 200 OK\r\n"
LOGIN = ("pr0xy-user", "pr0xy-pa55word")


def flower(url: str, **more: object) -> FlowerSource:
    return FlowerSource(FlowerSettings.model_validate({"url": url, "timeout": "2s", **more}))


def asked(source: FlowerSource) -> object:
    return source.ask([Inspected()]).replies[Inspected()]


def answered(answer: bytes, **more: object) -> object:
    """What the source makes of a server that says this, and closes."""
    with TcpServer(says(answer)) as server:
        source = flower(f"http://127.0.0.1:{server.port}", **more)
        try:
            return asked(source)
        finally:
            source.close()


def why(answer: object) -> str:
    assert isinstance(answer, Gap), answer
    return answer.reason


# --- how an answer may be carried ---------------------------------------------------------------------------------------------

CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
ZIPPED = gzip.compress(b"{}")


@pytest.mark.parametrize(
    "answer",
    [
        CHUNKED + b"1\r\n{\r\n1;note=x\r\n}\r\n0\r\nTrailer: x\r\n\r\n",
        OK + b"\r\n{}",
        b"HTTP/1.0 200 OK\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\n{}",
        OK + b"content-length: 2\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(ZIPPED), ZIPPED),
    ],
    ids=["chunked", "until it closes", "HTTP/1.0", "HTTP/1.0 with a length", "after others", "said twice", "no phrase", "compressed"],
)
def test_an_answer_is_read_however_it_is_carried(answer: bytes) -> None:
    assert answered(answer) == {}


@pytest.mark.parametrize(
    "answer",
    [CHUNKED + b"5\r\n{", CHUNKED + b"x\r\n{}\r\n0\r\n\r\n", CHUNKED + b"2\r\n{}\r\n"],
    ids=["cut", "no length", "no end"],
)
def test_chunks_that_are_cut_or_wrong_are_no_whole_answer(answer: bytes) -> None:
    assert "found it truncated or damaged after" in why(answered(answer))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 OK\r\n\r\n{}",
        b"HTTP/1.1 2000 OK\r\n\r\n{}",
        OK + b"Content-Length: two\r\n\r\n{}",
        OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        OK + b"no colon\r\n\r\n{}",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
    ],
    ids=["no status", "no such status", "no length", "two lengths", "no header", "unknown encoding", "another protocol"],
)
def test_a_head_that_is_no_http_is_a_gap(answer: bytes) -> None:
    assert "closed or something else" in why(answered(answer))


def endless(beginning: bytes, piece: bytes) -> Conversation:
    """It begins, and goes on for as long as somebody listens."""

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(beginning)
        while not closing.is_set():
            connection.sendall(piece * 1000)

    return converse


@pytest.mark.parametrize(
    ("beginning", "piece", "says_why"),
    [
        (b"", b"H", "closed or something else"),
        (OK, b"X-Y: z\r\n", "closed or something else"),
        (OK + b"X: ", b"y", "closed or something else"),
        (CHUNKED, b"1\r\nx\r\n", "at most 100000 bytes"),
        (OK + b"\r\n", b"x", "at most 100000 bytes"),
    ],
    ids=["status line", "headers", "header", "chunks", "body"],
)
def test_an_answer_without_end_is_not_read_to_its_end(beginning: bytes, piece: bytes, says_why: str) -> None:
    with TcpServer(endless(beginning, piece)) as server:
        source = flower(f"http://127.0.0.1:{server.port}", timeout="20s", max_answer_bytes=100_000)
        assert says_why in why(asked(source))
        source.close()


def test_what_is_small_only_while_compressed_is_too_large() -> None:
    bomb = gzip.compress(b" " * 5_000_000)
    answer = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(bomb), bomb)
    assert "at most 100000 bytes" in why(answered(answer, max_answer_bytes=100_000))


def test_an_answer_in_drips_that_arrives_in_time_is_an_answer() -> None:
    with TcpServer(drips(CHUNKED + b"2\r\n{}\r\n0\r\n\r\n", every_s=0.001)) as server:
        source = flower(f"http://127.0.0.1:{server.port}")
        assert asked(source) == {}
        source.close()


# --- one connection -----------------------------------------------------------------------------------------------------------


def keeps_answering(answer: bytes) -> Conversation:
    """The same answer to everything that is asked on one connection."""

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        while connection.recv(65536):
            connection.sendall(answer)

    return converse


@pytest.mark.parametrize(
    ("answer", "connections"),
    [
        (CHUNKED + b"2\r\n{}\r\n0\r\n\r\n", 1),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", 1),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 1),
        (OK + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}", 3),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", 3),
        (OK + b"Content-Length: 200\r\n\r\n" + b"x" * 200, 3),
        (OK + b"Content-Length: 2\r\n\r\n{}{}", 3),
    ],
    ids=["chunked", "404", "204", "to be closed", "HTTP/1.0", "cut", "more than was asked for"],
)
def test_a_connection_is_used_again_only_where_the_next_answer_begins(answer: bytes, connections: int) -> None:
    with TcpServer(keeps_answering(answer)) as server:
        source = flower(f"http://127.0.0.1:{server.port}", max_answer_bytes=100)
        replies = [str(asked(source)) for _ in range(3)]
        source.close()
    assert (server.connections, len(set(replies))) == (connections, 1)


def test_a_connection_that_was_idle_for_long_is_opened_anew() -> None:
    """What lies between may have forgotten it without a word."""
    now = [time.monotonic()]
    with TcpServer(keeps_answering(OK + b"Content-Length: 2\r\n\r\n{}")) as server:
        settings = FlowerSettings.model_validate({"url": f"http://127.0.0.1:{server.port}"})
        source = FlowerSource(settings, clock=lambda: now[0])
        for later_s in (0.0, 119.0, 121.0):
            now[0] += later_s
            assert asked(source) == {}
        source.close()
    assert server.connections == 2


def test_a_server_that_answers_before_it_hears_the_question_is_heard() -> None:
    def converse(connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        connection.recv(65536)

    with TcpServer(converse) as server:
        source = flower(f"http://127.0.0.1:{server.port}")
        assert "503 (server error)" in why(asked(source))
        source.close()


def test_flower_at_an_ipv6_address_is_asked() -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")
    heard: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            heard.append(connection.recv(65536))
            connection.sendall(OK + b"Content-Length: 2\r\n\r\n{}")

    thread = threading.Thread(target=serve)
    thread.start()
    with listener:
        port = listener.getsockname()[1]
        source = flower(f"http://[::1]:{port}")
        assert asked(source) == {}
        source.close()
        thread.join()
    assert b"Host: [::1]:%d\r\n" % port in heard[0]


def test_a_request_says_no_more_than_it_must(receiver: RecordingReceiver) -> None:
    receiver.default = Answer(body=b"{}")
    source = flower(f"http://ops:hunter2@127.0.0.1:{receiver.port}", headers={"accept": "application/json", "Authorization": "Bearer x"})
    asked(source)
    source.close()
    assert dict(receiver.requests[0].headers) == {
        "host": f"127.0.0.1:{receiver.port}",
        "accept": "application/json",
        "accept-encoding": "identity",
        "connection": "keep-alive",
        "user-agent": "celery-watchdog",
        "authorization": "Basic b3BzOmh1bnRlcjI=",
    }


# --- through a proxy ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def secure(certificates: Certificates) -> Iterator[RecordingReceiver]:
    with RecordingReceiver(Answer(body=b"{}"), certificates.server_context()) as server:
        yield server


def through(proxy_url: str, server: RecordingReceiver, certificates: Certificates, **more: object) -> object:
    source = flower(f"https://127.0.0.1:{server.port}", proxy=proxy_url, **{"ca_file": str(certificates.ca), **more})
    try:
        return asked(source)
    finally:
        source.close()


def test_a_tunnel_is_opened_with_the_proxys_login_which_flower_never_sees(secure: RecordingReceiver, certificates: Certificates) -> None:
    with ForwardProxy(login=LOGIN) as proxy:
        assert through(f"http://{LOGIN[0]}:{LOGIN[1]}@127.0.0.1:{proxy.port}", secure, certificates) == {}
        assert [(asked.method, asked.what, asked.authorization) for asked in proxy.asked] == [
            ("CONNECT", f"127.0.0.1:{secure.port}", proxy.wanted)
        ]
    assert not [name for name in secure.requests[0].headers if "auth" in name]


def test_a_tunnel_through_a_proxy_that_speaks_tls_itself(secure: RecordingReceiver, certificates: Certificates) -> None:
    with ForwardProxy(context=certificates.server_context()) as proxy:
        assert through(f"https://127.0.0.1:{proxy.port}", secure, certificates) == {}


def test_a_proxy_that_speaks_tls_itself_is_shown_no_client_certificate(secure: RecordingReceiver, certificates: Certificates) -> None:
    own = {"cert_file": str(certificates.client), "key_file": str(certificates.client_key)}
    with ForwardProxy(context=certificates.server_context(wants_client=True)) as proxy:
        answer = through(f"https://127.0.0.1:{proxy.port}", secure, certificates, **own)
        assert isinstance(answer, Gap)
        assert proxy.asked == []
    assert secure.requests == []


@pytest.mark.parametrize("more", [{}, {"ca_file": None}], ids=["another name", "another authority"])
def test_the_certificate_behind_a_tunnel_is_verified(certificates: Certificates, more: dict[str, Any]) -> None:
    context = certificates.server_context(certificate=certificates.elsewhere if not more else None)
    with RecordingReceiver(Answer(body=b"{}"), context) as server, ForwardProxy() as proxy:
        assert "is not trusted" in why(through(proxy.url, server, certificates, **more))
        assert server.requests == []


@pytest.mark.parametrize("converse", [is_silent, drips(b"HTTP/1.1 200 " + b"x" * 1000, every_s=0.02)], ids=["silent", "drips"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_hangs_costs_no_more_than_the_timeout(converse: Conversation, scheme: str) -> None:
    with TcpServer(converse) as server:
        proxy = f"http://127.0.0.1:{server.port}"
        source = flower(f"{scheme}://flower.example", proxy=proxy, timeout="1500ms")  # time to connect, also on a busy machine
        began = time.monotonic()
        assert f"within 1.5s, through the proxy {proxy} (`proxy`)" in why(asked(source))
        source.close()
    assert time.monotonic() - began < 4


def test_a_proxy_that_gives_no_http_is_a_gap() -> None:
    with TcpServer(says(b"SSH-2.0-OpenSSH_9.2\r\n")) as server:
        source = flower("https://flower.example", proxy=f"http://127.0.0.1:{server.port}")
        assert "closed or something else, through the proxy" in why(asked(source))
        source.close()


def test_the_place_behind_a_tunnel_is_in_brackets_if_it_is_an_ipv6_address() -> None:
    with ForwardProxy(refuses=403) as proxy:
        source = flower("https://[2001:db8::1]:5555", proxy=proxy.url)
        assert "(403)" in why(asked(source))
        source.close()
        assert [asked.what for asked in proxy.asked] == ["[2001:db8::1]:5555"]


def test_a_login_that_is_not_ascii_is_sent_as_utf_8(receiver: RecordingReceiver) -> None:
    receiver.default = Answer(body=b"OK")
    source = flower(f"http://127.0.0.1:{receiver.port}", username="jürgen", password="schlüssel")
    source.ask([WorkerStatus()])
    source.close()
    assert receiver.requests[0].headers["authorization"] == "Basic asO8cmdlbjpzY2hsw7xzc2Vs"
