"""What people put before Flower: a reverse proxy on a free loopback port that lets requests with a valid token through."""

from collections.abc import Callable, Mapping
from http.cookies import SimpleCookie
from types import TracebackType

import httpx

from tests.servers.receiver import Answer, RecordingReceiver, Request

SIGN_IN = (
    b"<!DOCTYPE html>\n<html><head><title>Sign In</title></head><body>"
    b'<form method="GET" action="/oauth2/start"><input type="hidden" name="rd" value="/"><button>Sign in with OIDC</button></form>'
    b"</body></html>"
)
OAUTH2_PROXY = Answer(403, {"content-type": "text/html"}, SIGN_IN)
"""Its sign-in page, in the form in which oauth2-proxy sends it to browsers and programs alike."""

Carrier = Callable[[Mapping[str, str]], str]
"""Headers of a request -> the token in them."""


def bearer(headers: Mapping[str, str]) -> str:
    return headers.get("authorization", "").removeprefix("Bearer ")


def in_header(name: str) -> Carrier:
    return lambda headers: headers.get(name.lower(), "")


def in_cookie(name: str) -> Carrier:
    def token(headers: Mapping[str, str]) -> str:
        cookies = SimpleCookie(headers.get("cookie", ""))
        return cookies[name].value if name in cookies else ""

    return token


class AuthProxy(RecordingReceiver):
    """Hands requests with a token that `valid` accepts on to `to`; others get `login`. `carrier` finds the token."""

    def __init__(self, to: str, valid: Callable[[str], bool], *, carrier: Carrier = bearer, login: Answer = OAUTH2_PROXY) -> None:
        super().__init__(login)
        self._to, self._valid, self._carrier = to, valid, carrier
        self._client = httpx.Client(trust_env=False, timeout=10.0, verify=False)

    @property
    def base(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def tokens(self) -> list[str]:
        """The token of each request so far."""
        return [self._carrier(request.headers) for request in self.requests]

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        super().__exit__(kind, error, trace)
        self._client.close()

    def take(self, request: Request) -> Answer:
        refusal = super().take(request)
        if not self._valid(self._carrier(request.headers)):
            return refusal
        inner = {"authorization": request.headers["x-inner-authorization"]} if "x-inner-authorization" in request.headers else {}
        answer = self._client.request(request.method, self._to + request.path, headers=inner)
        return Answer(answer.status_code, {"content-type": answer.headers.get("content-type", "")}, answer.content)
