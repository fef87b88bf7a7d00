import io
import sys
from typing import Any

import pytest

from watchdog.config.masking import Masking, masked_stream
from watchdog.core.text.secrets import secrets_in

CONFIG: dict[str, Any] = {
    "engine": {"broker": {"url": "rediss://:3ngine-pw@engine-redis.internal:16379/0", "ca_file": "/etc/ssl/internal.pem"}},
    "heartbeat": "https://hc-ping.com/0a1b-beat?create=Beat1234",
    "target": [
        {"name": "prod", "flower": "https://ann:fl0wer-pw@flower.example.com/prefix-of-it", "redis": "redis://:r3dis%2Fpw@broker/0"},
        {
            "name": "kombu",
            "redis": "sentinel://:s3ntinel-1@a;sentinel://:s3ntinel-2@b",
            "results": {"sentinel_password": "s3ntinel-3"},
        },
        {"name": "lab", "flower": {"url": "http://f", "password": "tab1e-pw", "headers": {"X": "Bearer h3ader-token"}}},
    ],
    "receiver": [
        {
            "name": "ops",
            "type": "webhook",
            "url": "https://hook.example.com/services/T000-XYZ?key=Qu3ry-value",
            "secret": "whsec_abcDEF123",
        },
        {"name": "chat", "url": "https://t0kenuser@chat.example.com/x", "proxy": "http://ann:pr0xy-pw@proxy:3128"},
    ],
}


@pytest.fixture
def masking() -> Masking:
    made = Masking()
    made.learn(secrets_in(CONFIG, {"HTTPS_PROXY": "http://ann:3nv-pw@proxy:3128", "PATH": "/usr/bin/x"}))
    return made


@pytest.mark.parametrize(
    "secret",
    [
        "fl0wer-pw", "r3dis%2Fpw", "r3dis/pw", "tab1e-pw", "h3ader-token", "T000-XYZ", "Qu3ry-value", "whsec_abcDEF123", "t0kenuser",
        "pr0xy-pw", "3nv-pw", "s3ntinel-1", "s3ntinel-2", "s3ntinel-3", "3ngine-pw",
        "0a1b-beat", "Beat1234", "/services/T000-XYZ", "YW5uOmZsMHdlci1wdw==",
    ],
)  # fmt: skip
def test_every_secret_of_a_configuration_is_blotted_out(masking: Masking, secret: str) -> None:
    assert masking(f"RuntimeError: {secret}!") == "RuntimeError: ***!"


@pytest.mark.parametrize(
    "word",
    [
        "prod",
        "ops",
        "broker",
        "flower.example.com",
        "services",
        "prefix-of-it",
        "webhook",
        "Bearer",
        "/usr/bin/x",
        "engine-redis.internal",
        "16379",
    ],
)
def test_what_is_no_secret_stays(masking: Masking, word: str) -> None:
    assert masking(f"a {word} b") == f"a {word} b"


def test_a_token_that_is_obtained_later_is_blotted_out(masking: Masking) -> None:
    masking.learn_obtained("eyJh.t0ken")
    assert masking("sent eyJh.t0ken and h3ader-token") == "sent *** and ***"


def test_of_the_tokens_obtained_the_latest_hundred_are_blotted_out() -> None:
    masking = Masking()
    for number in range(101):
        masking.learn_obtained(f"t0ken-{number:04}")
    assert masking("t0ken-0000 t0ken-0001 t0ken-0100") == "t0ken-0000 *** ***"


def test_the_arguments_of_a_command_that_gives_a_token_are_blotted_out_but_for_plain_words() -> None:
    masking = Masking()
    command = ["gcloud", "auth", "print-identity-token", "--audiences=4711.apps", "--password", "sesame"]
    masking.learn(secrets_in({"target": [{"flower": {"token_command": command, "token_header": "X-Token"}}]}))
    said = "gcloud auth print-identity-token --audiences=4711.apps sesame X-Token"
    assert masking(said) == "gcloud auth print-identity-token --audiences=*** *** X-Token"


def test_the_userinfo_of_any_url_is_blotted_out_learnt_or_not() -> None:
    assert Masking()("at redis://:hunter2@broker:6379/0 and http://a@b/") == "at redis://***@broker:6379/0 and http://***@b/"
    assert Masking()("expected redis://user:password@host") == "expected redis://user:password@host"
    assert Masking()("redis = redis://:${REDIS_PASSWORD}@host") == "redis = redis://:${REDIS_PASSWORD}@host"
    assert Masking()("mail ann@example.com about http://example.com/a@b") == "mail ann@example.com about http://example.com/a@b"


@pytest.mark.parametrize("spelled", ['p"w\\é!x', "p%22w%5C%C3%A9%21x", 'p\\"w\\\\\\u00e9!x', 'p"w\\\\é!x'])
def test_a_secret_is_known_in_the_spellings_of_urls_json_and_repr(spelled: str) -> None:
    masking = Masking()
    masking.learn(['p"w\\é!x'])
    assert masking(f"<{spelled}>") == "<***>"


def test_short_words_and_names_are_no_secrets_here() -> None:
    config = {"target": [{"name": "staging", "redis": "redis://watchdog:staging@h"}, {"name": "b", "redis": "redis://:pw@h"}]}
    masking = Masking()
    masking.learn(secrets_in(config))
    assert masking("staging pw watchdog") == "staging pw watchdog"


def test_the_fields_of_a_log_line_are_masked_at_any_depth_and_numbers_stay() -> None:
    masking = Masking()
    masking.learn(["hunter2"])
    event = {"event": "hunter2", "n": 1, "ok": True, "none": None, "all": ["a", {"k": "hunter2"}], "error": ValueError("hunter2")}
    assert masking.event(None, "info", event) == {
        "event": "***", "n": 1, "ok": True, "none": None, "all": ["a", {"k": "***"}], "error": "***",
    }  # fmt: skip


@pytest.mark.parametrize(
    "value", [{"target": 5}, {"target": [5, {"redis": 7}]}, {"heartbeat": "http://[bad"}, {"receiver": [{"url": "://"}]}]
)
def test_a_configuration_that_makes_no_sense_has_its_secrets_all_the_same(value: dict[str, Any]) -> None:
    assert secrets_in({**value, "password": "hunter2"}) >= {"hunter2"}


def test_nothing_learnt_changes_nothing() -> None:
    assert Masking()("any text") == "any text"


def test_a_stream_that_is_none_of_the_interpreters_own_is_left_alone() -> None:
    stream = io.StringIO()
    assert masked_stream(stream) is stream
    assert sys.stdout is not None
