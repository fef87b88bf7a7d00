"""One task for people: what is known of it, its traceback, and where it was looked for.

In: what is known of it on each target, now (epoch seconds). Out: pages.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from watchdog.cli.output.page import Block, Grid, Ink, Line, Piece
from watchdog.core.incidents.payload import iso
from watchdog.core.text.durations import format_duration
from watchdog.core.text.phrasing import cut
from watchdog.status.documents.task import MOMENTS, link_to, ran_s, waited_s

if TYPE_CHECKING:
    from watchdog.core.model.replies import WholeTaskSeen
    from watchdog.tables.running.one_task import OneTask

__all__ = ["task_page"]

STYLES = {"SUCCESS": "good", "FAILURE": "bad", "REVOKED": "odd", "RETRY": "odd", "REJECTED": "bad"}
MOST_LINES = 200
"""Lines of a traceback: the last ones, which say what happened."""
MOST_CHILDREN = 10
WIDTH = 12
FORGETS = "it keeps only its last tasks (--max_tasks), none through a restart without --persistent, and none whose worker sends no events"
EXPIRES = "results expire (result_expires), and a task with ignore_result stores none"


def task_page(asked_for: str, tasks: Sequence["OneTask"], footer: str, now: float) -> list[Block]:
    """The task on each target that knows it; if none does, where it was looked for."""
    found = [task for task in tasks if task.found]
    page: list[Block] = []
    for task in found or ():
        page += [*_found(task, now), Line()]
    if not found:
        page += [*_not_found(asked_for, tasks), Line()]
    return [*page, Line.of(Ink(f"{iso(now)} · {footer}", "faint"))]


def _found(task: "OneTask", now: float) -> Iterator[Block]:
    state = task.seen.state or task.stored.status or ""
    name = task.seen.name or task.stored.name
    yield Line.of(Ink(state, STYLES.get(state, "strong")), "  ", Ink(name or "name unknown", "strong" if name else "odd"))
    for label, piece in _facts(task, now):
        yield Line.of(Ink(label.ljust(WIDTH), "faint"), piece, indent=2)
    traceback = task.seen.traceback or task.stored.traceback
    if traceback:
        lines = traceback.expandtabs(4).splitlines()
        yield Line()
        yield Line.of("Traceback:" if len(lines) <= MOST_LINES else f"Traceback, its last {MOST_LINES} of {len(lines)} lines:")
        yield from (Line.of(line, indent=2) for line in lines[-MOST_LINES:])


def _facts(task: "OneTask", now: float) -> Iterator[tuple[str, Piece]]:
    seen, stored = task.seen, task.stored
    yield "id", task.id
    yield "target", task.target.name
    if seen.state and stored.status and stored.status != seen.state:
        yield "state", Ink(f"{seen.state} in Flower, {stored.status} in the result backend", "odd")
    yield "worker", _known(seen.worker or stored.worker)
    yield "queue", _known(seen.routing_key or stored.queue)
    if seen.exchange:
        yield "exchange", seen.exchange
    yield from _times(seen, now)
    if stored.done:
        yield "stored", stored.done
    retries = seen.retries if seen.retries is not None else stored.retries
    if retries:
        yield "retries", str(retries)
    yield from _progress(task)
    yield from _values(task)
    if exception := seen.exception or stored.exception:
        yield "exception", Ink(cut(exception), "bad")
    yield from _relatives(task)
    if link := link_to(task):
        yield "link", link
    for label, why in (("flower", task.flower_gap), ("results", task.results_gap)):
        if why:
            yield label, Ink(f"? could not look: {why}", "odd")
    if not task.flower_gap and seen.state is None:
        yield "flower", Ink(f"does not list it: {FORGETS}", "faint")


def _known(text: str | None) -> Piece:
    return text or Ink("? unknown", "odd")


def _times(seen: "WholeTaskSeen", now: float) -> Iterator[tuple[str, Piece]]:
    if seen.client:
        yield "sent by", seen.client
    for moment in MOMENTS:
        at = getattr(seen, moment)
        if at is not None:
            yield moment, f"{iso(at)}, {format_duration(max(round(now - at), 0))} ago"
    if seen.eta:
        yield "not before", seen.eta
    if seen.expires:
        yield "expires", seen.expires
    if (waited := waited_s(seen)) is not None:
        yield "waited", format_duration(waited)
    if (ran := ran_s(seen, now)) is not None:
        yield "ran", f"{format_duration(ran)}{' so far' if seen.state == 'STARTED' else ''}"


def _progress(task: "OneTask") -> Iterator[tuple[str, Piece]]:
    reported = task.stored.reported
    if reported.progress is not None:
        yield "progress", f"{reported.progress * 100:.0f} %"
    if reported.step is not None:
        yield "step", reported.step


def _values(task: "OneTask") -> Iterator[tuple[str, Piece]]:
    seen, stored = task.seen, task.stored
    shown = (
        ("args", seen.args or stored.args_json),
        ("kwargs", seen.kwargs or stored.kwargs_json),
        ("result", stored.result_json or seen.result),
        ("reported", stored.reported.meta_json),
    )
    if not task.target.show_arguments:
        yield "arguments", Ink("hidden, as is what it returned; show_arguments = true of this target shows them", "faint")
        return
    yield from ((label, cut(text)) for label, text in shown if text)


def _relatives(task: "OneTask") -> Iterator[tuple[str, Piece]]:
    parent, root = task.seen.parent_id or task.stored.parent_id, task.seen.root_id
    if parent:
        yield "parent", parent
    if root and root not in (parent, task.id):
        yield "root", root
    children = task.seen.children or task.stored.children
    yield from (("child", child) for child in children[:MOST_CHILDREN])
    if len(children) > MOST_CHILDREN:
        yield "", f"and {len(children) - MOST_CHILDREN} more"


def _not_found(asked_for: str, tasks: Sequence["OneTask"]) -> Iterator[Block]:
    matches = [(task, match) for task in tasks for match in task.matches]
    if matches:
        yield Line.of(f"{len(matches)} ids begin with {asked_for}; write more of it:")
        yield Grid(("id", "target", "state", "name"), tuple((m.id, task.target.name, m.state, m.name or "?") for task, m in matches))
        return
    yield Line.of(Ink(f"no task {asked_for}", "bad"))
    for task in tasks:
        beginnings = f", nor one that begins so among its last {task.listed}" if task.listed else ""
        nowhere = f"does not list it{beginnings}: {FORGETS}"
        yield Line.of(f"{task.target.name}: Flower ", _looked(task.flower_gap, nowhere), indent=2)
        yield Line.of(f"{task.target.name}: the result backend ", _looked(task.results_gap, f"has no entry for it: {EXPIRES}"), indent=2)


def _looked(gap: str, nowhere: str) -> Piece:
    return Ink(f"could not be asked: {gap}", "odd") if gap else nowhere
