"""`watchdog demo`: a small real cluster that is broken and repaired, with watchdog watching it.

It floods a queue, kills a worker and makes tasks fail, and watchdog reports each; it repairs everything, and watchdog reports each end. In
any case, Ctrl-C and SIGTERM included, every process it started ends with it.
"""

import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from rich.console import Console
from rich.text import Text

from watchdog.demo.cluster import Cluster, ClusterError
from watchdog.demo.daemon import Messages, start_daemon
from watchdog.demo.healthy import PATIENCE_S, open_cluster, show_addresses, start_healthy
from watchdog.demo.processes import Process
from watchdog.demo.redis_server import RedisServerMissingError

__all__ = ["EXPECTED", "run_demo"]

EXPECTED = ("QueueBacklogHigh", "QueueNoConsumers", "TaskFailureRateHigh", "WorkerLost")
"""The rules whose incidents must open and end."""

STYLES = {"info": "blue", "warning": "yellow", "error": "red", "critical": "bold red"}


def run_demo(console: Console, keep: bool) -> int:  # noqa: FBT001 - the command's one switch
    """Run the demo. Returns 0 if every incident opened and ended; 1 if not, or if the cluster could not be started.

    `keep`: leave the cluster running until Ctrl-C.
    """
    try:
        with open_cluster(console) as cluster, ExitStack() as stack:
            show = _Show(console, cluster, stack)
            show.start()
            show.damage()
            show.repair()
            return show.end(keep=keep)
    except (ClusterError, RedisServerMissingError) as error:
        console.print(Text(str(error), style="red"), soft_wrap=True)
        return 1


class _Show:
    """The steps of the demo, in order, and the incidents reported so far."""

    def __init__(self, console: Console, cluster: Cluster, stack: ExitStack) -> None:
        self.console = console
        self.cluster = cluster
        self.stack = stack
        self.began = time.monotonic()
        self.daemon: Process
        self.messages: Messages
        self.opened: dict[str, str] = {}
        """Incident -> rule."""
        self.ended: set[str] = set()

    def start(self) -> None:
        """Start the cluster, then watchdog, and wait for its first poll."""
        start_healthy(self.console, self.cluster)
        self.daemon = start_daemon(self.cluster)
        self.stack.callback(self.daemon.end, signal.SIGTERM)
        self.messages = Messages(self.daemon)
        self.heading("A healthy cluster")
        show_addresses(self.console, self.cluster)
        self.wait("watchdog to start", lambda: "watchdog_started" in self.daemon.last_lines(200))
        self.wait("two cycles", _after(3.0))

    def damage(self) -> None:
        """Cause three faults at once; a fourth follows from them."""
        self.heading("Breaking it")
        self.act("25 tasks fail with a TimeoutError")
        self.cluster.flood("indexing", 25, "demo.fail", kind="TimeoutError")
        self.act("a task holds the only process of celery@gpu-1, and 60 more flood its queue")
        self.cluster.flood("training", 1, "demo.hang")
        self.cluster.flood("training", 60, delay=0.02)
        self.wait("watchdog to report the backlog", lambda: "QueueBacklogHigh" in self.opened.values())
        self.act("kill -9 celery@gpu-1")
        self.cluster.kill_worker("gpu-1")
        self.wait("watchdog to report all four", lambda: set(EXPECTED) <= set(self.opened.values()))

    def repair(self) -> None:
        """Repair everything, without telling watchdog."""
        self.heading("Repairing it")
        self.act("the failing task is fixed")
        self.cluster.flood("indexing", 80, "demo.fail", kind="")  # fewer would not prove that the failures are over
        self.act("celery@gpu-1 is started again, and works off its queue")
        self.cluster.start_worker("gpu-1", ["training"], 2)
        self.wait("watchdog to report that each is over", lambda: set(self.opened) <= self.ended)

    def end(self, *, keep: bool) -> int:
        """Show the result."""
        took = time.monotonic() - self.began
        self.heading(f"{len(self.opened)} incidents opened and ended within {took:.0f} s")
        if not keep:
            self.act("to try commands on it: watchdog demo --keep; to watch a cluster of yours: watchdog init")
            return 0
        show_addresses(self.console, self.cluster)
        self.act(f"try: watchdog incidents --config {self.cluster.workdir / 'watchdog.toml'}")
        self.act("all of it runs until you press Ctrl-C")
        self.wait("Ctrl-C", lambda: False, float("inf"))
        return 0

    def wait(self, what: str, done: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        """Show the messages as they come, until `done`. ClusterError after `patience_s`, or if a process dies."""
        deadline = time.monotonic() + patience_s
        with self.console.status(f"waiting for {what}"):
            while True:
                self.daemon.require_running()
                for incident in self.messages.new():
                    self.tell(incident)
                if done():
                    return
                if time.monotonic() > deadline:
                    raise ClusterError(
                        f"waited {patience_s:g}s in vain for {what}; the end of {self.daemon.log}:\n{self.daemon.last_lines()}"
                    )
                time.sleep(0.1)

    def tell(self, incident: dict[str, Any]) -> None:
        """Show one incident of one message."""
        if incident["event"] == "resolved":
            self.ended.add(incident["id"])
        else:
            self.opened[incident["id"]] = incident["rule"]
        over = incident["event"] == "resolved"
        line = Text(f"{time.monotonic() - self.began:5.1f}s  ")
        line.append("over      " if over else f"{incident['severity']:<10}", style="green" if over else STYLES[incident["severity"]])
        line.append(f"{incident['rule']:<20} {incident['summary']}")
        self.console.print(line, soft_wrap=True)

    def heading(self, text: str) -> None:
        """Start a new section."""
        self.console.print(Text(f"\n{text}", style="bold"))

    def act(self, text: str) -> None:
        """Show the current action."""
        self.console.print(Text(f"{time.monotonic() - self.began:5.1f}s  {text}", style="dim"), soft_wrap=True)


def _after(seconds: float) -> Callable[[], bool]:
    """True once this many seconds have passed."""
    then = time.monotonic() + seconds
    return lambda: time.monotonic() >= then
