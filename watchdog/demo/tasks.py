"""The Celery app of the demo cluster's workers; its settings come from the environment.

`DEMO_BROKER_URL` (Redis), `DEMO_MASTER_NAME` (if that names sentinels), `DEMO_RESULTS_URL` (default: the broker's), `DEMO_RESULTS_PREFIX`,
`DEMO_VISIBILITY_TIMEOUT_S`, `DEMO_KEY_PREFIX`, `DEMO_ACKS_LATE=1`.
"""

import os
import resource
import signal
import time
from collections.abc import Mapping

from celery import Celery, Task

__all__ = ["advance", "app", "burn", "crash", "fail", "hang", "make_app", "ok", "send_many"]

FAILURES: Mapping[str, type[Exception]] = {kind.__name__: kind for kind in (ValueError, TimeoutError, ConnectionError, KeyError)}


def make_app(environment: Mapping[str, str]) -> Celery:
    """A Celery app for the cluster that `environment` describes, for its workers, and for sending from the calling process."""
    url = environment.get("DEMO_BROKER_URL", "redis://127.0.0.1:6379/0")
    made = Celery("demo", broker=url, backend=environment.get("DEMO_RESULTS_URL", url), set_as_current=False)
    transport: dict[str, object] = {"visibility_timeout": float(environment.get("DEMO_VISIBILITY_TIMEOUT_S", "3600"))}
    results: dict[str, object] = {}
    if prefix := environment.get("DEMO_KEY_PREFIX"):
        transport["global_keyprefix"] = prefix
    if prefix := environment.get("DEMO_RESULTS_PREFIX"):
        results["global_keyprefix"] = prefix
    if master := environment.get("DEMO_MASTER_NAME"):
        transport["master_name"] = results["master_name"] = master
    made.conf.update(
        broker_transport_options=transport,
        result_backend_transport_options=results,
        broker_connection_retry_on_startup=True,
        task_acks_late=environment.get("DEMO_ACKS_LATE") == "1",
        task_create_missing_queues=True,
        task_send_sent_event=True,
        task_track_started=True,
        timezone="UTC",
        worker_prefetch_multiplier=1,
        worker_send_task_events=True,
    )
    return made


app = make_app(os.environ)


def ok(delay: float = 0.0) -> str:
    """Work for `delay` seconds and succeed."""
    time.sleep(delay)
    return "done"


def fail(kind: str = "ValueError") -> None:
    """Fail with an exception of that name; with an empty name, succeed: the same task, repaired."""
    if kind:
        raise FAILURES[kind](f"contract 42 of tenant acme: {kind} on purpose")


def hang(seconds: float = 3600.0) -> None:
    """Block its pool process for this long."""
    time.sleep(seconds)


def burn(seconds: float = 1.0) -> None:
    """Compute for this long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(1000))


def crash() -> None:
    """Kill its pool process, as the OOM killer does."""
    os.kill(os.getpid(), signal.SIGKILL)


def advance(self: Task, steps: int = 4, delay: float = 0.5, hold: float = 0.0) -> None:
    """Report progress step by step, and the most memory that this process held, then stop at the last step."""
    for step in range(1, steps + 1):
        time.sleep(delay)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        self.update_state(state="PROGRESS", meta={"current": step, "total": steps, "step": f"part {step}", "peak_memory": peak})
    time.sleep(hold)


for work in (ok, fail, hang, burn, crash):
    app.task(name=f"demo.{work.__name__}")(work)
app.task(name="demo.advance", bind=True)(advance)


def send_many(sender: Celery, task: str, queue: str, count: int, **arguments: object) -> list[str]:
    """Send `count` tasks to a queue over one connection. Returns their ids."""
    with sender.producer_pool.acquire(block=True) as producer:
        return [str(sender.send_task(task, kwargs=arguments, queue=queue, producer=producer).id) for _ in range(count)]
