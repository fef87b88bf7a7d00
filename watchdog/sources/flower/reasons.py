"""Reasons why Flower's answer cannot be used, one sentence per cause: what was requested, what was received, which setting to change.

In: a status and the start of its body. Out: a sentence without secrets. Where there was no answer at all: `net/http_silence.py`.
"""

import re
from urllib.parse import urlsplit

from watchdog.net.http_silence import Asked

__all__ = ["asks_workers", "login_required", "refusal"]


def refusal(status: int, body: bytes, location: str, asked: Asked) -> str:
    """The reason for an HTTP answer other than 200."""
    if status == 401:
        return _unauthorised(body, asked)
    if 300 <= status < 400:
        return _redirected(status, location, asked)
    sentences = {
        403: f"flower: 403 (forbidden) from {asked.url}: something in front of Flower, or its auth settings, lets this user not in",
        404: f"flower: 404 (not found) from {asked.url}: is it Flower, and is its url_prefix part of the configured URL?",
        405: (
            f"flower: 405 (not allowed) from {asked.url}: Flower 1.x has no API while authentication is on, so queues, pools and tasks "
            "cannot be seen; use Flower 2.x, or start this one without authentication behind a firewall"
        ),
    }
    if status in sentences:
        return sentences[status]
    if status >= 500 and asks_workers(asked.path):
        return f"flower: {status} (server error) from {asked.url}: Flower could not query the workers; can it reach the broker? See its log"
    if status >= 500:
        return f"flower: {status} (server error) from {asked.url}: Flower, or a proxy in front of it, failed; see its log"
    return f"flower: expected 200 from {asked.url}, found {status}"


def _unauthorised(body: bytes, asked: Asked) -> str:
    """The reason for a 401: the API is switched off (then its text names the variable), or the credentials are wrong."""
    if b"FLOWER_UNAUTHENTICATED_API" in body:
        return (
            f"flower: 401 from {asked.url}: its API is switched off; start Flower with FLOWER_UNAUTHENTICATED_API=true, "
            "or with --basic_auth and set `username` and `password` of flower"
        )
    if asked.token_source:
        return f"flower: 401 from {asked.url}: it does not accept the token of `{asked.token_source}` of flower"
    if asked.has_credentials:
        return f"flower: 401 from {asked.url}: it does not accept the configured `username` and `password` (or headers) of flower"
    return f"flower: 401 from {asked.url}: it requires credentials; set `username` and `password` of flower"


def asks_workers(path: str) -> bool:
    """Whether Flower has to ask workers before it can answer."""
    return "refresh=" in path


def login_required(page_of: str, asked: Asked) -> str:
    """The reason if a login page answered."""
    found = f"flower: {asked.url} answered with the login page of {page_of}"
    if asked.token_source:
        return f"{found}: it does not accept the token of `{asked.token_source}` of flower"
    return f"{found}; set flower.token_command, flower.token_file or flower.oauth (docs/flower-auth.md)"


def _redirected(status: int, location: str, asked: Asked) -> str:
    """The reason for a redirect. Redirects are not followed, as that would send the credentials elsewhere.

    The location may contain tokens, so only a short path of it is shown.
    """
    try:
        to = urlsplit(location)
        host = to.hostname or ""
        path = to.path if re.fullmatch(r"/?[A-Za-z_-]{0,20}/?", to.path) else "/…"
        where = f"{to.scheme}://{host}{f':{to.port}' if to.port else ''}{path}" if host else path
        https_missing = to.scheme == "https" and asked.base.startswith("http://")
    except ValueError:
        where, https_missing = "", False
    hint = (
        "write https:// in the configured URL"
        if https_missing
        else "is Flower's url_prefix missing in the configured URL, or is this a login page?"
    )
    return f"flower: {status} (redirect) from {asked.url} to {where or 'an unknown place'}: redirects are not followed; {hint}"
