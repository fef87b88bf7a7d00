"""A real Flower behind a proxy that wants to know who asks: every way to a token, and what is told if there is none."""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.processes.cluster import Cluster
from tests.servers.auth_proxy import OAUTH2_PROXY, AuthProxy, Carrier, bearer, in_cookie, in_header
from tests.servers.certificates import make_certificates
from tests.servers.forward_proxy import ForwardProxy
from tests.servers.receiver import Answer
from tests.servers.tcp_server import TcpServer, is_silent
from tests.servers.tls_proxy import TlsProxy
from tests.servers.token_endpoint import TokenEndpoint
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Inspected, WorkerStatus
from watchdog.demo.processes import free_port
from watchdog.sources.flower.access import tokens as tokens_module
from watchdog.sources.flower.source import FlowerSettings, FlowerSource, share_answers

CLIENT = ("watch:dog", "s3cr3t/cl:ient+")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def endpoint(stack: ExitStack) -> TokenEndpoint:
    return stack.enter_context(TokenEndpoint(CLIENT))


@pytest.fixture
def proxy(stack: ExitStack, cluster: Cluster, endpoint: TokenEndpoint) -> AuthProxy:
    return stack.enter_context(AuthProxy(cluster.flower_url, endpoint.valid))


def oauth(endpoint: TokenEndpoint, **more: object) -> dict[str, object]:
    return {"token_url": endpoint.token_url, "client_id": CLIENT[0], "client_secret": CLIENT[1], "proxy": "none", **more}


def source(url: str, **more: object) -> FlowerSource:
    return FlowerSource(FlowerSettings.model_validate({"url": url, "timeout": "10s", **more}))


def asked(one: FlowerSource) -> object:
    try:
        return one.ask([WorkerStatus()]).replies[WorkerStatus()]
    finally:
        one.close()


def why(answer: object) -> str:
    assert isinstance(answer, Gap), answer
    return answer.reason


def assert_let_in(answer: object) -> None:
    assert isinstance(answer, dict), answer
    assert "celery@web-1" in answer


# --- ways to a token ----------------------------------------------------------------------------------------------------------


def test_a_token_of_an_oauth_endpoint_opens_the_way(proxy: AuthProxy, endpoint: TokenEndpoint) -> None:
    assert_let_in(asked(source(proxy.base, oauth=oauth(endpoint))))


def test_a_token_of_a_command_opens_the_way(proxy: AuthProxy, endpoint: TokenEndpoint) -> None:
    assert_let_in(asked(source(proxy.base, token_command=["echo", endpoint.issue()])))


def test_a_token_in_a_file_opens_the_way(proxy: AuthProxy, endpoint: TokenEndpoint, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{endpoint.issue()}\n")
    assert_let_in(asked(source(proxy.base, token_file=str(path))))


@pytest.mark.parametrize(
    ("carrier", "given"),
    [
        (bearer, {}),
        (in_header("cf-access-token"), {"token_header": "cf-access-token"}),
        (in_cookie("_oauth2_proxy"), {"token_cookie": "_oauth2_proxy"}),
    ],
    ids=["bearer", "header", "cookie"],
)
def test_the_token_goes_where_the_proxy_looks_for_it(
    stack: ExitStack, cluster: Cluster, endpoint: TokenEndpoint, carrier: Carrier, given: dict[str, str]
) -> None:
    proxy = stack.enter_context(AuthProxy(cluster.flower_url, endpoint.valid, carrier=carrier))
    assert_let_in(asked(source(proxy.base, oauth=oauth(endpoint), **given)))


def test_a_cookie_that_the_proxy_sets_goes_beside_that_of_the_token(stack: ExitStack, endpoint: TokenEndpoint) -> None:
    carrier = in_cookie("_oauth2_proxy")
    balanced = Answer(200, {"set-cookie": "route=a; Path=/"}, b"{}")
    proxy = stack.enter_context(AuthProxy("", lambda _: False, carrier=carrier, login=balanced))
    one = source(proxy.base, token_command=["echo", "t0ken"], token_cookie="_oauth2_proxy")
    for _ in range(2):
        one.ask([Inspected()])
    one.close()
    assert proxy.requests[-1].headers["cookie"] == "_oauth2_proxy=t0ken; route=a"


def test_a_login_page_leaves_no_cookie_behind(stack: ExitStack) -> None:
    page = Answer(OAUTH2_PROXY.status, {"set-cookie": "_oauth2_proxy_csrf=x; Path=/"}, OAUTH2_PROXY.body)
    proxy = stack.enter_context(AuthProxy("", lambda _: False, login=page))
    one = source(proxy.base)
    for _ in range(2):
        one.ask([WorkerStatus()])
    one.close()
    assert "cookie" not in proxy.requests[-1].headers


def test_a_password_of_flower_itself_goes_beside_the_token(stack: ExitStack, endpoint: TokenEndpoint) -> None:
    carrier = in_header("proxy-authorization")
    proxy = stack.enter_context(AuthProxy("", lambda _: False, carrier=carrier, login=Answer(200, body=b"{}")))
    asked(source(proxy.base, token_command=["echo", "t0ken"], token_header="Proxy-Authorization", username="u", password="p"))
    assert (proxy.tokens()[0], proxy.requests[0].headers["authorization"]) == ("Bearer t0ken", "Basic dTpw")


# --- how long a token lasts ---------------------------------------------------------------------------------------------------


def test_one_token_serves_many_queries(proxy: AuthProxy, endpoint: TokenEndpoint) -> None:
    one = source(proxy.base, oauth=oauth(endpoint))
    for _ in range(3):
        assert_let_in(one.ask([WorkerStatus(), Inspected()]).replies[WorkerStatus()])
    one.close()
    assert len(endpoint.issued) == 1


def test_a_token_that_is_revoked_is_replaced_within_the_same_poll(
    proxy: AuthProxy, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens_module, "KEPT_AT_LEAST_S", 0.0)
    one = source(proxy.base, oauth=oauth(endpoint))
    one.ask([WorkerStatus()])
    endpoint.revoke_all()
    assert_let_in(asked(one))


def test_a_token_is_renewed_before_it_expires(proxy: AuthProxy, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens_module, "KEPT_AT_LEAST_S", 0.0)
    endpoint.lifetime_s = 2
    one = source(proxy.base, oauth=oauth(endpoint))
    ends_at = time.monotonic() + 3
    answers = []
    while time.monotonic() < ends_at:
        answers.append(one.ask([WorkerStatus()]).replies[WorkerStatus()])
    one.close()
    assert [answer for answer in answers if isinstance(answer, Gap)] == []


def test_targets_that_share_a_flower_share_its_token(proxy: AuthProxy, endpoint: TokenEndpoint) -> None:
    sources = [source(proxy.base, oauth=oauth(endpoint)) for _ in range(4)]
    share_answers(sources)
    threads = [threading.Thread(target=one.ask, args=([WorkerStatus()],)) for one in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in sources:
        one.close()
    assert len(endpoint.issued) == 1


# --- the grant ------------------------------------------------------------------------------------------------------------------


def test_scope_and_audience_are_asked_for(proxy: AuthProxy, endpoint: TokenEndpoint) -> None:
    endpoint.wanted = {"scope": "flower:read openid", "audience": "https://flower"}
    assert_let_in(asked(source(proxy.base, oauth=oauth(endpoint, scope="flower:read openid", audience="https://flower"))))


def test_a_scope_other_than_the_one_asked_for_is_no_fault(proxy: AuthProxy, endpoint: TokenEndpoint) -> None:
    document = {"access_token": endpoint.issue(), "token_type": "Bearer", "scope": "less", "expires_in": "3600"}
    endpoint.says = Answer(200, body=json.dumps(document).encode())
    assert_let_in(asked(source(proxy.base, oauth=oauth(endpoint, scope="more"))))


def test_the_secret_may_go_into_the_body(stack: ExitStack, cluster: Cluster) -> None:
    endpoint = stack.enter_context(TokenEndpoint(CLIENT, auth="post"))
    proxy = stack.enter_context(AuthProxy(cluster.flower_url, endpoint.valid))
    assert_let_in(asked(source(proxy.base, oauth=oauth(endpoint, client_auth="post"))))


def test_the_token_endpoint_may_need_https_and_an_authority_of_its_own(
    stack: ExitStack, proxy: AuthProxy, endpoint: TokenEndpoint, tmp_path: Path
) -> None:
    certificates = make_certificates(tmp_path)
    tls = stack.enter_context(TlsProxy(endpoint.port, certificates.server_context()))
    given = oauth(endpoint, token_url=f"https://127.0.0.1:{tls.port}/oauth2/token", ca_file=str(certificates.ca))
    assert_let_in(asked(source(proxy.base, oauth=given)))


def test_the_token_endpoint_may_be_behind_a_forward_proxy(stack: ExitStack, proxy: AuthProxy, endpoint: TokenEndpoint) -> None:
    forward = stack.enter_context(ForwardProxy())
    assert_let_in(asked(source(proxy.base, oauth=oauth(endpoint, proxy=forward.url))))
    assert [one.what for one in forward.asked] == [endpoint.token_url]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(400, body=b'{"error": "invalid_scope"}'), "gave none, but invalid_scope (status 400): see `scope`"),
        (Answer(401, body=b'{"error": "<b>s3cr3t</b>"}'), "gave none, but an unknown error (status 401)"),
        (Answer(200, body=b"{}"), "missing_token (status 200): is `token_url` its token endpoint?"),
        (Answer(404, body=b"<html>not here"), "missing_token (status 404): is `token_url`"),
        (Answer(200, body=b'{"access_token": ["x"], "token_type": "Bearer"}'), "expected a text as access_token"),
        (Answer(200, body=b'{"access_token": "a b", "token_type": "Bearer"}'), "found 2 words from `oauth`"),
        (Answer(200, body=b'{"access_token": "' + b"x" * 600_000 + b'"}'), "missing_token"),
        (Answer(200, body=b"[" * 100_000), "expected the JSON of a token"),
        (Answer(hang_up=True), "is it the port of the token endpoint"),
    ],
    ids=["scope", "unknown", "no token", "html", "no text", "words", "long", "deep", "hangs up"],
)
def test_an_endpoint_that_gives_no_token_is_named_with_what_it_said(
    proxy: AuthProxy, endpoint: TokenEndpoint, answer: Answer, says: str
) -> None:
    endpoint.says = answer
    reason = why(asked(source(proxy.base, oauth=oauth(endpoint))))
    assert says in reason
    assert "s3cr3t" not in reason


def test_a_wrong_client_secret_is_named(proxy: AuthProxy, endpoint: TokenEndpoint) -> None:
    reason = why(asked(source(proxy.base, oauth=oauth(endpoint, client_secret="wr0ng"))))
    assert 'invalid_client (status 401): is `client_secret` right, and does it expect `client_auth = "post"`?' in reason


def test_an_endpoint_that_nobody_listens_at_is_named(proxy: AuthProxy, endpoint: TokenEndpoint) -> None:
    place = f"http://127.0.0.1:{free_port()}"
    reason = why(asked(source(proxy.base, oauth=oauth(endpoint, token_url=f"{place}/t0ken"))))
    assert reason == f"flower: no token: connection refused by {place}: is the token endpoint running there, on that port?"


def test_an_endpoint_that_hangs_ends_with_the_limit(stack: ExitStack, proxy: AuthProxy, endpoint: TokenEndpoint) -> None:
    silent = stack.enter_context(TcpServer(is_silent))
    given = oauth(endpoint, token_url=f"http://127.0.0.1:{silent.port}/token")
    reason = why(asked(source(proxy.base, oauth=given, token_timeout="300ms")))
    assert "within 0.3s: it hangs or is too busy (the limit is `token_timeout`)" in reason


# --- login pages ----------------------------------------------------------------------------------------------------------------


def test_a_login_page_is_named_with_what_to_set(proxy: AuthProxy) -> None:
    assert why(asked(source(proxy.base))) == (
        f"flower: {proxy.base}/healthcheck answered with the login page of oauth2-proxy; "
        "set flower.token_command, flower.token_file or flower.oauth (docs/flower-auth.md)"
    )


def test_a_token_that_is_not_accepted_is_named_by_its_key(proxy: AuthProxy) -> None:
    assert "it does not accept the token of `token_command` of flower" in why(asked(source(proxy.base, token_command=["echo", "n0t-it"])))


@pytest.mark.parametrize("login", [Answer(401), Answer(302, {"location": "/oauth2/start?rd=/"}), Answer(200, body=OAUTH2_PROXY.body)])
def test_every_form_of_refusal_makes_a_new_token(
    stack: ExitStack, cluster: Cluster, endpoint: TokenEndpoint, login: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens_module, "KEPT_AT_LEAST_S", 0.0)
    proxy = stack.enter_context(AuthProxy(cluster.flower_url, endpoint.valid, login=login))
    one = source(proxy.base, oauth=oauth(endpoint))
    one.ask([WorkerStatus()])
    endpoint.revoke_all()
    assert_let_in(asked(one))


# --- the command beside the rest --------------------------------------------------------------------------------------------


def test_the_time_that_a_token_takes_is_not_flowers(proxy: AuthProxy, endpoint: TokenEndpoint) -> None:
    script = f"import time; time.sleep(1); print({endpoint.issue()!r})"
    one = source(proxy.base, token_command=[sys.executable, "-c", script])
    latency_ms = one.ask([WorkerStatus()]).latency_ms
    one.close()
    assert latency_ms is not None
    assert latency_ms < 1000


def test_the_command_gets_no_shell(proxy: AuthProxy, tmp_path: Path) -> None:
    note = tmp_path / "words"
    script = f"import json, sys; open({str(note)!r}, 'w').write(json.dumps(sys.argv[1:])); print('t0ken')"
    asked(source(proxy.base, token_command=[sys.executable, "-c", script, "$(id)", "a b", ";"]))
    assert json.loads(note.read_text()) == ["$(id)", "a b", ";"]
