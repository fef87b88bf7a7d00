from pathlib import Path

import pytest

from watchdog.config.load import load_settings
from watchdog.config.proxies import proxy_faults

SOCKS = {"ALL_PROXY": "socks5://127.0.0.1:1080"}
RECEIVER = (
    '[[target]]\nname = "prod"\nredis = "redis://b"\n[[receiver]]\nname = "ops"\ntype = "webhook"\nurl = "https://hooks.example.com/x"\n'
)


def faults(folder: Path, text: str, environ: dict[str, str]) -> tuple[str, ...]:
    (folder / "watchdog.toml").write_text(text)
    return proxy_faults(load_settings(config=None, environ={}, flags={}, cwd=folder), environ)


def test_a_socks_proxy_for_a_receiver_is_a_fault_with_its_line(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, RECEIVER, SOCKS)
    assert fault.startswith(
        'watchdog.toml:4: receiver "ops": $ALL_PROXY names a SOCKS proxy, which watchdog cannot use: expected a URL such as'
    )


def test_a_receiver_that_obeys_no_variable_has_none(tmp_path: Path) -> None:
    assert faults(tmp_path, RECEIVER + 'proxy = "none"\n', SOCKS) == ()


def test_an_http_proxy_is_none(tmp_path: Path) -> None:
    assert faults(tmp_path, RECEIVER, {"HTTPS_PROXY": "http://proxy.example.com:3128"}) == ()


def test_what_is_exempt_from_the_proxy_has_none(tmp_path: Path) -> None:
    assert faults(tmp_path, RECEIVER, {**SOCKS, "NO_PROXY": "example.com"}) == ()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('heartbeat = "https://hc.example.com/1"\n[[target]]\nname = "prod"\nredis = "redis://b"\n', "heartbeat"),
        ('[[target]]\nname = "prod"\nflower = { url = "http://flower:5555", proxy = "environment" }\n', 'target "prod": flower'),
    ],
)
def test_heartbeat_and_flower_are_checked_too(tmp_path: Path, text: str, where: str) -> None:
    (fault,) = faults(tmp_path, text, SOCKS)
    assert f"{where}: $ALL_PROXY names a SOCKS proxy" in fault
