"""What is known of queues and of lost workers without Flower, whatever the broker: claims on a real cluster, with a look at it.

In: a cluster with a broker, and who looks at it. Each claim starts a worker of its own, and waits until it holds.
"""

import signal
import time

from tests.processes.cluster import Cluster
from tests.processes.looking import Watching
from tests.servers.waiting import until

__all__ = ["leaves_something_unfinished", "shares_its_worker"]


def shares_its_worker(cluster: Cluster, watching: Watching) -> None:
    """Two queues share a worker: of each it is known what runs, what was worked off, and how long its messages waited."""
    if "celery@both" not in cluster.workers:  # a second attempt finds it there
        cluster.start_worker("both", ["letters", "parcels"], 2)
    until(lambda: watching.cells("queues", "letters", "consumers") == [1.0], 60, "its consumer to be known")
    worker = cluster.workers["celery@both"]
    worker.send(signal.SIGSTOP)  # the messages wait for it: an idle worker begins before a slow sender says that it has sent (findings/)
    try:
        for queue, task, seconds in (("letters", "demo.ok", 0.1), ("parcels", "demo.hang", 30)):
            cluster.app.send_task(task, args=[seconds], queue=queue)
        time.sleep(0.05)
    finally:
        worker.send(signal.SIGCONT)
    until(lambda: watching.cells("queues", "parcels", "active") == [1.0], 40, "the parcel to be under way")

    def letter_counted() -> bool:
        finished, active, waited_s = watching.cells("queues", "letters", "finished_per_min", "active", "wait_avg_s")
        return bool(finished) and active == 0.0 and isinstance(waited_s, float) and 0 < waited_s < 60

    until(letter_counted, 40, "the letter to be counted, with how long it waited")


def leaves_something_unfinished(cluster: Cluster, watching: Watching) -> None:
    """A worker is killed while it executes a task: it is lost, and so is the task."""
    cluster.start_worker("doomed", ["risky"], 1)
    until(lambda: watching.workers().get("celery@doomed") == "online", 60, "the worker to be known")
    task_id = str(cluster.app.send_task("demo.hang", args=[300], queue="risky").id)
    until(lambda: watching.cells("workers", "celery@doomed", "active") == [1.0], 40, "the task to start")
    cluster.kill_worker("doomed")
    until(lambda: watching.cells("workers", "celery@doomed", "state", "abandoned") == ["lost", 1.0], 60, "its loss, and what it left")
    until(lambda: (task_id, "lost") in of_running(watching), 20, "the task to be shown as that of a lost worker")


def of_running(watching: Watching) -> set[tuple[object, object]]:
    return {(row.cells["id"], row.cells["worker_state"]) for row in watching.table("running").rows}
