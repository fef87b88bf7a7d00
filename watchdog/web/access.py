"""Who may see and change what is served.

In: a request, `[http]`. Out: who asks, or an answer that refuses. A bearer token, a name with a password, or the header of a trusted proxy
each suffice. Requests that change something need a token of a page of ours too, unless they bring a bearer token, which no other site can
make a browser send; or, below `/api/`, be such that no page of another site can have a browser send them. Without authentication, only this
machine's own names are answered, so that a name that points here cannot be used.
"""

import hmac
import ipaddress
import secrets
import threading
from collections import deque
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import urlsplit

from flask import Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer
from msgspec import Struct
from werkzeug.security import check_password_hash

from watchdog.config.sections.http import HttpSettings
from watchdog.web.refusals import for_programs, refused

__all__ = ["CSRF_FIELD", "Access", "Person"]

CSRF_FIELD, CSRF_HEADER = "csrf", "X-CSRF-Token"
FORM_AGE_S = 24 * 3600
MOST_FAILURES, FAILURES_WITHIN_S = 10, 60.0
MOST_REMEMBERED = 1000
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class Person(Struct, frozen=True):
    """Who asks. `name` is empty where nobody is asked who they are. `by_token`: a program with the bearer token.

    `operator`: may act on clusters; only somebody who has proved their name by a password or to a proxy.
    """

    name: str = ""
    by_token: bool = False
    operator: bool = False


class Access:
    """The guard of one configuration. Thread-safe."""

    def __init__(self, settings: HttpSettings, stopwatch: Callable[[], float]) -> None:
        self._settings, self._stopwatch = settings, stopwatch
        self._key = secrets.token_bytes(32)
        self._forms = URLSafeTimedSerializer(self._key)
        self._known: dict[bytes, str] = {}  # of passwords that were right: a hash takes 50 ms, on purpose
        self._failures: deque[float] = deque(maxlen=MOST_FAILURES)
        self._one_by_one = threading.Lock()
        self._networks = tuple(ipaddress.ip_network(proxy) for proxy in settings.trusted_proxies)

    def admit(self, request: Request) -> Person | Response:
        """Who asks; or the answer that refuses."""
        if not self._settings.authenticates:
            return Person() if self._names_us(request) else refused(421, _OTHER_NAME)
        person = self._by_proxy(request) or self._by_token(request) or self._by_password(request)
        return person or _asked()

    def may_change(self, request: Request, person: Person) -> bool:
        """Whether the request comes from a page of ours, or from a program."""
        if request.method in SAFE or person.by_token or (for_programs() and _no_page_elsewhere_sends(request)):
            return True
        given = request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD, "")
        try:
            return bool(self._forms.loads(given, max_age=FORM_AGE_S) == person.name)
        except BadSignature:
            return False

    def csrf(self, person: Person) -> str:
        """What a page of ours puts in its forms."""
        return self._forms.dumps(person.name)

    def _names_us(self, request: Request) -> bool:
        host = request.host.rpartition(":")[0] if request.host.rpartition(":")[2].isdigit() else request.host
        return host.strip("[]").lower() in HERE | {self._settings.address[0], *(one.lower() for one in self._settings.hosts)}

    def _by_proxy(self, request: Request) -> Person | None:
        header = self._settings.user_header
        name = (request.headers.get(header) or "").strip() if header else ""
        if not name or not name.isprintable() or len(name) > 200 or request.remote_addr is None:
            return None
        address = ipaddress.ip_address(request.remote_addr)
        return self._proved(name) if any(address in network for network in self._networks) else None

    def _by_token(self, request: Request) -> Person | None:
        """A program sends `Authorization: Bearer`; in a browser, people give the token as the password of any name."""
        given = request.authorization
        if self._settings.token is None or given is None:
            return None
        by_program = given.type == "bearer"
        token = (given.token if by_program else given.password) or ""
        if not hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self._settings.token.get_secret_value().encode()):
            return None
        return Person("token", by_token=True) if by_program else Person(given.username or "token")

    def _by_password(self, request: Request) -> Person | None:
        given = request.authorization
        if not self._settings.users or given is None or given.type != "basic" or given.username is None or given.password is None:
            return None
        print_ = hmac.digest(self._key, f"{given.username}:{given.password}".encode("utf-8", "surrogatepass"), sha256)
        if print_ in self._known:
            return self._proved(self._known[print_])
        with self._one_by_one:
            return self._checked(given.username, given.password, print_)

    def _checked(self, name: str, password: str, print_: bytes) -> Person | None:
        """Compare with the hash, which costs the same for a name that does not exist; not for one who guesses again and again."""
        now = self._stopwatch()
        if len(self._failures) == MOST_FAILURES and now - self._failures[0] < FAILURES_WITHIN_S:
            return None
        hashed = self._settings.users.get(name) or next(iter(self._settings.users.values()))
        if not check_password_hash(hashed.get_secret_value(), password) or name not in self._settings.users:
            self._failures.append(now)
            return None
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known[print_] = name
        return self._proved(name)

    def _proved(self, name: str) -> Person:
        """Somebody who is known by this name, with the role that the configuration gives them."""
        return Person(name, operator=self._settings.roles.get(name) == "operator")


def _no_page_elsewhere_sends(request: Request) -> bool:
    """Whether the browser of somebody who looks at another site cannot have sent this.

    A form cannot say `application/json`, nor use a method other than GET and POST. A script of another site can, once the browser has asked
    us whether it may, which we never allow. Browsers say where a request comes from, too; programs say nothing.
    """
    if request.method == "POST" and request.mimetype != "application/json":
        return False
    origin = request.headers.get("Origin")
    ours = origin is None or urlsplit(origin).netloc.lower() == request.host.lower()
    return ours and request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")


_OTHER_NAME = (
    "this name is not one of its own, and it asks nobody who they are. "
    "Name it in http.hosts, or set http.token, http.users or http.user_header."
)


def _asked() -> Response:
    asks = {"WWW-Authenticate": 'Basic realm="watchdog", charset="UTF-8"'}
    return refused(401, "who are you? A token, or a name and its password, is expected.", headers=asks)
