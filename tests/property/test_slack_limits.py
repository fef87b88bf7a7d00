"""Whatever a message holds: its Slack body is valid JSON within every limit, and nothing in it that came from elsewhere is markup."""

import json
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.builders.outbox import T0, message, notice
from tests.builders.slack_limits import beyond_slacks_limits
from watchdog.core.incidents.messages import Event, Message, Notice
from watchdog.core.judging.links import LONGEST_LINK
from watchdog.core.model.severity import Severity
from watchdog.receivers.slack.receiver import SlackReceiver
from watchdog.receivers.slack.settings import SlackSettings

RECEIVER = SlackReceiver(SlackSettings.model_validate({"type": "slack", "name": "ops", "url": "http://127.0.0.1:1/hook"}))
HOSTILE = ["*a*", "_a_", "~a~", "`a`", "<!here>", "<@U1>", "<http://e|x>", "@channel", "&lt;", ":fire:", "> a", "```", "http://evil",
           "\x1b[31m", "\x00", "\n", "\u202e", "\udc80", "😀", "x" * 3000, "&" * 700, "a", " "]  # fmt: skip
TEXTS = st.lists(st.sampled_from(HOSTILE) | st.text(st.characters(codec=None), max_size=20), max_size=6).map("".join)
LONG_TEXTS = TEXTS | st.builds(lambda text: text * 40, TEXTS)
CELLS = st.none() | st.booleans() | st.floats() | LONG_TEXTS
MOMENTS = st.floats(0, 4e9)
LONGEST = f"https://flower.example.com/worker/{'w' * (LONGEST_LINK - 40)}"


@st.composite
def notices(draw: st.DrawFn) -> Notice:
    return replace(
        notice("A"),
        incident=draw(st.sampled_from(["01A", "01B", "01C"])),
        event=draw(st.sampled_from(Event)),
        rule=draw(LONG_TEXTS),
        target=draw(TEXTS),
        severity=draw(st.sampled_from(Severity)),
        key=draw(st.dictionaries(TEXTS, LONG_TEXTS, max_size=8)),
        started_at=draw(MOMENTS),
        resolved_at=draw(st.none() | MOMENTS),
        ended=draw(st.none() | st.sampled_from(["recovered", "rule removed"])),
        values=draw(st.dictionaries(TEXTS, CELLS, max_size=10)),
        summary=draw(LONG_TEXTS),
        runbook=draw(LONG_TEXTS),
        link=draw(LONG_TEXTS | st.just(LONGEST)),
        targets=tuple(draw(st.lists(TEXTS, max_size=7))),
    )


@st.composite
def messages(draw: st.DrawFn) -> Message:
    some = draw(st.lists(notices(), min_size=1, max_size=5))
    repeated = some * draw(st.sampled_from([1, 1, 1, 30]))
    return replace(message("1", *repeated, at=T0), target=draw(TEXTS), service=draw(TEXTS))


def texts(blocks: list[dict[str, Any]]) -> Iterator[str]:
    for block in blocks:
        objects = [block["text"]] if block["type"] == "section" else block["elements"]
        yield from (one["text"] for one in objects)


COMMON = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@given(messages())
@COMMON
def test_every_body_is_within_every_limit(told: Message) -> None:
    assert not beyond_slacks_limits(RECEIVER.render(told))


@given(messages())
@COMMON
def test_every_incident_is_shown_or_counted(told: Message) -> None:
    blocks = json.loads(RECEIVER.render(told))["attachments"][0]["blocks"]
    shown = sum(block["type"] == "section" for block in blocks)
    counted = re.match(r"… and (\d+) more; ", blocks[-1]["elements"][0]["text"])
    assert shown + (int(counted[1]) if counted else 0) == len(told.notices)


CODE = re.compile(r"`[^`\n]+`")
DATE = re.compile(r"<!date\^\d+\^\{date_short_pretty\} \{time\}\|[0-9TZ:-]+>")
RUNBOOK = re.compile(r"^<https?://[^<>|\s]+\|(Runbook|Open in Flower)>$", re.MULTILINE)
SUBJECT = re.compile(r"^([^*\n]*: )\*([^*\n]*)\*$", re.MULTILINE)


def without_ours(text: str) -> str:
    """The text without the markup that we put there: what is left came from elsewhere, and must be none."""
    return CODE.sub("", SUBJECT.sub(r"\1\2", RUNBOOK.sub("", DATE.sub("", text)), count=1))


@given(messages())
@COMMON
def test_nothing_from_elsewhere_is_markup(told: Message) -> None:
    body = json.loads(RECEIVER.render(told))
    for text in [body["text"], *map(without_ours, texts(body["attachments"][0]["blocks"]))]:
        assert not set(text) & set("<>*~`")
        assert not re.search(r"&(?!amp;|lt;|gt;)", text)
        assert not re.search(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", text)
        assert not re.search(r"^\s*&gt;", text, re.MULTILINE)
        assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert "://" not in body["text"]
    assert all(one.get("verbatim") for block in body["attachments"][0]["blocks"] for one in block.get("elements", [block.get("text")]))
