"""Silences for people: the list, and what one that was just added or ended hides.

In: silences and the open incidents, now (epoch seconds). Out: pages.
"""

from collections.abc import Sequence

from watchdog.cli.output.page import Block, ByMedium, Entries, Entry, Grid, Ink, Line
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.payload import iso
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.core.model.target import SELF
from watchdog.core.text.durations import format_duration
from watchdog.core.text.suggestions import did_you_mean
from watchdog.core.text.wording import counted, key_text
from watchdog.status.documents.silences import hidden_by_silence, silence_state

__all__ = ["added_page", "expired_page", "silences_page", "unknown_names"]


def added_page(silence: Silence, incidents: Sequence[Incident], now: float, odd: Sequence[str] = ()) -> list[Block]:
    """What was added, and what it hides. `odd`: what may not be as it was meant."""
    return [
        Line.of(f"silence {silence.id}: {_matchers(silence)}"),
        Line.of(_when(silence, now), indent=2),
        *(Line.of(Ink(f"? {sentence}", "odd"), indent=2) for sentence in odd),
        *_hidden_lines(silence, incidents, now),
    ]


def unknown_names(silence: Silence, rules: Sequence[str], targets: Sequence[str]) -> list[str]:
    """A sentence for each rule or target that is named exactly and does not exist: most likely a typo, and then nothing is silenced."""
    known = {"rule": rules, "target": (*targets, SELF) if targets else ()}
    found = []
    for matcher in silence.matchers:
        names = known.get(matcher.label, ())
        if matcher.operator == "=" and names and matcher.value not in names:
            others = "; `watchdog rules list` shows them" if matcher.label == "rule" else f"; configured: {', '.join(targets)}"
            found.append(f'no {matcher.label} "{matcher.value}"{did_you_mean(matcher.value, names) or others}')
    return found


def expired_page(silence: Silence, incidents: Sequence[Incident]) -> list[Block]:
    """What was ended, and what can be sent again."""
    hid = hidden_by_silence(silence, incidents)
    what = f"{counted(len(hid), 'open incident')} that it hid: those that fire are sent with the next cycle" if hid else "it hid nothing"
    return [Line.of(f"silence {silence.id} has ended: {_matchers(silence)}"), Line.of(what, indent=2)]


def silences_page(silences: Sequence[Silence], incidents: Sequence[Incident], now: float) -> list[Block]:
    """The list: to a pipe a table; on a terminal one entry each."""
    page: list[Block] = []
    if silences:
        headers = ("id", "state", "from", "until", "hides", "author", "comment", "matchers")
        rows = tuple(
            (
                s.id,
                silence_state(s, now),
                iso(s.starts_at),
                iso(s.ends_at),
                str(len(hidden_by_silence(s, incidents))),
                s.author,
                s.comment,
                _matchers(s),
            )
            for s in silences
        )
        page.append(ByMedium((Grid(headers, rows),), (Entries(tuple(_entry(silence, incidents, now) for silence in silences)),)))
    return [*page, Line.of(Ink(f"{counted(sum(one.covers(now) for one in silences), 'silence')} now, {len(silences)} listed", "faint"))]


def _entry(silence: Silence, incidents: Sequence[Incident], now: float) -> Entry:
    about = " · ".join(part for part in (silence.author, silence.comment) if part)
    hides = f"hides {counted(len(hidden_by_silence(silence, incidents)), 'open incident')}"
    lines = (Ink(f"{_when(silence, now)} · {hides}", "faint"), *([Ink(about, "faint")] if about else []), Ink(silence.id, "faint"))
    return Entry((Ink(silence_state(silence, now), "odd"), _matchers(silence)), lines)


def _hidden_lines(silence: Silence, incidents: Sequence[Incident], now: float) -> list[Block]:
    hidden = hidden_by_silence(silence, incidents)
    when = "now" if silence.covers(now) else "if it began now"
    if not hidden:
        return [Line.of(f"It hides nothing {when}; {counted(len(incidents), 'incident')} open.", indent=2)]
    headers = ("severity", "state", "rule", "target", "key")
    rows = tuple((Ink(one.severity.value, one.severity.value), one.state.value, one.rule, one.target, key_text(one.key)) for one in hidden)
    return [Line.of(f"It hides {counted(len(hidden), 'open incident')} {when}:", indent=2), Grid(headers, rows)]


def _when(silence: Silence, now: float) -> str:
    lasts = format_duration(max(silence.ends_at - max(silence.starts_at, now), 0.0))
    if silence.ends_at <= now:
        return f"ended {iso(silence.ends_at)}"
    return f"until {iso(silence.ends_at)}, {f'{lasts} left' if silence.covers(now) else f'from {iso(silence.starts_at)}, {lasts}'}"


def _matchers(silence: Silence) -> str:
    return ", ".join(map(str, silence.matchers))
