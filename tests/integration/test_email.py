"""The e-mail receiver against a real SMTP server: encryption, login, recipients, threads, and what each refusal says."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace
from pydantic import ValidationError

from tests.builders.outbox import T0, message, notice
from tests.builders.report import a_report
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.smtp import Mail, SmtpServer
from tests.servers.tcp_server import TcpServer, drips, is_silent
from watchdog.core.incidents.messages import Event, Message
from watchdog.core.incidents.outcome import Delivered, Later, Outcome, Refused
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import SELF
from watchdog.receivers.mail.receiver import EmailReceiver
from watchdog.receivers.mail.settings import EmailSettings

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # aiosmtpd's, of a login over TLS from the start
LOGIN = ("watchdog", "s3cr3t-pa55word")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as one:
        yield one


def made(port: int, **given: Any) -> EmailReceiver:
    values = {"type": "email", "name": "ops", "host": "127.0.0.1", "port": port, "security": "none", "timeout": "5s"}
    usual = {**values, "from": "watchdog <watchdog@example.com>", "to": "ops@example.com", **given}
    return EmailReceiver(EmailSettings.model_validate(usual))


def send(to: EmailReceiver, what: Message | None = None) -> Outcome:
    return to.send(to.render(what or message("1")), "01MESSAGE1", T0)


def sent(server: SmtpServer, what: Message) -> Mail:
    assert send(made(server.port), what) == Delivered("250")
    return server.taken[-1]


def of_group(name: str, *notices: Any, at: float = T0) -> Message:
    return replace(message(name, *notices, at=at), group_id="g00d")


# --- what arrives -------------------------------------------------------------------------------------------------------


def test_an_incident_arrives_as_text_and_html(server: SmtpServer) -> None:
    burning = replace(notice(), link="https://flower.example.com/broker", runbook="Look at <b>it</b>.")
    mail = sent(server, message("1", burning))
    assert mail.message["Subject"] == "[prod] Warning: A holds 60 messages"
    assert (mail.message["From"], mail.message["To"]) == ("watchdog <watchdog@example.com>", "ops@example.com")
    assert (mail.sender, mail.to) == ("watchdog@example.com", ["ops@example.com"])
    assert mail.message["Date"] == "Sun, 22 Nov 2026 09:15:00 +0000"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert mail.text.splitlines()[:4] == [
        "Warning: A holds 60 messages",
        "  rule      QueueBacklogHigh",
        "  target    prod",
        "  name      A",
    ]
    assert "  > Look at <b>it</b>." in mail.text
    assert "Look at &lt;b&gt;it&lt;/b&gt;." in mail.html
    assert '<a href="https://flower.example.com/broker">Open in Flower</a>' in mail.html


def test_all_messages_about_a_group_are_one_thread_and_each_is_its_own(server: SmtpServer) -> None:
    worse = notice(event=Event.ESCALATED, severity=Severity.CRITICAL)
    life = [of_group("1", notice()), of_group("2", worse), of_group("3", notice(event=Event.RESOLVED)), message("4")]
    mails = [sent(server, one).message for one in life]
    assert [mail["References"] for mail in mails] == ["<group-g00d@example.com>"] * 3 + [None]
    assert [mail["In-Reply-To"] for mail in mails] == ["<group-g00d@example.com>"] * 3 + [None]
    assert [mail["Message-ID"] for mail in mails] == [f"<01MESSAGE{number}@example.com>" for number in (1, 2, 3, 4)]
    assert [mail["Subject"].partition(":")[0] for mail in mails[:3]] == [
        "[prod] Warning",
        "[prod] Escalated to critical",
        "[prod] Resolved after 1m",
    ]
    assert [mail["Importance"] for mail in mails] == [None, "high", None, None]


def test_a_group_of_fifty_is_one_mail_with_all_of_them(server: SmtpServer) -> None:
    mail = sent(server, message("1", *[notice(f"q{number:02}") for number in range(50)]))
    assert len(server.taken) == 1
    assert [f"q{number:02} holds 60 messages" in mail.text for number in range(50)] == [True] * 50
    assert mail.message["Subject"].startswith("[prod] Warning: 50 incidents: q00 holds 60 messages; ")


def test_beyond_a_hundred_the_others_are_counted(server: SmtpServer) -> None:
    mail = sent(server, message("1", *[notice(f"q{number:03}") for number in range(130)]))
    assert "… and 30 more; watchdog incidents lists them" in mail.text
    assert "… and 30 more; watchdog incidents lists them" in mail.html


def test_a_report_arrives_as_text_and_as_tables(server: SmtpServer) -> None:
    mail = sent(server, Message("01DIGEST", "ops", SELF, T0, (), digest=a_report()))
    assert mail.message["Subject"].startswith("Report of ")
    assert "12,345" in mail.text
    assert "<td" in mail.html


HOSTILE = "\x1b]0;owned\x07\r\nBcc: eve@example.com\r\n\r\n.\r\n\u202e<script>alert(1)</script>\udc80 😀" + "&\"'" * 3000


def test_texts_of_any_length_and_content_change_neither_headers_nor_markup(server: SmtpServer) -> None:
    loud = replace(
        notice(), summary=HOSTILE, rule=HOSTILE, key={HOSTILE: HOSTILE}, values={HOSTILE: HOSTILE}, runbook=HOSTILE, link=HOSTILE
    )
    mail = sent(server, replace(message("1", *[replace(loud, incident=f"01{n}") for n in range(120)]), target=HOSTILE, service=HOSTILE))
    assert (mail.to, mail.message["Bcc"]) == (["ops@example.com"], None)
    assert sorted({name for name, _ in mail.message.items()}) == [
        "Auto-Submitted", "Content-Type", "Date", "From", "MIME-Version", "Message-ID", "Subject", "To",
    ]  # fmt: skip
    assert len(mail.message["Subject"]) <= 200
    assert "<script" not in mail.html
    assert "\x1b" not in mail.text + mail.html
    assert max(map(len, mail.message.as_bytes().splitlines())) <= 998
    assert len(mail.message.as_bytes()) < 3_000_000


def test_a_body_that_waits_in_the_database_names_no_recipient(server: SmtpServer) -> None:
    body = made(server.port, to=["ops@example.com", "boss@example.com"]).render(message("1"))
    assert b"boss@" not in body
    assert b"ops@" not in body


# --- encryption and login -----------------------------------------------------------------------------------------------


def test_starttls_encrypts_and_logs_in(certificates: Certificates) -> None:
    with SmtpServer(starttls=certificates.server_context(), login=LOGIN) as there:
        to = made(there.port, security="starttls", ca_file=str(certificates.ca), username=LOGIN[0], password=LOGIN[1])
        assert send(to) == Delivered("250")
        assert there.taken[0].encrypted


def test_tls_from_the_start_encrypts_and_logs_in(certificates: Certificates) -> None:
    with SmtpServer(tls=certificates.server_context(), login=LOGIN) as there:
        to = made(there.port, security="tls", ca_file=str(certificates.ca), username=LOGIN[0], password=LOGIN[1])
        assert send(to) == Delivered("250")
        assert there.taken[0].encrypted


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_of_another_host_is_not_trusted(security: str, certificates: Certificates) -> None:
    context = certificates.server_context(certificate=certificates.elsewhere)
    with SmtpServer(tls=context) if security == "tls" else SmtpServer(starttls=context) as there:
        outcome = send(made(there.port, security=security, ca_file=str(certificates.ca)))
        assert isinstance(outcome, Later)
        assert outcome.never_arrived
        assert outcome.reason.startswith(f"127.0.0.1:{there.port}: TLS failed (")
        assert there.taken == []


def test_a_server_without_starttls_gets_nothing_unencrypted(server: SmtpServer) -> None:
    outcome = send(made(server.port, security="starttls"))
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith(f"127.0.0.1:{server.port} does not offer STARTTLS")
    assert server.taken == []


def test_tls_to_a_server_that_begins_without_it_says_so(server: SmtpServer) -> None:
    outcome = send(made(server.port, security="tls"))
    assert isinstance(outcome, Later)
    assert 'as on port 587, set security = "starttls"' in outcome.reason


def test_a_wrong_password_is_refused_and_not_repeated_though_the_server_does() -> None:
    with SmtpServer(login=LOGIN) as there:
        port = there.port
        outcome = send(made(port, username="watchdog", password="wr0ng-pa55word"))
    assert outcome == Refused(
        f"127.0.0.1:{port} answered 535: 5.7.8 Authentication failed for watchdog …;"
        " check `username` and `password` (many providers want one made for programs)"
    )


def test_a_server_that_wants_a_login_says_so_in_its_words() -> None:
    with SmtpServer(login=LOGIN) as there:
        outcome = send(made(there.port))
    assert isinstance(outcome, Refused)
    assert "answered 530: 5.7.0 Authentication required; check `from`" in outcome.reason


# --- recipients ---------------------------------------------------------------------------------------------------------


def test_several_recipients_get_one_message(server: SmtpServer) -> None:
    assert send(made(server.port, to=["Ops <ops@example.com>", "boss@example.com"])) == Delivered("250")
    [mail] = server.taken
    assert mail.to == ["ops@example.com", "boss@example.com"]
    assert mail.message["To"] == "Ops <ops@example.com>, boss@example.com"


def test_one_refused_recipient_is_named_and_the_others_get_it(server: SmtpServer) -> None:
    server.refuses = {"gone@example.com": "550 5.1.1 No such user \x1b[31m"}
    outcome = send(made(server.port, to=["ops@example.com", "gone@example.com"]))
    assert isinstance(outcome, Delivered)
    assert outcome.problem.startswith(f"127.0.0.1:{server.port} refused gone@example.com (550: 5.1.1 No such user")
    assert "\x1b" not in outcome.problem
    assert server.taken[0].to == ["ops@example.com"]


def test_where_all_are_refused_it_is_refused(server: SmtpServer) -> None:
    server.refuses = {"ops@example.com": "550 5.7.1 Relaying denied"}
    assert send(made(server.port)) == Refused(
        f"127.0.0.1:{server.port} refused ops@example.com (550: 5.7.1 Relaying denied);"
        " check `to`, and whether the server relays for this login"
    )


def test_where_one_is_only_put_off_it_is_tried_again(server: SmtpServer) -> None:
    server.refuses = {"ops@example.com": "451 4.7.1 Greylisted, try again later"}
    outcome = send(made(server.port))
    assert isinstance(outcome, Later)
    assert outcome.never_arrived


# --- what the server makes of the message -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("451 4.3.0 Try again", Later),
        ("421 4.3.2 Shutting down", Later),
        ("554 5.7.1 Looks like spam", Refused),
        ("550 5.6.0 No", Refused),
    ],
)
def test_its_answer_to_the_message_decides(answer: str, outcome: type[Outcome], server: SmtpServer) -> None:
    server.answers = [answer]
    came = send(made(server.port))
    assert type(came) is outcome
    assert answer[4:] in came.reason  # type: ignore[union-attr]


@pytest.mark.parametrize("when", ["before it is sent", "after"])
def test_a_message_that_is_too_large_may_be_sent_shorter(when: str, server: SmtpServer) -> None:
    if when == "after":
        server.answers = ["552 5.3.4 Message too big"]
        outcome = send(made(server.port))
    else:
        with SmtpServer(largest=500) as small:
            outcome = send(made(small.port))
    assert isinstance(outcome, Refused)
    assert outcome.too_large


def test_a_server_that_takes_it_and_hangs_up_may_have_it(server: SmtpServer) -> None:
    server.loses = 1
    outcome = send(made(server.port))
    assert isinstance(outcome, Later)
    assert not outcome.never_arrived
    assert "before it confirmed the message" in outcome.reason
    assert send(made(server.port)) == Delivered("250")
    assert len({mail.message["Message-ID"] for mail in server.taken}) == 1


def test_a_refused_connection_never_arrived() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert send(made(port)) == Later(f"127.0.0.1:{port} refused the connection; is it running?", never_arrived=True)


@pytest.mark.parametrize("mood", [is_silent, drips(b"220 hello\r\n250 x\r\n" * 50, 0.1)], ids=["silent", "drips"])
def test_a_server_that_hangs_holds_no_longer_than_the_timeout(mood: Any) -> None:
    with TcpServer(mood) as slow:
        began = time.monotonic()
        outcome = send(made(slow.port, timeout="400ms"))
        took = time.monotonic() - began
        assert outcome == Later(f"127.0.0.1:{slow.port} did not take the message within 0.4s", never_arrived=True)
    assert took < 2


# --- settings -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"host": "smtp.example.com", "username": "a", "password": "b"}, "would cross the network readable"),
        ({"username": "a"}, "together"),
        ({"password": "b"}, "together"),
        ({"to": []}, "at least 1 item"),
        ({"to": "ops"}, "expected one address"),
        ({"to": "ops@example.com, boss@example.com"}, "expected one address"),
        ({"to": "ops@example.com\r\nBcc: eve@example.com"}, "expected one address"),
        ({"from": "öps@example.com"}, "expected one address"),
        ({"host": "smtp://smtp.example.com"}, "without port and scheme"),
        ({"host": "smtp.example.com:587"}, "without port and scheme"),
        ({"security": "ssl"}, "'starttls', 'tls' or 'none'"),
    ],
)
def test_settings_that_cannot_work_say_what_is_expected(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        made(25, **given)


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_each_kind_of_encryption_has_its_usual_port(security: str, port: int) -> None:
    values = {"type": "email", "name": "ops", "host": "smtp.example.com", "from": "a@example.com", "to": "b@example.com"}
    assert EmailSettings.model_validate({**values, "security": security}).server_port == port


def test_the_password_is_in_no_text_of_the_settings() -> None:
    assert LOGIN[1] not in repr(EmailSettings.model_validate({
        "type": "email", "name": "ops", "host": "localhost", "from": "a@example.com", "to": "b@example.com",
        "username": LOGIN[0], "password": LOGIN[1],
    }))  # fmt: skip
