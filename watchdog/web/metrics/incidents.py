"""Open incidents as series, as Prometheus shows its own alerts in `ALERTS`.

In: incidents. Out: metric families. The cells of an incident's key are labels under the names of their columns.
"""

from collections.abc import Iterable, Iterator

from prometheus_client import Metric

from watchdog.core.incidents.lifecycle import Incident
from watchdog.web.metrics.families import Family
from watchdog.web.metrics.labels import label_name, label_value

__all__ = ["MOST_INCIDENTS", "incident_families"]

MOST_INCIDENTS = 2000


def incident_families(incidents: Iterable[Incident]) -> Iterator[Metric]:
    """Yield the families: which incidents are open, since when, and how many."""
    shown = Family("watchdog_incident", "1 for each open incident, with its key as labels")
    since = Family("watchdog_incident_started_timestamp_seconds", "when it began")
    count = Family("watchdog_incidents_open", "open incidents, shown here or not")
    counted: dict[tuple[str, str, str], int] = {}
    for nth, one in enumerate(one for one in incidents if one.open):
        about = (one.target, one.severity.value, one.state.value)
        counted[about] = counted.get(about, 0) + 1
        if nth < MOST_INCIDENTS:
            labels = _labels(one)
            shown.add(labels, 1.0)
            since.add(labels, one.started_at)
    for (target, severity, state), number in counted.items():
        count.add({"target": target, "severity": severity, "state": state}, float(number))
    yield from (family.metric for family in (shown, since, count))


def _labels(incident: Incident) -> dict[str, str]:
    labels = {"target": incident.target, "rule": incident.rule, "severity": incident.severity.value, "state": incident.state.value}
    for column, value in incident.key.items():
        name = label_name(column)
        while name in labels:  # a query may select a column of such a name
            name = f"key_{name}"
        labels[name] = label_value(value)
    return labels
