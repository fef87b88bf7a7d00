"""The name under which a task is filed if Flower does not know it: Flower missed an event, or no worker registers the task.

Input: a task as Flower shows it. Output: a name. For a task that no worker registers Celery only sends task-failed, and the name is in the
exception: `NotRegistered('shop.new_task')` (measured on 5.7).
"""

import re

from watchdog.core.model.replies import TaskSeen

__all__ = ["NAMELESS", "filed_name"]

NAMELESS = "(name unknown)"
"""No task can have this name: names made by Celery are dotted paths."""
_NOT_REGISTERED = re.compile(r"^(?:\w+[.:])*NotRegistered\((['\"])(?P<name>.+)\1\)$")


def filed_name(task: TaskSeen) -> str:
    """Return its name, the one in its exception, or `NAMELESS`."""
    if task.name:
        return task.name
    found = _NOT_REGISTERED.match((task.exception or "").strip())
    return found["name"] if found else NAMELESS
