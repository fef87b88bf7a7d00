"""`python -m bench [PART …]`: measure these parts, or all, and print the table."""

import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from bench.amqp_events import amqp_events
from bench.carried import carried
from bench.cycle import cycle
from bench.engine import engine
from bench.events import events
from bench.figures import Figure, Skipped, table
from bench.footprint import footprint
from bench.http import http
from bench.latency import latency
from bench.memory import memory
from bench.noise import noise
from bench.prometheus import prometheus
from bench.request import request
from bench.rule_tests import rule_tests
from bench.sending import sending
from bench.starting import starting
from bench.storm import storm
from watchdog.daemon.starting.garbage import collect_seldom

__all__ = ["PARTS"]

PARTS: dict[str, Callable[[Path], Iterable[Figure | Skipped]]] = {
    "cycle": lambda folder: [cycle(folder)],
    "memory": memory,
    "storm": storm,
    "noise": noise,
    "prometheus": prometheus,
    "request": request,
    "latency": latency,
    "starting": starting,
    "footprint": footprint,
    "http": http,
    "rule_tests": rule_tests,
    "events": events,
    "amqp_events": amqp_events,
    "sending": sending,
    "engine": engine,
    "carried": carried,
}
"""Name -> what it measures, in a folder of its own. A new part is one file and one line here."""


def main(names: list[str]) -> int:
    """Its exit code is 0 whatever is missed: a busy machine is no fault of the code."""
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        sys.stderr.write(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}\n")
        return 2
    collect_seldom()  # as the command does: the cycle is measured in this process
    found: list[Figure | Skipped] = []
    for name in names or PARTS:
        sys.stderr.write(f"measuring {name} …\n")
        with tempfile.TemporaryDirectory(prefix=f"watchdog-bench-{name}-") as folder:
            found += PARTS[name](Path(folder))
    sys.stdout.write(table(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
