"""The CPU and memory of a worker's main process, by its inspections: what the kernel counted for that process (`stats.rusage`).

Input: what was remembered, the newest inspection, its heartbeat. Output: what to remember, and two cells, or the reasons of their gaps.
The processes of a prefork pool are others, of which Celery reports nothing; in the pools solo, threads, gevent and eventlet, tasks run in
the main process itself. The kernel keeps the most memory that a process ever held, not what it holds now; on Linux, what the process that
started it held counts too (measured: exec does not reset it).
"""

from msgspec import Struct

from watchdog.core.model.replies import WorkerBeat, WorkerInspection
from watchdog.core.model.rows import Cell

__all__ = ["USAGE", "CpuUse", "cpu_after", "fill_usage"]

USAGE = ("cpu_ratio", "rss_max_bytes")
SHORTEST_S = 5.0
"""Two inspections closer together are not compared: when each was made is known to about a tenth of a second."""
UNIT_BYTES = {"Darwin": 1}
"""In which unit the kernel counts, where it is not KiB as on Linux and the BSDs."""
NOT_MEASURED = "its system does not report it"
ONCE = "it takes two inspections of one process, and the second comes up to 5 minutes after the first"
NO_SYSTEM = "no heartbeat of it was seen yet, which names its system, and with it the unit of its memory"


class CpuUse(Struct, frozen=True, gc=False, omit_defaults=True):
    """The CPU time that process `pid` had used at `at` (Flower's clock), and what it used of one core before that; None: not known yet."""

    pid: int
    at: float
    cpu_s: float
    ratio: float | None = None


def cpu_after(before: CpuUse | None, seen: WorkerInspection | None) -> CpuUse | None:
    """Return what is known of a worker's CPU after an inspection; None if it reports none."""
    if seen is None or seen.at is None or seen.pid is None or seen.cpu_s is None:
        return None
    if before is None or before.pid != seen.pid or seen.cpu_s < before.cpu_s or seen.at < before.at:
        return CpuUse(seen.pid, seen.at, seen.cpu_s)
    passed_s = seen.at - before.at
    if passed_s < SHORTEST_S:
        return before
    return CpuUse(seen.pid, seen.at, seen.cpu_s, (seen.cpu_s - before.cpu_s) / passed_s)


def fill_usage(
    cpu: CpuUse | None, seen: WorkerInspection, beat: WorkerBeat | None, cells: dict[str, Cell], withheld: dict[str, str]
) -> None:
    """Fill the two cells; what has no value is withheld, with the reason."""
    ratio = None if cpu is None else cpu.ratio
    system = beat.system if beat is not None else None
    held = None if seen.max_rss is None or system is None else float(seen.max_rss * UNIT_BYTES.get(system, 1024))
    if ratio is None:
        withheld.setdefault("cpu_ratio", NOT_MEASURED if seen.cpu_s is None else ONCE)
    if held is None:
        withheld.setdefault("rss_max_bytes", NOT_MEASURED if seen.max_rss is None else NO_SYSTEM)
    cells["cpu_ratio"], cells["rss_max_bytes"] = ratio, held
