"""Under which name a task is filed where Flower does not know it: it missed the event that tells it, or no worker registers the task.

In: a task as Flower shows it. Out: a name. Of a task that no worker registers Celery sends task-failed alone, and the name stands in the
exception: `NotRegistered('shop.new_task')` (measured on 5.7).
"""

import re

from watchdog.core.model.replies import TaskSeen

__all__ = ["NAMELESS", "filed_name"]

NAMELESS = "(name unknown)"
"""No task can have it: a name that Celery makes is a dotted path."""
_NOT_REGISTERED = re.compile(r"^(?:\w+[.:])*NotRegistered\((['\"])(?P<name>.+)\1\)$")


def filed_name(task: TaskSeen) -> str:
    """Its name, the one that its exception holds, or `NAMELESS`."""
    if task.name:
        return task.name
    found = _NOT_REGISTERED.match((task.exception or "").strip())
    return found["name"] if found else NAMELESS
