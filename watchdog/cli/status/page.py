"""The page of `watchdog status`: for each target a line that says how old it is, then its panels."""

from collections.abc import Sequence

from watchdog.cli.output.page import Block, Ink, Line
from watchdog.cli.status.on_terminal import on_terminal
from watchdog.core.text.durations import format_duration
from watchdog.status.panels import EVERY, PANELS
from watchdog.status.shown import TargetShown
from watchdog.store.sql import Daemons

__all__ = ["status_page"]


def status_page(targets: Sequence[TargetShown], panels: Sequence[str], footer: str) -> list[Block]:
    """These panels of all targets; a panel that was asked for by name shows every row."""
    chosen, most = panels or tuple(PANELS), {"most": EVERY} if panels else {}
    page: list[Block] = []
    for shown in targets:
        page += [_heading(shown), *(on_terminal(PANELS[name](shown, **most)) for name in chosen)]
    page += [_daemons(shown.daemons) for shown in targets[:1] if shown.daemons is not None]
    return [*page, Line.of(Ink(footer, "faint"))]


def _daemons(daemons: Daemons) -> Line:
    """Who works on a database that several share, and who stands by."""
    words = [Ink(f"{daemons.works or 'no watchdog'} works", "faint" if daemons.works else "bad")]
    words += [Ink(f"; {name} stands by", "faint") for name in daemons.stand_by] or [Ink("; none stands by", "odd")]
    return Line.of(*words)


def _heading(shown: TargetShown) -> Line:
    """The target, and how old what is shown of it is."""
    name = Ink(f" {shown.name} ", "strong")
    if shown.seen_at is None:
        return Line.of(name, Ink(f"could not look: {shown.why_not}", "bad"))
    age_s = max(shown.now - shown.seen_at, 0.0)
    age = "just now" if age_s < 1 else f"{format_duration(round(age_s))} ago"
    if shown.live:
        unwatched = "; no `watchdog run` uses this database" if shown.watched is False else ""
        return Line.of(name, Ink(f"looked at {age}{unwatched}", "odd" if unwatched else "faint"))
    late = shown.interval_s > 0 and age_s > 3 * shown.interval_s + 5
    return Line.of(name, Ink(f"as watchdog saw it {age}, every {format_duration(shown.interval_s)}", "bad" if late else "faint"))
