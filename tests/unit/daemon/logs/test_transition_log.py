"""What is logged of an incident's transitions."""

import pytest
import structlog

from tests.builders.answers import NOW
from tests.builders.incidents import an_incident
from watchdog.core.incidents.lifecycle import State, Transition
from watchdog.core.incidents.plan import Plan
from watchdog.core.model.reading import Seen
from watchdog.daemon.cycle import Done
from watchdog.daemon.logs.transition_log import log_transitions


@pytest.mark.parametrize(
    ("before", "after", "reason", "event"),
    [
        (State.FIRING, State.FIRING, "escalated from warning to critical", "incident_escalated"),
        (State.FIRING, State.FIRING, "restart-consumer of mail on w1: begun", "incident_remedied"),
        (State.RECOVERING, State.RECOVERING, "restart-consumer of mail on w1: done, and it helped", "incident_remedied"),
        (State.RECOVERING, State.RESOLVED, "quiet for 60s", "incident_resolved"),
        (State.RECOVERING, State.FIRING, "breach", "incident_fired_again"),
    ],
)
def test_each_kind_of_transition_has_its_event(before: State, after: State, reason: str, event: str) -> None:
    incident = an_incident(after)
    plan = Plan("prod", NOW, (incident,), (Transition(incident.id, NOW, before, after, reason),))
    with structlog.testing.capture_logs() as logs:
        log_transitions(Done(Seen({}, {}, {}), (), plan))
    assert [line["event"] for line in logs] == [event]
