"""The Discord receiver against a look-alike that enforces Discord's limits."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from tests.builders.outbox import T0, message, notice
from tests.builders.report import a_report
from tests.servers.discord import Discord
from tests.servers.receiver import Answer
from watchdog.core.incidents.messages import Event, Message
from watchdog.core.incidents.outcome import Delivered, Later, Outcome, Refused
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import SELF
from watchdog.receivers.chat.discord import DiscordReceiver, DiscordSettings

PATH = "api/webhooks/112233445566/s3cretT0ken"


@pytest.fixture
def there() -> Iterator[Discord]:
    with Discord() as discord:
        yield discord


@pytest.fixture
def to(there: Discord) -> Iterator[DiscordReceiver]:
    url = f"http://127.0.0.1:{there.port}/{PATH}"
    one = DiscordReceiver(DiscordSettings.model_validate({"type": "discord", "name": "ops", "url": url, "timeout": "5s"}))
    yield one
    one.close()


def send(to: DiscordReceiver, what: Message | None = None) -> Outcome:
    return to.send(to.render(what or message("1")), "01MESSAGE1", T0)


def test_an_incident_is_an_embed_beside_its_colour(to: DiscordReceiver, there: Discord) -> None:
    assert send(to, message("1", replace(notice(), link="https://flower.example.com/broker"))) == Delivered("204")
    [post] = there.posts
    [embed] = post["embeds"]
    assert post["content"] == "Warning in prod\\: A holds 60 messages"
    assert (embed["title"], embed["color"]) == ("Warning\\: A holds 60 messages", 0xDAA038)
    assert embed["url"] == "https://flower.example.com/broker"
    assert embed["description"].splitlines()[:3] == ["rule: **QueueBacklogHigh**", "target: **prod**", "name: **A**"]
    assert post["allowed_mentions"] == {"parse": []}


@pytest.mark.parametrize(
    ("told", "colour", "what"),
    [
        (notice(event=Event.ESCALATED, severity=Severity.CRITICAL), 0xA30200, "Escalated to critical"),
        (notice(event=Event.RESOLVED), 0x2EB886, "Resolved after 1m"),
        (replace(notice(event=Event.RESOLVED), ended="rule removed"), 0x8D8D8D, "Ended after 1m \\(rule removed\\)"),
    ],
)
def test_what_became_of_it_has_its_words_and_colour(told: Any, colour: int, what: str, to: DiscordReceiver, there: Discord) -> None:
    send(to, message("1", told))
    [embed] = there.posts[0]["embeds"]
    assert embed["color"] == colour
    assert embed["title"].startswith(f"{what}\\: ")


def test_of_fifty_the_most_urgent_are_shown_and_the_others_counted(to: DiscordReceiver, there: Discord) -> None:
    fires = [notice(f"q{number:02}") for number in range(49)]
    assert send(to, message("1", *fires, notice("worst", severity=Severity.CRITICAL))) == Delivered("204")
    embeds = there.posts[0]["embeds"]
    assert embeds[0]["title"] == "Critical\\: worst holds 60 messages"
    assert embeds[-1]["description"] == f"… and {50 - len(embeds) + 1} more; `watchdog incidents` lists them"
    assert "50 incidents" in there.posts[0]["content"]


def test_a_report_is_shown_in_parts(to: DiscordReceiver, there: Discord) -> None:
    assert send(to, Message("01DIGEST", "ops", SELF, T0, (), digest=a_report())) == Delivered("204")
    assert there.posts[0]["content"].startswith("Report of ")
    assert len(there.posts[0]["embeds"]) > 1


HOSTILE = "@everyone <@1> **b** __u__ `c` [x](http://evil) ||s|| > q\n# h\n- l \x1b[31m\u202e\udc80 😀 <t:1> :fire: " + "😀*" * 3000


def test_texts_of_any_length_and_content_are_within_its_limits_and_no_markup(to: DiscordReceiver, there: Discord) -> None:
    loud = replace(
        notice(), summary=HOSTILE, rule=HOSTILE, key={HOSTILE: HOSTILE}, values={HOSTILE: HOSTILE}, runbook=HOSTILE, link=HOSTILE
    )
    for count in (1, 3, 60):
        told = replace(message("1", *[replace(loud, incident=f"01{n}") for n in range(count)]), target=HOSTILE)
        assert send(to, told) == Delivered("204")
    for post in there.posts:
        said = post["content"] + "".join(embed.get("title", "") + embed["description"].replace("**", "") for embed in post["embeds"])
        said = re.sub(r"`watchdog incidents`|^[^:\\]{1,9}: ", "", said, flags=re.MULTILINE)
        assert re.search(r"(?<!\\)(?:\\\\)*[*_~`|<@\[\]]", said) is None
        assert "://" not in said
        assert "\x1b" not in said


# --- what it answers ----------------------------------------------------------------------------------------------------


def test_while_it_is_busy_it_says_for_how_long(to: DiscordReceiver, there: Discord) -> None:
    there.busy = [1.5]
    outcome = send(to)
    assert isinstance(outcome, Later)
    assert (outcome.retry_after_s, outcome.never_arrived) == (1.5, True)
    assert send(to) == Delivered("204")


def test_a_deleted_webhook_is_gone_in_its_own_words_with_what_to_do(to: DiscordReceiver, there: Discord) -> None:
    there.deleted = True
    outcome = send(to)
    assert isinstance(outcome, Refused)
    assert outcome.gone
    assert outcome.reason.startswith(
        f"http://127.0.0.1:{there.port} answered 404: Unknown Webhook (code 10015); the webhook was deleted; make a new one in Discord"
    )


def test_no_secret_appears_in_any_outcome(to: DiscordReceiver, there: Discord) -> None:
    outcomes = []
    for status in (200, 302, 400, 401, 404, 429, 500):
        there.then(Answer(status, {"x": "y"}, f'{{"code": 50035, "message": "no {PATH}", "retry_after": 1}}'.encode()))
        outcomes.append(send(to))
    assert "s3cretT0ken" not in repr(outcomes)
