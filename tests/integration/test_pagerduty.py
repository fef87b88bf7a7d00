"""The PagerDuty receiver against a look-alike that enforces PagerDuty's limits: alerts open, update and close as incidents do."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from pydantic import ValidationError

from tests.builders.life import Life
from tests.builders.outbox import T0, incident, message, notice, opened, over
from tests.servers.pagerduty import KEY, PagerDuty
from tests.servers.receiver import Answer
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.outcome import Delivered, Later, Outcome, Refused
from watchdog.core.model.severity import Severity
from watchdog.receivers.pagerduty import PagerdutyReceiver, PagerdutySettings

Made = Callable[..., PagerdutyReceiver]


@pytest.fixture
def there() -> Iterator[PagerDuty]:
    with PagerDuty() as pagerduty:
        yield pagerduty


@pytest.fixture
def made(there: PagerDuty) -> Iterator[Made]:
    ones: list[PagerdutyReceiver] = []

    def make(**given: Any) -> PagerdutyReceiver:
        values = {"type": "pagerduty", "name": "ops", "url": there.url, "routing_key": KEY, "timeout": "5s", "per_second": 1000, **given}
        ones.append(PagerdutyReceiver(PagerdutySettings.model_validate(values)))
        return ones[-1]

    yield make
    for one in ones:
        one.close()


@pytest.fixture
def life(tmp_path: Path, made: Made) -> Iterator[Life]:
    with opened(tmp_path) as store:
        yield Life(store, made())


def send(to: PagerdutyReceiver, *notices: Any) -> Outcome:
    return to.send(to.render(message("1", *notices)), "01MESSAGE1", T0)


# --- the life of an alert -----------------------------------------------------------------------------------------------


def test_an_incident_opens_an_alert_escalates_it_and_closes_it(life: Life, there: PagerDuty) -> None:
    fire = incident("alpha")
    worse = replace(fire, severity=Severity.CRITICAL)
    for state in (fire, worse, over(worse, T0 + 400)):
        life.cycle([state])
    [[alert]] = there.alerts.values()
    assert [event["event_action"] for event in alert.events] == ["trigger", "trigger", "resolve"]
    assert [event["payload"]["severity"] for event in alert.events[:2]] == ["warning", "critical"]
    assert alert.state == "resolved"


def test_what_is_seen_there_is_what_happened(life: Life, there: PagerDuty) -> None:
    life.cycle([replace(incident("alpha"), link="https://flower.example.com/broker", runbook="https://wiki.example.com/backlog")])
    [alert] = there.open
    [event] = alert.events
    details = event["payload"].pop("custom_details")
    assert event["payload"] == {
        "summary": "Warning in prod: alpha holds 60 messages",
        "source": "prod",
        "severity": "warning",
        "timestamp": "2026-11-22T09:15:00Z",
        "component": "alpha",
        "group": "prod",
        "class": "QueueBacklogHigh",
    }
    assert (details["rule"], details["name"], details["length"]) == ("QueueBacklogHigh", "alpha", "60")
    assert [link["text"] for link in event["links"]] == ["Runbook", "Open in Flower"]
    assert event["client_url"] == "https://flower.example.com/broker"


def test_fifty_of_a_group_are_one_alert_that_its_last_member_closes(life: Life, there: PagerDuty) -> None:
    fires = [incident(f"q{number:02}", started_at=T0 + number) for number in range(50)]
    for shown in (10, 30, 50):
        life.cycle(fires[:shown])
    for ended in range(0, 50, 7):
        life.cycle([over(one, life.now) for one in fires[:ended]] + fires[ended:])
        assert [len(alerts) for alerts in there.alerts.values()] == [1]
        assert len(there.open) == 1
    life.cycle([over(one, life.now) for one in fires])
    [[alert]] = there.alerts.values()
    assert [event["event_action"] for event in alert.events] == ["trigger"] * 3 + ["resolve"]


def test_an_end_that_leaves_others_firing_sends_nothing_and_counts_as_told(life: Life, there: PagerDuty) -> None:
    fires = [incident("alpha"), incident("beta")]
    life.cycle(fires)
    life.cycle([over(fires[0], life.now), fires[1]])
    life.cycle([over(fires[0], life.now), fires[1]])
    assert len(there.requests) == 1
    assert life.store.next_due("ops", life.now) is None


def test_one_that_joins_as_another_ends_is_told_without_closing(life: Life, there: PagerDuty) -> None:
    fires = [incident("alpha"), incident("beta")]
    life.cycle(fires[:1])
    life.cycle([over(fires[0], life.now), fires[1]])
    [alert] = there.open
    assert alert.events[-1]["payload"]["severity"] == "warning"
    assert any("beta holds 60" in line for line in alert.events[-1]["payload"]["custom_details"]["incidents"])
    life.cycle([over(fires[1], life.now)])
    assert there.open == []


def test_a_member_whose_beginning_was_refused_keeps_no_alert_open(life: Life, there: PagerDuty) -> None:
    fires = [incident("alpha"), incident("beta")]
    life.cycle(fires[:1])
    there.then(Answer(400))
    life.cycle(fires)
    life.cycle([over(fires[0], life.now), fires[1]])
    assert there.open == []


def actions(there: PagerDuty) -> list[str]:
    """What was sent for the only alert there is."""
    [[alert]] = there.alerts.values()
    return [event["event_action"] for event in alert.events]


def test_an_acknowledgement_is_told_once_and_the_end_closes_the_alert(life: Life, there: PagerDuty) -> None:
    fire = incident("alpha")
    life.cycle([fire])
    life.acknowledge(fire)
    for _ in range(3):
        life.cycle([fire])
    assert [alert.state for alert in there.open] == ["acknowledged"]
    life.cycle([over(fire, life.now)])
    assert actions(there) == ["trigger", "acknowledge", "resolve"]


def test_what_gets_worse_after_that_is_told_and_may_be_acknowledged_again(life: Life, there: PagerDuty) -> None:
    fire = incident("alpha")
    worse = replace(fire, severity=Severity.CRITICAL)
    life.cycle([fire])
    life.acknowledge(fire)
    life.cycle([fire])
    life.cycle([worse])
    life.acknowledge(worse)
    life.cycle([worse])
    assert actions(there) == ["trigger", "acknowledge", "trigger", "acknowledge"]


def test_an_alert_is_acknowledged_only_once_somebody_works_on_all_that_fires_in_it(life: Life, there: PagerDuty) -> None:
    one, two, three = incident("alpha"), incident("beta"), incident("gamma")
    life.cycle([one, two, three])
    life.acknowledge(one)
    life.cycle([one, two, three])
    assert actions(there) == ["trigger"]
    life.acknowledge(two)
    life.cycle([one, two, three])
    assert actions(there) == ["trigger"]
    life.cycle([one, two, over(three, life.now)])  # nobody works on it, and it is gone
    assert actions(there) == ["trigger", "acknowledge"]


def test_what_was_never_told_is_not_acknowledged_there(life: Life, there: PagerDuty) -> None:
    fire = incident("alpha")
    life.acknowledge(fire)
    life.cycle([fire])
    assert there.requests == []


def test_two_groups_are_two_alerts(life: Life, there: PagerDuty) -> None:
    life.cycle([incident("alpha"), replace(incident("beta"), rule="QueueGrowing")])
    assert len(there.open) == 2


def test_what_fires_again_opens_a_new_alert(life: Life, there: PagerDuty) -> None:
    life.cycle([incident("alpha")])
    life.cycle([over(incident("alpha"), life.now)])
    life.cycle([replace(incident("alpha"), id="01INCIDENTagain", started_at=life.now)])
    assert sorted(alert.state for alerts in there.alerts.values() for alert in alerts) == ["resolved", "triggered"]


# --- again, late, busy --------------------------------------------------------------------------------------------------


def test_a_crash_between_sending_and_recording_repeats_the_event_and_opens_nothing_twice(
    tmp_path: Path, made: Made, there: PagerDuty
) -> None:
    to = made()
    with opened(tmp_path) as store:
        life = Life(store, to)
        there.then(Answer(503))
        life.cycle([incident("alpha")])
        claimed = store.claim("ops", life.now + 60, to.settings, to.render)
        assert claimed is not None
        to.send(claimed.body, claimed.message.id, life.now)  # and here it dies
    with opened(tmp_path) as store:
        store.recover()
        life = Life(store, to)
        life.cycle([incident("alpha")], 300)
        [[alert]] = there.alerts.values()
        assert len(alert.events) == 2
        assert alert.events[0] == alert.events[1]
        life.cycle([over(incident("alpha"), life.now)])
    assert alert.state == "resolved"


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_what_pagerduty_could_not_take_is_sent_again(status: int, life: Life, there: PagerDuty) -> None:
    there.then(Answer(status))
    life.cycle([incident("alpha")])
    life.cycle([incident("alpha")])
    assert len(there.open) == 1


def test_too_many_events_are_held_back_as_long_as_it_asks(made: Made) -> None:
    with PagerDuty(most=1) as busy:
        to = made(url=busy.url)
        assert send(to) == Delivered("202")
        outcome = send(to)
    assert isinstance(outcome, Later)
    assert (outcome.retry_after_s, outcome.never_arrived) == (7.0, True)


# --- what it refuses ----------------------------------------------------------------------------------------------------


def test_a_key_that_it_does_not_know_is_refused_in_its_own_words_with_what_to_do(made: Made, there: PagerDuty) -> None:
    outcome = send(made(routing_key="x" * 32))
    assert isinstance(outcome, Refused)
    assert outcome.reason == (
        f"http://127.0.0.1:{there.port} answered 400: Invalid routing key;"
        " check `routing_key`: in PagerDuty, Services, your service, Integrations, Events API v2 shows it"
    )


def test_an_answer_that_repeats_the_key_does_not_give_it_away(made: Made, there: PagerDuty) -> None:
    body = json.dumps({"status": "invalid event", "errors": [f"no service for {KEY}\x1b[31m"]}).encode()
    outcomes = []
    for status in (202, 400, 403, 429, 500):
        there.then(Answer(status, {"x": "y"}, body))
        outcomes.append(send(made()))
    assert KEY not in repr(outcomes)
    assert "\x1b" not in repr(outcomes)


def test_the_key_is_in_no_body_that_is_stored_nor_in_the_settings_text(made: Made) -> None:
    settings = PagerdutySettings.model_validate({"type": "pagerduty", "name": "ops", "routing_key": KEY})
    assert KEY.encode() not in made().render(message("1"))
    assert KEY not in repr(settings)


@pytest.mark.parametrize("key", ["", "x" * 31, "x" * 33, "R0123456789abcdef-123456789abcdE"])
def test_a_key_of_another_form_is_a_fault_that_does_not_repeat_it(key: str) -> None:
    with pytest.raises(ValidationError, match="expected the 32 letters and digits of an integration key") as raised:
        PagerdutySettings.model_validate({"type": "pagerduty", "name": "ops", "routing_key": key})
    assert not key or key not in str(raised.value)


# --- limits -------------------------------------------------------------------------------------------------------------

HOSTILE = "\x1b]0;owned\x07 \u202e<script>{{x}}\udc80 😀" + "&\"'" * 2000


def test_texts_of_any_length_and_content_are_within_its_limits(made: Made, there: PagerDuty) -> None:
    loud = replace(
        notice(), summary=HOSTILE, rule=HOSTILE, key={HOSTILE: HOSTILE}, values={HOSTILE: HOSTILE}, runbook="\n".join([HOSTILE] * 50)
    )
    many = [replace(loud, incident=f"01{number}") for number in range(200)]
    to = made()
    for notices in ([loud], many):
        told = replace(message("1", *notices), target=HOSTILE, service=HOSTILE)
        assert to.send(to.render(told), "01", T0) == Delivered("202")
    assert max(len(request.body) for request in there.requests) < 100_000


def test_a_huge_group_says_how_many_are_not_listed(made: Made, there: PagerDuty) -> None:
    send(made(), *[notice(f"q{number:03}") for number in range(200)])
    [event] = there.open[0].events
    assert event["payload"]["custom_details"]["incidents"][-1] == "… and 150 more; watchdog incidents lists them"


@pytest.mark.parametrize("severity", Severity)
def test_each_severity_is_the_one_of_the_same_name(severity: Severity, made: Made, there: PagerDuty) -> None:
    send(made(), notice(severity=severity))
    assert there.open[0].events[0]["payload"]["severity"] == severity.value


def test_the_worst_that_fires_gives_the_severity(made: Made, there: PagerDuty) -> None:
    send(made(), notice("a"), notice("b", severity=Severity.ERROR), notice("c", event=Event.RESOLVED, severity=Severity.CRITICAL))
    assert there.open[0].events[0]["payload"]["severity"] == "error"
