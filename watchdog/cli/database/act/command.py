"""The commands of `watchdog act`: their arguments, as a request. How one is guarded, carried out and written down: `performing`."""

from typing import Any

import click

from watchdog.cli.commands import Commands
from watchdog.cli.completion import complete_queues, complete_workers
from watchdog.cli.database.act.options import acting, guarded_by
from watchdog.cli.options import duration, longer_than_nothing
from watchdog.cli.output.refusals import Refused

__all__ = ["act"]

SIGNALS = ("SIGTERM", "SIGKILL", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1")


@click.group(
    cls=Commands,
    registry={"log": "watchdog.cli.database.act.log:log"},
    epilog="""\b
Nothing is allowed until the configuration says so, by name:
  [actions]
  allow = ["revoke", "add-consumer", "cancel-consumer"]

\b
Examples:
  watchdog act revoke 5bbc3642-ff83-442c-9dc9-ed150e4335aa --terminate
  watchdog act move indexing indexing-slow --only shop.reindex --dry-run
  watchdog act log
""",
)
def act() -> None:
    """Act on workers, tasks and queues, if allowed.

    Each action says first what it will touch, then asks. Every one is written to the audit log, those that were refused too.
    """


def _workers(command: Any) -> Any:
    return click.argument("workers", metavar="[WORKER]...", nargs=-1, shell_complete=complete_workers)(command)


@act.command()
@click.argument("task_id", metavar="ID")
@click.option("--terminate", is_flag=True, help="Stop it where it runs, too.")
@click.option("--signal", type=click.Choice(SIGNALS), help="What its process gets; otherwise SIGTERM.")
@acting
@click.pass_context
def revoke(ctx: click.Context, /, *, task_id: str, terminate: bool, signal: str | None, **how: Any) -> None:
    """Revoke a task: workers drop it when it comes.

    With --terminate, the process that runs it gets a signal. Pools of threads and solo cannot do that, and you are told before.
    """
    if signal and not terminate:
        raise Refused("expected --terminate beside --signal: without it nothing gets a signal")
    guarded_by(ctx, "revoke", how, task_id=task_id, terminate=terminate, signal=signal)


@act.command("restart-pool")
@click.argument("workers", metavar="WORKER...", nargs=-1, required=True, shell_complete=complete_workers)
@acting
@click.pass_context
def restart_pool(ctx: click.Context, /, *, workers: tuple[str, ...], **how: Any) -> None:
    """Restart the pools of workers.

    Needs worker_pool_restarts in the app's configuration, and a prefork pool.
    """
    guarded_by(ctx, "restart-pool", how, workers=workers)


@act.command()
@click.argument("workers", metavar="WORKER...", nargs=-1, required=True, shell_complete=complete_workers)
@acting
@click.pass_context
def shutdown(ctx: click.Context, /, *, workers: tuple[str, ...], **how: Any) -> None:
    """Shut workers down, after their running tasks.

    Whether one starts again is up to systemd, Kubernetes or whatever started it.
    """
    guarded_by(ctx, "shutdown", how, workers=workers)


@act.command("add-consumer")
@click.argument("queue", shell_complete=complete_queues)
@_workers
@acting
@click.pass_context
def add_consumer(ctx: click.Context, /, *, queue: str, workers: tuple[str, ...], **how: Any) -> None:
    """Let workers consume a queue; all, or those named."""
    guarded_by(ctx, "add-consumer", how, queue=queue, workers=workers)


@act.command("cancel-consumer")
@click.argument("queue", shell_complete=complete_queues)
@_workers
@acting
@click.pass_context
def cancel_consumer(ctx: click.Context, /, *, queue: str, workers: tuple[str, ...], **how: Any) -> None:
    """Stop workers from consuming a queue; all, or those named."""
    guarded_by(ctx, "cancel-consumer", how, queue=queue, workers=workers)


@act.command("restart-consumer")
@click.argument("queue", shell_complete=complete_queues)
@_workers
@acting
@click.pass_context
def restart_consumer(ctx: click.Context, /, *, queue: str, workers: tuple[str, ...], **how: Any) -> None:
    """Let workers consume a queue anew.

    All workers, or those named, stop consuming it and begin again. It helps where a consumer is stuck.
    """
    guarded_by(ctx, "restart-consumer", how, queue=queue, workers=workers)


@act.command()
@click.argument("number", metavar="N", type=click.IntRange(1, 1000))
@_workers
@acting
@click.pass_context
def grow(ctx: click.Context, /, *, number: int, workers: tuple[str, ...], **how: Any) -> None:
    """Add N processes to each pool.

    The pools of all workers, or of those named.
    """
    guarded_by(ctx, "grow", how, number=number, workers=workers)


@act.command()
@click.argument("number", metavar="N", type=click.IntRange(1, 1000))
@_workers
@acting
@click.pass_context
def shrink(ctx: click.Context, /, *, number: int, workers: tuple[str, ...], **how: Any) -> None:
    """Take N processes from each pool.

    The pools of all workers, or of those named.
    """
    guarded_by(ctx, "shrink", how, number=number, workers=workers)


@act.command()
@click.argument("lowest", metavar="MIN", type=click.IntRange(0, 1000))
@click.argument("highest", metavar="MAX", type=click.IntRange(1, 1000))
@_workers
@acting
@click.pass_context
def autoscale(ctx: click.Context, /, *, lowest: int, highest: int, workers: tuple[str, ...], **how: Any) -> None:
    """Change the limits of workers started with --autoscale."""
    if lowest > highest:
        raise Refused(f"expected MIN, then MAX, found {lowest} and {highest}")
    guarded_by(ctx, "autoscale", how, lowest=lowest, highest=highest, workers=workers)


@act.command("rate-limit")
@click.argument("task", metavar="TASK")
@click.argument("rate", metavar="RATE")
@_workers
@acting
@click.pass_context
def rate_limit(ctx: click.Context, /, *, task: str, rate: str, workers: tuple[str, ...], **how: Any) -> None:
    """Limit how often each worker starts a task.

    RATE is a number for a second, minute or hour, such as 5/s, 10/m or 200/h; 0 takes the limit away.
    """
    from watchdog.core.actions.checks import checked_rate  # noqa: PLC0415

    try:
        checked = checked_rate(rate)
    except ValueError as error:
        raise Refused(f"RATE: {error}") from None
    guarded_by(ctx, "rate-limit", how, task=task, rate=checked, workers=workers)


@act.command("time-limit")
@click.argument("task", metavar="TASK")
@_workers
@click.option("--soft", "soft_s", metavar="DURATION", callback=duration, help="After which it gets SoftTimeLimitExceeded; none: no limit.")
@click.option("--hard", "hard_s", metavar="DURATION", callback=duration, help="After which its process is killed; none: no limit.")
@acting
@click.pass_context
def time_limit(
    ctx: click.Context, /, *, task: str, soft_s: float | None, hard_s: float | None, workers: tuple[str, ...], **how: Any
) -> None:
    """Change how long a task may run."""
    if soft_s is None and hard_s is None:
        raise Refused("expected --soft, --hard or both; a limit that is not given is taken away")
    guarded_by(ctx, "time-limit", how, task=task, soft_s=soft_s, hard_s=hard_s, workers=workers)


@act.command()
@click.argument("queue", shell_complete=complete_queues)
@acting
@click.pass_context
def purge(ctx: click.Context, /, *, queue: str, **how: Any) -> None:
    """Delete all messages that wait in a queue."""
    guarded_by(ctx, "purge", how, queue=queue)


@act.command()
@click.argument("queue", shell_complete=complete_queues)
@click.argument("other", shell_complete=complete_queues)
@click.option("--only", metavar="TASK", help="Only messages of this task.")
@acting
@click.pass_context
def move(ctx: click.Context, /, *, queue: str, other: str, only: str | None, **how: Any) -> None:
    """Move the messages of a queue to another queue.

    Each keeps its priority and its place in the order, and comes behind what waits there. At no moment a message is in both queues or in
    none, whenever watchdog is killed.
    """
    guarded_by(ctx, "move", how, queue=queue, other=other, only=only)


@act.command()
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--failed", metavar="TASK", help="All runs of this task that failed, as far as Flower lists them.")
@click.option("--since", "since_s", metavar="DURATION", callback=longer_than_nothing, help="With --failed: how long ago at most.")
@click.option("--queue", metavar="QUEUE", shell_complete=complete_queues, help="Where to send them; otherwise where they were sent before.")
@acting
@click.pass_context
def retry(ctx: click.Context, /, *, ids: tuple[str, ...], failed: str | None, since_s: float | None, queue: str | None, **how: Any) -> None:
    """Send failed runs of tasks again.

    Needs `flower`, which knows their arguments, and `redis`. Only runs whose arguments are known exactly are sent: printed arguments that
    are cut, masked or ambiguous are never guessed at. A failure is sent again only once, whenever watchdog is killed.
    """
    if bool(ids) == (failed is not None) or (failed is None) != (since_s is None):
        raise Refused("expected ids, or --failed TASK with --since DURATION")
    guarded_by(ctx, "retry", how, ids=ids, failed=failed, since_s=since_s, queue=queue)
