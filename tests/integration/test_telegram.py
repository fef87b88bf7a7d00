"""The Telegram receiver against a look-alike that enforces the rules of the Bot API."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace
from pydantic import ValidationError

from tests.builders.outbox import T0, message, notice
from tests.builders.report import a_report
from tests.servers.receiver import Answer
from tests.servers.telegram import CHAT, TOKEN, Telegram, shown
from watchdog.core.incidents.messages import Event, Message
from watchdog.core.incidents.outcome import Delivered, Later, Outcome, Refused
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import SELF
from watchdog.receivers.chat.telegram import TelegramReceiver, TelegramSettings

Made = Callable[..., TelegramReceiver]


@pytest.fixture
def there() -> Iterator[Telegram]:
    with Telegram() as telegram:
        yield telegram


@pytest.fixture
def made(there: Telegram) -> Iterator[Made]:
    ones: list[TelegramReceiver] = []

    def make(**given: Any) -> TelegramReceiver:
        values = {"type": "telegram", "name": "ops", "url": f"http://127.0.0.1:{there.port}", "token": TOKEN, "chat": CHAT, "timeout": "5s"}
        ones.append(TelegramReceiver(TelegramSettings.model_validate({**values, **given})))
        return ones[-1]

    yield make
    for one in ones:
        one.close()


def send(to: TelegramReceiver, what: Message | None = None) -> Outcome:
    return to.send(to.render(what or message("1")), "01MESSAGE1", T0)


def test_an_incident_is_a_few_lines_with_its_mark_and_a_link(made: Made, there: Telegram) -> None:
    assert send(made(), message("1", replace(notice(), link="https://flower.example.com/broker"))) == Delivered("200")
    [post] = there.posts
    text, _ = shown(post)
    assert text.splitlines()[0] == "🟡 Warning in prod: A holds 60 messages"
    assert text.splitlines()[1].startswith("rule QueueBacklogHigh · name A · length 60")
    assert '<a href="https://flower.example.com/broker">Open in Flower</a>' in post["text"]
    assert (post["disable_notification"], post["link_preview_options"]) == (False, {"is_disabled": True})


@pytest.mark.parametrize(
    ("told", "first", "silent"),
    [
        (notice(event=Event.ESCALATED, severity=Severity.CRITICAL), "🔴 Escalated to critical in prod: ", False),
        (notice(event=Event.RESOLVED), "🟢 Resolved after 1m in prod: ", True),
        (replace(notice(event=Event.RESOLVED), ended="rule removed"), "⚪ Ended after 1m (rule removed) in prod: ", True),
    ],
)
def test_what_became_of_it_has_its_mark_and_an_end_makes_no_sound(told: Any, first: str, silent: bool, made: Made, there: Telegram) -> None:
    send(made(), message("1", told))
    assert shown(there.posts[0])[0].startswith(first)
    assert there.posts[0]["disable_notification"] is silent


def test_of_fifty_the_most_urgent_are_shown_and_the_others_counted(made: Made, there: Telegram) -> None:
    fires = [notice(f"q{number:02}") for number in range(49)]
    assert send(made(), message("1", *fires, notice("worst", severity=Severity.CRITICAL))) == Delivered("200")
    text, _ = shown(there.posts[0])
    assert text.startswith("prod: 50 incidents")
    assert "🔴 Critical in prod: worst holds 60 messages" in text
    assert int(re.search(r"… and (\d+) more; watchdog incidents lists them", text)[1]) == 50 - text.count(" in prod: ")  # type: ignore[index]


def test_a_topic_of_a_group_gets_it(made: Made, there: Telegram) -> None:
    send(made(thread=7))
    assert there.posts[0]["message_thread_id"] == 7


def test_a_report_is_shown_without_a_sound(made: Made, there: Telegram) -> None:
    assert send(made(), Message("01DIGEST", "ops", SELF, T0, (), digest=a_report())) == Delivered("200")
    assert shown(there.posts[0])[0].startswith("Report of ")
    assert there.posts[0]["disable_notification"] is True


HOSTILE = "@everyone #tag /stop evil.com http://evil.com <b>x</b> &lt;script> </code> \x1b[31m\u202e\udc80 " + "😀<&" * 3000


def test_texts_of_any_length_and_content_are_within_its_limits_and_link_nothing(made: Made, there: Telegram) -> None:
    loud = replace(
        notice(), summary=HOSTILE, rule=HOSTILE, key={HOSTILE: HOSTILE}, values={HOSTILE: HOSTILE}, runbook=HOSTILE, link=HOSTILE
    )
    for count in (1, 3, 60):
        told = replace(message("1", *[replace(loud, incident=f"01{n}") for n in range(count)]), target=HOSTILE)
        assert send(made(), told) == Delivered("200")
    for post in there.posts:
        _, prose = shown(post)
        assert re.search(r"[@#\x1b]|://|(?<!\S)/\w|\w\.\w", prose) is None


# --- what it answers ----------------------------------------------------------------------------------------------------


def test_while_it_is_busy_it_says_for_how_long(made: Made, there: Telegram) -> None:
    there.busy = [9]
    outcome = send(made())
    assert isinstance(outcome, Later)
    assert (outcome.retry_after_s, outcome.never_arrived) == (9.0, True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"chat": 5}, "answered 400: Bad Request: chat not found; check `chat`"),
        ({"token": "9" * 6 + ":" + "A" * 35}, "answered 401: Unauthorized; check `token`: @BotFather shows it"),
    ],
)
def test_a_wrong_chat_or_token_is_said_in_its_own_words_with_what_to_do(given: dict[str, Any], said: str, made: Made) -> None:
    outcome = send(made(**given))
    assert isinstance(outcome, Refused)
    assert said in outcome.reason
    assert outcome.gone


def test_a_group_that_became_a_supergroup_says_its_new_number(made: Made, there: Telegram) -> None:
    there.refuses = [(400, "Bad Request: group chat was upgraded to a supergroup chat", {"migrate_to_chat_id": -100777})]
    outcome = send(made())
    assert isinstance(outcome, Refused)
    assert outcome.reason.endswith("the group has a new number: set `chat` to it (-100777)")


def test_no_secret_appears_in_any_outcome_body_or_settings(made: Made, there: Telegram) -> None:
    outcomes = []
    for status in (200, 302, 400, 401, 404, 429, 500):
        there.then(Answer(status, {"x": "y"}, f'{{"ok": false, "description": "no {TOKEN} {TOKEN[7:]}"}}'.encode()))
        outcomes.append(send(made()))
    settings = TelegramSettings.model_validate({"type": "telegram", "name": "ops", "token": TOKEN, "chat": CHAT})
    assert TOKEN[7:] not in f"{outcomes!r} {settings!r} {made().render(message('1'))!r}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"token": "abc"}, "expected the token of a bot"),
        ({"chat": "alerts"}, "expected the number of a chat"),
        ({"chat": "@a b"}, "expected the number of a chat"),
        ({"thread": 0}, "greater than or equal to 1"),
    ],
)
def test_settings_that_cannot_work_say_what_is_expected(given: dict[str, Any], said: str, made: Made) -> None:
    with pytest.raises(ValidationError, match=said):
        made(**given)
