"""A digest in Slack: what stands in it, its colour, and what is counted instead."""

from typing import Any

import pytest

from tests.builders.report import MIDNIGHT, a_burned_incident, a_report, a_target_report
from watchdog.core.incidents.messages import Message
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import SELF
from watchdog.core.report.report import QuietRule, Report
from watchdog.receivers.colours import COLOURS, GOOD
from watchdog.receivers.slack.digest import MOST_CHAPTERS, digest_body


def body(report: Report) -> dict[str, Any]:
    return digest_body(Message("01DIGEST", "ops", SELF, MIDNIGHT, (), digest=report), report)


def blocks(report: Report) -> list[str]:
    [attachment] = body(report)["attachments"]
    return [block["text"]["text"] if block["type"] == "section" else block["elements"][0]["text"] for block in attachment["blocks"]]


def colour(**changes: Any) -> str:
    return str(body(a_report(**changes))["attachments"][0]["color"])


def test_the_notification_is_the_headline() -> None:
    assert body(a_report())["text"] == "Report of 1d to Mon 23 Nov 00:00 UTC: 12,345 tasks, 120 failed (1 %); 2 incidents, 1 still firing"


def test_each_chapter_is_a_section() -> None:
    assert blocks(a_report()) == [
        "*prod*\n12,345 tasks processed, 120 failed (1 %), 30 retried; took 820ms on average, p50 500ms, p95 12s\n"
        "not watched for 48m: Sun 22 Nov 02:10 to 02:58",
        "*slowest tasks*\n`reports.build` · p95 42s · average 20s · succeeded 120\n`shop.mail` · p95 3.4s · average 1.2s · succeeded 1,204",
        "*most failures*\n`shop.pay` · failed 100 · rate 10 %\n`shop.mail` · failed 20 · rate 1.6 %",
        "*queues by wait*\n`training` · longest wait 1h5m · most waiting 160\n`indexing` · longest wait ? · most waiting 40\n… and 2 more",
        "*incidents*\n2 incidents fired, 1 of them still firing; nobody acted on 1\n"
        "`critical` · BrokerUnreachable: redis does not answer · lasted 10m so far · nobody acted\n"
        "`warning` · QueueBacklogHigh: training holds 160 messages · lasted 1h10m · acknowledged by ada after 4m (on it)",
        "*rules that notified most*\n`QueueBacklogHigh` · notifications 4 · incidents 1\n"
        "`BrokerUnreachable` · notifications 1 · incidents 1",
        "*rules that notified nobody*\n5 of 7 rules notified nobody\nfired and stayed quiet: QueueGrowing\n"
        "could be judged all the time: TaskSlow\ncould not be judged for 48m in prod: WorkerLost\non trial: Custom\n"
        "can have no verdict with this configuration: ResultsGrowing",
        "watchdog",
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, COLOURS[Severity.CRITICAL]),
        ({"incidents": (a_burned_incident(),)}, COLOURS[Severity.INFO]),
        ({"incidents": (), "incidents_in_all": 0}, GOOD),
    ],
    ids=["what still fires", "all has ended", "nothing fired"],
)
def test_its_colour_is_that_of_what_burns_still(changes: dict[str, Any], expected: str) -> None:
    assert colour(**changes) == expected


def test_of_many_targets_those_that_do_not_fit_are_counted() -> None:
    many = a_report(targets=tuple(a_target_report(f"prod-{n}") for n in range(60)))
    shown = blocks(many)
    assert len(shown) == MOST_CHAPTERS + 2
    assert shown[-2] == f"… and {60 * 4 + 3 - MOST_CHAPTERS} more parts; `watchdog report` shows them"


def test_many_names_of_rules_are_counted() -> None:
    quiet = tuple(QuietRule(f"Rule{n}") for n in range(30))
    said = next(text for text in blocks(a_report(quiet=quiet, quiet_in_all=30)) if "notified nobody" in text)
    assert said.endswith("Rule9 and 20 more")
