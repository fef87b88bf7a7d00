"""docs/web.md: its samples for nginx, in the real nginx, before a real daemon."""

import contextlib
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from tests.processes.serving import serving
from tests.servers.nginx import NGINX, free_port, nginx

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
DOC = (Path(__file__).parents[2] / "docs" / "web.md").read_text(encoding="utf-8").partition("## Behind nginx")[2]
BASIC, OAUTH = re.findall(r"```nginx\n(.*?)```", DOC, re.DOTALL)
(HTTP,) = re.findall(r"```toml\n\[http\]\n(.*?)```", DOC, re.DOTALL)
OF_DAEMON = HTTP.replace('listen = "127.0.0.1:5556"\n', "")
KEPT, REMOVED = "proxy_pass http://127.0.0.1:5556;", "proxy_pass http://127.0.0.1:5556/;"
ADA = ("ada", "correct horse")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("daemon"), OF_DAEMON) as (_, url):
        yield url


@contextlib.contextmanager
def in_front(folder: Path, sample: str, daemon: str, oauth2_proxy: int = 4180) -> Iterator[httpx.Client]:
    """A client of nginx with the sample: its ports and its file of passwords replaced, nothing else."""
    port, passwords = free_port(), folder / "htpasswd"
    passwords.write_text("ada:{PLAIN}correct horse\n")
    replaced = {
        "listen 8080;": f"listen 127.0.0.1:{port};",
        "127.0.0.1:5556": daemon.removeprefix("http://"),
        "/etc/nginx/watchdog.htpasswd": str(passwords),
        "127.0.0.1:4180": f"127.0.0.1:{oauth2_proxy}",
    }
    for documented, ours in replaced.items():
        sample = sample.replace(documented, ours)
    with nginx(folder, sample, port) as url, httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
        yield client


@pytest.fixture(scope="module", params=[BASIC, BASIC.replace(KEPT, REMOVED)], ids=["prefix kept", "prefix removed"])
def proxied(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, daemon: str) -> Iterator[httpx.Client]:
    with in_front(tmp_path_factory.mktemp("nginx"), request.param, daemon) as client:
        yield client


def test_nobody_comes_in_without_a_password(proxied: httpx.Client) -> None:
    assert proxied.get("/watchdog/api/v1/targets").status_code == 401


def test_who_has_one_sees_the_cluster(proxied: httpx.Client) -> None:
    assert proxied.get("/watchdog/api/v1/targets", auth=ADA).json()["targets"][0]["target"] == "prod"


def test_health_is_below_the_prefix(proxied: httpx.Client) -> None:
    assert proxied.get("/watchdog/healthz", auth=ADA).text == "ok\n"


def test_a_redirect_leads_below_the_prefix(proxied: httpx.Client) -> None:
    led = proxied.get("/watchdog/api/", auth=ADA, follow_redirects=True)
    assert (led.url.path, led.json()["servers"]) == ("/watchdog/api/v1/openapi.json", [{"url": "/watchdog/api/v1"}])


@pytest.mark.parametrize("page", ["/watchdog/", "/watchdog/targets/prod", "/watchdog/incidents"])
def test_every_link_of_a_page_leads_below_the_prefix(proxied: httpx.Client, page: str) -> None:
    led = re.findall(r'(?:href|src|action|hx-get)="(/[^"]*)"', proxied.get(page, auth=ADA).text)
    assert (len(led) > 5, [link for link in led if not link.startswith("/watchdog/")]) == (True, [])


def test_what_a_page_loads_is_there(proxied: httpx.Client) -> None:
    loaded = re.findall(r'(?:href|src)="(/watchdog/static/[^"]*)"', proxied.get("/watchdog/", auth=ADA).text)
    assert {proxied.get(path, auth=ADA).status_code for path in loaded} == {200}


def test_what_is_written_bears_the_name_that_nginx_knows(proxied: httpx.Client) -> None:
    body = {"matchers": ["rule=WorkerLost"], "for": "1h"}
    written = proxied.post("/watchdog/api/v1/silences", json=body, auth=ADA, headers={"X-Forwarded-User": "eve"})
    assert written.json()["silence"]["author"] == "ada"


def test_a_page_of_ours_may_write_with_json(proxied: httpx.Client) -> None:
    page = {"Origin": str(proxied.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    assert proxied.post("/watchdog/api/v1/deploys", json={"version": "v1"}, auth=ADA, headers=page).status_code == 201


def test_a_page_of_another_site_may_not(proxied: httpx.Client) -> None:
    page = {"Origin": "https://evil.example"}
    assert proxied.post("/watchdog/api/v1/deploys", json={"version": "v1"}, auth=ADA, headers=page).status_code == 403


def test_the_header_counts_from_nginx_alone(daemon: str) -> None:
    from_elsewhere = httpx.HTTPTransport(local_address="127.0.0.2")
    with httpx.Client(base_url=daemon, transport=from_elsewhere, trust_env=False) as client:
        assert client.get("/api/v1/targets", headers={"X-Forwarded-User": "ada"}).status_code == 401


# --- oauth2-proxy ----------------------------------------------------------------------------------------------------------


class SignedIn(BaseHTTPRequestHandler):
    """As oauth2-proxy answers: 202 with the user to whoever has the cookie, 401 to others; and a page on which to sign in."""

    def do_GET(self) -> None:
        known = self.headers.get("Cookie") == "_oauth2_proxy=ada"
        asked = self.path == "/oauth2/auth"
        body = b"" if asked else f"sign in, then back to {self.headers.get('X-Auth-Request-Redirect')}".encode()
        self.send_response(202 if asked and known else 401 if asked else 200)
        if asked and known:
            self.send_header("X-Auth-Request-User", "ada")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
        """Nothing: pytest shows what is printed."""


@pytest.fixture(scope="module")
def behind_oauth2_proxy(tmp_path_factory: pytest.TempPathFactory, daemon: str) -> Iterator[httpx.Client]:
    with ThreadingHTTPServer(("127.0.0.1", 0), SignedIn) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        with in_front(tmp_path_factory.mktemp("nginx"), OAUTH, daemon, server.server_port) as client:
            yield client
        server.shutdown()
        thread.join()


COOKIE = {"Cookie": "_oauth2_proxy=ada"}


def test_a_stranger_is_sent_to_sign_in_and_back(behind_oauth2_proxy: httpx.Client) -> None:
    answer = behind_oauth2_proxy.get("/watchdog/api/v1/targets", headers={"X-Forwarded-User": "ada"})
    assert answer.text == "sign in, then back to /watchdog/api/v1/targets"


def test_who_has_signed_in_writes_in_their_own_name(behind_oauth2_proxy: httpx.Client) -> None:
    body = {"matchers": ["rule=WorkerLost"], "for": "1h"}
    written = behind_oauth2_proxy.post("/watchdog/api/v1/silences", json=body, headers=COOKIE | {"X-Forwarded-User": "eve"})
    assert written.json()["silence"]["author"] == "ada"
