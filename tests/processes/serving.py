"""A daemon that serves HTTP on a free port, in a folder of its own."""

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.processes.running import COMMAND, Daemon, running

__all__ = ["UNREACHABLE", "serving"]

UNREACHABLE = '[[target]]\nname = "prod"\nredis = "redis://127.0.0.1:1/0"\n'
"""A target that nobody reaches: enough where what is served is not the subject."""
_SERVED = re.compile(r"http_served .*\bport=(\d+)")


@contextlib.contextmanager
def serving(
    folder: Path, http: str = "", more: str = UNREACHABLE, top: str = "", command: Sequence[str] = COMMAND
) -> Iterator[tuple[Daemon, str]]:
    """The daemon, and where it listens. `http`: further lines of `[http]`; `more`: tables; `top`: lines before all tables."""
    lines = ['interval = "1s"', 'database = "watchdog.db"', 'log_format = "logfmt"', top, more, "[http]", 'listen = "127.0.0.1:0"', http]
    (folder / "watchdog.toml").write_text("\n".join(lines) + "\n")
    with running(folder, command=command) as daemon:
        daemon.wait_for("http_served")
        found = _SERVED.search(daemon.own_text)
        assert found, daemon.own_text
        yield daemon, f"http://127.0.0.1:{found[1]}"
