import pytest

from watchdog.net.http_proxy import Proxy, parse_proxy, proxy_for

PROXY = {"HTTPS_PROXY": "http://proxy:3128", "HTTP_PROXY": "http://plain:3128"}


def chosen(url: str, environ: dict[str, str], setting: str = "environment") -> str | None:
    proxy = proxy_for(url, setting, environ)
    return None if proxy is None else proxy.url


@pytest.mark.parametrize(
    ("url", "environ", "expected"),
    [
        ("https://hooks.example.com/x", PROXY, "http://proxy:3128"),
        ("http://hooks.example.com/x", PROXY, "http://plain:3128"),
        ("https://hooks.example.com/x", {"ALL_PROXY": "http://all:1"}, "http://all:1"),
        ("https://hooks.example.com/x", {**PROXY, "https_proxy": "http://small:1"}, "http://small:1"),
        ("https://hooks.example.com/x", {**PROXY, "https_proxy": ""}, None),
        ("https://hooks.example.com/x", {"HTTPS_PROXY": "proxy:3128"}, "http://proxy:3128"),
        ("https://hooks.example.com/x", {"HTTPS_PROXY": "https://[fd00::1]"}, "https://[fd00::1]:443"),
        ("https://hooks.example.com/x", {}, None),
        ("https://localhost/x", PROXY, None),
        ("https://a.localhost/x", PROXY, None),
        ("http://127.0.0.1:8080/hook", PROXY, None),
        ("http://127.9.9.9:8080/hook", PROXY, None),
        ("http://[::1]:8080/hook", PROXY, None),
    ],
)
def test_the_environment_names_a_proxy_by_scheme_but_never_for_loopback(url: str, environ: dict[str, str], expected: str | None) -> None:
    assert chosen(url, environ) == expected


@pytest.mark.parametrize(
    ("no_proxy", "host", "direct"),
    [
        ("*", "hooks.example.com", True),
        ("example.com", "hooks.example.com", True),
        ("example.com", "example.com", True),
        (".example.com", "hooks.example.com", True),
        ("*.example.com", "hooks.example.com", True),
        ("other.com, Example.COM", "hooks.example.com", True),
        ("other.com example.com", "hooks.example.com", True),
        ("example.com", "hooks.example.com.", True),
        ("ample.com", "example.com", False),
        ("hooks.example.com", "example.com", False),
        ("example.com:8443", "example.com:8443", True),
        ("example.com:8443", "example.com", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3:443", "10.1.2.3", True),
        ("fd00::/8", "[fd00::7]", True),
        ("[fd00::7]:443", "[fd00::7]", True),
        ("", "hooks.example.com", False),
        (",.,", "hooks.example.com", False),
        ("999.0.0.0/99", "hooks.example.com", False),
    ],
)
def test_no_proxy_lists_who_is_reached_directly(no_proxy: str, host: str, direct: bool) -> None:
    assert chosen(f"https://{host}/x", {**PROXY, "NO_PROXY": no_proxy}) == (None if direct else "http://proxy:3128")


def test_the_setting_outranks_the_environment() -> None:
    assert chosen("https://example.com", PROXY, "none") is None
    assert chosen("http://localhost/x", {"NO_PROXY": "*"}, "http://named:1") == "http://named:1"


def test_credentials_leave_the_url_and_are_decoded() -> None:
    proxy = parse_proxy("http://user:p%40ss%3Aword@proxy:3128/")
    assert (proxy.url, proxy.auth) == ("http://proxy:3128", ("user", "p@ss:word"))
    assert "p@ss:word" not in f"{proxy} {proxy!r}"


@pytest.mark.parametrize(
    "url", ["socks5://proxy:1080", "proxy:3128", "http://", "http://proxy:0", "http://proxy:99999", "http://proxy/path", "http://p?x=1", ""]
)
def test_what_is_no_http_proxy_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError, match='expected "environment", "none" or the URL of an HTTP proxy') as refused:
        parse_proxy(url)
    assert not url or url not in str(refused.value).replace("http://proxy.example.com:3128", "")


def test_a_variable_that_names_another_kind_of_proxy_is_named_without_its_value() -> None:
    with pytest.raises(ValueError, match=r"^\$ALL_PROXY names a SOCKS proxy") as refused:
        proxy_for("https://example.com", "environment", {"ALL_PROXY": "socks5://user:hunter2@proxy:1080"})
    assert "hunter2" not in str(refused.value)


def test_a_proxy_without_credentials_has_no_secrets() -> None:
    assert Proxy("http://proxy:3128").secrets == ()
