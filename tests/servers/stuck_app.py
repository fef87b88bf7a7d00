"""The demo's Celery app with a consumer that gets stuck when told to: as after a broken connection (celery#8030), the worker is alive, says
that it consumes the queue, and takes nothing from it. `for_good`: consuming it anew does not help either.
"""

from typing import Any

from celery.worker.control import control_command

from watchdog.demo.tasks import app

__all__ = ["app"]


@control_command(args=[("queue", str), ("for_good", bool)])  # type: ignore[untyped-decorator]
def stick(state: Any, queue: str, for_good: bool = False) -> dict[str, str]:
    """Forget the consumer of a queue where messages are fetched, and nowhere else."""
    consumers = state.consumer.task_consumer
    if for_good:
        consumers.channel.basic_consume = lambda *_, **__: None
    consumers.channel.basic_cancel(consumers._active_tags[queue])
    return {"ok": f"{queue} is stuck"}
