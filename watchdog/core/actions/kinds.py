"""The registry of actions: name, as on the command line and in `[actions] allow` -> what it does and by which command of Celery's.

To add one: a line here, its command line in `cli/database/act/`, and what it will touch in `foresee`.
"""

from msgspec import Struct

__all__ = ["KINDS", "ActionKind"]


class ActionKind(Struct, frozen=True):
    """One action. `does`: in words. `command`: Celery's remote control command, empty where queues are changed instead of workers.

    `answers`: whether workers answer that command. `by_flower`: Flower's path for it, empty where Flower has none. `steps`: the actions
    that it consists of, one after the other, if it is more than one; `command` and `by_flower` are then those of the first.
    """

    name: str
    does: str
    command: str = ""
    by_flower: str = ""
    answers: bool = True
    steps: tuple[str, ...] = ()


_ALL = (
    ActionKind("revoke", "revoke a task: it is dropped when a worker receives it", "revoke", "/api/task/revoke/{task_id}"),
    ActionKind("restart-pool", "restart the pool of a worker", "pool_restart", "/api/worker/pool/restart/{worker}"),
    ActionKind(
        "shutdown", "shut a worker down once its running tasks have ended", "shutdown", "/api/worker/shutdown/{worker}", answers=False
    ),
    ActionKind("add-consumer", "let workers consume a queue", "add_consumer", "/api/worker/queue/add-consumer/{worker}"),
    ActionKind("cancel-consumer", "stop workers from consuming a queue", "cancel_consumer", "/api/worker/queue/cancel-consumer/{worker}"),
    ActionKind(
        "restart-consumer",
        "let workers consume a queue anew",
        "cancel_consumer",
        "/api/worker/queue/cancel-consumer/{worker}",
        steps=("cancel-consumer", "add-consumer"),
    ),
    ActionKind("grow", "add processes to the pools of workers", "pool_grow", "/api/worker/pool/grow/{worker}"),
    ActionKind("shrink", "take processes from the pools of workers", "pool_shrink", "/api/worker/pool/shrink/{worker}"),
    ActionKind("autoscale", "change the limits of workers with --autoscale", "autoscale", "/api/worker/pool/autoscale/{worker}"),
    ActionKind("rate-limit", "limit how often each worker starts a task", "rate_limit", "/api/task/rate-limit/{task}"),
    ActionKind("time-limit", "change how long a task may run", "time_limit", "/api/task/timeout/{task}"),
    ActionKind("purge", "delete all messages that wait in a queue"),
    ActionKind("move", "move messages that wait in a queue to another queue"),
    ActionKind("retry", "send failed runs of tasks again"),
)

KINDS: dict[str, ActionKind] = {kind.name: kind for kind in _ALL}
