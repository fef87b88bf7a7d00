"""Receivers and Flower through a real forward proxy: which way a request takes, whom it trusts, what is said of a proxy in the way."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders.outbox import T0, message
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.forward_proxy import ForwardProxy
from tests.servers.receiver import Answer, RecordingReceiver
from tests.servers.tcp_server import TcpServer, is_silent
from watchdog.core.incidents.outcome import Delivered, Later, Outcome
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import WorkerStatus
from watchdog.demo.processes import free_port
from watchdog.receivers.webhook.receiver import WebhookReceiver
from watchdog.receivers.webhook.settings import WebhookSettings
from watchdog.sources.flower.source import FlowerSettings, FlowerSource

LOGIN = ("pr0xy-user", "pr0xy-pa55word")
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxies_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def proxy() -> Iterator[ForwardProxy]:
    with ForwardProxy() as running:
        yield running


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def secure(certificates: Certificates) -> Iterator[RecordingReceiver]:
    with RecordingReceiver(context=certificates.server_context()) as receiver:
        yield receiver


def send(url: str, **given: Any) -> Outcome:
    receiver = WebhookReceiver(WebhookSettings.model_validate({"type": "webhook", "name": "ops", "url": url, "timeout": "5s", **given}))
    try:
        return receiver.send(receiver.render(message("1")), "01MESSAGE1", T0)
    finally:
        receiver.close()


def with_login(proxy: ForwardProxy) -> str:
    return f"http://{LOGIN[0]}:{LOGIN[1]}@127.0.0.1:{proxy.port}"


def far(receiver: RecordingReceiver) -> str:
    """A URL that only the proxy knows the way to."""
    return f"http://receiver.example:{receiver.port}/hook"


# --- which way it goes --------------------------------------------------------------------------------------------------


def test_a_receiver_goes_through_the_proxy_of_the_environment(
    proxy: ForwardProxy, receiver: RecordingReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    assert send(far(receiver)) == Delivered("200")
    assert [asked.what for asked in proxy.asked] == [far(receiver)]


def test_a_receiver_on_this_machine_is_not_looked_for_through_the_environments_proxy(
    proxy: ForwardProxy, receiver: RecordingReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    assert send(receiver.url) == Delivered("200")
    assert proxy.asked == []


def test_what_no_proxy_names_is_asked_directly(proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", "internal.invalid")
    assert send("http://hook.internal.invalid/x") == Later("http://hook.internal.invalid: the host name cannot be resolved")
    assert proxy.asked == []


def test_none_ignores_the_environment(proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy.url)
    assert send("http://receiver.invalid/x", proxy="none") == Later("http://receiver.invalid: the host name cannot be resolved")
    assert proxy.asked == []


def test_a_proxy_that_is_named_is_used_for_everything(proxy: ForwardProxy, receiver: RecordingReceiver) -> None:
    assert send(receiver.url, proxy=proxy.url) == Delivered("200")
    assert [asked.what for asked in proxy.asked] == [receiver.url]


def test_netrc_is_never_read(receiver: RecordingReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password n3trc\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    send(receiver.url)
    assert "authorization" not in receiver.requests[0].headers


# --- credentials --------------------------------------------------------------------------------------------------------


def test_the_proxys_credentials_go_to_the_proxy_and_no_further(receiver: RecordingReceiver) -> None:
    with ForwardProxy(login=LOGIN) as proxy:
        assert send(receiver.url, proxy=with_login(proxy)) == Delivered("200")
        assert proxy.asked[0].authorization == proxy.wanted
    assert not [name for name in receiver.requests[0].headers if "auth" in name]


def test_in_a_tunnel_too(secure: RecordingReceiver, certificates: Certificates) -> None:
    with ForwardProxy(login=LOGIN) as proxy:
        assert send(secure.url, proxy=with_login(proxy), ca_file=certificates.ca) == Delivered("200")
    assert [(asked.method, asked.what) for asked in proxy.asked] == [("CONNECT", f"127.0.0.1:{secure.port}")]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_asks_for_credentials_is_told_apart_from_the_receiver(scheme: str) -> None:
    with ForwardProxy(login=LOGIN) as proxy:
        outcome = send(f"{scheme}://receiver.example/x", proxy=proxy.url)
    assert isinstance(outcome, Later)
    assert outcome.reason == (
        f"the proxy {proxy.url} (`proxy`) requires a user name and a password (407); write them into its URL, http://user:password@host:port"
    )
    assert outcome.never_arrived


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_wrong_credentials_are_said_and_not_shown(scheme: str) -> None:
    with ForwardProxy(login=("somebody", "else")) as proxy:
        outcome = send(f"{scheme}://receiver.example/x", proxy=with_login(proxy))
    assert isinstance(outcome, Later)
    assert "does not accept the user name or password" in outcome.reason
    assert not [secret for secret in LOGIN if secret in outcome.reason]


def test_a_receiver_that_repeats_the_proxys_credentials_gives_nothing_away(receiver: RecordingReceiver) -> None:
    with ForwardProxy(login=LOGIN) as proxy:
        receiver.then(Answer(500, body=f"{proxy.wanted} {LOGIN[1]}".encode()))
        outcome = send(receiver.url, proxy=with_login(proxy))
    assert isinstance(outcome, Later)
    assert not [secret for secret in (LOGIN[1], str(proxy.wanted)[6:]) if secret in outcome.reason]


# --- what is in the way ---------------------------------------------------------------------------------------------------


def test_a_proxy_that_is_not_running_is_named_with_the_variable_that_named_it(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    outcome = send("https://receiver.example/x")
    assert outcome == Later(f"the proxy http://127.0.0.1:{port} ($HTTPS_PROXY) refused the connection; is it running?", never_arrived=True)


def test_a_proxy_that_does_not_exist() -> None:
    assert send("https://receiver.example/x", proxy="http://proxy.invalid:3128") == Later(
        "the proxy http://proxy.invalid:3128 (`proxy`): the host name cannot be resolved"
    )


@pytest.mark.parametrize(("status", "said"), [(403, "does not let us through to"), (502, "could not reach"), (504, "could not reach")])
def test_a_proxy_that_refuses_a_tunnel(status: int, said: str) -> None:
    with ForwardProxy(refuses=status) as proxy:
        outcome = send("https://receiver.example/x", proxy=proxy.url)
    assert outcome == Later(f"the proxy {proxy.url} (`proxy`) {said} https://receiver.example ({status})", never_arrived=True)


def test_a_proxy_that_hangs_holds_no_longer_than_the_timeout() -> None:
    with TcpServer(is_silent) as silent:
        proxy = f"http://127.0.0.1:{silent.port}"
        outcome = send("https://receiver.example/x", proxy=proxy, timeout="300ms")
    assert outcome == Later(f"https://receiver.example did not answer within 0.3s, through the proxy {proxy} (`proxy`)")


def test_a_variable_that_names_no_http_proxy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://user:hunter2@proxy:1080")
    outcome = send("https://receiver.example/x")
    assert isinstance(outcome, Later)
    assert "$ALL_PROXY names a SOCKS proxy" in outcome.reason
    assert "hunter2" not in outcome.reason


# --- TLS ----------------------------------------------------------------------------------------------------------------


def test_a_certificate_is_verified_through_the_proxy(proxy: ForwardProxy, secure: RecordingReceiver) -> None:
    outcome = send(secure.url, proxy=proxy.url)
    assert isinstance(outcome, Later)
    assert "TLS failed" in outcome.reason
    assert secure.requests == []


def test_so_is_the_name_in_it(proxy: ForwardProxy, secure: RecordingReceiver, certificates: Certificates) -> None:
    outcome = send(f"https://receiver.example:{secure.port}/hook", proxy=proxy.url, ca_file=certificates.ca)
    assert isinstance(outcome, Later)
    assert "Hostname mismatch" in outcome.reason
    assert secure.requests == []


def test_a_proxy_that_speaks_tls_itself(secure: RecordingReceiver, certificates: Certificates) -> None:
    with ForwardProxy(context=certificates.server_context()) as proxy:
        assert send(secure.url, proxy=f"https://127.0.0.1:{proxy.port}", ca_file=certificates.ca) == Delivered("200")


def test_a_proxy_that_speaks_tls_itself_is_verified_too(receiver: RecordingReceiver, certificates: Certificates) -> None:
    with ForwardProxy(context=certificates.server_context()) as proxy:
        outcome = send(receiver.url, proxy=f"https://127.0.0.1:{proxy.port}")
    assert isinstance(outcome, Later)
    assert "TLS failed" in outcome.reason
    assert proxy.asked == []


# --- Flower ---------------------------------------------------------------------------------------------------------------


def first(url: str, **given: Any) -> object:
    source = FlowerSource(FlowerSettings.model_validate({"url": url, "timeout": "5s", **given}))
    try:
        return source.ask([WorkerStatus()]).replies[WorkerStatus()]
    finally:
        source.close()


@pytest.fixture(name="flower")
def a_flower() -> Iterator[RecordingReceiver]:
    """Answers both parts of the first question."""
    with RecordingReceiver() as server:
        server.then(Answer(body=b"OK"), Answer(body=b'{"celery@a": true}'))
        yield server


def base(flower: RecordingReceiver) -> str:
    return f"http://127.0.0.1:{flower.port}"


def test_flower_is_asked_directly_unless_told_otherwise(
    proxy: ForwardProxy, flower: RecordingReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    assert first(base(flower)) == {"celery@a": True}
    assert first(f"http://flower.invalid:{flower.port}") == Gap(
        f"flower: the host name in http://flower.invalid:{flower.port} cannot be resolved (DNS): is it spelt right?"
    )
    assert proxy.asked == []


def test_flower_is_asked_through_a_proxy_that_is_named(flower: RecordingReceiver) -> None:
    with ForwardProxy(login=LOGIN) as proxy:
        assert first(base(flower), proxy=with_login(proxy)) == {"celery@a": True}
        assert len(proxy.asked) == 2


def test_flower_is_asked_through_the_environments_proxy_where_that_is_wanted(
    proxy: ForwardProxy, flower: RecordingReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy.url)
    assert first(f"http://flower.example:{flower.port}", proxy="environment") == {"celery@a": True}


def test_a_proxy_in_the_way_of_flower_is_a_gap_that_names_it() -> None:
    with ForwardProxy(refuses=403) as proxy:
        assert first("https://flower.example", proxy=proxy.url) == Gap(
            f"flower: the proxy {proxy.url} (`proxy`) does not let us through to https://flower.example (403)"
        )
    with ForwardProxy(login=LOGIN) as proxy:
        answer = first("http://flower.example", proxy=proxy.url)
        assert isinstance(answer, Gap)
        assert "requires a user name and a password (407)" in answer.reason
    closed = free_port()
    assert first("http://flower.example", proxy=f"http://127.0.0.1:{closed}") == Gap(
        f"flower: connection refused by the proxy http://127.0.0.1:{closed} (`proxy`): is it running there, on that port?"
    )
