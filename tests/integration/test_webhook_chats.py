"""The receivers for Mattermost and Rocket.Chat against look-alikes that enforce their limits."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from tests.builders.outbox import T0, message, notice
from tests.builders.report import a_report
from tests.servers.receiver import Answer
from tests.servers.webhook_chats import Mattermost, RocketChat
from watchdog.core.incidents.messages import Event, Message
from watchdog.core.incidents.outcome import Delivered, Later, Outcome, Refused
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import SELF
from watchdog.receivers import RECEIVERS
from watchdog.receivers.http.receiver import HttpReceiver

Chat = Mattermost | RocketChat
KINDS: dict[str, type[Chat]] = {"mattermost": Mattermost, "rocketchat": RocketChat}
PATH = "hooks/s3cretT0ken0123456789abcd"


@pytest.fixture(scope="module", params=KINDS)
def started(request: pytest.FixtureRequest) -> Iterator[tuple[str, Chat]]:
    with KINDS[request.param]() as chat:
        yield request.param, chat


@pytest.fixture
def there(started: tuple[str, Chat]) -> Chat:
    started[1].posts.clear()
    started[1].deleted = False
    return started[1]


@pytest.fixture
def to(started: tuple[str, Chat]) -> Iterator[HttpReceiver]:
    yield from made(*started)


def made(kind: str, there: Chat, **given: Any) -> Iterator[HttpReceiver]:
    url = f"http://127.0.0.1:{there.port}/{PATH}"
    of = RECEIVERS[kind]
    one = of.receiver(of.settings.model_validate({"type": kind, "name": "ops", "url": url, "timeout": "5s", **given}))
    assert isinstance(one, HttpReceiver)
    yield one
    one.close()


def send(to: HttpReceiver, what: Message | None = None) -> Outcome:
    return to.send(to.render(what or message("1")), "01MESSAGE1", T0)


def test_an_incident_is_an_attachment_beside_its_colour(to: HttpReceiver, there: Chat) -> None:
    told = replace(notice(), link="https://flower.example.com/broker", runbook="https://wiki.example.com/queues")
    assert send(to, message("1", told)) == Delivered("200")
    [post] = there.posts
    [one] = post["attachments"]
    assert post["text"] == "Warning in prod: A holds 60 messages"
    assert (one["title"], one["color"]) == ("Warning: A holds 60 messages", "#daa038")
    assert one["title_link"] == "https://flower.example.com/broker"
    assert one["text"].splitlines() == [
        "rule `QueueBacklogHigh` · target `prod` · name `A` · length `60` · declared `yes` · oldest_s `?`",
        "[Runbook](https://wiki.example.com/queues)",
    ]


@pytest.mark.parametrize(
    ("told", "colour", "what"),
    [
        (notice(event=Event.ESCALATED, severity=Severity.CRITICAL), "#a30200", "Escalated to critical"),
        (notice(event=Event.RESOLVED), "#2eb886", "Resolved after 1m"),
        (replace(notice(event=Event.RESOLVED), ended="rule removed"), "#8d8d8d", "Ended after 1m (rule removed)"),
    ],
)
def test_what_became_of_it_has_its_words_and_colour(told: Any, colour: str, what: str, to: HttpReceiver, there: Chat) -> None:
    send(to, message("1", told))
    [one] = there.posts[0]["attachments"]
    assert one["color"] == colour
    assert one["title"].startswith(f"{what}: ")


def test_of_fifty_the_most_urgent_are_shown_and_the_others_counted(to: HttpReceiver, there: Chat) -> None:
    fires = [notice(f"q{number:02}") for number in range(49)]
    assert send(to, message("1", *fires, notice("worst", severity=Severity.CRITICAL))) == Delivered("200")
    attachments = there.posts[0]["attachments"]
    assert attachments[0]["title"] == "Critical: worst holds 60 messages"
    assert attachments[-1]["text"] == f"… and {50 - len(attachments) + 1} more; `watchdog incidents` lists them"


def test_a_report_is_shown_in_parts(to: HttpReceiver, there: Chat) -> None:
    assert send(to, Message("01DIGEST", "ops", SELF, T0, (), digest=a_report())) == Delivered("200")
    assert there.posts[0]["text"].startswith("Report of ")
    assert len(there.posts[0]["attachments"]) > 1


HOSTILE = (
    "@all <!channel> <@u> **b** __u__ `c` [x](http://evil.com) ||s|| > q\n# h\n- l \x1b[31m\u202e\udc80 😀 $x$ :fire: ~~s~~" + "😀*" * 3000
)


def test_texts_of_any_length_and_content_are_within_its_limits_and_no_markup(to: HttpReceiver, there: Chat) -> None:
    loud = replace(
        notice(), summary=HOSTILE, rule=HOSTILE, key={HOSTILE: HOSTILE}, values={HOSTILE: HOSTILE}, runbook=HOSTILE, link=HOSTILE
    )
    for count in (1, 3, 60):
        told = replace(message("1", *[replace(loud, incident=f"01{n}") for n in range(count)]), target=HOSTILE)
        assert send(to, told) == Delivered("200")
    assert len(there.posts) == 3
    for post in there.posts:
        said = "\n".join([post["text"], *(one.get("title", "") + "\n" + one["text"] for one in post["attachments"])])
        said = re.sub(r"`[^`]*`", "", said)
        assert re.findall(r"[*~`@#<>\[\]|\\$]|://|:\w+:|(?<!\w)_|\w\.\w|\x1b", said) == []


# --- what they answer ---------------------------------------------------------------------------------------------------


def test_a_deleted_webhook_is_said_in_its_own_words_with_what_to_do(to: HttpReceiver, there: Chat) -> None:
    there.deleted = True
    outcome = send(to)
    assert isinstance(outcome, Refused)
    assert "make a new one in" in outcome.reason
    assert "s3cretT0ken" not in outcome.reason


@pytest.mark.parametrize("body", [b"<html>Please log in</html>", b"{}", b""])
def test_a_yes_without_its_confirmation_is_none(body: bytes, to: HttpReceiver, there: Chat) -> None:
    there.then(Answer(200, {"x": "y"}, body))
    outcome = send(to)
    assert isinstance(outcome, Refused)
    assert "expected `" in outcome.reason


def test_no_secret_appears_in_any_outcome(to: HttpReceiver, there: Chat) -> None:
    outcomes = []
    for status in (200, 302, 400, 401, 404, 429, 500, 501):
        echo = f'{{"success": false, "error": "{PATH}", "id": "x", "message": "{PATH}", "status_code": {status}}}'
        there.then(Answer(status, {"x": "y"}, echo.encode()))
        outcomes.append(send(to))
    assert "s3cretT0ken" not in repr(outcomes)
    assert len(outcomes) == 8


@pytest.mark.parametrize("started", ["mattermost"], indirect=True)
def test_mattermost_locked_to_a_channel_says_what_to_leave_out(started: tuple[str, Chat], there: Mattermost) -> None:
    there.locked = True
    [outcome] = [send(one) for one in made(*started, channel="town-square")]
    assert isinstance(outcome, Refused)
    assert not outcome.gone
    assert "not permitted to post to the requested channel.; the webhook is locked to its own channel; leave" in outcome.reason


@pytest.mark.parametrize("started", ["rocketchat"], indirect=True)
def test_rocketchat_without_overriding_says_what_to_allow(started: tuple[str, Chat], there: RocketChat) -> None:
    [outcome] = [send(one) for one in made(*started, channel="#alerts")]
    assert isinstance(outcome, Refused)
    assert "let the integration override its channel, or leave out `channel`" in outcome.reason


@pytest.mark.parametrize("started", ["rocketchat"], indirect=True)
def test_rocketchat_while_busy_says_for_how_long(to: HttpReceiver, there: RocketChat) -> None:
    there.busy = [42]
    outcome = send(to)
    assert isinstance(outcome, Later)
    assert (outcome.retry_after_s, outcome.never_arrived) == (42.0, True)
    assert send(to) == Delivered("200")
