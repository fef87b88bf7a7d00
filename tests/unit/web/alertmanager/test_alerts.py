"""Incidents as alerts: who is notified of them, and why nobody is. What Alertmanager itself would answer: tests/integration."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.builders.api import NOW
from tests.builders.outbox import commit, incident, opened, plan
from tests.unit.web.alertmanager.client import AlertmanagerClient
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.quiet.deploys import new_deploy
from watchdog.core.incidents.quiet.silences import ANNOUNCEMENT, new_silence
from watchdog.core.incidents.routing import Recipient, Route, Routing, Terms
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import SELF
from watchdog.status.why.today import Today

A, B = replace(incident("A"), inhibits=()), replace(incident("B"), inhibits=())


def client(folder: Path, *incidents: Incident, today: Today | None = None) -> AlertmanagerClient:
    store = opened(folder)
    for target in dict.fromkeys(one.target for one in incidents):
        commit(store, plan(incidents=[one for one in incidents if one.target == target], at=NOW - 10, target=target))
    return AlertmanagerClient(folder, store, today)


def status_of(api: AlertmanagerClient, name: str = "A") -> Any:
    return next(one["status"] for one in api.got("/alerts") if one["labels"].get("name") == name)


def test_what_a_silence_of_watchdog_hides_is_silenced_by_it(tmp_path: Path) -> None:
    api = client(tmp_path, A, B)
    silence = new_silence("rule=QueueBacklogHigh, name=A", NOW - 1, 60.0, "", "")
    api.store.add_silence(silence)
    assert status_of(api) == {"inhibitedBy": [], "silencedBy": [silence.id], "state": "suppressed"}
    assert status_of(api, "B")["state"] == "active"


def test_a_silence_that_does_not_apply_yet_suppresses_nothing(tmp_path: Path) -> None:
    api = client(tmp_path, A)
    api.store.add_silence(new_silence("name=A", NOW + 10, 60.0, "", ""))
    assert status_of(api)["state"] == "active"


def test_what_its_cause_explains_is_inhibited_by_the_alert_of_the_cause(tmp_path: Path) -> None:
    cause = replace(A, id="01CAUSE", rule="BrokerUnreachable", key={"source": "redis"}, inhibits=("QueueBacklogHigh",))
    api = client(tmp_path, A, cause)
    (of_cause,) = (one["fingerprint"] for one in api.got("/alerts") if one["labels"]["alertname"] == "BrokerUnreachable")
    assert status_of(api) == {"inhibitedBy": [of_cause], "silencedBy": [], "state": "suppressed"}


def test_what_is_told_as_that_of_another_target_is_inhibited_by_it(tmp_path: Path) -> None:
    first, twin = replace(A, server="redis-1"), replace(A, id="01TWIN", target="staging", server="redis-1")
    api = client(tmp_path, first, twin)
    alerts = {one["labels"]["target"]: one for one in api.got("/alerts")}
    assert alerts["staging"]["status"]["inhibitedBy"] == [alerts["prod"]["fingerprint"]]


def test_what_a_deploy_keeps_quiet_is_inhibited_by_the_deploy(tmp_path: Path) -> None:
    api = client(tmp_path, replace(A, deploy=True))
    deploy = new_deploy("v512", (), NOW - 30, 600.0, "ci")
    api.store.start_deploy(deploy)
    assert status_of(api) == {"inhibitedBy": [deploy.id], "silencedBy": [], "state": "suppressed"}


def test_what_is_acknowledged_stays_active(tmp_path: Path) -> None:
    api = client(tmp_path, A)
    api.store.acknowledge([A.id], "on it", "ada", NOW - 5)
    assert status_of(api)["state"] == "active"


def test_the_announcement_of_a_silence_is_not_silenced(tmp_path: Path) -> None:
    told = replace(A, rule=ANNOUNCEMENT, target=SELF, severity=Severity.INFO)
    today = Today(recipients=(Recipient("ops"), Recipient("chat", tell_silences=True)))
    api = client(tmp_path, told, today=today)
    api.store.add_silence(new_silence("severity=info", NOW - 1, 60.0, "", ""))
    (alert,) = api.got("/alerts")
    assert (alert["status"]["silencedBy"], alert["receivers"]) == ([], [{"name": "chat"}])


ROUTES = (
    Route({"data": Terms(group_by=("rule", "team"))}, goes_on=True),
    Route({"pager": Terms(group_by=())}, min_severity=Severity.CRITICAL),
)


def test_the_receivers_of_an_alert_are_those_that_routes_lead_to(tmp_path: Path) -> None:
    today = Today(recipients=(Recipient("ops"), Recipient("data"), Recipient("pager")), routing=Routing(ROUTES))
    api = client(tmp_path, A, replace(B, severity=Severity.CRITICAL), today=today)
    names = {one["labels"]["name"]: [receiver["name"] for receiver in one["receivers"]] for one in api.got("/alerts")}
    assert names == {"A": ["data"], "B": ["data", "pager"]}


def test_a_group_has_the_labels_that_its_receiver_groups_by_and_always_the_target(tmp_path: Path) -> None:
    today = Today(recipients=(Recipient("data"), Recipient("pager")), routing=Routing(ROUTES))
    api = client(tmp_path, replace(A, severity=Severity.CRITICAL), replace(B, labels={}), today=today)
    assert [(one["receiver"]["name"], one["labels"], len(one["alerts"])) for one in api.got("/alerts/groups")] == [
        ("pager", {"target": "prod"}, 1),
        ("data", {"alertname": "QueueBacklogHigh", "target": "prod"}, 1),
        ("data", {"alertname": "QueueBacklogHigh", "target": "prod", "team": "data"}, 1),
    ]


def test_what_no_receiver_is_notified_of_is_there_for_nobody(tmp_path: Path) -> None:
    api = client(tmp_path, A)
    (group,) = api.got("/alerts/groups")
    assert (group["receiver"], group["labels"]) == ({"name": "nobody"}, {"alertname": "QueueBacklogHigh", "target": "prod"})
    assert api.got("/receivers") == [{"name": "nobody"}]


def test_an_alert_began_when_it_fired_and_was_updated_when_its_target_was_last_looked_at(tmp_path: Path) -> None:
    (alert,) = client(tmp_path, replace(A, started_at=NOW - 90, fired_at=NOW - 60.5)).got("/alerts")
    times = (alert["startsAt"], alert["updatedAt"], alert["endsAt"])
    assert times == ("2026-11-22T09:15:39.000Z", "2026-11-22T09:16:30.000Z", "2026-11-22T09:20:40.000Z")


def test_incidents_with_the_same_labels_are_one_alert(tmp_path: Path) -> None:
    assert len(client(tmp_path, A, replace(A, id="01AGAIN", key={"name": "A "})).got("/alerts")) == 1


@pytest.mark.parametrize("path", ["/alerts", "/alerts/groups"])
def test_too_many_filters_are_refused(tmp_path: Path, path: str) -> None:
    said = client(tmp_path).refused("GET", path + "?" + "&".join(["filter=a=b"] * 51))
    assert said == (400, "expected at most 50 filters, found 51")


def test_a_filter_that_could_take_for_ever_is_refused(tmp_path: Path) -> None:
    status, said = client(tmp_path).refused("GET", "/alerts?filter=a=~(x%2B)%2B")
    assert (status, "could take for ever" in said) == (400, True)
