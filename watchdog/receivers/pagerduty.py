"""PagerDuty, Events API v2: each group of incidents is one alert there, opened by its first message and closed with its last member.

`dedup_key` is the group's id, so a repeated event opens nothing twice, and no handle has to be remembered. An alert is acknowledged once
somebody works on everything that fires in its group. An end that leaves others firing is not sent: PagerDuty has no event for it. The
routing key is a secret; it joins the body as it is sent, and is never stored with it (developer.pagerduty.com/docs/events-api-v2).
"""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr

from watchdog.core.incidents.messages import Event, Message, Notice
from watchdog.core.incidents.outcome import Delivered, Outcome, Refused
from watchdog.core.incidents.payload import headline, subject_of
from watchdog.core.incidents.quiet.flapping import flapping_note
from watchdog.core.model.severity import worst
from watchdog.core.text.sanitize import one_line
from watchdog.core.text.timestamps import iso
from watchdog.receivers.http.json_answer import json_object
from watchdog.receivers.http.outcome import HttpAnswer, outcome_of
from watchdog.receivers.http.receiver import HttpReceiver, json_bytes
from watchdog.receivers.http.settings import HttpSettings, HttpUrl
from watchdog.receivers.notice_text import facts_of, is_over, is_url, limited, runbook_lines, urgency, what_of

__all__ = ["LARGEST_BODY", "PagerdutyReceiver", "PagerdutySettings"]

LARGEST_BODY = 512_000
"""PagerDuty's limit (bytes). What is sent stays far below: at most `_MOST_INCIDENTS` lines, each of limited length."""
_MOST_INCIDENTS = 50
_SUMMARY, _LINE, _NAME = 1024, 500, 255
"""The most characters of each part; those of summary and name are PagerDuty's."""
_NOTHING = b"{}"
"""The body of a message that PagerDuty has no event for."""
_KEY = re.compile(r"[A-Za-z0-9]{32}", re.ASCII)


def _checked_key(key: SecretStr) -> SecretStr:
    if not _KEY.fullmatch(key.get_secret_value()):
        raise ValueError("expected the 32 letters and digits of an integration key (PagerDuty: Services, your service, Integrations)")
    return key


class PagerdutySettings(HttpSettings):
    """`type = "pagerduty"`; `url` is another one for accounts in the EU (https://events.eu.pagerduty.com/v2/enqueue)."""

    type: Literal["pagerduty"]
    url: HttpUrl = SecretStr("https://events.pagerduty.com/v2/enqueue")
    routing_key: Annotated[SecretStr, AfterValidator(_checked_key)]
    per_second: Annotated[float, Field(gt=0, le=1000)] = 2.0

    @property
    def address(self) -> str:
        """PagerDuty limits the events of each key."""
        return self.address_of(self.routing_key)


class PagerdutyReceiver(HttpReceiver):
    """Posts events with one routing key."""

    def __init__(self, settings: PagerdutySettings) -> None:
        key = settings.routing_key.get_secret_value()
        super().__init__(settings, settings.attempt(secrets=[key]), pagerduty_outcome, joined={"routing_key": key})

    def render(self, message: Message) -> bytes:
        """The event without its routing key; nothing if it has none for what happened."""
        event = event_of(message)
        return _NOTHING if event is None else json_bytes(event)

    def send(self, body: bytes, message_id: str, now: float) -> Outcome:
        """One attempt. PagerDuty recognizes a repeat by its `dedup_key`."""
        if body == _NOTHING:
            return Delivered("nothing to send: others of its group still fire, unacknowledged")
        return super().send(body, message_id, now)


def event_of(message: Message) -> dict[str, Any] | None:
    """`resolve` with the last end of its group, `acknowledge` once somebody works on all that fires, `trigger` with news, else None."""
    notices = sorted(message.notices, key=urgency)
    begins = {"dedup_key": limited(message.group_id or notices[0].incident, _NAME)}
    if message.group_is_over:
        return {"event_action": "resolve", **begins}
    if all(notice.event in (Event.RESOLVED, Event.ACKNOWLEDGED) for notice in notices):
        return {"event_action": "acknowledge", **begins} if message.still == message.acknowledged else None
    first, links = notices[0], _links(notices)
    return {
        "event_action": "trigger",
        **begins,
        "client": limited(message.service, _NAME),
        **({"client_url": first.link} if is_url(first.link) else {}),
        **({"links": links} if links else {}),
        "payload": {
            "summary": limited(_summary(message, notices), _SUMMARY),
            "source": limited(message.target, _NAME),
            "severity": worst([notice.severity for notice in notices if not is_over(notice)]).value,
            "timestamp": iso(min(notice.started_at for notice in notices if not is_over(notice))),
            "component": limited(next(iter(first.key.values()), message.target), _NAME),
            "group": limited(message.target, _NAME),
            "class": limited(first.rule, _NAME),
            "custom_details": _details(message, notices),
        },
    }


def _summary(message: Message, notices: Sequence[Notice]) -> str:
    if len(notices) > 1:
        return f"{message.target}: {headline(message)}"
    return f"{what_of(notices[0], message.created_at)} in {message.target}: {subject_of(notices[0])}{flapping_note(notices[0])}"


def _details(message: Message, notices: Sequence[Notice]) -> dict[str, Any]:
    """Of a single incident, everything; of several, a line each, in the order of their urgency."""
    lines = runbook_lines(notices[0])
    runbook = {"runbook": "\n".join(lines)} if lines and len({notice.rule for notice in notices}) == 1 else {}
    if len(notices) == 1:
        return {**dict(facts_of(notices[0])), "id": notices[0].incident, **runbook}
    shown = [limited(f"{what_of(one, message.created_at)}: {subject_of(one)}", _LINE) for one in notices[:_MOST_INCIDENTS]]
    more = [f"… and {len(notices) - _MOST_INCIDENTS} more; watchdog incidents lists them"] if len(notices) > _MOST_INCIDENTS else []
    return {"incidents": [*shown, *more], **runbook}


def _links(notices: Sequence[Notice]) -> list[dict[str, str]]:
    pairs = [(notice.runbook.strip(), "Runbook") for notice in notices] + [(notice.link, "Open in Flower") for notice in notices[:5]]
    return [{"href": href, "text": text} for href, text in dict.fromkeys(pairs) if is_url(href)][:10]


_ABOUT_KEY = re.compile(r"routing[_ ]key", re.IGNORECASE)
_CHECK_KEY = "check `routing_key`: in PagerDuty, Services, your service, Integrations, Events API v2 shows it"
_REPORT = "please report it, with the output of `watchdog outbox show`"


def pagerduty_outcome(answer: HttpAnswer, now: float) -> Outcome:
    """Interpret PagerDuty's answer: a 400 names in `errors` what it does not accept. `now`: see `outcome_of`."""
    by_status = outcome_of(answer, now)
    said = json_object(answer.unsecret)
    errors = said.get("errors")
    words = [str(error) for error in errors] if isinstance(errors, list) else []
    words = words or [str(said[name]) for name in ("message",) if said.get(name)]
    if not isinstance(by_status, Refused) or answer.status != HTTPStatus.BAD_REQUEST or not words:
        return by_status
    told = one_line("; ".join(words))
    return Refused(f"{answer.answered}: {told}; {_CHECK_KEY if _ABOUT_KEY.search(told) else _REPORT}")
