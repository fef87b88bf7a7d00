"""A token from an OAuth2 token endpoint: a client-credentials grant. oauthlib writes the request and reads the answer.

In: the client, the time left. Out: a token and how long it holds, or why there is none. Imported when a token is first needed: oauthlib and
httpx are slow to import.
"""

import os
import re
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing
from urllib.parse import quote_plus

import httpx
from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error

from watchdog.core.model.gaps import Gap
from watchdog.net.deadline import Deadline
from watchdog.net.descriptor_limits import raise_if_own
from watchdog.net.http_proxy import Proxy, proxy_for
from watchdog.net.http_silence import Asked, silence
from watchdog.net.http_transport import HttpTransport
from watchdog.net.settings_types import proxy_text
from watchdog.net.tls_files import TlsFiles
from watchdog.sources.flower.access.settings import OAuthSettings
from watchdog.sources.flower.access.token import Obtained

__all__ = ["token_of_grant"]

MOST_BYTES = 256 * 1024
_CODE = re.compile(r"[a-z_]{1,60}")
"""The errors of RFC 6749. Other texts of the answer are not shown: an endpoint may repeat what it was sent."""


def token_of_grant(settings: OAuthSettings, deadline: Deadline, limit_s: float, clock: Callable[[], float]) -> Obtained | Gap:
    """Request a token. `limit_s` is what `deadline` began with, for the reason."""
    try:
        proxy = proxy_for(settings.token_url, proxy_text(settings.proxy), os.environ)
        transport = HttpTransport(settings.tls, proxy, limit_s, deadline, clock)
    except ValueError as error:  # from `proxy_for`
        return _no_token(str(error))
    except OSError as error:
        raise_if_own(error)
        return _no_token(f"cannot read {settings.ca_file} (`ca_file` of `oauth`): expected certificates in PEM form")
    client = BackendApplicationClient(settings.client_id)
    with closing(transport):
        try:
            status, body = _answer(transport, _request(client, settings), deadline)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise_if_own(error)
            return _no_token(silence(error, _asked(settings, proxy, limit_s)).removeprefix("flower: "))
    return _read(client, settings, status, body)


def _request(client: BackendApplicationClient, settings: OAuthSettings) -> httpx.Request:
    secret = settings.client_secret.get_secret_value()
    more = {"audience": settings.audience} if settings.audience else {}
    in_body = settings.client_auth == "post"
    if in_body:
        more["client_secret"] = secret
    body = client.prepare_request_body(scope=settings.scope, include_client_id=in_body, **more)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json", "User-Agent": "celery-watchdog"}
    if not in_body:
        pair = f"{quote_plus(settings.client_id)}:{quote_plus(secret)}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    return httpx.Request("POST", settings.token_url, headers=headers, content=body.encode())


def _answer(transport: httpx.BaseTransport, request: httpx.Request, deadline: Deadline) -> tuple[int, bytes]:
    """Status and body; a body that is too long is cut, and thereby no JSON."""
    body = bytearray()
    with closing(transport.handle_request(request)) as response:
        for piece in response.iter_bytes():
            body += piece
            if len(body) > MOST_BYTES:
                break
            if deadline.over:
                raise httpx.ReadTimeout("no time left")
        return response.status_code, bytes(body)


def _read(client: BackendApplicationClient, settings: OAuthSettings, status: int, body: bytes) -> Obtained | Gap:
    """The token in an answer."""
    server = settings.server
    try:
        answer = client.parse_request_body_response(body.decode("utf-8", "replace"), scope=None)
        token, lifetime = answer.get("access_token"), answer.get("expires_in")
    except OAuth2Error as error:
        return _no_token(_refused(settings, status, _code(error)))
    except Exception:  # noqa: BLE001 - whatever oauthlib raises for an answer of another form
        return _no_token(f"expected the JSON of a token from {server} (`oauth.token_url`), found status {status} and something else")
    if not isinstance(token, str):
        return _no_token(f"expected a text as access_token from {server} (`oauth.token_url`), found another value")
    return Obtained(token, float(lifetime) if lifetime else None)  # oauthlib has read it as a number


def _refused(settings: OAuthSettings, status: int, code: str) -> str:
    hints = {
        "invalid_client": f'is `client_secret` right, and does it expect `client_auth = "{_other(settings)}"`?',
        "unauthorized_client": "may this client use the grant client_credentials?",
        "invalid_scope": "see `scope` of `oauth`",
        "missing_token": "is `token_url` its token endpoint?",
    }
    hint = f": {hints[code]}" if code in hints else ""
    return f"{settings.server} (`oauth.token_url`) gave none, but {code} (status {status}){hint}"


def _code(error: OAuth2Error) -> str:
    code = error.error or ""
    return code if _CODE.fullmatch(code) else "an unknown error"


def _other(settings: OAuthSettings) -> str:
    return "post" if settings.client_auth == "basic" else "basic"


def _asked(settings: OAuthSettings, proxy: Proxy | None, limit_s: float) -> Asked:
    return Asked(
        settings.server,
        "",
        limit_s,
        limit_s,
        settings.tls or TlsFiles(),
        has_credentials=True,
        proxy=proxy,
        what="the token endpoint",
        of="oauth",
        limit="token_timeout",
    )


def _no_token(why: str) -> Gap:
    return Gap(f"flower: no token: {why}")
