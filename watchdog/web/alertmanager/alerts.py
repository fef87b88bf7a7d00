"""Open incidents as alerts and groups of alerts, as Alertmanager would have them from the mirror and its own receivers.

In: an open store, the configuration, now (epoch seconds). Out: documents, sorted as Alertmanager sorts them.

An incident is suppressed as silenced by each silence that hides it, and as inhibited by what explains it, by the incident of another target
that is told in its stead, and by a deploy. Alertmanager has no word for an acknowledgement; in a mute window its alerts stay active, too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from msgspec import UNSET, Struct, UnsetType, field

from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.incidents.quiet.matchers import labels_of
from watchdog.core.incidents.quiet.reasons import Reason
from watchdog.core.incidents.quiet.selection import Selection
from watchdog.core.incidents.quiet.silences import Silence, is_announcement
from watchdog.core.incidents.routing import Recipient, Routing, Terms
from watchdog.receivers.alertmanager import ENDS_AFTER_S, Alert, alert_of
from watchdog.status.quiet import reasons_of
from watchdog.web.alertmanager.filters import AlertsAsked
from watchdog.web.alertmanager.label_sets import fingerprint, in_alert_order, in_group_order, instant, label_there
from watchdog.web.site import Site

__all__ = ["NOBODY", "AlertDocument", "GroupDocument", "ReceiverDocument", "alerts_document", "firing", "groups_document"]

NOBODY = "nobody"
"""The receiver of what no receiver is notified of: an alert of Alertmanager always has one, and karma shows groups alone."""


class ReceiverDocument(Struct, frozen=True):
    """A receiver."""

    name: str


class StatusDocument(Struct, frozen=True, rename="camel"):
    """Whether somebody is notified of an alert. `inhibited_by`: fingerprints of alerts, or the id of a deploy."""

    inhibited_by: Sequence[str]
    silenced_by: Sequence[str]
    state: Literal["active", "suppressed"]


class AlertDocument(Struct, frozen=True, rename="camel"):
    """One alert."""

    annotations: Mapping[str, str]
    ends_at: str
    fingerprint: str
    receivers: Sequence[ReceiverDocument]
    starts_at: str
    status: StatusDocument
    updated_at: str
    labels: Mapping[str, str]
    generator_url: str | UnsetType = field(name="generatorURL", default=UNSET)


class GroupDocument(Struct, frozen=True):
    """What one receiver is notified of together."""

    alerts: Sequence[AlertDocument]
    labels: Mapping[str, str]
    receiver: ReceiverDocument


class _Firing(Struct, frozen=True):
    """An alert, and what becomes of it. `groups`: receiver -> the labels of its group there. `seen_at`: the last look at its target."""

    alert: Alert
    labels: Mapping[str, str]
    status: StatusDocument
    groups: Mapping[str, Mapping[str, str]]
    seen_at: float


def alerts_document(site: Site, asked: AlertsAsked) -> list[AlertDocument]:
    """What fires and is asked for."""
    now = site.clock()
    found = (_document(one, one.groups, now) for one in _asked_for(site, asked, now) if asked.receivers(one.groups))
    return sorted(found, key=lambda one: one.fingerprint)


def groups_document(site: Site, asked: AlertsAsked) -> list[GroupDocument]:
    """What fires and is asked for, in groups; an alert is in one group for each of its receivers."""
    now = site.clock()
    members: dict[tuple[str, tuple[tuple[str, str], ...]], list[AlertDocument]] = {}
    for one in _asked_for(site, asked, now):
        receivers = asked.receivers(one.groups)
        document = _document(one, sorted(receivers), now)
        for name in receivers:
            members.setdefault((name, tuple(one.groups[name].items())), []).append(document)
    groups = [
        GroupDocument(sorted(alerts, key=lambda one: in_alert_order(one.labels)), dict(labels), ReceiverDocument(name))
        for (name, labels), alerts in members.items()
    ]
    return sorted(groups, key=lambda one: (in_group_order(one.labels), one.receiver.name))


def firing(incidents: Iterable[Incident]) -> Iterator[tuple[Incident, Alert]]:
    """The incidents that the mirror would send, each with its alert; of several with the same labels, the first."""
    known = set()
    for incident in incidents:
        if incident.state in (State.FIRING, State.RECOVERING) and not incident.trial:
            alert = alert_of(incident)
            if alert.labels not in known:
                known.add(alert.labels)
                yield incident, alert


def _asked_for(site: Site, asked: AlertsAsked, now: float) -> Iterator[_Firing]:
    for one in _all_firing(site, now):
        status = one.status
        wanted = (asked.active or status.state != "active") and (asked.silenced or not status.silenced_by)
        if wanted and (asked.inhibited or not status.inhibited_by) and asked.selects(one.labels):
            yield one


def _all_firing(site: Site, now: float) -> Iterator[_Firing]:
    incidents = site.store.incidents()
    reasons = reasons_of(incidents, site.store, site.settings, now)
    silences = Selection((one.matchers, one) for one in site.store.silences() if one.covers(now))
    routing = Routing(site.today.routing.routes)  # it remembers, and is not made for several threads
    last_looks = site.store.watched().last
    for incident, alert in firing(incidents):
        labels = dict(alert.labels)
        yield _Firing(
            alert,
            labels,
            _status(incident, silences, reasons.get(incident.id)),
            _groups(incident, labels, site.today.recipients, routing),
            seen_at=last_looks.get(incident.target, now),
        )


def _status(incident: Incident, silences: Selection[Silence], reason: Reason | None) -> StatusDocument:
    silenced_by = [] if is_announcement(incident) else sorted(one.id for one in silences.holding(labels_of(incident)))
    inhibited_by = list(_inhibited_by(reason)) if reason is not None else []
    return StatusDocument(inhibited_by, silenced_by, "suppressed" if silenced_by or inhibited_by else "active")


def _inhibited_by(reason: Reason) -> Iterator[str]:
    cause = reason.cause or reason.same_as
    if cause is not None:
        yield fingerprint(alert_of(cause).labels)
    if reason.deploy is not None:
        yield reason.deploy.id


def _groups(
    incident: Incident, labels: Mapping[str, str], recipients: Iterable[Recipient], routing: Routing
) -> dict[str, Mapping[str, str]]:
    terms = {one.name: _terms(incident, one, routing) for one in recipients}
    found = {name: _in_group(labels, its) for name, its in terms.items() if its is not None}
    return found or {NOBODY: _in_group(labels, Terms())}


def _terms(incident: Incident, recipient: Recipient, routing: Routing) -> Terms | None:
    if is_announcement(incident):
        return recipient.terms if recipient.tell_silences else None
    return routing.terms(incident, recipient)


def _in_group(labels: Mapping[str, str], terms: Terms) -> Mapping[str, str]:
    names = sorted({"target", *map(label_there, terms.group_by)})
    return {name: labels[name] for name in names if name in labels}


def _document(one: _Firing, receivers: Iterable[str], now: float) -> AlertDocument:
    return AlertDocument(
        annotations=one.alert.annotations,
        ends_at=instant(now + ENDS_AFTER_S),
        fingerprint=fingerprint(one.alert.labels),
        receivers=[ReceiverDocument(name) for name in receivers],
        starts_at=instant(float(int(one.alert.starts_at))),  # whole seconds, as the mirror sends it
        status=one.status,
        updated_at=instant(one.seen_at),
        labels=one.labels,
        generator_url=one.alert.link or UNSET,
    )
