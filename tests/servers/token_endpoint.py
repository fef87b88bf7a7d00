"""An OAuth2 token endpoint of ours on a free loopback port: a client-credentials grant for one client, tokens that are JWTs and expire."""

import base64
import json
import threading
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_plus

from tests.servers.receiver import Answer, RecordingReceiver, Request

NO_CLIENT = Answer(401, body=b'{"error": "invalid_client", "error_description": "unknown client or wrong secret"}')


def jwt(number: int, expires_at: float) -> str:
    """A JWT, as far as one can read it without its key."""
    parts = [{"alg": "HS256"}, {"exp": int(expires_at), "jti": f"t0ken-{number}"}]
    return ".".join([*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "c2lnbmVk"])


class TokenEndpoint(RecordingReceiver):
    """`valid` says whether a token was issued here, has not expired and was not revoked. `says`: an answer instead of tokens."""

    def __init__(self, client: tuple[str, str], lifetime_s: float = 3600.0, delay_s: float = 0.0, auth: str = "basic") -> None:
        super().__init__()
        self.says: Answer | None = None
        self.lifetime_s = lifetime_s
        self.wanted: Mapping[str, str] = {}
        self._client, self._auth, self._delay_s = client, auth, delay_s
        self._issued: dict[str, float] = {}
        self._counting = threading.Lock()

    @property
    def token_url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}/oauth2/token"

    @property
    def issued(self) -> list[str]:
        return list(self._issued)

    def revoke_all(self) -> None:
        with self._counting:
            self._issued = dict.fromkeys(self._issued, 0.0)

    def issue(self) -> str:
        with self._counting:
            token = jwt(len(self._issued), time.time() + self.lifetime_s)
            self._issued[token] = time.time() + self.lifetime_s
        return token

    def valid(self, token: str) -> bool:
        return self._issued.get(token, 0.0) > time.time()

    def take(self, request: Request) -> Answer:
        super().take(request)
        if self.says is not None:
            return self.says
        asked = dict(parse_qsl(request.body.decode()))
        if self._who(request, asked) != self._client:
            return NO_CLIENT
        if asked.get("grant_type") != "client_credentials" or not self.wanted.items() <= asked.items():
            return Answer(400, body=b'{"error": "invalid_scope"}')
        document = {"access_token": self.issue(), "token_type": "Bearer", "expires_in": self.lifetime_s}
        return Answer(200, {"content-type": "application/json"}, json.dumps(document).encode(), delay_s=self._delay_s)

    def _who(self, request: Request, asked: Mapping[str, str]) -> tuple[str, str]:
        if self._auth == "post":
            return asked.get("client_id", ""), asked.get("client_secret", "")
        encoded = request.headers.get("authorization", "").removeprefix("Basic ")
        name, _, secret = base64.b64decode(encoded).decode().partition(":")
        return unquote_plus(name), unquote_plus(secret)
