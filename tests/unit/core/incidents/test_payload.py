import json

import pytest
from msgspec.structs import replace

from tests.builders.outbox import T0, message, notice
from tests.builders.report import a_report, a_target_report
from watchdog.core.incidents.messages import Event, Message, Notice
from watchdog.core.incidents.payload import LARGEST_BODY, encode, fitting, payload
from watchdog.core.model.severity import Severity
from watchdog.core.report.report import QuietRule
from watchdog.core.text.sanitize import sanitize_json


def first_incident(sent: Message) -> dict[str, object]:
    found: dict[str, object] = payload(sent)["data"]["incidents"][0]
    return found


def test_one_notice_is_written_exactly_as_the_contract_says() -> None:
    said = replace(
        notice("indexing"),
        description="too much",
        runbook="https://wiki/backlog",
        link="https://flower/broker#indexing",
        because=("BrokerUnreachable redis for 4m",),
        deploy="6m after deploy v512",
    )
    assert payload(message("1", said)) == {
        "type": "incident.firing",
        "timestamp": "2026-11-22T09:15:00Z",
        "service": "watchdog",
        "level": "WARNING",
        "message": "indexing holds 60 messages",
        "data": {
            "receiver": "ops",
            "target": "prod",
            "group": None,
            "incidents": [
                {
                    "id": "01INCIDENTindexing",
                    "fingerprint": "f00dindexing",
                    "event": "first",
                    "rule": "QueueBacklogHigh",
                    "target": "prod",
                    "severity": "warning",
                    "state": "firing",
                    "ended": None,
                    "closed_by": None,
                    "closed_because": None,
                    "key": {"name": "indexing"},
                    "labels": {"team": "data"},
                    "values": {"length": 60, "drain_s": None, "declared": True, "oldest_s": None},
                    "summary": "indexing holds 60 messages",
                    "description": "too much",
                    "runbook": "https://wiki/backlog",
                    "link": "https://flower/broker#indexing",
                    "because": ["BrokerUnreachable redis for 4m"],
                    "deploy": "6m after deploy v512",
                    "trend": None,
                    "remedy": None,
                    "started_at": "2026-11-22T09:15:00Z",
                    "fired_at": "2026-11-22T09:15:00Z",
                    "resolved_at": None,
                    "flapping": False,
                    "targets": ["prod"],
                    "sequence": 1,
                }
            ],
        },
    }


def test_keys_come_in_the_order_of_the_contract() -> None:
    whole = payload(message("1"))
    assert list(whole) == ["type", "timestamp", "service", "level", "message", "data"]
    assert " ".join(whole["data"]["incidents"][0]) == (
        "id fingerprint event rule target severity state ended closed_by closed_because key labels values summary description runbook link "
        "because deploy trend remedy "
        "started_at fired_at resolved_at flapping targets sequence"
    )


def test_without_a_page_to_show_it_the_link_is_null() -> None:
    assert first_incident(message("1"))["link"] is None


def test_the_strongest_event_names_the_message() -> None:
    in_order = [Event.RESOLVED, Event.REMINDER, Event.FIRST, Event.ESCALATED]
    named = [payload(message("1", *(notice("A", event) for event in in_order[: count + 1])))["type"] for count in range(4)]
    assert named == ["incident.resolved", "incident.reminder", "incident.firing", "incident.escalated"]


def test_the_level_is_the_highest_severity_in_it() -> None:
    mixed = message("1", notice("A", severity=Severity.ERROR), notice("B", severity=Severity.INFO))
    assert payload(mixed)["level"] == "ERROR"


def test_what_has_ended_counts_as_info() -> None:
    ended = notice("A", Event.RESOLVED, severity=Severity.CRITICAL)
    assert payload(message("1", ended))["level"] == "INFO"
    assert payload(message("1", ended, notice("B", severity=Severity.WARNING)))["level"] == "WARNING"


def test_whole_numbers_have_no_fraction_and_others_keep_theirs() -> None:
    values = {"length": 60.0, "error_rate": 0.25, "huge": 1e300, "below": -3.0}
    written = encode(message("1", replace(notice(), values=values))).decode()
    assert '"values":{"length":60,"error_rate":0.25,"huge":1e+300,"below":-3}' in written


def test_what_json_cannot_hold_is_null() -> None:
    values = {"drain_s": float("inf"), "rate": float("nan"), "growth": float("-inf")}
    assert first_incident(message("1", replace(notice(), values=values)))["values"] == {"drain_s": None, "rate": None, "growth": None}


def test_fractions_of_a_second_are_cut_off() -> None:
    assert payload(message("1", at=T0 + 0.999))["timestamp"] == "2026-11-22T09:15:00Z"


def test_the_end_of_an_incident_says_that_it_is_one() -> None:
    ended = notice("indexing", Event.RESOLVED)
    assert payload(message("1", ended))["message"] == "Resolved: indexing holds 60 messages"


def test_only_a_recovery_is_good_news() -> None:
    gone = replace(notice("indexing", Event.RESOLVED), ended="rule removed")
    assert payload(message("1", gone))["message"] == "Ended (rule removed): indexing holds 60 messages"


@pytest.mark.parametrize(
    ("by", "said"),
    [("ada", "Ended (closed by hand by ada, old host): indexing"), ("", "Ended (closed by hand, old host): indexing")],
)
def test_the_end_of_one_that_was_closed_by_hand_says_by_whom_and_why(by: str, said: str) -> None:
    closed = replace(
        notice("indexing", Event.RESOLVED), ended="closed by hand", closed_by=by, closed_because="old host", summary="indexing"
    )
    whole = payload(message("1", closed))
    assert whole["message"] == said
    (incident,) = whole["data"]["incidents"]
    assert (incident["closed_by"], incident["closed_because"]) == (by or None, "old host")


def test_several_incidents_are_counted_and_the_first_few_named() -> None:
    several = message("1", *(notice(f"queue-{number}") for number in range(7)))
    assert payload(several)["message"] == (
        "7 incidents: queue-0 holds 60 messages; queue-1 holds 60 messages; queue-2 holds 60 messages; "
        "queue-3 holds 60 messages; queue-4 holds 60 messages; and 2 more"
    )


def test_incidents_that_are_over_are_counted_apart() -> None:
    mixed = message("1", notice("A"), notice("B", Event.RESOLVED))
    ended = message("1", notice("A", Event.RESOLVED), notice("B", Event.RESOLVED))
    assert payload(mixed)["message"].startswith("2 incidents (1 over): ")
    assert payload(ended)["message"].startswith("2 incidents over: ")


def test_a_missing_summary_is_replaced_by_rule_and_key() -> None:
    assert payload(message("1", replace(notice("celery"), summary="")))["message"] == "QueueBacklogHigh name=celery"


def test_half_a_surrogate_pair_is_written_as_its_escape() -> None:
    written = encode(message("1", replace(notice(), key={"name": "a\udc80"}, summary="a\udc80")))
    assert json.loads(written)["message"] == "a\\udc80"


# --- size -------------------------------------------------------------------------------------------------------------


def large(count: int, size: int = 1000) -> list[Notice]:
    link = f"https://flower.example.com/worker/{'w' * 965}"
    return [replace(notice(f"q{nth}"), incident=f"01{nth:04}", description="d" * size, summary="é" * 50, link=link) for nth in range(count)]


def test_a_message_stays_below_what_servers_take() -> None:
    parts = list(fitting(large(100), 100))
    sizes = [len(encode(replace(message("1"), notices=part))) for part in parts]
    assert (len(parts) > 1, max(sizes) <= LARGEST_BODY) == (True, True)


def test_nothing_is_left_out_and_the_order_is_kept() -> None:
    notices = large(250, 10)
    parts = list(fitting(notices, 100))
    assert [n for part in parts for n in part] == notices
    assert max(map(len, parts)) <= 100


def test_few_small_ones_are_one_message() -> None:
    assert len(list(fitting(large(20, 10), 100))) == 1


def test_one_that_is_too_large_alone_goes_without_description_and_runbook() -> None:
    huge = replace(notice("q"), description="d" * 70_000, runbook="r")
    body = json.loads(encode(message("1", huge)))["data"]["incidents"][0]
    assert (body["description"], body["runbook"], body["summary"]) == ("", "", huge.summary)


@pytest.mark.parametrize("number", [1.5, 1e-4, 0.00005, -2.5e-7, 1.5e15, 1e16, 1.23e300, 2.0**53, -(2.0**60)])
@pytest.mark.parametrize("text", ["plain", 'say "no" to \\', "line\nend\tand \x00\x1b\x7f", "Grüße, 你好 😀", "\u2028\u202e"])
def test_the_body_is_spelled_as_pythons_json_spells_it(number: float, text: str) -> None:
    said = message("1", replace(notice(), values={"length": number, "name": text}, summary=text))
    spelled = json.dumps(payload(said), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    assert encode(said) == sanitize_json(spelled).encode()


def test_a_digest_is_written_exactly_as_the_contract_says() -> None:
    report = a_report(
        targets=(a_target_report(slow=a_target_report().slow[:1], failing=a_target_report().failing[:1]),),
        incidents=a_report().incidents[1:],
        told=a_report().told[:1],
        quiet=a_report().quiet[:1],
    )
    assert payload(Message("01DIGEST", "ops", "watchdog", T0, (), digest=report)) == {
        "type": "digest",
        "timestamp": "2026-11-22T09:15:00Z",
        "service": "watchdog",
        "level": "INFO",
        "message": "Report of 1d to Mon 23 Nov 00:00 UTC: 12,345 tasks, 120 failed (1 %); 2 incidents, 1 still firing",
        "data": {
            "receiver": "ops",
            "report": {
                "version": 1,
                "since": "2026-11-22T00:00:00Z",
                "until": "2026-11-23T00:00:00Z",
                "history_kept_s": 1209600.0,
                "targets": [
                    {
                        "target": "prod",
                        "watched_s": 83520.0,
                        "unwatched_s": 2880.0,
                        "gaps_in_all": 1,
                        "gaps": [{"since": "2026-11-22T02:10:00Z", "until": "2026-11-22T02:58:00Z"}],
                        "tasks_uncounted_s": 0.0,
                        "queues_unread_s": 0.0,
                        "processed": 12345,
                        "succeeded": 12225,
                        "failed": 120,
                        "retried": 30,
                        "error_rate": 0.009721,
                        "average_s": 0.82,
                        "p50_s": 0.5,
                        "p95_s": 12.3,
                        "slowest": [{"name": "reports.build", "p95_s": 42.1, "average_s": 20.0, "listed": 90, "succeeded": 120}],
                        "failing": [{"name": "shop.pay", "failed": 100, "finished": 1000}],
                        "queues_in_all": 4,
                        "queues": [
                            {"name": "training", "waited_s": 3900.0, "length": 160.0},
                            {"name": "indexing", "waited_s": None, "length": 40.0},
                        ],
                    }
                ],
                "incidents_in_all": 2,
                "burning": 1,
                "unattended": 1,
                "incidents": [
                    {
                        "id": "01INCIDENT2",
                        "rule": "QueueBacklogHigh",
                        "target": "prod",
                        "severity": "warning",
                        "key": {"name": "training"},
                        "summary": "training holds 160 messages",
                        "fired_at": "2026-11-22T01:00:00Z",
                        "burned_s": 4200.0,
                        "burning": False,
                        "ended_at": "2026-11-22T02:10:00Z",
                        "ended": "recovered",
                        "trial": False,
                        "acted": [{"what": "acknowledged", "at": "2026-11-22T01:04:00Z", "by": "ada", "comment": "on it"}],
                    }
                ],
                "rules": 7,
                "told_in_all": 2,
                "told": [{"rule": "QueueBacklogHigh", "notifications": 4, "incidents": 1}],
                "quiet_in_all": 5,
                "quiet": [{"rule": "WorkerLost", "idle": None, "trial": False, "unjudged_s": 2880.0, "target": "prod", "fired": 0}],
            },
        },
    }


def test_a_digest_that_is_too_large_keeps_its_sums_and_loses_rows() -> None:
    quiet = tuple(QuietRule(f"Rule{number}" * 20) for number in range(1000))
    body = encode(Message("01DIGEST", "ops", "watchdog", T0, (), digest=a_report(quiet=quiet, quiet_in_all=1000)))
    report = json.loads(body)["data"]["report"]
    assert len(body) <= LARGEST_BODY
    assert (report["quiet_in_all"], len(report["quiet"]) < 1000, report["targets"][0]["processed"]) == (1000, True, 12345)
