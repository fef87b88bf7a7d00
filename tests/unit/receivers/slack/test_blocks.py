import json
from typing import Any

import pytest
from msgspec.structs import replace

from tests.builders.outbox import T0, message, notice
from watchdog.core.incidents.messages import Event, Notice
from watchdog.core.model.severity import Severity
from watchdog.receivers.slack.blocks import LARGEST_BODY, slack_body

BEGAN = "<!date^1795338900^{date_short_pretty} {time}|2026-11-22T09:15:00Z>"
ENDED = "<!date^1795339300^{date_short_pretty} {time}|2026-11-22T09:21:40Z>"
BURNING = replace(
    notice("indexing", severity=Severity.CRITICAL),
    rule="QueueNoConsumers",
    key={"name": "indexing"},
    values={"name": "indexing", "length": 60.0, "consumers": 0.0, "oldest_s": None},
    summary="Nobody consumes indexing; messages waiting: 60",
    runbook="1. Who consumes what?\n\n2. Start its workers with `-Q`.",
)
OVER = replace(BURNING, event=Event.RESOLVED, state="resolved", ended="recovered", resolved_at=T0 + 400, sequence=2)


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def body(*notices: Notice, at: float = T0) -> dict[str, Any]:
    return slack_body(message("1", *notices, at=at))


def lines(*notices: Notice, at: float = T0) -> list[str]:
    """The first line of each section, and what a context says."""
    [attachment] = body(*notices, at=at)["attachments"]
    return [
        block["text"]["text"].splitlines()[0] if block["type"] == "section" else block["elements"][0]["text"]
        for block in attachment["blocks"]
    ]


def heads(*notices: Notice, at: float = T0) -> list[str]:
    return lines(*notices, at=at)[::2]


def colour(*notices: Notice) -> str:
    found: str = body(*notices)["attachments"][0]["color"]
    return found


def section(one: Notice) -> str:
    found: str = body(one)["attachments"][0]["blocks"][0]["text"]["text"]
    return found


# --- what is shown ------------------------------------------------------------------------------------------------------


def test_one_that_fires_is_shown_exactly_so() -> None:
    assert body(BURNING) == {
        "text": "Critical in prod: Nobody consumes indexing; messages waiting: 60",
        "unfurl_links": False,
        "unfurl_media": False,
        "attachments": [
            {
                "color": "#a30200",
                "blocks": [
                    {
                        "type": "section",
                        "text": mrkdwn(
                            "Critical: *Nobody consumes indexing; messages waiting: 60*\n"
                            "1. Who consumes what?\n"
                            "2. Start its workers with `-Q`."
                        ),
                    },
                    {
                        "type": "context",
                        "elements": [
                            mrkdwn("`QueueNoConsumers` · `prod` · name `indexing`"),
                            mrkdwn("length=60, consumers=0, oldest_s=?"),
                            mrkdwn(f"began {BEGAN} · watchdog"),
                        ],
                    },
                ],
            }
        ],
    }


def test_one_that_is_over_is_shown_exactly_so() -> None:
    assert body(OVER) == {
        "text": "Resolved after 6m40s in prod: Nobody consumes indexing; messages waiting: 60",
        "unfurl_links": False,
        "unfurl_media": False,
        "attachments": [
            {
                "color": "#2eb886",
                "blocks": [
                    {"type": "section", "text": mrkdwn("Resolved after 6m40s: *Nobody consumes indexing; messages waiting: 60*")},
                    {
                        "type": "context",
                        "elements": [
                            mrkdwn("`QueueNoConsumers` · `prod` · name `indexing`"),
                            mrkdwn("last length=60, consumers=0, oldest_s=?"),
                            mrkdwn(f"began {BEGAN} · ended {ENDED} · watchdog"),
                        ],
                    },
                ],
            }
        ],
    }


def test_the_page_of_flower_is_a_link_behind_our_words() -> None:
    linked = replace(BURNING, link="https://flower.example.com/tasks?state=FAILURE&name=%22a%20b%22")
    [*_, last] = section(linked).splitlines()
    assert last == "<https://flower.example.com/tasks?state=FAILURE&amp;name=%22a%20b%22|Open in Flower>"


@pytest.mark.parametrize("link", ["", "https://flower/|<!here>\n", "javascript:x", f"https://flower/{'x' * 1000}"])
def test_what_is_no_link_is_not_shown(link: str) -> None:
    assert section(replace(BURNING, link=link)) == section(BURNING)


def test_a_mixed_message_has_the_worst_first_and_what_is_over_last() -> None:
    mild = notice("B")
    mixed = body(replace(OVER, incident="01A"), mild, BURNING)
    assert mixed["text"].startswith("Critical in prod: 3 incidents (1 over): Nobody consumes indexing")
    assert heads(replace(OVER, incident="01A"), mild, BURNING) == [
        "Critical: *Nobody consumes indexing; messages waiting: 60*",
        "Warning: *B holds 60 messages*",
        "Resolved after 6m40s: *Nobody consumes indexing; messages waiting: 60*",
    ]


@pytest.mark.parametrize(
    ("changes", "head"),
    [
        ({"event": Event.ESCALATED}, "Escalated to critical"),
        ({"event": Event.REMINDER}, "Reminder, still critical after 2h"),
        ({"event": Event.RESOLVED, "ended": "rule removed", "resolved_at": T0 + 60}, "Ended after 1m (rule removed)"),
    ],
)
def test_every_event_says_what_it_is(changes: dict[str, Any], head: str) -> None:
    told = replace(BURNING, **changes)
    assert heads(told, at=T0 + 7200) == [f"{head}: *Nobody consumes indexing; messages waiting: 60*"]
    assert body(told, at=T0 + 7200)["text"].startswith(f"{head} in prod: ")


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (BURNING, "Critical: *Nobody consumes indexing; messages waiting: 60* (flapping: fired 3 times in 12m)"),
        (OVER, "Resolved after 6m40s: *Nobody consumes indexing; messages waiting: 60* (flapped: fired 3 times in 12m)"),
    ],
)
def test_one_that_flaps_says_how_often_it_fired(one: Notice, said: str) -> None:
    flapping = replace(one, flapping=True, fires=3, fires_over_s=720.0)
    assert heads(flapping) == [said]
    assert body(flapping)["text"].endswith(" fired 3 times in 12m)")


@pytest.mark.parametrize("severity", Severity)
def test_the_bar_has_the_colour_of_the_worst_that_burns(severity: Severity) -> None:
    alone = colour(notice("A", severity=severity))
    assert colour(notice("A", severity=severity), notice("B", severity=Severity.INFO), OVER) == alone
    assert (alone == colour(BURNING)) is (severity is Severity.CRITICAL)


def test_only_recovery_is_good_news() -> None:
    forgotten = replace(OVER, ended="forgotten")
    assert [colour(OVER), colour(forgotten), colour(OVER, forgotten)] == ["#2eb886", "#8d8d8d", "#8d8d8d"]


def test_a_missing_summary_is_replaced_by_rule_and_key() -> None:
    assert heads(replace(BURNING, summary="")) == ["Critical: *QueueNoConsumers name=indexing*"]


def test_all_targets_that_share_an_incident_are_named() -> None:
    assert lines(replace(BURNING, targets=("prod", "lab")))[1] == "`QueueNoConsumers` · `prod`, `lab` · name `indexing`"


def test_the_name_of_the_service_is_told() -> None:
    named = slack_body(replace(message("1", BURNING), service="eu-west"))
    assert named["attachments"][0]["blocks"][1]["elements"][2]["text"].endswith(" · eu-west")


def test_one_that_was_closed_by_hand_says_by_whom_and_why_on_a_line_of_its_own() -> None:
    closed = replace(OVER, ended="closed by hand", closed_by="ada", closed_because="old *host*")
    head, line, *_ = section(closed).splitlines()
    assert head.startswith("Ended after 6m40s (closed by hand): ")
    assert line == "Closed by ada: old \u2217host\u2217"


# --- runbooks -----------------------------------------------------------------------------------------------------------


def test_a_runbook_that_is_a_url_is_a_link() -> None:
    assert section(replace(BURNING, runbook="https://wiki/a?b&c\n")).splitlines()[1:] == ["<https://wiki/a?b&amp;c|Runbook>"]


def test_of_a_long_runbook_the_first_lines_are_shown_and_what_shows_the_rest() -> None:
    shown = section(replace(BURNING, runbook="a\nb\nc\nd")).splitlines()
    assert shown[1:] == ["a", "b", "c", "… the rest: `watchdog incidents show 01INCIDENTindexing`"]


def test_a_runbook_is_shown_once_a_message() -> None:
    texts = json.dumps(body(BURNING, replace(BURNING, incident="01B")))
    assert texts.count("Who consumes what?") == 1


def test_what_is_over_needs_no_runbook() -> None:
    assert "\n" not in section(OVER)


# --- limits -------------------------------------------------------------------------------------------------------------


def test_what_does_not_fit_is_counted() -> None:
    many = [notice(f"{number:02}") for number in range(57)]
    shown = lines(*many)
    assert len(shown) == 41
    assert shown[-1] == "… and 37 more; `watchdog incidents` lists them"


def test_where_some_that_do_not_fit_are_over_the_command_lists_these_too() -> None:
    many = [notice(f"{number:02}", Event.RESOLVED) for number in range(21)]
    assert lines(*many)[-1] == "… and 1 more; `watchdog incidents --all` lists them"


def test_what_is_not_shown_is_the_least_urgent() -> None:
    many = [notice(f"{number:02}") for number in range(30)]
    assert heads(*many, BURNING)[0] == "Critical: *Nobody consumes indexing; messages waiting: 60*"


def test_incidents_too_large_for_one_message_are_counted_too() -> None:
    large = [replace(notice(f"{number:02}"), summary="数" * 600, runbook=f"{number}\n" + "数" * 600) for number in range(20)]
    rendered = body(*large)
    count = len(rendered["attachments"][0]["blocks"]) // 2
    assert 0 < count < 20
    assert rendered["attachments"][0]["blocks"][-1]["elements"][0]["text"].startswith(f"… and {20 - count} more")
    assert len(json.dumps(rendered, ensure_ascii=False).encode()) <= LARGEST_BODY


def test_long_keys_and_many_values_are_counted() -> None:
    wide = replace(BURNING, key={f"k{n}": "v" for n in range(7)}, values={f"v{n}": 1.0 for n in range(11)})
    context = body(wide)["attachments"][0]["blocks"][1]["elements"]
    assert context[0]["text"].endswith(" · and 2 more key columns")
    assert context[1]["text"].endswith("v7=1, and 3 more values")


# --- hostile texts ------------------------------------------------------------------------------------------------------


def test_urls_in_the_notification_are_no_links() -> None:
    assert "://" not in body(replace(BURNING, summary="see http://evil"))["text"]
