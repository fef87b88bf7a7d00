"""Classify failures: the actual exception type, and a category that shows who should handle it.

Input: a failed task as Flower shows it. Output: the type's name, its category, and an example in one line.
"""

import re

from watchdog.core.model.replies import TaskSeen

__all__ = ["CATEGORIES", "category_of", "example_of", "exception_of"]

CATEGORIES = ("unregistered", "timeout", "memory", "connection", "lost", "other")
WRAPPED = "ExceptionWithTraceback"
"""What Celery shows for an exception from its pool's main process (time limits, killed children), measured on 5.7."""
UNKNOWN = "unknown"
LONGEST_EXAMPLE = 200
_NAME = re.compile(r"[A-Za-z_][\w.]*")
_PREFIX = re.compile(r"^[a-z][\w-]*:(?=\s*[A-Za-z_][\w.]*\s*[(:])")
"""redis-py 8 writes its own kind before the type: `network:ConnectionError('…')`."""
_CLASS = re.compile(r"^<(?:class )?'?")
_KINDS = (
    ("unregistered", r"^NotRegistered$"),
    ("lost", r"^(WorkerLostError|WorkerTerminate|WorkerShutdown|Terminated)$"),
    ("memory", r"(?i)MemoryError|OutOfMemory"),
    ("timeout", r"(?i)time_?out|TimeLimitExceeded|DeadlineExceeded"),
    ("connection", r"(?i)connect(ion|error)|^(OperationalError|BrokenPipeError|BusyLoadingError|MasterNotFoundError|gaierror)$"),
)
"""The first match applies: a ConnectTimeout is a timeout. Compiled with the first failure: they take 4 ms, and most starts see none."""


def exception_of(task: TaskSeen) -> str:
    """Return the type: the text before the bracket in its repr; for a wrapped one, the start of the traceback's last line."""
    name = _name(task.exception)
    return (_name(task.traceback_last) or WRAPPED) if name == WRAPPED else name or _name(task.traceback_last) or UNKNOWN


def category_of(exception: str) -> str:
    """Return one of `CATEGORIES`."""
    return next((category for category, names in _KINDS if re.search(names, exception)), "other")


def example_of(task: TaskSeen) -> str:
    """Return the exception's text in one line."""
    wrapped = _name(task.exception) == WRAPPED and task.traceback_last
    return " ".join(str((task.traceback_last if wrapped else task.exception) or "").split())[:LONGEST_EXAMPLE]


def _name(text: str | None) -> str:
    """`billiard.exceptions.TimeLimitExceeded: …` and `TimeLimitExceeded(1,)` -> `TimeLimitExceeded`."""
    found = _NAME.search(_PREFIX.sub("", _CLASS.sub("", (text or "").strip())))
    return found.group().rstrip(".").rpartition(".")[2] if found else ""
