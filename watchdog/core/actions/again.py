"""Failed runs that are to be sent again: what is known of one, and whether that is all of it.

In: a task as Flower lists it. Out: a `Run` with its exact arguments, or with the reason why it cannot be sent again; never a guess.
Celery's events carry arguments in a printed form, which is cut after 1,024 characters and three levels, and does not escape backslashes:
where a cut or a backslash is, the arguments are not known.
"""

import ast
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from watchdog.core.model.replies import WholeTaskSeen

__all__ = ["Run", "run_of"]

CUT = "..."
_PLAIN = (str, int, float, bool, type(None))


class Run(Struct, frozen=True):
    """One failed run. `failed_at`: epoch seconds; `why_not`: why it cannot be sent again, empty if it can."""

    id: str
    task: str = ""
    failed_at: float | None = None
    queue: str = ""
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    why_not: str = ""


def run_of(seen: WholeTaskSeen, queue: str | None) -> Run:
    """The run. `queue`: where to send it, whatever Flower knows of that."""
    target = queue or seen.routing_key or ""
    why_not = _why_not(seen, target)
    if why_not:
        return Run(seen.id, seen.name or "", seen.failed, target, why_not=why_not)
    try:
        args, kwargs = _exact(seen.args or "()", (tuple, list)), _exact(seen.kwargs or "{}", (dict,))
    except ValueError as error:
        return Run(seen.id, seen.name or "", seen.failed, target, why_not=f"its arguments are not known exactly: {error}")
    return Run(seen.id, seen.name or "", seen.failed, target, tuple(args), dict(kwargs))


def _why_not(seen: WholeTaskSeen, queue: str) -> str:
    """Why it cannot be sent again, whatever its arguments are."""
    if seen.state is None:
        return "Flower does not list it (any more)"
    if seen.state != "FAILURE":
        return f"it has not failed: {seen.state}"
    if not seen.name or seen.args is None or seen.kwargs is None or seen.failed is None:
        return "Flower missed the event with its name and arguments"
    if seen.parent_id or seen.root_id not in (None, seen.id):
        return "it is part of a workflow (chain, group or chord), whose other parts would not be told"
    return "" if queue else "its queue is not known (task_send_sent_event is off): add --queue"


def _exact(text: str, kinds: tuple[type, ...]) -> Any:
    """The value of a printed form that has one meaning only; else ValueError."""
    if CUT in text:
        raise ValueError("they are cut, or hold three dots")
    if "\\" in text:
        raise ValueError("they hold a quote or a backslash, which are printed alike")
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise ValueError("they hold what is not text, number, list or dict, or are masked") from None
    if not isinstance(value, kinds) or not _is_json(value):
        raise ValueError("they hold what JSON cannot carry")
    if any(part and not part.strip("*") for part in _texts(value)):
        raise ValueError("they are masked")
    return value


def _is_json(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(one) for key, one in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_json, value))
    return isinstance(value, _PLAIN)


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
