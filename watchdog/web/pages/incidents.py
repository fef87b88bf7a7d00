"""Incidents as the page shows them: the list, and one with its history, its messages, and why somebody was or was not notified.

In: what the store knows, today's configuration. Out: view values.
"""

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from watchdog.core.incidents.lifecycle import Incident, State, Transition
from watchdog.core.incidents.payload import iso
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.incidents.quiet.deploys import deploy_before
from watchdog.core.incidents.quiet.matchers import labels_of, match
from watchdog.core.incidents.quiet.reasons import Reason
from watchdog.core.incidents.quiet.silences import Silence, is_announcement
from watchdog.core.model.rows import Cell, Param
from watchdog.core.text.phrasing import worth_showing
from watchdog.core.text.wording import key_text
from watchdog.status.clock import clock_of
from watchdog.status.documents.incidents import holding
from watchdog.status.incident_facts import duration_text, facts, state_ink, unseen_text, worst_first
from watchdog.status.panel import Ink, Piece, Subject
from watchdog.status.quiet import reasons_of
from watchdog.status.quiet_wording import acknowledged_text, quiet_line
from watchdog.status.why.case import Case, message_text
from watchdog.status.why.incident import case_of
from watchdog.store import IncidentShown, MessageShown, Store
from watchdog.web.acting.forms import subject_of
from watchdog.web.pages.targets import ENDED, PENDING
from watchdog.web.site import Site

__all__ = ["PARTS", "IncidentLine", "IncidentView", "Listed", "Told", "incident_view", "listed"]

Clock = Callable[[float], str]
SINCE_S = 7 * 86400.0
"""How far back the list goes unless all are asked for."""
PAGE_ROWS = 50
PARTS = ("open", "ended")
"""The two lists; each can be asked for as a whole, a page at a time."""
MOST_MESSAGES = 100
MESSAGE_STYLES = {"delivered": "good", "dead": "bad"}
ELSEWHERE = frozenset({"rule", "target", "key", "state", "values"})
"""Facts that stand in the heading, or beside the condition."""


class IncidentLine(Struct, frozen=True):
    """One incident in a list. `word`: its severity, `pending`, or `ended`."""

    id: str
    word: str
    severity: str
    summary: str
    rule: str
    target: str
    key: str
    state: Ink
    began: str
    lasts: str
    notes: tuple[str, ...]


class Part(Struct, frozen=True):
    """A page of a list; `total`: how many incidents the whole list has, `after`: how many of them follow."""

    lines: tuple[IncidentLine, ...]
    total: int
    after: int


class Listed(Struct, frozen=True):
    """What is open, and what ended."""

    open: Part
    ended: Part


class Told(Struct, frozen=True):
    """One receiver: what it was told, or why nothing; what comes next; its messages in words."""

    receiver: str
    sentence: str
    next: str
    messages: tuple[str, ...]


class IncidentView(Struct, frozen=True):
    """One incident. `labels`: what a silence may select it by. `silences`: those that hide it now. `subject`: what it is about."""

    line: IncidentLine
    incident: Incident
    facts: tuple[tuple[str, Piece], ...]
    texts: tuple[tuple[str, tuple[str, ...]], ...]
    link: str
    condition: str
    params: Mapping[str, Param]
    values: Mapping[str, Cell]
    why: tuple[Told, ...]
    state_sentence: str
    notes: tuple[str, ...]
    transitions: tuple[tuple[str, str, Transition], ...]
    acknowledgements: tuple[tuple[str, str, Acknowledgement], ...]
    messages: tuple[tuple[str, Ink, MessageShown], ...]
    acknowledged: bool
    closable: bool
    labels: Mapping[str, str]
    silences: tuple[tuple[str, str, Silence], ...]
    subject: Subject | None


def listed(site: Site, part: str = "", page: int = 1) -> Listed:
    """What is open, worst first; then what ended of late, the last first. With `part`, `page` is that of this list, which then is whole."""
    store, now = site.store, site.clock()
    clock = clock_of(now)
    skip = {part: PAGE_ROWS * (page - 1)}
    found = store.incidents()
    quiet, known = reasons_of(found, store, site.settings, now), store.acknowledged()
    open_ = sorted(found, key=worst_first)[skip.get("open", 0) :][:PAGE_ROWS]
    since = 0.0 if part == "ended" else now - SINCE_S
    ended, total = store.ended_incidents(since, PAGE_ROWS, skip.get("ended", 0))
    return Listed(
        _part((_line(one, now, clock, quiet.get(one.id), known.get(one.id)) for one in open_), len(found), skip.get("open", 0)),
        _part((_line(one, now, clock, None, None) for one in ended), total, skip.get("ended", 0)),
    )


def _part(lines: Iterable[IncidentLine], total: int, skipped: int) -> Part:
    shown = tuple(lines)
    return Part(shown, total, max(total - skipped - len(shown), 0))


def incident_view(site: Site, named: str) -> IncidentView:
    """One incident by its id, the beginning of one, or its fingerprint. NotFoundError if there is none."""
    store, now = site.store, site.clock()
    shown, clock = store.show(named), clock_of(now)
    incident = shown.incident
    reason = reasons_of(store.incidents(), store, site.settings, now).get(incident.id)
    known = holding(shown)
    rule = site.today.rule_of(incident.target, incident.rule, incident.key)
    after = deploy_before(incident, store.deploys())
    case = case_of(incident, store, site.today, now, clock)
    return IncidentView(
        line=_line(incident, now, clock, reason, known),
        incident=incident,
        facts=tuple(fact for fact in facts(shown, now, reason, after, clock) if fact[0] not in ELSEWHERE),
        texts=tuple(_texts(incident)),
        link=incident.link if incident.link.startswith(("http://", "https://")) else "",
        condition="" if rule is None or rule.when is None else " ".join(rule.when.split()),
        params=rule.params if rule is not None else {},
        values=worth_showing(incident.values),
        why=tuple(_told(case, clock)),
        state_sentence=case.state[:1].upper() + case.state[1:] if case else "",
        notes=case.notes if case else (),
        transitions=tuple((clock(one.at), iso(one.at), one) for one in reversed(shown.transitions)),
        acknowledgements=tuple((clock(one.at), "" if one.until is None else clock(one.until), one) for one in shown.acknowledgements),
        messages=tuple(_messages(shown, clock)),
        acknowledged=known is not None,
        closable=incident.open and incident.verdict not in ("", "breach"),
        labels=labels_of(incident),
        silences=tuple((clock(one.ends_at), one.author, one) for one in _hiding(store, incident, now)),
        subject=subject_of(rule.table if rule is not None else None, incident.key) if incident.target in site.targets else None,
    )


def _line(incident: Incident, now: float, clock: Clock, reason: Reason | None, known: Acknowledgement | None) -> IncidentLine:
    word = ENDED if not incident.open else PENDING if incident.state is State.PENDING else incident.severity.value
    notes = (unseen_text(incident), acknowledged_text(known, clock), quiet_line(reason, clock))
    return IncidentLine(
        incident.id,
        word,
        incident.severity.value,
        incident.summary or incident.rule,
        incident.rule,
        incident.target,
        key_text(incident.key),
        state_ink(incident),
        clock(incident.started_at),
        duration_text(incident, now),
        tuple(filter(None, notes)),
    )


def _texts(incident: Incident) -> "list[tuple[str, tuple[str, ...]]]":
    texts = (("description", incident.description), ("runbook", incident.runbook))
    return [(name, tuple(line.strip() for line in text.strip().splitlines())) for name, text in texts if text.strip()]


def _told(case: Case | None, clock: Clock) -> "list[Told]":
    return [
        Told(told.receiver, told.sentence, told.next, tuple(message_text(one, clock) for one in (*told.sent, *told.later)))
        for told in (case.told if case else ())
    ]


def _messages(shown: IncidentShown, clock: Clock) -> "list[tuple[str, Ink, MessageShown]]":
    return [
        (clock(message.created_at), Ink(message.state, MESSAGE_STYLES.get(message.state, "odd")), message)
        for message in reversed(shown.messages[-MOST_MESSAGES:])
    ]


def _hiding(store: Store, incident: Incident, now: float) -> "list[Silence]":
    if not incident.open or is_announcement(incident):
        return []
    labels = labels_of(incident)
    return [silence for silence in store.silences() if silence.covers(now) and match(silence.matchers, labels)]
