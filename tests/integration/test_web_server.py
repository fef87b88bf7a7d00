"""The web server on real sockets: an application takes the place of another one, an address that of another one."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.servers.waiting import until
from watchdog.web.server import ListenError, WebServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ANY = ("127.0.0.1", 0)


def saying(text: str, wait: Callable[[], object] = lambda: None) -> "WSGIApplication":
    def application(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        wait()
        start("200 OK", [("Content-Type", "text/plain")])
        return [text.encode()]

    return application


@pytest.fixture
def server() -> Iterator[WebServer]:
    with contextlib.closing(WebServer()) as made:
        yield made


def said(server: WebServer) -> str:
    return httpx.get(f"http://127.0.0.1:{server.port}/", trust_env=False).text


def test_what_is_offered_is_not_served_before_it_is_taken(server: WebServer) -> None:
    server.take(server.offer("here", ANY, saying("first")))
    second = server.offer("here", ANY, saying("second"))
    before = said(server)
    server.take(second)
    assert (before, said(server)) == ("first", "second")


def test_a_connection_that_is_kept_open_gets_the_new_application(server: WebServer) -> None:
    server.take(server.offer("here", ANY, saying("first")))
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", trust_env=False) as kept:
        before = kept.get("/").text
        server.take(server.offer("here", ANY, saying("second")))
        assert (before, kept.get("/").text) == ("first", "second")


def test_another_address_is_left_once_the_new_one_is_served(server: WebServer) -> None:
    server.take(server.offer("here", ANY, saying("first")))
    old = server.port
    server.take(server.offer("there", ANY, saying("second")))
    assert said(server) == "second"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{old}/", trust_env=False)


def test_an_address_in_use_is_refused_and_the_old_one_stays(server: WebServer) -> None:
    server.take(server.offer("here", ANY, saying("first")))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = ("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(ListenError, match="cannot be listened on: Address already in use"):
            server.offer("there", place, saying("second"))
    assert said(server) == "first"


def test_nothing_is_served_once_nothing_is_configured(server: WebServer) -> None:
    server.take(server.offer("here", ANY, saying("first")))
    server.take(None)
    assert server.port is None


def test_close_ends_its_threads_with_a_connection_left_open(server: WebServer) -> None:
    server.take(server.offer("here", ANY, saying("first")))
    with httpx.Client(trust_env=False) as kept:
        kept.get(f"http://127.0.0.1:{server.port}/")
        server.close()
        until(lambda: not any(thread.name in {"web", "waitress-0"} for thread in threading.enumerate()), 10, "its threads to end")
