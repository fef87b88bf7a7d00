"""The figures of each table that history keeps. New ones stand at the end of their table: stored rows are read by position."""

from watchdog.core.history.series import Fold, Series

__all__ = ["CLUSTER", "ERRORS", "QUEUES", "TASKS", "WORKERS"]

CLUSTER = (
    Series("workers_online", Fold.MEAN, "workers online", "workers", "workers_online"),
    Series("workers_online_min", Fold.MIN, "the fewest workers online", "workers", "workers_online"),
    Series("workers_known", Fold.MAX, "workers seen within `forget_after`", "workers", "workers_known"),
    Series("active", Fold.MEAN, "tasks that the workers executed", "tasks", "active"),
    Series("capacity", Fold.MEAN, "tasks that the online workers could execute at once", "tasks", "capacity"),
    Series("backlog", Fold.MEAN, "messages that waited in all queues", "messages", "backlog"),
    Series("backlog_max", Fold.MAX, "the most messages that waited in all queues", "messages", "backlog"),
    Series("unacked", Fold.MEAN, "messages fetched and not acknowledged", "messages", "unacked"),
)
QUEUES = (
    Series("length", Fold.MEAN, "messages that waited", "messages", "length"),
    Series("length_max", Fold.MAX, "the most messages that waited", "messages", "length"),
    Series("consumers_min", Fold.MIN, "the fewest online workers that consumed it", "workers", "consumers"),
    Series("oldest_max", Fold.MAX, "the greatest age of the message served next", "s", "oldest_s"),
)
WORKERS = (
    Series("processed", Fold.SUM, "tasks it took", "tasks"),
    Series("online", Fold.MEAN, "share of the time that it was online", "ratio"),
    Series("active", Fold.MEAN, "tasks it executed", "tasks", "active"),
    Series("load", Fold.MEAN, "its host's load average over 1 minute", "", "load1"),
    Series("cpu", Fold.MEAN, "CPU its main process used, of one core", "", "cpu_ratio"),
    Series("memory_max", Fold.MAX, "the most memory that its main process ever held", "bytes", "rss_max_bytes"),
)
TASKS = (
    Series("succeeded", Fold.SUM, "tasks succeeded", "tasks"),
    Series("failed", Fold.SUM, "tasks failed", "tasks"),
    Series("retried", Fold.SUM, "tasks retried", "tasks"),
    Series("runtime", Fold.SKETCH, "runtime of its successes: of all that were heard, else as far as Flower lists them", "s"),
    Series("wait", Fold.SKETCH, "how long they were in their worker before they started", "s"),
)
ERRORS = (
    Series("count", Fold.SUM, "failures", "failures"),
    Series("timed", Fold.SUM, "failures whose duration is known", "failures"),
    Series("seconds", Fold.SUM, "how long these took, together", "s"),
    Series("new", Fold.SUM, "failures that were the first of their kind", "failures"),
    Series("returned", Fold.SUM, "failures that were the first of their kind for a week", "failures"),
    Series("memory_max", Fold.MAX, "the most memory that one of these runs reported", "bytes"),
)
