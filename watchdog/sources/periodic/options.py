"""The options that an entry of beat or redbeat sends its task with.

In: its `options`. Out: the queue that they name; ValueError: the task cannot be watched. With a `shadow` it is received, counted and listed
under that name alone (seen with Celery 5.7).
"""

from watchdog.core.text.names import LONGEST_NAME

__all__ = ["queue_named"]


def queue_named(options: object) -> str | None:
    """The queue; None: as its task is routed. ValueError: the task runs under another name."""
    given = options if isinstance(options, dict) else {}
    if given.get("shadow"):
        raise ValueError("its option `shadow` has its task run under another name: name that one as `task` of a [[target.schedule]]")
    queue = given.get("queue")
    return queue if isinstance(queue, str) and 0 < len(queue) <= LONGEST_NAME else None
