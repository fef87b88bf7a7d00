"""Whatever names and texts a report holds: each receiver's body of a digest is within its limits, and nothing from elsewhere is markup."""

import json
import re
import unicodedata
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.builders.report import MIDNIGHT, a_burned_incident, a_report, a_target_report
from tests.builders.slack_limits import utf16
from tests.property.test_slack_limits import TEXTS, texts
from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.payload import LARGEST_BODY, encode
from watchdog.core.model.target import SELF
from watchdog.core.report.report import Act, FailingTask, QuietRule, Report, SlowTask, ToldRule, WaitingQueue
from watchdog.receivers.console import ConsoleReceiver, ConsoleSettings
from watchdog.receivers.slack.blocks import LARGEST_BODY as LARGEST_OF_SLACK
from watchdog.receivers.slack.receiver import SlackReceiver
from watchdog.receivers.slack.settings import SlackSettings

SLACK = SlackReceiver(SlackSettings.model_validate({"type": "slack", "name": "ops", "url": "http://127.0.0.1:1/hook"}))
CONSOLE = ConsoleReceiver(ConsoleSettings.model_validate({"type": "console", "name": "ops"}))
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
NAMES = TEXTS.map(lambda text: text.encode("utf-8", "replace").decode())
"""A database holds no lone surrogate."""


class Many(NamedTuple):
    """A report, and how often each of its lists is repeated: what is drawn stays small."""

    few: Report
    targets: int
    incidents: int
    quiet: int

    def report(self) -> Report:
        few = self.few
        return replace(few, targets=few.targets * self.targets, incidents=few.incidents * self.incidents, quiet=few.quiet * self.quiet)


@st.composite
def reports(draw: st.DrawFn) -> Many:
    name = st.shared(NAMES, key="name")
    target = a_target_report(
        draw(NAMES),
        slow=tuple(SlowTask(draw(NAMES), 1.0, 1.0, 1, 1) for _ in range(draw(st.integers(0, 5)))),
        failing=(FailingTask(draw(NAMES), 1, 2),),
        queues=tuple(WaitingQueue(draw(NAMES), draw(st.none() | st.floats(0, 1e9)), 1.0) for _ in range(draw(st.integers(0, 5)))),
    )
    incident = a_burned_incident(
        rule=draw(name), target=draw(NAMES), key={draw(NAMES): draw(NAMES)}, summary=draw(NAMES),
        acts=(Act("closed", MIDNIGHT, draw(NAMES), draw(NAMES)),),
    )  # fmt: skip
    report = a_report(
        targets=(target,),
        incidents=(incident,),
        told=(ToldRule(draw(name), 1, 1),),
        quiet=(QuietRule(draw(NAMES), target=draw(NAMES), unjudged_s=9.0), QuietRule(draw(NAMES))),
    )
    return Many(report, *(draw(st.sampled_from(times)) for times in ([0, 1, 2, 60], [0, 1, 20], [1, 200])))


def digest(report: Report) -> Message:
    return Message("01DIGEST", "ops", SELF, MIDNIGHT, (), digest=report)


@given(reports())
@FEW
def test_a_slack_body_is_within_every_limit(many: Many) -> None:
    rendered = SLACK.render(digest(many.report()))
    assert len(rendered) <= LARGEST_OF_SLACK
    body = json.loads(rendered)
    assert 1 <= utf16(body["text"]) <= 3000
    [attachment] = body["attachments"]
    assert 1 <= len(attachment["blocks"]) <= 50
    assert all(1 <= utf16(text) <= 3000 for text in texts(attachment["blocks"]))


FORBIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
OURS = re.compile(r"`[^`\n]+`|^\*[^*\n]*\*$", re.MULTILINE)


@given(reports())
@FEW
def test_nothing_from_elsewhere_is_slack_markup(many: Many) -> None:
    body = json.loads(SLACK.render(digest(many.report())))
    for text in [body["text"], *(OURS.sub("", text) for text in texts(body["attachments"][0]["blocks"]))]:
        assert not set(text) & set("<>*~`")
        assert not re.search(r"&(?!amp;|lt;|gt;)", text)
        assert not re.search(r"^\s*&gt;", text, re.MULTILINE)
        assert all(letter.isprintable() or letter == "\n" for letter in text)


@given(reports())
@FEW
def test_json_is_within_its_limit_or_has_no_row_left_to_leave_out(many: Many) -> None:
    body = encode(digest(many.report()))
    document: dict[str, Any] = json.loads(body)["data"]["report"]
    rows = [*document["incidents"], *document["told"], *document["quiet"], *(row for one in document["targets"] for row in one["slowest"])]
    assert len(body) <= LARGEST_BODY or rows == []
    assert len(document["targets"]) == many.targets


@given(reports())
@FEW
def test_the_console_prints_nothing_that_a_terminal_obeys(many: Many) -> None:
    printed = CONSOLE.render(digest(many.report())).decode()
    assert not any(unicodedata.category(letter) in FORBIDDEN for letter in printed.replace("\n", ""))


def test_a_report_survives_its_way_through_json() -> None:
    from watchdog.store.records import digest_from, digest_text

    report = replace(a_report(), zone="CET")
    assert digest_from(digest_text(report)) == report
