"""The forward proxy of a request: the one in its `proxy` setting, or the one that the environment names for its URL.

In: the setting, the URL, the environment. Out: a `Proxy`, or None for a direct connection; ValueError for an invalid one. The variables are
those established by curl: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, lower case before upper case; NO_PROXY lists hosts (including
subdomains), host:port, addresses and networks, or `*`. Loopback addresses never use the environment's proxy, which could only reach its
own.
"""

import base64
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, unquote, urlsplit

from watchdog.core.text.secrets import Unprinted

__all__ = ["ENVIRONMENT", "NONE", "Proxy", "parse_proxy", "proxy_answer", "proxy_for"]

ENVIRONMENT = "environment"
NONE = "none"
_EXPECTED = f'expected "{ENVIRONMENT}", "{NONE}" or the URL of an HTTP proxy, such as http://proxy.example.com:3128'
_PORTS = {"http": 80, "https": 443}


class Proxy(Unprinted, frozen=True):
    """A forward proxy. `url` has no credentials and can be shown; `named_by` is the setting or variable that names it."""

    url: str
    username: str = ""
    password: str = ""
    named_by: str = "`proxy`"

    @property
    def auth(self) -> tuple[str, str] | None:
        """User name and password, if it has any."""
        return (self.username, self.password) if self.username or self.password else None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown, including its form in a header."""
        basic = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return (self.username, self.password, basic) if self.auth else ()

    def __str__(self) -> str:
        """For messages."""
        return f"the proxy {self.url} ({self.named_by})"


def proxy_for(url: str, setting: str, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy for a URL. ValueError if the environment names one that is not an HTTP proxy."""
    if setting == NONE:
        return None
    if setting != ENVIRONMENT:
        return parse_proxy(setting)
    parts = urlsplit(url)
    host, port = (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(parts.scheme, 0)
    named = next((found for scheme in (parts.scheme, "all") if (found := _variable(f"{scheme}_proxy", environ))), None)
    if named is None or _is_loopback(host) or _exempt(host, port, (_variable("no_proxy", environ) or ("", ""))[1]):
        return None
    name, value = named
    try:
        return parse_proxy(value if "://" in value else f"http://{value}", f"${name}")
    except ValueError:
        kind = "a SOCKS proxy, which watchdog cannot use" if value.lower().startswith("socks") else "no HTTP proxy"
        raise ValueError(f"${name} names {kind}: expected a URL such as http://proxy.example.com:3128; fix it or set `proxy`") from None


def parse_proxy(url: str, named_by: str = "`proxy`") -> Proxy:
    """Parse a proxy's URL. The ValueError says what was expected, without the URL itself."""
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0 and url.isprintable()
    except ValueError:
        usable = False
    if not usable or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(_EXPECTED)
    return Proxy(f"{parts.scheme}://{_place(parts)}", unquote(parts.username or ""), unquote(parts.password or ""), named_by)


def proxy_answer(status: int, proxy: Proxy, server: str) -> str:
    """The reason why a proxy did not let a request through, by its status."""
    if status == 407:
        wants = "does not accept the user name or password that it was given" if proxy.auth else "requires a user name and a password"
        return f"{proxy} {wants} (407); write them into its URL, http://user:password@host:port"
    if status in (502, 503, 504):
        return f"{proxy} could not reach {server} ({status})"
    return f"{proxy} does not let us through to {server} ({status})"


def _place(parts: SplitResult) -> str:
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or _PORTS[parts.scheme]}"


def _variable(name: str, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Name and value; an empty variable counts as unset, and in lower case it also unsets the upper case one."""
    found = name if name in environ else name.upper()
    value = environ.get(found, "").strip()
    return (found, value) if value else None


def _exempt(host: str, port: int, no_proxy: str) -> bool:
    return any(_fits(entry, host, port) for entry in no_proxy.lower().replace(",", " ").split())


def _fits(entry: str, host: str, port: int) -> bool:
    """Whether one entry of NO_PROXY matches this host."""
    if entry == "*":
        return True
    try:
        return ip_address(host) in ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass
    name, colon, only_port = entry.rpartition(":")
    if colon and only_port.isdigit():
        if int(only_port) != port:
            return False
        entry = name.strip("[]")
    name = entry.removeprefix("*").lstrip(".").rstrip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
