"""The Slack bot against a look-alike of Slack's API: what begins is a new message, what else happens changes it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from pydantic import ValidationError

from tests.builders.life import Life
from tests.builders.outbox import T0, incident, message, notice, opened, over
from tests.builders.report import a_report
from tests.servers.receiver import Answer
from tests.servers.slack_api import CHANNEL, TOKEN, SlackApi
from watchdog.core.incidents.messages import Event, Message
from watchdog.core.incidents.outcome import Delivered, Later, Outcome, Refused
from watchdog.core.incidents.routing import Terms
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import SELF
from watchdog.receivers.slack.bot import MEND, SlackBot
from watchdog.receivers.slack.receiver import slack_receiver
from watchdog.receivers.slack.settings import SlackSettings
from watchdog.store import Store

GOOD, RED = "#2eb886", "#a30200"


@pytest.fixture(scope="module")
def slack() -> Iterator[SlackApi]:
    with SlackApi() as there:
        yield there


@pytest.fixture
def there(slack: SlackApi) -> SlackApi:
    slack.shown.clear()
    slack.requests.clear()
    slack.broadcast.clear()
    slack.errors.clear()
    slack.invited = True
    return slack


def made(there: SlackApi, **given: Any) -> SlackBot:
    values = {"type": "slack", "name": "ops", "url": there.api, "token": TOKEN, "channel": "#alerts", "timeout": "5s", "per_second": 1000}
    bot = slack_receiver(SlackSettings.model_validate({**values, **given}))
    assert isinstance(bot, SlackBot)
    return bot


@pytest.fixture
def bot(there: SlackApi) -> Iterator[SlackBot]:
    one = made(there)
    yield one
    one.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as one:
        yield one


@pytest.fixture
def life(store: Store, bot: SlackBot) -> Life:
    return Life(store, bot, Terms(repeat_s=600.0, group_interval_s=0.0))


def send(to: SlackBot, what: Message | None = None) -> Outcome:
    return to.send(to.render(what or message("1")), "01MESSAGE1", T0)


# --- the life of a message ----------------------------------------------------------------------------------------------


def test_the_end_changes_the_message_and_adds_to_its_thread(life: Life, there: SlackApi) -> None:
    fire = incident("alpha")
    life.cycle([fire])
    life.cycle([over(fire, T0 + 300)])
    [shown] = there.shown.values()
    assert shown.text == "Resolved after 5m in prod: alpha holds 60 messages"
    assert shown.colour == GOOD
    assert [reply["text"] for reply in shown.thread] == [shown.text]
    assert there.methods == ["chat.postMessage", "chat.update", "chat.postMessage"]


def test_what_gets_worse_is_a_new_message_and_the_first_one_says_so(life: Life, there: SlackApi) -> None:
    fire = incident("alpha")
    worse = replace(fire, severity=Severity.CRITICAL)
    for state in (fire, worse):
        life.cycle([state])
    first, second = there.shown.values()
    assert (first.text, first.colour) == ("Escalated to critical in prod: alpha holds 60 messages", RED)
    assert (second.text, second.changes, second.thread) == (first.text, 0, [])
    life.cycle([over(worse, T0 + 400)])
    assert (first.colour, second.colour) == (GOOD, GOOD)
    assert [len(shown.thread) for shown in (first, second)] == [0, 1]


def test_a_reminder_is_shown_in_the_channel_too(life: Life, there: SlackApi) -> None:
    fire = incident("alpha")
    life.cycle([fire])
    life.cycle([fire], after_s=700.0)
    [shown] = there.shown.values()
    assert shown.text.startswith("Reminder, still warning after ")
    assert there.broadcast == shown.thread
    assert len(shown.thread) == 1


def test_of_several_in_one_message_each_keeps_its_own_state(life: Life, there: SlackApi) -> None:
    one, two = incident("alpha"), incident("beta")
    life.cycle([one, two])
    life.cycle([over(one, T0 + 200), two])
    [shown] = there.shown.values()
    said = json.dumps(shown.body)
    assert "Resolved after 3m20s: *alpha" in said
    assert "Warning: *beta" in said
    assert shown.colour != GOOD
    assert "beta" not in json.dumps(shown.thread)


def test_a_message_that_was_deleted_is_replaced_by_a_new_one(life: Life, there: SlackApi) -> None:
    fire = incident("alpha")
    life.cycle([fire])
    there.shown.clear()
    life.cycle([over(fire, T0 + 300)])
    [shown] = there.shown.values()
    assert shown.text.startswith("Resolved")


def test_a_message_that_may_not_be_changed_any_more_gets_its_reply(life: Life, there: SlackApi) -> None:
    fire = incident("alpha")
    life.cycle([fire])
    there.errors = ["edit_window_closed"]
    life.cycle([over(fire, T0 + 300)])
    [shown] = there.shown.values()
    assert (shown.text.startswith("Warning"), len(shown.thread)) == (True, 1)


def test_a_restart_knows_what_it_posted(tmp_path: Path, there: SlackApi, bot: SlackBot) -> None:
    fire = incident("alpha")
    for state, now in ((fire, T0), (over(fire, T0 + 300), T0 + 500)):
        with opened(tmp_path) as store:
            life = Life(store, bot)
            life.now = now
            life.cycle([state])
    [shown] = there.shown.values()
    assert (shown.colour, shown.changes, len(shown.thread)) == (GOOD, 1, 1)


def test_a_crash_between_post_and_record_shows_a_message_twice_and_the_second_one_lives_on(
    life: Life, there: SlackApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    fire = incident("alpha")
    with monkeypatch.context() as crashing:
        crashing.setattr(Store, "settle", lambda *_, **__: None)  # what a crash leaves: sent, and not recorded
        life.cycle([fire])
    life.store.recover()
    life.deliver()
    life.cycle([over(fire, T0 + 300)])
    first, second = there.shown.values()
    assert (first.text, first.changes) == ("Warning in prod: alpha holds 60 messages", 0)
    assert (second.colour, len(second.thread)) == (GOOD, 1)


def test_what_fails_half_way_is_sent_again_and_nothing_is_shown_twice(life: Life, there: SlackApi) -> None:
    fire = incident("alpha")
    life.cycle([fire])
    there.then(Answer(), Answer(429, {"retry-after": "7"}, b'{"ok":false,"error":"ratelimited"}'))
    life.cycle([over(fire, T0 + 300)])
    life.deliver(after_s=10.0)
    [shown] = there.shown.values()
    assert (shown.colour, shown.changes, len(shown.thread)) == (GOOD, 2, 1)


def test_a_message_that_had_to_wait_says_how_things_are_by_then(life: Life, there: SlackApi) -> None:
    one, two = incident("alpha"), incident("beta")
    life.cycle([one, two])
    there.then(Answer(500))
    life.cycle([over(one, T0 + 200), two])
    life.cycle([over(two, T0 + 201)], after_s=0.1)
    life.deliver(after_s=10.0)
    [shown] = there.shown.values()
    assert (shown.colour, shown.changes, len(shown.thread)) == (GOOD, 2, 2)


def test_a_bot_in_place_of_a_webhook_posts_what_it_did_not_post_itself(store: Store, bot: SlackBot, there: SlackApi) -> None:
    url = f"http://127.0.0.1:{there.port}/services/T0/B0/x"
    webhook = slack_receiver(SlackSettings.model_validate({"type": "slack", "name": "ops", "url": url, "timeout": "5s"}))
    fire = incident("alpha")
    there.then(Answer(body=b"ok"))
    Life(store, webhook).cycle([fire])
    webhook.close()
    again = Life(store, bot)
    again.now = T0 + 500
    again.cycle([over(fire, T0 + 300)])
    [shown] = there.shown.values()
    assert shown.colour == GOOD


def test_a_report_is_a_message_of_its_own(bot: SlackBot, there: SlackApi) -> None:
    assert isinstance(send(bot, Message("01DIGEST", "ops", SELF, T0, (), digest=a_report())), Delivered)
    [shown] = there.shown.values()
    assert shown.text.startswith("Report of ")


# --- what Slack answers -------------------------------------------------------------------------------------------------


def test_what_it_posted_has_a_handle_though_the_channel_was_named(bot: SlackBot, there: SlackApi) -> None:
    outcome = send(bot, message("1", *[notice(f"q{number}") for number in range(20)]))
    [shown] = there.shown.values()
    assert outcome == Delivered("200", handle=f"{CHANNEL} {shown.ts}")


def test_while_it_is_busy_it_says_for_how_long(bot: SlackBot, there: SlackApi) -> None:
    there.busy = [30]
    outcome = send(bot)
    assert isinstance(outcome, Later)
    assert (outcome.retry_after_s, outcome.never_arrived) == (30.0, True)


@pytest.mark.parametrize("error", MEND)
def test_each_error_says_what_to_mend(error: str, bot: SlackBot, there: SlackApi) -> None:
    there.errors = [error]
    mend, gone = MEND[error]
    assert send(bot) == Refused(f"http://127.0.0.1:{there.port} answered 200: {error}: {mend}", gone=gone)


def test_a_bot_that_was_not_invited_says_how_to(bot: SlackBot, there: SlackApi) -> None:
    there.invited = False
    outcome = send(bot)
    assert isinstance(outcome, Refused)
    assert outcome.reason.endswith("not_in_channel: invite the bot: write `/invite @its-name` in the channel")


@pytest.mark.parametrize("error", ["internal_error", "fatal_error", "ratelimited"])
def test_a_fault_of_slack_is_tried_again(error: str, bot: SlackBot, there: SlackApi) -> None:
    there.errors = [error]
    outcome = send(bot)
    assert isinstance(outcome, Later)
    assert outcome.never_arrived == (error == "ratelimited")


def test_too_long_is_too_large(bot: SlackBot, there: SlackApi) -> None:
    there.errors = ["msg_too_long"]
    outcome = send(bot)
    assert isinstance(outcome, Refused)
    assert outcome.too_large


@pytest.mark.parametrize("body", [b"<html>log in</html>", b"", b"ok", b"[]"])
def test_a_yes_without_its_confirmation_is_none(body: bytes, bot: SlackBot, there: SlackApi) -> None:
    there.then(Answer(200, {"x": "y"}, body))
    outcome = send(bot)
    assert isinstance(outcome, Refused)
    assert 'expected `"ok": true`' in outcome.reason


def test_no_secret_appears_in_any_outcome(bot: SlackBot, there: SlackApi) -> None:
    outcomes = []
    for status in (200, 302, 400, 401, 404, 429, 500):
        there.then(Answer(status, {"x": "y"}, json.dumps({"ok": False, "error": TOKEN, "needed": TOKEN}).encode()))
        outcomes.append(send(bot))
    assert "s3cretb0t" not in repr(outcomes)
    assert len(outcomes) == 7


# --- its settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "expected `url`, an incoming webhook, or the `token` of a bot and its `channel`; found neither"),
        ({"token": TOKEN}, "expected `channel` beside `token`, found none"),
        ({"url": "https://hooks.slack.com/services/T/B/x", "channel": "#alerts"}, "expected the `token` of a bot beside `channel`"),
        ({"token": "s3cret", "channel": "#alerts"}, "expected the token of a bot as Slack gives it, such as xoxb-"),
        ({"token": TOKEN, "channel": "#two words"}, "expected the ID of a channel"),
    ],
)
def test_what_is_missing_or_wrong_is_said(given: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError) as raised:
        SlackSettings.model_validate({"type": "slack", "name": "ops", **given})
    assert expected in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_an_end_of_what_no_post_shows_is_a_message_of_its_own(bot: SlackBot) -> None:
    assert json.loads(bot.render(message("1", notice(event=Event.RESOLVED)))).keys() == {"changes", "message"}
