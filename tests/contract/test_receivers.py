import io
import re
import socket
import threading
import time
from collections.abc import Iterator
from email import message_from_bytes
from itertools import count
from typing import Any, TextIO

import pytest
from msgspec.structs import replace
from pydantic import ValidationError
from standardwebhooks import Webhook

from tests.builders.outbox import T0, message, notice
from tests.builders.report import a_report, a_target_report
from tests.servers.receiver import Answer, RecordingReceiver
from tests.servers.tcp_server import TcpServer, drips, is_silent, says
from watchdog import __version__
from watchdog.core.incidents.messages import Event, Message
from watchdog.core.incidents.outcome import Delivered, Later, Outcome, Refused
from watchdog.core.model.target import SELF
from watchdog.receivers import RECEIVERS
from watchdog.receivers.base import Receiver
from watchdog.receivers.console import ConsoleReceiver, ConsoleSettings
from watchdog.receivers.http.settings import HttpSettings
from watchdog.receivers.webhook.receiver import WebhookReceiver
from watchdog.receivers.webhook.settings import WebhookSettings

SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SECRETS = ("T0ken-in-path", "query-s3cret", "header-s3cret", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "us3r", "pa55word")
YES = {"slack": b"ok", "mattermost": b"ok", "rocketchat": b'{"success":true}'}
"""What a server says when it takes a message, where a status is not enough."""
NEEDED: dict[str, dict[str, Any]] = {
    "pagerduty": {"routing_key": "0123456789abcdef0123456789ABCDEF"},
    "telegram": {"token": "123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ", "chat": -1001234567890},
    "ntfy": {"topic": "alerts"},
    "apprise": {"url": "json://127.0.0.1:1/hook"},
    "email": {"host": "localhost", "from": "watchdog@example.com", "to": "ops@example.com"},
}
"""What a kind cannot do without."""
OVER_HTTP = [name for name, kind in RECEIVERS.items() if issubclass(kind.settings, HttpSettings)]


def settings_of(kind: str, **given: Any) -> dict[str, Any]:
    fields = RECEIVERS[kind].settings.model_fields
    usual = {"type": kind, "name": "ops", "url": "http://127.0.0.1:1/hook", "timeout": "30s"}
    return {**{name: value for name, value in usual.items() if name in fields}, **NEEDED.get(kind, {}), **given}


def made(kind: str, **given: Any) -> Receiver:
    settings, receiver = RECEIVERS[kind].settings, RECEIVERS[kind].receiver
    return receiver(settings.model_validate(settings_of(kind, **given)))


def send(to: Receiver, now: float = T0) -> Outcome:
    try:
        return to.send(to.render(message("1")), "01MESSAGE1", now)
    finally:
        to.close()


_addresses = count()


def fresh(server: RecordingReceiver) -> str:
    """A path that nothing was sent to yet."""
    return f"{server.url}/{next(_addresses)}"


def url(port: int) -> str:
    return f"http://us3r:pa55word@127.0.0.1:{port}/services/T0ken-in-path?key=query-s3cret"


def full_of_secrets(port: int, **given: Any) -> Receiver:
    headers = {"Authorization": "Bearer header-s3cret"}
    return made("webhook", url=url(port), secret=SIGNING, headers=headers, **given)


# --- what every receiver keeps to ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", RECEIVERS)
def test_an_unknown_setting_is_an_error(kind: str) -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        made(kind, colour="red")


@pytest.mark.parametrize("kind", RECEIVERS)
def test_the_type_of_its_settings_is_its_kind(kind: str) -> None:
    with pytest.raises(ValidationError):
        made(kind, type="other")


@pytest.mark.parametrize("kind", RECEIVERS)
def test_rendering_twice_gives_the_same_bytes(kind: str) -> None:
    one = made(kind)
    assert one.render(message("1")) == one.render(message("1")) != one.render(message("2", notice("B")))


@pytest.mark.parametrize("kind", RECEIVERS)
def test_hostile_names_are_rendered_harmless(kind: str) -> None:
    hostile = replace(notice(), key={"name": "\x1b[31m\udc80"}, summary="\x1b]0;owned\x07\n\u202e\udc80")
    body = made(kind).render(message("1", hostile))
    assert b"\x1b" not in body
    assert b"\x07" not in body


@pytest.mark.parametrize("kind", [kind for kind in RECEIVERS if RECEIVERS[kind].settings.takes_digests])
def test_a_digest_is_rendered_with_its_figures_and_harmless(kind: str) -> None:
    hostile = a_report(targets=(a_target_report("\x1b[31mprod"),))
    body = made(kind).render(Message("01DIGEST", "ops", SELF, T0, (), digest=hostile))
    assert b"12,345 tasks" in (message_from_bytes(body).get_payload(0).get_payload(decode=True) if kind == "email" else body)  # type: ignore[union-attr]
    assert b"\x1b" not in body


@pytest.mark.parametrize("kind", RECEIVERS)
def test_other_settings_have_another_fingerprint(kind: str) -> None:
    other = {"format": "json"} if kind == "console" else {"timeout": "3s"}
    assert made(kind).settings == made(kind).settings != made(kind, **other).settings


@pytest.mark.parametrize("kind", RECEIVERS)
def test_a_new_name_or_another_pace_is_no_reason_to_send_again_what_was_refused(kind: str) -> None:
    pace = {"per_second": 7} if kind in OVER_HTTP else {}
    assert made(kind, name="other", was="ops", **pace).settings == made(kind).settings


@pytest.mark.parametrize("kind", RECEIVERS)
def test_closing_twice_does_no_harm(kind: str) -> None:
    one = made(kind)
    one.close()
    one.close()


# --- what every receiver over HTTP makes of an answer -------------------------------------------------------------------

STATUSES: dict[int, type[Outcome]] = {
    **dict.fromkeys((200, 201, 202, 204, 299), Delivered),
    **dict.fromkeys((301, 302, 303, 307, 308), Refused),
    **dict.fromkeys((400, 401, 403, 404, 405, 410, 413, 415, 418, 422, 451), Refused),
    **dict.fromkeys((408, 425, 429, 500, 501, 502, 503, 504, 507, 599), Later),
}


@pytest.fixture(scope="module")
def server() -> Iterator[RecordingReceiver]:
    with RecordingReceiver() as recording:
        yield recording


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize(("status", "outcome"), STATUSES.items())
def test_each_status_has_its_outcome(kind: str, status: int, outcome: type[Outcome], server: RecordingReceiver) -> None:
    server.then(Answer(status, {"location": server.url} if status < 400 else {}, b"" if status == 204 else YES.get(kind, b"")))
    assert type(send(made(kind, url=fresh(server)))) is outcome


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize("status", [400, 404, 410, 413, 422])
def test_only_413_says_that_the_size_is_what_is_wrong(kind: str, status: int, server: RecordingReceiver) -> None:
    server.then(Answer(status))
    outcome = send(made(kind, url=fresh(server)))
    assert isinstance(outcome, Refused)
    assert outcome.too_large is (status == 413)


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_only_too_early_and_too_many_say_for_certain_that_nothing_arrived(kind: str, status: int, server: RecordingReceiver) -> None:
    server.then(Answer(status))
    outcome = send(made(kind, url=fresh(server)))
    assert isinstance(outcome, Later)
    assert outcome.never_arrived is (status in (425, 429))


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_a_redirect_is_not_followed(kind: str, server: RecordingReceiver) -> None:
    before = len(server.requests)
    server.then(Answer(307, {"location": server.url}))
    outcome = send(made(kind, url=fresh(server)))
    assert isinstance(outcome, Refused)
    assert "redirect" in outcome.reason
    assert len(server.requests) == before + 1


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("Sun, 22 Nov 2026 09:17:00 GMT", 120.0),
        ("Sun, 22 Nov 2020 09:17:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(kind: str, header: str, seconds: float | None, server: RecordingReceiver) -> None:
    server.then(Answer(503, {"retry-after": header}))
    outcome = send(made(kind, url=fresh(server)))
    assert isinstance(outcome, Later)
    assert outcome.retry_after_s == seconds


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_a_refusal_quotes_the_first_line_of_the_answer_made_harmless(kind: str, server: RecordingReceiver) -> None:
    server.then(Answer(404, body=b"\nno_\x1b[31mservice\nsecond line"))
    outcome = send(made(kind, url=fresh(server)))
    assert isinstance(outcome, Refused)
    assert outcome.reason == f"http://127.0.0.1:{server.port} answered 404: no_\\x1b[31mservice; check `url` and what the receiver expects"


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_a_refused_connection_never_arrived(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    outcome = send(made(kind, url=f"http://127.0.0.1:{port}/hook"))
    assert isinstance(outcome, Later)
    assert outcome.never_arrived
    assert outcome.reason == f"http://127.0.0.1:{port} refused the connection; is it running?"


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_a_name_that_does_not_resolve_is_tried_again(kind: str) -> None:
    outcome = send(made(kind, url="http://nowhere.invalid/hook"))
    assert isinstance(outcome, Later)
    assert not outcome.never_arrived


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_a_server_without_tls_is_tried_again(kind: str) -> None:
    with TcpServer(says(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as plain:
        outcome = send(made(kind, url=f"https://127.0.0.1:{plain.port}/hook"))
    assert isinstance(outcome, Later)
    assert "TLS failed" in outcome.reason


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_a_server_that_hangs_holds_no_longer_than_the_timeout(kind: str) -> None:
    with TcpServer(is_silent) as silent:
        began = time.monotonic()
        outcome = send(made(kind, url=f"http://127.0.0.1:{silent.port}/hook", timeout="300ms"))
        took = time.monotonic() - began
        assert outcome == Later(f"http://127.0.0.1:{silent.port} did not answer within 0.3s")
    assert took < 1.3


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_a_server_that_drips_its_headers_holds_no_longer_than_the_timeout(kind: str) -> None:
    with TcpServer(drips(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", 0.1)) as dripping:
        began = time.monotonic()
        outcome = send(made(kind, url=f"http://127.0.0.1:{dripping.port}/hook", timeout="400ms"))
        took = time.monotonic() - began
    assert isinstance(outcome, Later)
    assert not outcome.never_arrived
    assert took < 1.4


@pytest.mark.parametrize("kind", [kind for kind in OVER_HTTP if kind not in YES])
def test_a_yes_whose_body_never_ends_is_a_yes(kind: str) -> None:
    def endless(connection: socket.socket, closing: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not closing.is_set():
            connection.sendall(b"x" * 65536)

    with TcpServer(endless) as server:
        assert send(made(kind, url=f"http://127.0.0.1:{server.port}/hook")) == Delivered("200")


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_a_connection_reset_half_way_is_tried_again(kind: str) -> None:
    with TcpServer(says(b"HTTP/1.1 2")) as broken:
        outcome = send(made(kind, url=f"http://127.0.0.1:{broken.port}/hook"))
    assert isinstance(outcome, Later)
    assert not outcome.never_arrived


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_a_yes_that_comes_too_late_is_tried_again(kind: str, receiver: RecordingReceiver) -> None:
    receiver.then(Answer(200, delay_s=1.0))
    outcome = send(made(kind, url=receiver.url, timeout="300ms"))
    assert isinstance(outcome, Later)
    assert not outcome.never_arrived


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_after_a_timeout_the_next_attempt_gets_through(kind: str, receiver: RecordingReceiver) -> None:
    receiver.then(Answer(200, delay_s=1.0))
    receiver.default = Answer(body=YES.get(kind, b""))
    one = made(kind, url=receiver.url, timeout="300ms")
    outcomes = [one.send(one.render(message("1")), "01MESSAGE1", T0) for _ in range(2)]
    one.close()
    assert [type(outcome) for outcome in outcomes] == [Later, Delivered]


def test_no_secret_appears_in_any_outcome_even_where_the_server_repeats_it(server: RecordingReceiver) -> None:
    echo = " ".join((*SECRETS, url(server.port))).encode()
    outcomes = []
    for status in STATUSES:
        server.then(Answer(status, body=echo))
        outcomes.append(send(full_of_secrets(server.port)))
    with TcpServer(is_silent) as silent:
        outcomes.append(send(full_of_secrets(silent.port, timeout="100ms")))
    outcomes.append(send(full_of_secrets(1)))
    said = repr(outcomes)
    assert [secret for secret in SECRETS if secret in said] == []


def test_no_secret_appears_in_an_error_about_settings() -> None:
    bad = {
        "url": "ftp://us3r:pa55word@h/T0ken-in-path",
        "secret": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw!",
        "headers": {"X-Key": "header-s3cret\n"},
        "ca_file": "/no/such/file",
    }
    with pytest.raises(ValidationError) as raised:
        made("webhook", **bad)
    said = str(raised.value)
    assert [secret for secret in SECRETS if secret in said] == []
    assert [expected in said for expected in ("https://example.com/hook", "whsec_", "printable ASCII", "/no/such/file")] == [True] * 4


def test_no_secret_appears_in_the_representation_of_settings() -> None:
    said = repr(WebhookSettings.model_validate(settings_of("webhook", url=url(1), secret=SIGNING, headers={"X-Key": "header-s3cret"})))
    assert [secret for secret in SECRETS if secret in said] == []


# --- the generic webhook ------------------------------------------------------------------------------------------------


def test_a_stranger_can_verify_the_signature(receiver: RecordingReceiver) -> None:
    signed = made("webhook", url=receiver.url, secret=SIGNING)
    send(signed, now=time.time())
    [request] = receiver.requests
    assert Webhook(SIGNING).verify(request.body, dict(request.headers))["type"] == "incident.firing"


@pytest.mark.parametrize("secret", [SIGNING, SIGNING.removeprefix("whsec_"), "c2VjcmV0"])
def test_the_secret_may_be_written_with_or_without_its_prefix(secret: str, receiver: RecordingReceiver) -> None:
    send(made("webhook", url=receiver.url, secret=secret), now=time.time())
    Webhook(secret).verify(receiver.requests[0].body, dict(receiver.requests[0].headers))


def test_id_and_body_stay_while_the_timestamp_is_the_attempts(receiver: RecordingReceiver) -> None:
    for now in (T0, T0 + 60):
        send(made("webhook", url=receiver.url), now=now)
    one, two = receiver.requests
    assert (one.headers["webhook-id"], one.body) == (two.headers["webhook-id"], two.body)
    assert (one.headers["webhook-timestamp"], two.headers["webhook-timestamp"]) == ("1795338900", "1795338960")


def test_without_a_secret_nothing_is_signed(receiver: RecordingReceiver) -> None:
    send(made("webhook", url=receiver.url))
    assert "webhook-signature" not in receiver.requests[0].headers


def test_it_says_who_it_is_and_what_it_sends(receiver: RecordingReceiver) -> None:
    send(made("webhook", url=receiver.url, headers={"X-Team": "data"}))
    headers = receiver.requests[0].headers
    assert (headers["user-agent"], headers["content-type"], headers["x-team"]) == (f"watchdog/{__version__}", "application/json", "data")


def test_a_header_that_it_sets_itself_is_sent_once_whatever_its_case(receiver: RecordingReceiver) -> None:
    send(made("webhook", url=receiver.url, headers={"Webhook-Id": "mine", "Content-Type": "text/plain"}))
    headers = receiver.requests[0].headers
    assert (headers["webhook-id"], headers["content-type"]) == ("01MESSAGE1", "application/json")


def test_a_changed_secret_changes_the_fingerprint_and_is_not_in_it() -> None:
    one, two = made("webhook", url=url(1)), made("webhook", url=url(2))
    assert one.settings != two.settings
    assert re.fullmatch(r"[a-z]+:[0-9a-f]{16}", one.settings)


# --- the console --------------------------------------------------------------------------------------------------------


def printed(format_: str = "text", *, names: int = 1, event: Event = Event.FIRST, encoding: str = "utf-8") -> str:
    settings = ConsoleSettings.model_validate({"type": "console", "name": "here", "format": format_})
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    console = ConsoleReceiver(settings, stream)
    said = message("1", *(notice(f"queue-é{number}", event) for number in range(names)))
    assert console.send(console.render(said), said.id, T0) == Delivered("printed")
    return raw.getvalue().decode(encoding)


def test_a_message_is_a_headline_and_a_line_an_incident() -> None:
    assert printed().splitlines() == [
        "2026-11-22T09:15:00Z prod: queue-é0 holds 60 messages",
        "  warning   first      QueueBacklogHigh prod: queue-é0 holds 60 messages",
    ]


def test_a_line_ends_with_the_page_that_shows_its_incident() -> None:
    said = replace(notice("indexing"), link="https://flower.example.com/broker#indexing")
    body = ConsoleReceiver(ConsoleSettings(type="console", name="here")).render(message("1", said)).decode()
    assert body.splitlines()[1].endswith("QueueBacklogHigh prod: indexing holds 60 messages  https://flower.example.com/broker#indexing")


def test_a_long_message_is_cut_with_an_honest_count() -> None:
    lines = printed(names=23).splitlines()
    assert len(lines) == 22
    assert lines[-1] == "  … and 3 more; `watchdog incidents` lists them all"


def test_as_json_it_is_one_line_with_everything() -> None:
    assert printed("json", names=23).count("\n") == 1


def test_a_terminal_that_cannot_show_a_letter_gets_its_escape() -> None:
    assert "queue-\\xe90" in printed(encoding="ascii")


def test_a_closed_output_is_tried_again() -> None:
    stream = io.TextIOWrapper(io.BytesIO())
    stream.close()
    console = ConsoleReceiver(ConsoleSettings(type="console", name="here"), stream)
    assert isinstance(console.send(b"x\n", "1", T0), Later)


def test_an_output_that_nobody_reads_is_tried_again(full_pipe: tuple[int, TextIO], monkeypatch: pytest.MonkeyPatch) -> None:
    console = ConsoleReceiver(ConsoleSettings(type="console", name="here"), full_pipe[1])
    monkeypatch.setattr(console, "longest_s", 0.01, raising=False)
    assert console.send(b"x\n", "1", T0) == Later("standard output is full: nobody reads it")


def test_webhooks_are_for_machines_and_the_consoles_text_for_people() -> None:
    assert not WebhookReceiver(WebhookSettings.model_validate(settings_of("webhook"))).human
    assert [made("console", format=format_).human for format_ in ("text", "json")] == [True, False]
