"""What one notice says, as plain text: receivers arrange it and escape it, each for its service.

In: a notice, or the notices of a message. Out: short texts on one line each, without control characters; nothing in them is markup yet.
"""

from collections.abc import Iterable, Iterator, Sequence

from watchdog.core.incidents.lifecycle import Ended
from watchdog.core.incidents.messages import Event, Message, Notice
from watchdog.core.incidents.payload import headline, subject_of
from watchdog.core.text.durations import format_duration
from watchdog.core.text.phrasing import format_value, worth_showing
from watchdog.core.text.sanitize import sanitize
from watchdog.core.text.timestamps import iso

__all__ = ["facts_of", "is_over", "is_url", "limited", "recovered", "runbook_lines", "title_line", "urgency", "utf16_length", "what_of"]

_MOST_KEYS, _MOST_VALUES, _MOST_TARGETS, _MOST_RUNBOOK_LINES = 10, 12, 5, 20
_LONGEST_NAME, _LONGEST_SENTENCE, _LONGEST_URL = 200, 500, 2_000


def what_of(notice: Notice, now: float) -> str:
    """`Critical`, `Escalated to critical`, `Reminder, still critical after 2h`, `Resolved after 6m`, `Ended after 6m (rule removed)`."""
    match notice.event:
        case Event.FIRST:
            return notice.severity.capitalize()
        case Event.ESCALATED:
            return f"Escalated to {notice.severity}"
        case Event.REMINDER:
            return f"Reminder, still {notice.severity}{_after(notice, now)}"
        case Event.ACKNOWLEDGED:
            return f"Acknowledged, still {notice.severity}"
        case Event.RESOLVED:
            lasted = _after(notice, notice.resolved_at)
            return f"Resolved{lasted}" if recovered(notice) else f"Ended{lasted} ({notice.ended})"


def _after(notice: Notice, at: float | None) -> str:
    return "" if at is None else f" after {format_duration(round(max(at - notice.started_at, 0.0)))}"


def title_line(message: Message) -> str:
    """One line for the whole message: `Critical in prod: indexing holds 60 messages`; of several incidents, how many and the first few."""
    if message.digest is not None:
        return headline(message)
    if len(message.notices) > 1:
        return f"{message.target}: {headline(message)}"
    [notice] = message.notices
    return f"{what_of(notice, message.created_at)} in {message.target}: {subject_of(notice)}"


def is_over(notice: Notice) -> bool:
    """Whether it reports an end."""
    return notice.event is Event.RESOLVED


def recovered(notice: Notice) -> bool:
    """Whether it ended by recovery, the only end that is good news."""
    return notice.ended in (None, Ended.RECOVERED)


def urgency(notice: Notice) -> tuple[bool, int, float, str]:
    """A key that sorts the most severe first, and ended ones last."""
    return is_over(notice), -notice.severity.rank, notice.started_at, notice.incident


def limited(text: str, longest: int) -> str:
    """One printable line of at most `longest` characters; longer text is cut, with an ellipsis."""
    line = sanitize(" ".join(text[: 4 * longest].split()))
    return line if len(line) <= longest and len(text) <= 4 * longest else line[: longest - 1] + "…"


def utf16_length(text: str) -> int:
    """Characters as most services count them: those above U+FFFF twice."""
    return len(text) if text.isascii() else len(text) + sum(letter > "\uffff" for letter in text)


def is_url(text: str) -> bool:
    """Whether the text is one URL and nothing else, and short enough as a link."""
    return text.startswith(("https://", "http://")) and len(text) <= _LONGEST_URL and text.isprintable() and not set(' <>"') & set(text)


def facts_of(notice: Notice) -> Iterator[tuple[str, str]]:
    """Name and value of what is known of it: rule, targets, key, values, times, and what explains it."""
    yield "rule", limited(notice.rule, _LONGEST_NAME)
    targets = notice.targets or (notice.target,)
    yield "target" if len(targets) == 1 else "targets", _listed(targets)
    for name, value in list(notice.key.items())[:_MOST_KEYS]:
        yield limited(name, _LONGEST_NAME), limited(value, _LONGEST_NAME)
    values = [(name, cell) for name, cell in worth_showing(notice.values).items() if name not in notice.key]
    for name, cell in values[:_MOST_VALUES]:
        yield limited(name, _LONGEST_NAME), "?" if cell is None else limited(format_value(cell), _LONGEST_NAME)
    yield "began", iso(notice.started_at)
    if notice.resolved_at is not None:
        yield "ended", iso(notice.resolved_at)
    for name, text in _explained(notice):
        if text:
            yield name, limited(text, _LONGEST_SENTENCE)


def _explained(notice: Notice) -> Iterable[tuple[str, str]]:
    closed = f"by {notice.closed_by}: {notice.closed_because}" if notice.closed_by else notice.closed_because
    remedy, because = ("remedy", notice.remedy), ("because of", ", ".join(notice.because))
    return ("closed", closed), remedy, because, ("deploy", notice.deploy), ("trend", notice.trend)


def _listed(names: Sequence[str]) -> str:
    more = [f"and {len(names) - _MOST_TARGETS} more"] if len(names) > _MOST_TARGETS else []
    return ", ".join([*(limited(name, _LONGEST_NAME) for name in names[:_MOST_TARGETS]), *more])


def runbook_lines(notice: Notice, longest: int = _LONGEST_SENTENCE) -> list[str]:
    """The first lines of its runbook; if there is more, the command that shows the rest."""
    lines = [line for line in notice.runbook[: 40 * longest].splitlines() if line.strip()]
    shown = [limited(line, longest) for line in lines[:_MOST_RUNBOOK_LINES]]
    rest = len(lines) > _MOST_RUNBOOK_LINES or len(notice.runbook) > 40 * longest
    return [*shown, f"… the rest: watchdog incidents show {limited(notice.incident, _LONGEST_NAME)}"] if rest else shown
