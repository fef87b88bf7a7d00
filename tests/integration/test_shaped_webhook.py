"""A webhook whose body and headers are templates, against a server that records what it gets."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace
from pydantic import ValidationError
from standardwebhooks import Webhook

from tests.builders.outbox import T0, message, notice
from tests.servers.receiver import Answer, RecordingReceiver, Request
from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.outcome import Delivered
from watchdog.receivers.webhook.settings import WebhookSettings
from watchdog.receivers.webhook.shaped import ShapedWebhook, webhook_receiver

BODY = """
{
  "title": {{ message | json }},
  "status": {{ state | json }},
  "key": {{ group | json }},
  "incidents": [{% for one in incidents %}{{ one.summary | json }}{% if not loop.last %}, {% endif %}{% endfor %}]
}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[RecordingReceiver]:
    with RecordingReceiver() as there:
        yield there


def settings(url: str = "http://127.0.0.1:1/hook", **given: Any) -> WebhookSettings:
    return WebhookSettings.model_validate({"type": "webhook", "name": "ops", "url": url, "timeout": "5s", **given})


def sent(server: RecordingReceiver, what: Message | None = None, now: float = T0, **given: Any) -> Request:
    server.requests.clear()
    to = webhook_receiver(settings(server.url, **given))
    try:
        said = what or message("1")
        assert to.send(to.render(said), said.id, now) == Delivered("200")
    finally:
        to.close()
    return server.requests[0]


def test_the_body_is_what_its_template_makes_of_the_message(server: RecordingReceiver) -> None:
    request = sent(server, replace(message("1", notice("A"), notice("B")), group_id="g1"), body=BODY)
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body) == {
        "title": "2 incidents: A holds 60 messages; B holds 60 messages",
        "status": "firing",
        "key": "g1",
        "incidents": ["A holds 60 messages", "B holds 60 messages"],
    }


def test_a_header_is_one_line_of_ascii_whatever_its_template_makes(server: RecordingReceiver) -> None:
    odd = replace(notice(), summary="é\r\nX-Evil: 1 \x1b[0m")
    request = sent(server, message("1", odd), headers={"X-Title": "{{ severity }}: {{ message }}", "Authorization": "Bearer s3cr3t0099"})
    assert request.headers["x-title"] == "warning: \\xe9 X-Evil: 1 [0m"
    assert "x-evil" not in request.headers
    assert request.headers["authorization"] == "Bearer s3cr3t0099"
    assert json.loads(request.body)["type"] == "incident.firing"


def test_a_content_type_of_its_own_is_sent_once(server: RecordingReceiver) -> None:
    request = sent(server, headers={"Content-Type": "text/plain"}, body="{{ message }}")
    assert (request.headers["content-type"], request.body) == ("text/plain", b"A holds 60 messages")


def test_a_stranger_can_verify_the_signature(server: RecordingReceiver) -> None:
    signing = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    request = sent(server, now=__import__("time").time(), body=BODY, secret=signing)
    assert Webhook(signing).verify(request.body, dict(request.headers))["title"] == "A holds 60 messages"


def test_what_is_stored_of_a_message_holds_no_secret() -> None:
    to = ShapedWebhook(settings(headers={"Authorization": "Bearer s3cr3t0099 {{ severity }}"}, body=BODY))
    stored = to.render(message("1"))
    assert b"s3cr3t" not in stored
    assert json.loads(stored)["values"] == {"severity": "warning"}


def test_hostile_names_are_rendered_harmless() -> None:
    hostile = replace(notice(), key={"name": "\x1b[31m\udc80"}, summary="\x1b]0;owned\x07\n\u202e\udc80")
    body = ShapedWebhook(settings(body=BODY, headers={"X-A": "{{ message }}"})).render(message("1", hostile))
    assert not [odd for odd in (b"\x1b", b"\x07", "\u202e".encode()) if odd in body]
    json.loads(json.loads(body)["body"])


def test_templates_make_it_another_type_that_uses_no_body_of_before() -> None:
    plain, shaped, other = settings(), settings(body=BODY), settings(body=BODY + " ")
    assert plain.fingerprint().startswith("webhook:")
    assert shaped.fingerprint().startswith("webhook-shaped:")
    assert shaped.fingerprint() != other.fingerprint()


def test_a_refusal_does_not_repeat_the_headers(server: RecordingReceiver) -> None:
    server.then(Answer(403, body=b"no s3cr3t0099"))
    to = webhook_receiver(settings(server.url, body=BODY, headers={"Authorization": "Bearer s3cr3t0099"}))
    assert "s3cr3t" not in repr(to.send(to.render(message("1")), "1", T0))
    to.close()


# --- what is wrong is said when it is configured ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"body": '{"title": "{{ message }}"}'}, 'what it makes of "one begins" is no JSON (its line 1: '),
        ({"body": '{\n"title": {{ message }}}'}, "is no JSON (its line 2: "),
        ({"body": "{{ mesage }}"}, 'no "mesage" in a message; did you mean "message"?'),
        ({"body": "{% for i in incidents %}{% if i.rule > 5 %}{% endif %}{% endfor %}"}, 'it cannot be made of "one begins": '),
        ({"headers": {"X-A": "{% for i in incidents %}{% endfor %}"}}, 'header "X-A": a loop is not allowed here'),
        ({"headers": {"X-A": "s3cret0099 {{ {"}}, 'header "X-A": is not a template'),
        ({"body": "{{ message | json }}", "digest": "08:00"}, "a webhook with templates takes no digest"),
    ],
)
def test_a_template_that_would_fail_is_a_fault(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as raised:
        settings(**given)
    assert said in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_what_is_no_json_by_its_content_type_need_be_none() -> None:
    assert settings(body="{{ message }}", headers={"Content-Type": "text/plain"}).is_shaped
