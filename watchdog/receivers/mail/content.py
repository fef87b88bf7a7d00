"""What an e-mail says: subject, plain text and HTML of one message.

In: a `Message`. Out: an `EmailMessage` without sender and recipients, in 7 bits and short lines. All messages about one group refer to the
same Message-ID, by which mail programs show them as one thread. Texts from outside are one printable line each, escaped in the HTML.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from html import escape

from watchdog.core.incidents.messages import Message, Notice
from watchdog.core.incidents.payload import headline, subject_of
from watchdog.core.incidents.quiet.flapping import flapping_note
from watchdog.core.model.severity import Severity, worst
from watchdog.core.report.chapters import Chapter, cells_of, chapters_of, lines_of
from watchdog.receivers.notice_text import facts_of, is_over, is_url, limited, recovered, runbook_lines, urgency, what_of
from watchdog.receivers.pictures.picture import FILE_NAME, Picture
from watchdog.receivers.pictures.words import chart_words

__all__ = ["MOST_INCIDENTS", "email_of", "with_picture"]

MOST_INCIDENTS = 100
_SUBJECT, _LINE, _MOST_ROWS = 200, 1_000, 100
_COLOURS = {Severity.CRITICAL: "#a30200", Severity.ERROR: "#e8590c", Severity.WARNING: "#b07d00", Severity.INFO: "#1c6fb5"}
_GOOD, _OVER = "#1d7a54", "#6b6b6b"
_PLACE_OF_PICTURE = "<!-- chart -->"
_WIDTH_OF_PICTURE = 560
_FONT = "font-family:system-ui,sans-serif;font-size:14px;line-height:1.4"


def email_of(message: Message, domain: str) -> EmailMessage:
    """The e-mail; `domain`: that of the sender, for its Message-ID."""
    notices = sorted(message.notices, key=urgency)
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = limited(_subject(message, notices), _SUBJECT)
    mail["Date"] = format_datetime(datetime.fromtimestamp(int(message.created_at), UTC))
    mail["Message-ID"] = f"<{message.id}@{domain}>"
    if message.group_id:
        thread = f"<group-{message.group_id}@{domain}>"
        mail["In-Reply-To"] = thread
        mail["References"] = thread
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    if any(notice.severity is Severity.CRITICAL and not is_over(notice) for notice in notices):
        mail["Importance"] = "high"
    chapters = chapters_of(message.digest) if message.digest is not None else ()
    mail.set_content("\n".join([*_text(message, notices), *_report_text(chapters), "-- ", _footer(message), ""]))
    mail.add_alternative(_page([*_html(message, notices), *_report_html(chapters)], _footer(message)), subtype="html")
    mail.set_boundary(
        f"=={sha256(message.id.encode()).hexdigest()[:32]}=="
    )  # by default a random one, and a repeat must have the same bytes
    return mail


def with_picture(mail: bytes, picture: Picture) -> bytes:
    """The e-mail with a picture in its HTML; the same bytes each time."""
    whole = message_from_bytes(mail, policy=SMTP)
    html = whole.get_body(("html",))
    if html is None:
        return mail
    cid = f"{sha256(picture.png).hexdigest()[:32]}@watchdog"
    look = "display:block;max-width:100%;height:auto;margin:8px 0;border:1px solid #d0d7de;border-radius:4px;background:#ffffff"
    shown = f'<img src="cid:{cid}" width="{_WIDTH_OF_PICTURE}" alt="{escape(picture.words)}" style="{look}">'
    html.set_content(html.get_content().replace(_PLACE_OF_PICTURE, shown, 1), subtype="html")
    html.add_related(picture.png, "image", "png", cid=f"<{cid}>", disposition="inline", filename=FILE_NAME)
    html.set_boundary(f"=={cid[:32]}==")
    return whole.as_bytes()


def _subject(message: Message, notices: Sequence[Notice]) -> str:
    if message.digest is not None:
        return headline(message)
    if len(notices) == 1:
        return f"[{message.target}] {what_of(notices[0], message.created_at)}: {subject_of(notices[0])}{flapping_note(notices[0])}"
    burning = [notice.severity for notice in notices if not is_over(notice)]
    return f"[{message.target}] {f'{worst(burning).capitalize()}: ' if burning else ''}{headline(message)}"


def _footer(message: Message) -> str:
    return limited(f"{message.service}, to the receiver {message.receiver}", _LINE)


def _title(notice: Notice, message: Message) -> str:
    return limited(f"{what_of(notice, message.created_at)}: {subject_of(notice)}{flapping_note(notice)}", _LINE)


def _more(notices: Sequence[Notice]) -> Iterator[str]:
    if len(notices) > MOST_INCIDENTS:
        yield f"… and {len(notices) - MOST_INCIDENTS} more; watchdog incidents lists them"


def _text(message: Message, notices: Sequence[Notice]) -> Iterator[str]:
    runbooks = set[str]()
    for notice in notices[:MOST_INCIDENTS]:
        yield _title(notice, message)
        facts = list(facts_of(notice))
        width = max(len(name) for name, _ in facts)
        yield from (f"  {name:<{min(width, 20)}}  {value}" for name, value in facts)
        if is_url(notice.link):
            yield f"  {'Flower':<{min(width, 20)}}  {notice.link}"
        if message.chart is not None and message.chart.incident == notice.incident:
            yield f"  {'chart':<{min(width, 20)}}  {chart_words(message.chart)}"
        if notice.runbook not in runbooks and not is_over(notice):
            runbooks.add(notice.runbook)
            yield from (f"  > {line}" for line in runbook_lines(notice))
        yield ""
    yield from _more(notices)


def _html(message: Message, notices: Sequence[Notice]) -> Iterator[str]:
    runbooks = set[str]()
    for notice in notices[:MOST_INCIDENTS]:
        yield f'<div style="border-left:4px solid {_colour(notice)};padding:2px 0 2px 12px;margin:0 0 16px 0">'
        yield f'<p style="margin:0 0 6px 0;font-weight:bold">{escape(_title(notice, message))}</p>'
        yield from _table(facts_of(notice))
        if message.chart is not None and message.chart.incident == notice.incident:
            yield _PLACE_OF_PICTURE
        if is_url(notice.link):
            yield f'<p style="margin:6px 0 0 0"><a href="{escape(notice.link)}">Open in Flower</a></p>'
        if notice.runbook not in runbooks and not is_over(notice):
            runbooks.add(notice.runbook)
            yield from _runbook(notice)
        yield "</div>"
    yield from (f"<p>{escape(line)}</p>" for line in _more(notices))


def _runbook(notice: Notice) -> Iterator[str]:
    runbook = notice.runbook.strip()
    if is_url(runbook):
        yield f'<p style="margin:6px 0 0 0"><a href="{escape(runbook)}">Runbook</a></p>'
    else:
        yield from (f'<p style="margin:6px 0 0 0">{escape(line)}</p>' for line in runbook_lines(notice))


def _table(facts: Iterator[tuple[str, str]]) -> Iterator[str]:
    yield f'<table style="border-collapse:collapse;{_FONT}">'
    for name, value in facts:
        yield f'<tr><td style="color:#6b6b6b;padding:0 12px 0 0;vertical-align:top">{escape(name)}</td><td>{escape(value)}</td></tr>'
    yield "</table>"


def _colour(notice: Notice) -> str:
    if not is_over(notice):
        return _COLOURS[notice.severity]
    return _GOOD if recovered(notice) else _OVER


def _page(parts: Sequence[str], footer: str) -> str:
    return "\n".join(
        [
            f'<!doctype html><html><body style="{_FONT};color:#1f1f1f">',
            *parts,
            f'<p style="color:#6b6b6b;font-size:12px">{escape(footer)}</p></body></html>',
            "",
        ]
    )


def _report_text(chapters: Sequence[Chapter]) -> Iterator[str]:
    for chapter in chapters:
        yield limited(chapter.title, _LINE)
        yield from (f"  {limited(line, _LINE)}" for line in lines_of(chapter))
        yield ""


def _report_html(chapters: Sequence[Chapter]) -> Iterator[str]:
    for chapter in chapters:
        yield f'<p style="margin:16px 0 6px 0;font-weight:bold">{escape(limited(chapter.title, _LINE))}</p>'
        yield from (f'<p style="margin:0 0 4px 0">{escape(limited(sentence, _LINE))}</p>' for sentence in chapter.sentences)
        if chapter.rows:
            yield f'<table style="border-collapse:collapse;{_FONT}">'
            for row in chapter.rows[:_MOST_ROWS]:
                cells = "".join(f'<td style="padding:0 12px 0 0">{escape(limited(cell, _LINE))}</td>' for cell in cells_of(chapter, row))
                yield f"<tr>{cells}</tr>"
            yield "</table>"
        if more := chapter.more + max(len(chapter.rows) - _MOST_ROWS, 0):
            yield f"<p>… and {more:,} more</p>"
