"""Open incidents as series: their keys are labels, and none of them can take the place of another label."""

from tests.builders.answers import NOW
from tests.builders.incidents import an_incident
from tests.builders.metrics import samples
from watchdog.core.incidents.lifecycle import State
from watchdog.web.metrics.incidents import MOST_INCIDENTS, incident_families

LABELS = 'name="indexing",rule="QueueBacklogHigh",severity="warning",state="firing",target="prod"'


def test_an_open_incident_is_a_series_with_its_key() -> None:
    assert samples(incident_families([an_incident()]), "watchdog_incident") == {LABELS: 1.0}


def test_it_says_since_when() -> None:
    assert samples(incident_families([an_incident()]), "watchdog_incident_started_timestamp_seconds") == {LABELS: NOW - 100}


def test_an_incident_that_ended_is_none() -> None:
    assert samples(incident_families([an_incident(State.RESOLVED)]), "watchdog_incident") == {}


def test_a_key_cannot_take_the_place_of_another_label() -> None:
    one = an_incident(key={"state": "lost", "key_state": "x"})
    expected = 'key_key_state="x",key_state="lost",rule="QueueBacklogHigh",severity="warning",state="firing",target="prod"'
    assert samples(incident_families([one]), "watchdog_incident") == {expected: 1.0}


def test_no_more_incidents_than_are_bearable_are_shown_but_all_are_counted() -> None:
    families = list(incident_families(an_incident(key={"name": f"q{nth}"}) for nth in range(MOST_INCIDENTS + 5)))
    shown, count = samples(families, "watchdog_incident"), samples(families, "watchdog_incidents_open")
    assert (len(shown), sum(count.values())) == (MOST_INCIDENTS, MOST_INCIDENTS + 5)
