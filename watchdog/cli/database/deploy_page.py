"""Deploys for people: the list, and what one that just began or ended hides.

In: deploys and the open incidents, now (epoch seconds). Out: pages.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from watchdog.cli.output.page import Block, ByMedium, Entries, Entry, Grid, Ink, Line
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.payload import iso
from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.core.text.durations import format_duration
from watchdog.core.text.wording import counted, key_text
from watchdog.status.documents.deploys import deploy_state, hidden_by_deploys

if TYPE_CHECKING:
    from watchdog.store import Watched

__all__ = ["deploys_page", "ended_page", "started_page"]


def started_page(deploy: Deploy, replaced: Sequence[Deploy], incidents: Sequence[Incident], watched: "Watched") -> list[Block]:
    """What began, what it replaced, and what it hides now."""
    lasts = format_duration(deploy.ends_at - deploy.starts_at)
    page: list[Block] = [
        Line.of(f"deploy {deploy.version} of {_targets(deploy)} until {iso(deploy.ends_at)}, {lasts} at most"),
        *(Line.of(f"It ends deploy {one.version} of {_targets(one)}.", indent=2) for one in replaced),
    ]
    if watched.now is False:
        page.append(Line.of(Ink("Nothing is being watched: no `watchdog run` uses this database.", "bad"), indent=2))
    hidden = hidden_by_deploys([deploy], incidents)
    if not hidden:
        return [*page, Line.of(f"It hides nothing now; {counted(len(incidents), 'incident')} open.", indent=2)]
    return [*page, Line.of(f"It hides {counted(len(hidden), 'open incident')} now:", indent=2), _grid(hidden)]


def ended_page(ended: Sequence[Deploy], earlier: Sequence[Deploy], incidents: Sequence[Incident]) -> list[Block]:
    """What ended, and what of it still fires. `earlier`: the kept deploys of the version, one of which may have ended already."""
    if not ended:
        return [
            Line.of(f"deploy {earlier[-1].version} had ended already, {iso(earlier[-1].ends_at)}" if earlier else "no deploy is going on")
        ]
    page: list[Block] = [
        Line.of(f"deploy {one.version} of {_targets(one)} has ended after {format_duration(round(one.ends_at - one.starts_at))}")
        for one in ended
    ]
    hid = hidden_by_deploys(ended, incidents)
    if not hid:
        return [*page, Line.of("Nothing that it hid is open.", indent=2)]
    said = f"{counted(len(hid), 'open incident')} that it hid; what fires is sent with the next cycle:"
    return [*page, Line.of(said, indent=2), _grid(hid)]


def deploys_page(deploys: Sequence[Deploy], kept: int, incidents: Sequence[Incident], now: float) -> list[Block]:
    """The list, oldest first: to a pipe a table; on a terminal one entry each."""
    page: list[Block] = []
    if deploys:
        headers = ("version", "state", "from", "until", "hides", "author", "targets")
        rows = tuple(
            (
                d.version,
                deploy_state(d, now),
                iso(d.starts_at),
                iso(d.ends_at),
                str(_hides(d, incidents, now)),
                d.author,
                ", ".join(d.targets),
            )
            for d in deploys
        )
        page.append(ByMedium((Grid(headers, rows),), (Entries(tuple(_entry(one, incidents, now) for one in deploys)),)))
    more = f" of {kept}; --all lists all" if kept > len(deploys) else ""
    going_on = f"{counted(sum(one.covers(now) for one in deploys), 'deploy')} now"
    return [*page, Line.of(Ink(f"{going_on}, {len(deploys)} listed{more}", "faint"))]


def _entry(deploy: Deploy, incidents: Sequence[Incident], now: float) -> Entry:
    lasts = format_duration(round(max(deploy.ends_at - deploy.starts_at, 0.0)))
    when = f"{iso(deploy.starts_at)} to {iso(deploy.ends_at)}, {lasts}"
    hides = f" · hides {counted(_hides(deploy, incidents, now), 'open incident')}" if deploy.covers(now) else ""
    by = f" · {deploy.author}" if deploy.author else ""
    style = "odd" if deploy.covers(now) else "faint"
    return Entry((Ink(deploy_state(deploy, now), style), deploy.version, _targets(deploy)), (Ink(f"{when}{by}{hides}", "faint"),))


def _grid(incidents: Sequence[Incident]) -> Grid:
    rows = tuple(
        (Ink(one.severity.value, one.severity.value), one.state.value, one.rule, one.target, key_text(one.key)) for one in incidents
    )
    return Grid(("severity", "state", "rule", "target", "key"), rows)


def _hides(deploy: Deploy, incidents: Iterable[Incident], now: float) -> int:
    return len(hidden_by_deploys([deploy], incidents)) if deploy.covers(now) else 0


def _targets(deploy: Deploy) -> str:
    return "every target" if "*" in deploy.targets else ", ".join(deploy.targets)
