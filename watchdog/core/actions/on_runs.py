"""What sending failed runs again will touch. In: the request, the runs that it means, the cluster. Out: `Foreseen`."""

from collections import Counter

from watchdog.core.actions.on_workers import named
from watchdog.core.actions.request import Cluster, Foreseen, Request
from watchdog.core.text.durations import format_duration
from watchdog.core.text.wording import counted

__all__ = ["foresee_runs"]


def foresee_runs(request: Request, cluster: Cluster) -> Foreseen:
    """Which runs are sent where, and why the others are not."""
    if cluster.silence and not cluster.runs:
        return Foreseen(faults=(cluster.silence,))
    sent = [run for run in cluster.runs if not run.why_not]
    if not sent:
        return Foreseen(faults=tuple(_left_out(cluster)) or (_nothing(request),))
    places = Counter((run.task, run.queue) for run in sent)
    touches = [f"{task}: {counted(count, 'run')} sent to {queue} again" for (task, queue), count in sorted(places.items())]
    notes = _left_out(cluster)
    notes += [f"no worker that answered consumes {queue}" for queue in sorted({run.queue for run in sent}) if not cluster.consumed(queue)]
    if cluster.cut:
        notes.append(f"Flower lists the last {cluster.cut:,} failed runs of all tasks: earlier ones are not among these; name their ids")
    notes.append("each keeps its id, and has no callbacks, ETA, priority or time limits of its own: Flower does not know them")
    notes.append("a failure that was sent again before is not sent twice")
    return Foreseen((*touches, f"  {named([run.id for run in sent])}"), tuple(notes))


def _left_out(cluster: Cluster) -> list[str]:
    """A sentence for each reason for which runs cannot be sent again."""
    by_reason: dict[str, list[str]] = {}
    for run in cluster.runs:
        if run.why_not:
            by_reason.setdefault(run.why_not, []).append(run.id)
    return [f"cannot be sent again, {why}: {named(ids)}" for why, ids in by_reason.items()]


def _nothing(request: Request) -> str:
    since = "" if request.since_s is None else f" in the last {format_duration(request.since_s)}"
    return f"Flower lists no failed run of {request.failed}{since}"
