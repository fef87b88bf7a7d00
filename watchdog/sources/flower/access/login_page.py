"""Recognises the login page of what people put before Flower.

In: the status, the target of a redirect and the start of the body. Out: whose login page it is, or "" if it is none. Names come from the
table below alone, so that nothing of a page gets into a reason.
"""

import re
from urllib.parse import SplitResult, urljoin, urlsplit

from msgspec import Struct

__all__ = ["login_page"]

READ_BYTES = 65536
"""How much of a page is searched; the marks of all of these are in its first lines or its form."""
UNNAMED = "something in front of Flower"
_STATUSES = frozenset({200, 401, 403})
"""Statuses with which login pages are sent: oauth2-proxy's is a 403."""


class _Login(Struct, frozen=True):
    """How one product is recognised: by the host and path that it redirects to, or by what is in its page."""

    name: str
    host: str = ""
    path: str = ""
    page: bytes = b""


_LOGINS = tuple(
    _Login(name, host, path, page)
    for name, host, path, page in (
        (
            "oauth2-proxy",
            r"(?!)",
            r"/oauth2/(start|sign_in|auth)\b",
            rb"/oauth2/(start|sign_in)\b|oauth2-proxy/oauth2-proxy|/start\">\s*<input type=\"hidden\" name=\"rd\"",
        ),
        ("Google", r"accounts\.google\.com", r"(?!)", rb"https://accounts\.google\.com/"),
        ("Keycloak", r"(?!)", r"/realms/[^/]+/protocol/", rb"kc-form-login|kc-login|/realms/[^/\"']+/protocol/openid-connect"),
        ("Cloudflare Access", r".+\.cloudflareaccess\.com", r"/cdn-cgi/access/", rb"\.cloudflareaccess\.com|/cdn-cgi/access/"),
        ("Microsoft", r"login\.(microsoftonline|windows)\.[a-z.]+", r"(?!)", rb"https://login\.microsoftonline\.com/"),
        ("Okta", r".+\.(okta|oktapreview|okta-emea)\.com", r"(?!)", rb"\.okta\.com/"),
        ("Auth0", r".+\.auth0\.com", r"(?!)", rb"\.auth0\.com/"),
        ("authentik", r"(?!)", r"/outpost\.goauthentik\.io/|/if/flow/", rb"goauthentik\.io"),
        ("Authelia", r"(?!)", r"/authelia\b|/api/oidc/", rb"<title>[^<]*Authelia"),
        ("GitHub", r"github\.com", r"(?!)", rb"https://github\.com/login"),
        ("GitLab", r"gitlab\.com", r"(?!)", rb"https://gitlab\.com/(users/sign_in|oauth)"),
    )
)
_ANY_PATH = re.compile(r"/(log_?-?in|sign_?-?in|sso|saml2?|oauth2?|openid-connect|authorize|cas)\b", re.IGNORECASE)
_PASSWORD = re.compile(rb"<input[^<>]{0,300}\btype\s*=\s*[\"']?password", re.IGNORECASE)


def login_page(status: int, body: bytes, location: str, asked: str) -> str:
    """Whose login page answered the request for the URL `asked`; "" if none did, as far as one can tell."""
    if 300 <= status < 400:
        return _redirected_to(location, asked)
    start = body[:READ_BYTES]
    if status not in _STATUSES or not start.lstrip().startswith(b"<"):
        return ""
    named = next((login.name for login in _LOGINS if re.search(login.page, start)), "")
    return named or (UNNAMED if _PASSWORD.search(start) else "")


def _redirected_to(location: str, asked: str) -> str:
    try:
        to = urlsplit(urljoin(asked, location))
        host = to.hostname or ""
    except ValueError:
        return ""
    named = next((login.name for login in _LOGINS if re.fullmatch(login.host, host) or re.search(login.path, to.path)), "")
    return named or (UNNAMED if _leads_to_a_login(to) else "")


def _leads_to_a_login(to: SplitResult) -> bool:
    """Whether the path is one at which people log in, or the query is that of OAuth's authorization endpoint."""
    return bool(_ANY_PATH.search(to.path)) or {"client_id", "response_type"} <= {part.partition("=")[0] for part in to.query.split("&")}
