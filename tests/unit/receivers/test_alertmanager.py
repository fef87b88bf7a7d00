"""The mirror in an Alertmanager: which alerts are sent when, from what fires."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from tests.builders.outbox import T0, incident, over
from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.incidents.outcome import Delivered, Outcome
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.incidents.quiet.reasons import Quiet
from watchdog.core.incidents.quiet.silences import new_silence
from watchdog.core.model.severity import Severity
from watchdog.receivers.alertmanager import Alertmanager, alert_of


class Posts:
    """Keeps what is posted, decoded."""

    def __init__(self) -> None:
        self.sent: list[list[dict[str, Any]]] = []

    def post(self, body: bytes, headers: Mapping[str, str], now: float) -> Outcome:
        self.sent.append(json.loads(body))
        return Delivered("200")

    def close(self) -> None:
        """Nothing is open."""


def everything(_incident: Incident, /) -> bool:
    return True


@pytest.fixture
def posts() -> Posts:
    return Posts()


@pytest.fixture
def mirror(posts: Posts) -> Alertmanager:
    return Alertmanager("alertmanager 1", posts, {}, everything)


def ends(sent: list[dict[str, Any]]) -> dict[str, str]:
    """Severity and key of each alert, and when it ends, by the clock."""
    return {f"{alert['labels']['severity']} {alert['labels']['name']}": alert["endsAt"][11:19] for alert in sent}


def test_what_fires_ends_in_four_minutes_unless_it_is_sent_again(mirror: Alertmanager, posts: Posts) -> None:
    for minute in range(3):
        mirror.look([incident("A")], T0 + 60 * minute)
    assert [ends(sent) for sent in posts.sent] == [{"warning A": "09:19:00"}, {"warning A": "09:20:00"}, {"warning A": "09:21:00"}]


def test_an_end_is_repeated_for_five_minutes(mirror: Alertmanager, posts: Posts) -> None:
    mirror.look([incident("A"), incident("B")], T0)
    for minute in range(1, 8):
        mirror.look([incident("B")], T0 + 60 * minute)
    assert [ends(sent).get("warning A") for sent in posts.sent] == ["09:19:00", *["09:16:00"] * 5, None, None]


def test_another_severity_ends_the_labels_with_the_old_one_in_the_same_request(mirror: Alertmanager, posts: Posts) -> None:
    mirror.look([incident("A")], T0)
    mirror.look([replace(incident("A"), severity=Severity.CRITICAL)], T0 + 60)
    assert ends(posts.sent[1]) == {"critical A": "09:20:00", "warning A": "09:16:00"}


def test_what_fires_again_is_no_longer_said_to_have_ended(mirror: Alertmanager, posts: Posts) -> None:
    mirror.look([incident("A")], T0)
    mirror.look([], T0 + 60)
    mirror.look([replace(incident("A"), id="01OTHER")], T0 + 120)
    assert ends(posts.sent[2]) == {"warning A": "09:21:00"}


@pytest.mark.parametrize("state", [State.PENDING, State.DROPPED, State.RESOLVED])
def test_only_what_fires_is_sent(state: State, mirror: Alertmanager, posts: Posts) -> None:
    assert mirror.look([incident("A", state=state), replace(incident("B"), trial=True)], T0) == Delivered("nothing fires")
    assert posts.sent == []


def test_what_is_recovering_still_fires(mirror: Alertmanager, posts: Posts) -> None:
    mirror.look([incident("A", state=State.RECOVERING)], T0)
    assert ends(posts.sent[0]) == {"warning A": "09:19:00"}


def test_what_is_not_selected_is_not_sent(posts: Posts) -> None:
    Alertmanager("alertmanager 1", posts, {}, lambda one: one.key["name"] == "B").look([incident("A"), incident("B")], T0)
    assert ends(posts.sent[0]) == {"warning B": "09:19:00"}


def test_two_watchdogs_say_the_same_of_one_cluster() -> None:
    here, there = incident("A"), replace(incident("A"), id="01ELSEWHERE", fingerprint="beef", started_at=T0 + 7, fired_at=T0 + 9)
    assert alert_of(here).labels == alert_of(there).labels


def test_labels_are_rule_severity_target_key_and_labels_of_the_rule() -> None:
    assert dict(alert_of(incident("A")).labels) == {
        "alertname": "QueueBacklogHigh",
        "severity": "warning",
        "target": "prod",
        "name": "A",
        "team": "data",
    }


def test_annotations_tell_what_labels_do_not() -> None:
    one = replace(incident("A"), description="It is full.", runbook="https://wiki.example.com/backlog", link="https://flower.example.com/")
    alert = alert_of(one)
    assert dict(alert.annotations) == {
        "summary": "A holds 60 messages",
        "description": "It is full.",
        "runbook_url": "https://wiki.example.com/backlog",
        "values": "length=60, declared=yes, oldest_s=?",
    }
    assert alert.link == "https://flower.example.com/"


def test_columns_called_like_our_labels_or_not_like_labels_at_all_are_told_apart() -> None:
    one = replace(incident("A"), key={"severity": "mine", "target": "theirs", "9lives": "x", "größe": "y", "__name__": "z"}, labels={})
    assert dict(alert_of(one).labels) == {
        "alertname": "QueueBacklogHigh",
        "severity": "warning",
        "target": "prod",
        "key_severity": "mine",
        "key_target": "theirs",
        "key_9lives": "x",
        "gr__e": "y",
        "key___name__": "z",
    }


def test_an_end_that_was_noticed_before_its_beginning_by_another_clock_is_no_fault(mirror: Alertmanager, posts: Posts) -> None:
    mirror.look([incident("A", started_at=T0 + 500)], T0)
    mirror.look([over(incident("A"))], T0 + 60)
    assert [alert["startsAt"] <= alert["endsAt"] for sent in posts.sent for alert in sent] == [True, True]


def test_what_people_do_in_watchdog_is_an_annotation_and_no_other_alert() -> None:
    silence = new_silence("name=A", T0, 3600.0, "moving\x1b[31m", "ada")
    given = Acknowledgement(incident("A").id, T0 - 60, Severity.WARNING)
    quiet = Quiet((), [silence], T0, acknowledged={incident("A").id: given})
    said, plain = alert_of(incident("A"), quiet), alert_of(incident("A"))
    assert said.labels == plain.labels
    assert said.annotations == {
        **plain.annotations,
        "acknowledged": "since 2026-11-22T09:14:00Z",
        "silenced": "until 2026-11-22T10:15:00Z by ada: moving\\x1b[31m",
    }


def test_a_silence_ends_nothing_there(mirror: Alertmanager, posts: Posts) -> None:
    mirror.look([incident("A")], T0)
    mirror.look([incident("A")], T0 + 60, Quiet((), [new_silence("name=A", T0, 3600.0, "", "")], T0 + 60))
    assert ends(posts.sent[1]) == {"warning A": "09:20:00"}
