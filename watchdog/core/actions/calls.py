"""An action as a remote control command of Celery's, and as a request to Flower; and what their answers mean.

In: the request. Out: the command with its arguments, or a path with its query; an `Answer` for what came back.
"""

import json
import re
from urllib.parse import quote, urlencode

from watchdog.core.actions.kinds import KINDS
from watchdog.core.actions.outcome import Answer
from watchdog.core.actions.request import Request
from watchdog.core.text.sanitize import one_line

__all__ = ["by_control", "by_flower", "flower_answer", "worker_answer"]

LONGEST_ANSWER = 300
REFUSED = 403
UNKNOWN_TASK = "terminate: tasks unknown"
"""What a worker says to `revoke --terminate` of a task that it does not have."""
NO_ANSWER = "Unknown reason"
"""How Flower's refusal ends if the worker did not answer it within a second. A busy worker does later what it was told."""


def by_control(request: Request) -> tuple[str, dict[str, object]]:
    """The command and its arguments."""
    given: dict[str, dict[str, object]] = {
        "revoke": {"task_id": request.task_id, "terminate": request.terminate, "signal": request.signal or "SIGTERM"},
        "add-consumer": {"queue": request.queue},
        "cancel-consumer": {"queue": request.queue},
        "grow": {"n": request.number},
        "shrink": {"n": request.number},
        "autoscale": {"min": request.lowest, "max": request.highest},
        "rate-limit": {"task_name": request.task, "rate_limit": request.rate},
        "time-limit": {"task_name": request.task, "soft": request.soft_s, "hard": request.hard_s},
    }
    return KINDS[request.kind].command, given.get(request.kind, {})


def by_flower(request: Request, worker: str) -> str:
    """The path and query of the POST to Flower that does it on one worker. A body of JSON would be ignored by Flower without a word."""
    kind = KINDS[request.kind]
    parts = {"worker": worker, "task": request.task or "", "task_id": request.task_id or ""}
    path = kind.by_flower.format_map({name: quote(part, safe="") for name, part in parts.items()})
    terminated = {"terminate": "true", "signal": request.signal or "SIGTERM"} if request.terminate else {}
    limits = {"soft": request.soft_s, "hard": request.hard_s}
    given: dict[str, dict[str, object]] = {
        "revoke": dict(terminated),
        "add-consumer": {"queue": request.queue},
        "cancel-consumer": {"queue": request.queue},
        "grow": {"n": request.number},
        "shrink": {"n": request.number},
        "autoscale": {"min": request.lowest, "max": request.highest},
        "rate-limit": {"workername": worker, "ratelimit": request.rate},
        "time-limit": {"workername": worker, **{name: f"{limit:g}" for name, limit in limits.items() if limit is not None}},
    }
    query = urlencode(given.get(request.kind, {}))
    return f"{path}?{query}" if query else path


def worker_answer(raw: object) -> Answer:
    """The answer of a worker, `{"ok": …}` or `{"error": …}`."""
    if isinstance(raw, dict) and "ok" in raw:
        text = _shown(raw["ok"])
        if text == UNKNOWN_TASK:
            return Answer(worked=True, text="revoked, and not there to be terminated", nothing=True)
        return Answer(worked=True, text=text)
    if isinstance(raw, dict) and "error" in raw:
        return Answer(worked=False, text=_without_type(_shown(raw["error"])))
    return Answer(worked=False, text=f"expected an answer with ok or error, found {_shown(raw)}")


def flower_answer(status: int, body: bytes) -> Answer:
    """Flower's answer to a POST: a message as JSON with 200, else a sentence."""
    text = body.decode(errors="replace")
    try:
        told = json.loads(text)
        text = told["message"] if isinstance(told, dict) and isinstance(told.get("message"), str) else text
    except ValueError:
        text = re.sub(r"<[^>]*>", " ", text)
    text = " ".join(text.split())
    if status == REFUSED and text.rstrip("'").endswith(NO_ANSWER):
        return Answer(None, "Flower had no answer within a second: whether the worker got this is not known")
    said = _shown(text) or "no text"
    return Answer(worked=status == 200, text=said if status == 200 else f"Flower answered {status}: {said}")


def _shown(value: object) -> str:
    return one_line(str(value), LONGEST_ANSWER)


def _without_type(text: str) -> str:
    """The message of an exception that a worker shows by its repr; other texts as they are."""
    found = re.fullmatch(r"(\w+)\((['\"])(.*)\2\)", text)
    return f"{found[3]} ({found[1]})" if found and found[3] else text
