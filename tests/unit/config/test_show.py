import tomllib
from pathlib import Path

import pytest

from watchdog.config.load import load_settings
from watchdog.config.settings import Settings
from watchdog.config.show import effective, masked_url, to_toml

SECRETS = """
[[target]]
name = "prod"
flower = {url = "http://bob:hunter2@flower:5555/f", headers = {Authorization = "Bearer hunter2"}}
redis = "rediss://:hunter2@redis:6380/3"
results = "redis://me:hunter2@results/1"
interval = "1m30s"

[[receiver]]
name = "ops"
type = "webhook"
url = "https://hooks.example.com/services/T0/hunter2?token=hunter2"
secret = "whsec_aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMg=="
headers = {X-Key = "hunter2"}
"""


@pytest.fixture
def shown(tmp_path: Path) -> str:
    (tmp_path / "watchdog.toml").write_text(SECRETS)
    return to_toml(effective(load_settings(config=None, environ={"HOME": "/x"}, flags={}, cwd=tmp_path).settings))


def test_no_secret_is_shown(shown: str) -> None:
    assert ("hunter2" in shown, "aHVudGVy" in shown) == (False, False)


def test_what_is_no_secret_is_shown(shown: str) -> None:
    target = tomllib.loads(shown)["target"][0]
    assert (target["flower"]["url"], target["redis"]["url"]) == ("http://flower:5555/f", "rediss://***@redis:6380/3")


def shown_command(tmp_path: Path, command: str) -> list[str]:
    (tmp_path / "watchdog.toml").write_text(f'[[target]]\nname = "a"\nflower = {{url = "http://f", token_command = {command}}}\n')
    settings = load_settings(config=None, environ={"HOME": "/x"}, flags={}, cwd=tmp_path).settings
    words: list[str] = tomllib.loads(to_toml(effective(settings)))["target"][0]["flower"]["token_command"]
    return words


def test_a_command_is_shown_without_what_may_be_secret_in_its_arguments(tmp_path: Path) -> None:
    command = '["/opt/vault/2/login", "read", "-field=token", "--password", "sesame", "--key=A1b2", "secret/flower"]'
    assert shown_command(tmp_path, command) == ["/opt/vault/2/login", "read", "-field=token", "--password", "***", "--key=***", "***"]


def test_where_a_token_comes_from_and_goes_is_shown(tmp_path: Path) -> None:
    oauth = '{token_url = "https://id.example/token", client_id = "wd", client_secret = "hunter2"}'
    flower = f'{{url = "http://f", token_header = "X-Token", oauth = {oauth}}}'
    (tmp_path / "watchdog.toml").write_text(f'[[target]]\nname = "a"\nflower = {flower}\n')
    settings = load_settings(config=None, environ={"HOME": "/x"}, flags={}, cwd=tmp_path).settings
    shown = tomllib.loads(to_toml(effective(settings)))["target"][0]["flower"]
    assert (shown["token_header"], shown["oauth"]["token_url"], shown["oauth"]["client_secret"]) == (
        "X-Token", "https://id.example/token", "***",
    )  # fmt: skip


def test_the_path_of_a_receivers_url_is_masked(shown: str) -> None:
    assert tomllib.loads(shown)["receiver"][0]["url"] == "https://hooks.example.com/***?***"


def test_durations_are_shown_as_they_are_written(shown: str) -> None:
    values = tomllib.loads(shown)
    assert (values["interval"], values["target"][0]["interval"], values["retention"]) == ("10s", "1m30s", "30d")


def test_a_duration_that_rounding_would_change_is_shown_exactly() -> None:
    settings = Settings.model_validate({"retention": "1d1h1m1s"})
    assert effective(settings)["retention"] == "90061.0s"


def test_the_defaults_are_shown_too() -> None:
    assert effective(Settings())["shipped_rules"] is True


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://h:1/0", "redis://h:1/0"),
        ("redis://u:p@h:1/0", "redis://***@h:1/0"),
        ("redis://:p@q@h/0", "redis://***@h/0"),
        ("redis://:p/q@h:1/0", "redis://***"),
        ("unix:///run/r.sock?password=p", "unix:///run/r.sock?***"),
        ("not a url", "not a url"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, expected: str) -> None:
    assert masked_url(url, hide_path=False) == expected
