"""`kinds`: one row per kind of worker (see `names.kind_of`), for failures that move from worker to worker.

A pod or container that crashes comes back under another name. So deaths are counted by kind: workers that fell silent without a goodbye
after a short life. A deploy does not count, even one that kills: the old workers have lived long, and the new ones live on. A second deploy
soon after kills young workers too; so one of the dead must have been born after another one died young.

Of workers that stay away it says whether most of a kind are lost, as `hosts` does, except where a lost host explains it.
"""

from collections.abc import Iterable

from watchdog.core.model.rows import Cell, Column, Kind, Look, Reading, Row, Table
from watchdog.tables.fleet.hosts import Loss, loss_of
from watchdog.tables.workers.memory import KnownWorker, known_workers_of

__all__ = ["TABLE"]

COLUMNS = (
    Column("kind", Kind.TEXT, "a pattern of `kinds`, or a name with digits and pod or hash suffixes folded: celery@web-*"),
    Column("online", Kind.NUMBER, "workers online", "workers", 0.0),
    Column("lost", Kind.NUMBER, "workers that are lost, not replaced, and not of a host that is mostly lost", "workers", 0.0),
    Column("workers", Kind.NUMBER, "its workers, without those that left, were replaced, or are of such a host", "workers", 0.0),
    Column("mostly_lost", Kind.BOOLEAN, "at least two of these are lost, and they are more than the others"),
    Column("unserved", Kind.TEXT, "the queues that the lost ones consumed and no worker online does, joined by a comma", neutral=""),
    Column(
        "deaths",
        Kind.NUMBER,
        "workers lost within the window, under a name each, that did not live for as long",
        "workers",
        0.0,
        windowed=True,
    ),
    Column("died_again", Kind.NUMBER, "those of them that came after another of them had died", "workers", 0.0, windowed=True),
    Column("life_s", Kind.NUMBER, "how long these lived on average", "s", 0.0, windowed=True),
    Column("last_died", Kind.TEXT, "the last of them", neutral=""),
)
BORN_AFTER_S = 5.0
"""A birth may seem to precede the death it follows by this many seconds, because both are seen between two polls."""

Life = tuple[float, float, str]
"""When a worker was first and last seen online, and its name."""


def read(look: Look) -> Reading:
    """Return a row for every kind of which a worker is known."""
    workers = look.before["workers"]
    if "name" in workers.idle:
        return Reading(idle={c.name: workers.idle["name"] for c in COLUMNS})
    known_workers = known_workers_of(workers.memory)
    of_kind: dict[str, list[KnownWorker]] = {}
    for worker in known_workers.known.values():
        of_kind.setdefault(known_workers.kind(worker.name), []).append(worker)
    if workers.unread is not None:
        blind = [c.name for c in COLUMNS if c.name != "kind"]
        rows = [Row({"kind": kind, **dict.fromkeys(blind)}, dict.fromkeys(blind, workers.unread)) for kind in of_kind]
        return Reading(tuple(rows), unread=workers.unread)
    gone = frozenset((known_workers.kind(name),) for (name, *_) in workers.forgotten) - {(kind,) for kind in of_kind}
    first_look_at = min((worker.first_seen_at for worker in known_workers.known.values()), default=look.now)
    losses = _losses(workers, look.before["hosts"])
    rows = [_row(kind, known, losses[kind], first_look_at, look) for kind, known in of_kind.items()]
    return Reading(tuple(rows), forgotten=gone)


def _losses(workers: Reading, hosts: Reading) -> dict[str, Loss]:
    """Return kind -> how many of its workers are lost, without those whose host is mostly lost."""
    lost = {row.cells["host"] for row in hosts.rows if row.cells["mostly_lost"]}
    doubts = {str(row.cells["host"]): row.gaps["mostly_lost"] for row in hosts.rows if "mostly_lost" in row.gaps}
    found: dict[str, list[Row]] = {}
    for row in workers.rows:
        found.setdefault(str(row.cells["kind"]), []).extend([row] if row.cells["host"] not in lost else [])
    return {kind: loss_of(rows, doubts) for kind, rows in found.items()}


def _row(kind: str, known: list[KnownWorker], loss: Loss, first_look_at: float, look: Look) -> Row:
    of_loss, gaps = loss.cells()
    unsure = next((f"{worker.name}: {worker.unknown}" for worker in known if worker.unknown), "")
    lives = sorted(_young(known, first_look_at, look), key=lambda life: life[1])
    cells: dict[str, Cell] = {
        **of_loss,
        "kind": kind,
        "online": None if unsure else float(sum(worker.state == "online" for worker in known)),
        "deaths": float(len(lives)),
        "died_again": float(sum(born > _replaced_from(lives[0]) for born, _, _ in lives)) if lives else 0.0,
        "life_s": sum(died - born for born, died, _ in lives) / len(lives) if lives else 0.0,
        "last_died": lives[-1][2] if lives else "",
    }
    gaps.pop("online", None)
    return Row(cells, gaps | ({"online": unsure} if unsure else {}))


def _young(known: Iterable[KnownWorker], first_look_at: float, look: Look) -> Iterable[Life]:
    """Yield the workers that died within the window after a life shorter than it."""
    for worker in known:
        if worker.state != "lost" or worker.unknown:
            continue
        born, died = _born(worker), worker.online_at
        if died is None and worker.first_seen_at > first_look_at:  # it came and went between two polls
            born = died = worker.first_seen_at
        if died is not None and 0 <= look.now - died <= look.window_s and died - born < look.window_s:
            yield born, died, worker.name


def _replaced_from(first: Life) -> float:
    """Return from when a birth may be that of what replaced it. What was born together with it, and died with it, did not."""
    born, died, _ = first
    return max(died - BORN_AFTER_S, (born + died) / 2)


def _born(worker: KnownWorker) -> float:
    """Return when its process started, as it reported; otherwise when it was first seen."""
    said = worker.born_at
    return worker.first_seen_at if said is None else min(said, worker.first_seen_at)


TABLE = Table("kinds", "a kind of worker", ("kind",), COLUMNS, lambda _: (), read, needs=("workers", "hosts"))
