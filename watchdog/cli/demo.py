"""`watchdog demo`: a small real cluster that is broken and repaired while you watch."""

import click

from watchdog.cli.output.refusals import Refused

__all__ = ["demo"]


@click.command(
    epilog="""\b
Examples:
  watchdog demo
  watchdog demo --keep
  watchdog demo --cluster
"""
)
@click.option("--keep", is_flag=True, help="Leave the cluster running at the end, and print where it is.")
@click.option("--cluster", is_flag=True, help="Only run the cluster, healthy, until Ctrl-C: to try watchdog on it.")
@click.pass_context
def demo(ctx: click.Context, *, keep: bool, cluster: bool) -> None:
    """Break and repair a small cluster, and see what is notified.

    Redis, two Celery workers and Flower run on free loopback ports and end with the demo, on Ctrl-C too. Takes less than a minute.
    """
    from importlib.util import find_spec  # noqa: PLC0415

    if find_spec("flower") is None:
        raise Refused("the demo needs Flower, which is not installed here; install it with: pip install 'celery-watchdog[demo]'")
    from rich.console import Console  # noqa: PLC0415

    from watchdog.demo.healthy import run_cluster  # noqa: PLC0415
    from watchdog.demo.show import run_demo  # noqa: PLC0415

    console = Console(highlight=False)
    ctx.exit(run_cluster(console) if cluster else run_demo(console, keep))
