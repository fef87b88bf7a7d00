"""What tests of the states of workers share: a watched cluster, and what is seen of one worker."""

from msgspec.structs import replace

from tests.builders.answers import a_target
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, cell, gap
from watchdog.core.model.queries import InspectAll, InspectOne
from watchdog.core.model.rows import Reading

__all__ = ["DEAF", "GPU", "NEW_PODS", "PODS", "WEB", "refreshed", "restarts", "state", "states", "watching", "workers"]

WEB, GPU, DEAF = "celery@web-1", "celery@gpu-1", "celery@solo-1"
PODS = ("celery@web-7d9f8b6c5-zzzz2", "celery@web-7d9f8b6c5-bbbb5", "celery@web-7d9f8b6c5-cccc4")
NEW_PODS = ("celery@web-65c9f7d8b4-dddd5", "celery@web-65c9f7d8b4-ffff6", "celery@web-65c9f7d8b4-gggg7")


def watching(cluster: Cluster | None = None, looks: int = 2, **target: object) -> Watch:
    """A cluster that was looked at so often, every 10 s."""
    watch = Watch(cluster or healthy(), a_target(**target))
    for number in range(looks):
        watch.look(0 if number == 0 else 10)
    return watch


def workers(watch: Watch, after: float = 10) -> Reading:
    """The table of workers at the next look."""
    return watch.look(after)["workers"]


def state(watch: Watch, name: str = WEB, after: float = 10) -> object:
    """The state of one worker at the next look, or why it is unknown."""
    reading = workers(watch, after)
    return cell(reading, name, "state") or f"unknown: {gap(reading, name, 'state')}"


def refreshed(watch: Watch) -> list[str]:
    """Whom Flower was asked to inspect, in order; `*` for all."""
    return [q.worker if isinstance(q, InspectOne) else "*" for q in watch.cluster.asked if isinstance(q, InspectOne | InspectAll)]


def states(watch: Watch, looks: int) -> list[object]:
    """The state of the solo worker at each of the next looks."""
    return [state(watch, DEAF) for _ in range(looks)]


def restarts(watch: Watch, pid: int, *, goodbye: bool = False) -> None:
    """Let web-1 be another process from now on."""
    beat = watch.cluster.beats[WEB]
    watch.cluster.beats[WEB] = replace(beat, pid=pid, hellos=(beat.hellos or 0) + 1, goodbyes=(beat.goodbyes or 0) + goodbye)
