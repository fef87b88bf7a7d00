"""The options that an entry of beat or redbeat sends its task with.

In: its `options`. Out: the queue that they name, and the shadow: the only name that its runs are received, counted and listed by
(seen with Celery 5.7).
"""

from watchdog.core.text.names import LONGEST_NAME

__all__ = ["queue_named", "shadow_named"]


def queue_named(options: object) -> str | None:
    """The queue; None: as its task is routed."""
    queue = options.get("queue") if isinstance(options, dict) else None
    return queue if isinstance(queue, str) and 0 < len(queue) <= LONGEST_NAME else None


def shadow_named(options: object) -> str:
    """The name that its runs have; empty: that of their task. ValueError: none by which a run could be found."""
    shadow = options.get("shadow") if isinstance(options, dict) else None
    if shadow and not (isinstance(shadow, str) and len(shadow) <= LONGEST_NAME):
        raise ValueError(f"expected a text of at most {LONGEST_NAME} characters as its option `shadow`, found something else")
    return shadow or ""
